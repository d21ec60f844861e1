"""Many chain transactions at once: the first are sent while the signer signs the next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from settlement.chain.port import Address
from settlement.sender.pipeline import SIGN_IN_ONE_CALL
from settlement.signer import Refusal, Signature, Signer, SigningRequest
from settlement.signer.socket import SignerUnreachable
from tests.builders.rail import Rail

COUNT = 2 * SIGN_IN_ONE_CALL + 3


@dataclass
class Watched:
    """A signer that notes how many it is asked for, and may fail at one of the calls."""

    inner: Signer
    fails_at: int | None = None
    calls: list[int] = field(default_factory=list)

    @property
    def address(self) -> Address:
        return self.inner.address

    def signed_through(self) -> int | None:
        return self.inner.signed_through()

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        self.calls.append(len(requests))
        if len(self.calls) == self.fails_at:
            raise SignerUnreachable("it fell silent")
        return self.inner.sign(requests, now)


@pytest.fixture
def busy_rail(sqlite_rail: Rail) -> Rail:
    """A rail that pays one settlement a chain transaction, and has many to pay."""
    settings = sqlite_rail.settings.model_copy(update={"batch_payments_max": 1})
    sqlite_rail.settings = settings
    sqlite_rail.instructed(COUNT)
    return sqlite_rail


def test_a_long_lane_is_signed_call_by_call_and_sent_in_the_order_of_nonces(
    busy_rail: Rail,
) -> None:
    signer = Watched(busy_rail.signer())

    progress = busy_rail.tick(busy_rail.worker(signer=signer))

    assert signer.calls == [SIGN_IN_ONE_CALL, SIGN_IN_ONE_CALL, 3]
    assert (progress.signed, progress.sent) == (COUNT, COUNT)
    assert busy_rail.rows(
        "SELECT DISTINCT c.state, a.send_count, a.outcome FROM chain_tx c"
        " JOIN attempt a ON a.chain_tx_id = c.id"
    ) == [("SENT", 1, "accepted")]


def test_what_was_signed_before_the_signer_fell_silent_is_sent_and_the_rest_later(
    busy_rail: Rail,
) -> None:
    signer = Watched(busy_rail.signer(), fails_at=3)
    worker = busy_rail.worker(signer=signer)

    with pytest.raises(SignerUnreachable):
        busy_rail.tick(worker)
    sent = busy_rail.rows("SELECT nonce FROM chain_tx WHERE state = 'SENT' ORDER BY nonce")
    busy_rail.settle_all(worker)

    assert [nonce - sent[0].nonce for (nonce,) in sent] == list(range(2 * SIGN_IN_ONE_CALL))
    assert busy_rail.one("SELECT COUNT(*) FROM attempt") == COUNT
