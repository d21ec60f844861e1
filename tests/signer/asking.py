"""What the tests of the signer have in common: a batch that waits for it, and asking it."""

from dataclasses import replace
from typing import Any

from settlement.signer import Refusal, Signature, SigningRequest
from tests.builders.rail import OPERATOR, Rail

GWEI = 10**9


class Waits:
    """A signer that signs nothing yet."""

    address = OPERATOR.address

    def sign(self, requests: list[Any], now: object) -> list[Refusal]:
        return [Refusal(each.chain_tx_id, "later") for each in requests]

    def signed_through(self) -> int | None:
        return None


def claimed_batch(rail: Rail, count: int = 2, payable_minor: int = 100_000) -> str:
    """A chain transaction of so many payments of 1,000.00 and more that is claimed, not signed."""
    worker = rail.worker(signer=Waits())
    rail.tick(worker)
    known = {row.id for row in rail.rows("SELECT id FROM chain_tx")}
    rail.write("UPDATE lane SET state = 'active', reason = NULL")  # What waits has halted it.
    rail.instructed(count, payable_minor)
    rail.tick(worker)
    rail.write("UPDATE lane SET state = 'active', reason = NULL")
    (made,) = {row.id for row in rail.rows("SELECT id FROM chain_tx")} - known
    return str(made)


def ask(rail: Rail, key: str, *, signer: Any = None, **changes: Any) -> Signature | Refusal:
    """Ask for one signature, at 3 gwei if nothing else is said."""
    request = replace(SigningRequest(key, 3 * GWEI, GWEI), **changes)
    (answer,) = (signer or rail.signer()).sign([request], rail.now)
    assert answer.chain_tx_id == key
    return answer
