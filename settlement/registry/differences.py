"""What the admin's lane has to do: where what is wanted is neither there nor on its way.

Reads; claims nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from settlement.registry.standing import Standing
from settlement.store.bulk import insert_rows, rows, rows_by_key

DEAD = (
    "c.kind = 'admin' AND ("
    # What would let somebody pay goes out only while everybody in it is still to be let.
    " EXISTS (SELECT 1 FROM registry_change h JOIN registry_standing s"
    "  ON s.wallet = h.wallet AND s.contract = h.contract WHERE h.chain_tx_id = c.id"
    "  AND h.effect IN ('listed', 'free') AND s.wanted <> h.effect)"
    # What stops somebody goes out as long as one in it is to be stopped.
    " OR EXISTS (SELECT 1 FROM registry_change h WHERE h.chain_tx_id = c.id"
    "  AND h.effect IN ('unlisted', 'frozen'))"
    " AND NOT EXISTS (SELECT 1 FROM registry_change h JOIN registry_standing s"
    "  ON s.wallet = h.wallet AND s.contract = h.contract WHERE h.chain_tx_id = c.id"
    "  AND s.wanted = h.effect))"
)
"""Of a chain transaction `c`: what it does to the registry is not wanted any more."""

_UNFINISHED = "('CLAIMED', 'SIGNED', 'SENT')"
_PENDING = (
    "SELECT wallet, contract, wanted, actual FROM registry_standing WHERE wanted <> actual"
    # Not sorted, nor each once: for that SQLite would read all wallets by the primary key.
    " UNION ALL SELECT s.wallet, s.contract, s.wanted, s.actual FROM chain_tx c"
    " JOIN registry_change h ON h.chain_tx_id = c.id"
    " JOIN registry_standing s ON s.wallet = h.wallet AND s.contract = h.contract"
    f" WHERE c.kind = 'admin' AND c.state IN {_UNFINISHED} AND s.wanted <> h.effect"
)
_LISTABLE = (
    "SELECT o.address FROM wallet o JOIN participant p ON p.id = o.participant_id"
    " WHERE o.address {keys} AND p.state = 'active'"
)
_COMING = (
    "SELECT h.wallet, h.contract, h.effect FROM registry_change h"
    f" JOIN chain_tx c ON c.id = h.chain_tx_id WHERE h.wallet {{keys}} AND c.state IN {_UNFINISHED}"
    " ORDER BY c.nonce"
)
_CHANGE = ("chain_tx_id", "position", "wallet", "contract", "effect")


@dataclass(frozen=True, slots=True)
class Difference:
    """A wallet that is to become `wanted` on a contract."""

    wallet: str
    contract: str
    wanted: Standing


def differences(session: Session) -> list[Difference]:
    """Return what nothing that is under way will bring about, in order of the wallets.

    One cheap query where there is nothing: by two indexes of what differs and what is unfinished.
    """
    pending = sorted(set(rows(session, _PENDING)))
    if not pending:
        return []
    coming = {
        (wallet, contract): effect  # The last in order of nonces is how it ends.
        for wallet, contract, effect in rows_by_key(session, _COMING, {row[0] for row in pending})
    }
    found = [
        Difference(wallet, contract, Standing(wanted))
        for wallet, contract, wanted, actual in pending
        if coming.get((wallet, contract), actual) != wanted
    ]
    # Whatever is wanted: who is no active participant is listed by nobody.
    listing = {each.wallet for each in found if each.wanted == Standing.LISTED}
    listable = {wallet for (wallet,) in rows_by_key(session, _LISTABLE, listing)}
    return [each for each in found if each.wanted != Standing.LISTED or each.wallet in listable]


def record_changes(session: Session, chain_tx_id: str, batch: Sequence[Difference]) -> None:
    """Fix what a chain transaction of the admin's lane is to bring about."""
    insert_rows(
        session, "registry_change", _CHANGE,
        [
            (chain_tx_id, place, each.wallet, each.contract, each.wanted.value)
            for place, each in enumerate(batch)
        ],
    )  # fmt: skip
