"""Opening a signer: what it is for is written into its own memory when it first starts.

From then on a database that names another chain or rail is refused. Holds no key itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from settlement.chain.port import Address
from settlement.chain.signing import GAS_CAP
from settlement.errors import Refused
from settlement.signer.intents import IntentSigner
from settlement.signer.limits import PAYMENTS, AmountLimits, SigningLimits
from settlement.signer.port import KeyHolder
from settlement.signer.records import Records
from settlement.signer.slots import SlotStore


class NothingDeployed(Refused):
    """The database names no rail yet."""

    def __init__(self) -> None:
        super().__init__(
            "the rail's database names no rail yet: there is nothing to sign for",
            repair="record the deployment first; `settle up` does both",
        )


class OtherRail(Refused):
    """The database names another chain or rail than the signer's memory."""

    def __init__(self, known: str, named: str) -> None:
        super().__init__(
            f"this signer is for {known}, the database names {named}",
            repair="restore the right database; for a new rail give --accept-rail with its address",
        )


def open_signer(
    records: Records,
    key: KeyHolder,
    slots: SlotStore,
    *,
    max_fee_wei: int,
    amounts: AmountLimits,
    by_token: Mapping[str, AmountLimits],
    accept_rail: str = "",
    signs: str = PAYMENTS,
) -> IntentSigner:
    """Return a signer for the one rail that its memory knows, or that is accepted by address.

    Raises:
        NothingDeployed: the database names no rail.
        OtherRail: it names another than the memory does.
        Retryable: records or memory cannot be reached.
    """
    found = records.deployment()
    if found is None:
        raise NothingDeployed
    chain_id, rail = found
    named = f"the rail {rail} on chain {chain_id}"
    if accept_rail.lower() == rail:
        slots.pin("rail", named)
    known = slots.pinned("rail", named)
    if known != named:
        raise OtherRail(known, named)
    limits = SigningLimits(
        chain_id, Address(rail), max_fee_wei, GAS_CAP, amounts,
        {token.lower(): each for token, each in by_token.items()}, signs,
    )  # fmt: skip
    return IntentSigner(records, key, slots, limits)
