"""What wallets are to be and are, with who wants it and what is under way: for people to look at.

Reads; decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlmodel import Session

from settlement.store.bulk import rows, rows_by_key

_PAGE = (
    "SELECT s.wallet, s.contract, t.symbol, o.participant_id, s.wanted, s.actual, s.since,"
    " s.differs_from_block FROM registry_standing s"
    " LEFT JOIN token t ON t.address = s.contract LEFT JOIN wallet o ON o.address = s.wallet"
    " WHERE (s.wallet > ? OR s.wallet = ? AND s.contract > ?)"
)
_WISHES = (
    "SELECT wallet, contract, source, wanted, reason, actor, since FROM registry_wish"
    " WHERE wallet {keys} ORDER BY source"
)
_UNDER_WAY = (
    "SELECT h.wallet, h.contract, c.id, h.effect, c.state, c.cancelling FROM registry_change h"
    " JOIN chain_tx c ON c.id = h.chain_tx_id WHERE h.wallet {keys}"
    " AND c.state IN ('CLAIMED', 'SIGNED', 'SENT', 'SEEN') ORDER BY c.nonce"
)

_ByPlace: TypeAlias = dict[tuple[str, str], list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What one side wants; `since` in microseconds."""

    source: str
    wanted: str
    reason: str
    actor: str
    since: int


@dataclass(frozen=True, slots=True)
class Change:
    """A chain transaction of the admin's lane that is not final."""

    chain_tx_id: str
    effect: str
    state: str
    cancelling: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A wallet on a contract; `symbol` of a token, None for the rail."""

    wallet: str
    contract: str
    symbol: str | None
    participant_id: str | None
    wanted: str
    actual: str
    since: int
    differs_from_block: int | None
    wishes: tuple[Wish, ...]
    under_way: tuple[Change, ...]


def listed(
    session: Session,
    *,
    after: tuple[str, str] = ("", ""),
    limit: int = 100,
    participant_id: str | None = None,
    wallet: str | None = None,
    only_differing: bool = False,
) -> list[Listed]:
    """Return up to `limit` wallets on contracts, in order of both, after one of them."""
    where, values = "", [after[0], after[0], after[1]]
    for condition, value in ((" AND o.participant_id = ?", participant_id),
                             (" AND s.wallet = ?", wallet)):  # fmt: skip
        if value is not None:
            where, values = where + condition, [*values, value]
    where += " AND s.wanted <> s.actual" if only_differing else ""
    order = " ORDER BY s.wallet, s.contract LIMIT ?"
    found = rows(session, _PAGE + where + order, [*values, limit])
    wallets = {row[0] for row in found}
    wishes = _by_place(rows_by_key(session, _WISHES, wallets))
    under_way = _by_place(rows_by_key(session, _UNDER_WAY, wallets))
    return [_one(row, wishes, under_way) for row in found]


def _one(row: tuple[Any, ...], wishes: _ByPlace, under_way: _ByPlace) -> Listed:
    wallet, contract, symbol, owner, wanted, actual, since, differs = row
    changes = (
        Change(each[0], each[1], each[2], bool(each[3]))
        for each in under_way.get((wallet, contract), ())
    )
    return Listed(
        wallet, contract, symbol, owner, wanted, actual, since, differs,
        tuple(Wish(*each) for each in wishes.get((wallet, contract), ())), tuple(changes),
    )  # fmt: skip


def _by_place(found: list[tuple[Any, ...]]) -> _ByPlace:
    by_place: _ByPlace = {}
    for row in found:
        by_place.setdefault((row[0], row[1]), []).append(row[2:])
    return by_place
