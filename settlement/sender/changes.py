"""Claiming for the admin's lane: what is to be listed, unlisted, frozen or freed gets its nonce.

Who is to be stopped goes before who is to be let. Signs nothing, sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.port import Address
from settlement.chain.registry_abi import LISTED_AT_ONCE, registry_calldata, registry_gas
from settlement.clock import Ids, to_micros
from settlement.config import Settings
from settlement.registry.differences import Difference, differences, record_changes
from settlement.registry.standing import Standing
from settlement.sender.lanes import Lease, renew, take_nonces
from settlement.settlements.tracking import record_chain_tx
from settlement.store.bulk import chunks, insert_named

_ORDER = (Standing.UNLISTED, Standing.FROZEN, Standing.FREE, Standing.LISTED)
_WAIT_MAX_BLOCKS = 1_024

_IN_FLIGHT = text(
    "SELECT COUNT(*) FROM chain_tx WHERE signer = :signer AND state IN ('CLAIMED','SIGNED','SENT')"
)
_ENDED = text(
    "SELECT outcome, block_number FROM chain_tx WHERE signer = :signer AND kind = 'admin'"
    " AND state NOT IN ('CLAIMED', 'SIGNED', 'SENT') ORDER BY nonce DESC LIMIT 16"
)
_HEAD = text("SELECT number FROM cursor WHERE name = 'head'")


def claim_changes(
    session: Session, lease: Lease, settings: Settings, *, ids: Ids, now: datetime
) -> int:
    """Turn what differs into chain transactions of the admin's lane; return how many wallets.

    Raises:
        LeaseLost: nothing is claimed.
    """
    found = differences(session)
    if not found or renew(session, lease, now).state != "active":
        return 0
    in_flight = session.connection().execute(_IN_FLIGHT, {"signer": lease.signer}).scalar_one()
    room = max(settings.lane_in_flight_max - in_flight, 0)
    batches = _batches(found)[:room]
    if not batches or reverted_lately(session, lease.signer) is not None:
        return 0
    first = take_nonces(session, lease, len(batches))
    chain_txs = [
        _chain_tx(batch, nonce, lease.signer, ids=ids, now=now)
        for nonce, batch in enumerate(batches, start=first)
    ]
    insert_named(session, "chain_tx", chain_txs)
    for row, batch in zip(chain_txs, batches, strict=True):
        record_changes(session, str(row["id"]), batch)
    record_chain_tx(session, [str(row["id"]) for row in chain_txs], "claim", now=now)
    return sum(len(batch) for batch in batches)


def reverted_lately(session: Session, signer: str) -> str | None:
    """Return words while the lane rests because its calls revert; it tries again, ever later."""
    rows = session.connection().execute(_ENDED, {"signer": signer}).all()
    reverted = 0
    for row in rows:
        if row.outcome != "reverted":
            break
        reverted += 1
    if not reverted:
        return None
    wait = min(2**reverted, _WAIT_MAX_BLOCKS)
    again = rows[0].block_number + wait
    if (session.connection().execute(_HEAD).scalar() or 0) >= again:
        return None
    return (
        f"the last {reverted} calls of {signer} reverted: is it the rail's owner, and may it"
        f" freeze? It tries again at block {again}"
    )


def _batches(found: Sequence[Difference]) -> list[list[Difference]]:
    """Group by what is to be done, in its order: many wallets to a listing, one to a freeze."""
    ordered = sorted(found, key=lambda each: (_ORDER.index(each.wanted), each.contract))
    batches: list[list[Difference]] = []
    for (wanted, _), group in groupby(ordered, key=lambda each: (each.wanted, each.contract)):
        size = LISTED_AT_ONCE if wanted in (Standing.LISTED, Standing.UNLISTED) else 1
        batches += [list(batch) for batch in chunks(list(group), size)]
    return batches


def _chain_tx(
    batch: Sequence[Difference], nonce: int, signer: str, *, ids: Ids, now: datetime
) -> dict[str, Any]:
    first = batch[0]
    on_token = first.wanted in (Standing.FROZEN, Standing.FREE)
    wallets = [Address(each.wallet) for each in batch]
    return {
        "id": ids("ctx"),
        "signer": signer,
        "nonce": nonce,
        "kind": "admin",
        "to_address": first.contract,
        "calldata": registry_calldata(first.wanted.value, wallets),
        "token": first.contract if on_token else None,
        "debtor_wallet": None,
        "deadline": 0,
        "gas_limit": registry_gas(len(batch)),
        "member_count": len(batch),
        "total_minor": 0,
        "depth": 1,
        "cancelling": False,
        "state": "CLAIMED",
        "created_at": to_micros(now),
    }
