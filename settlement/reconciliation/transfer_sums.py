"""What the Transfer logs add up to, per token and holder, both signs apart.

Up to the last tie-out the sums are kept, so that a new block costs what it holds and no more; what
lies before that is added up from the logs themselves. Knows no ledger and asks no chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.store.bulk import insert_rows, rows

SUMMED = "summed"
"""Name of the cursor up to which the kept sums go."""

ZERO = "0x" + "00" * 20
"""Who pays mints and receives burns."""

_HALF = 2**32
_MOVED = (
    f"SELECT l.address, l.debtor, l.creditor, SUM(l.amount_minor / {_HALF}),"
    f" SUM(l.amount_minor - l.amount_minor / {_HALF} * {_HALF})"
    # In this order: the logs of a few blocks are few, the blocks all there are.
    " FROM chain_log l CROSS JOIN block b"
    " WHERE l.block_number > ? AND l.block_number <= ? AND l.name = 'Transfer'"
    " AND l.amount_minor IS NOT NULL AND b.hash = l.block_hash AND b.canonical"
    " GROUP BY l.address, l.debtor, l.creditor"
)
_KEPT = (
    "SELECT s.token, s.holder, s.received_high, s.received_low, s.paid_high, s.paid_low"
    " FROM {holders} JOIN transfer_sum s ON s.token = t.address AND s.holder = {holder}"
)
_OURS = _KEPT.format(holders="token t CROSS JOIN wallet w", holder="w.address")
_OF_ISSUERS = _KEPT.format(holders="token t", holder=f"'{ZERO}'")

Key = tuple[str, str]
"""Token address and holder."""


class InAndOut(NamedTuple):
    """Minor units that a holder received and paid, each from 0 upwards."""

    received: int = 0
    paid: int = 0

    @property
    def net(self) -> int:
        """What is left of it."""
        return self.received - self.paid


@dataclass(frozen=True, slots=True)
class TransferSums:
    """Sums at block `number` of our wallets, of issuers, and of who moved after block `kept_to`."""

    number: int
    kept_to: int
    at: Mapping[Key, InAndOut]
    moved: Mapping[Key, InAndOut]


def sums_at(session: Session, number: int) -> TransferSums:
    """Return the sums of all Transfers in canonical blocks up to and including `number`."""
    kept_to = _mark(session)
    if number < kept_to:
        added = _added_up(session, -1, number)
        return TransferSums(number, -1, added, added)
    moved = _added_up(session, kept_to, number)
    at = {
        (token, holder): InAndOut(high_in * _HALF + low_in, high_out * _HALF + low_out)
        for token, holder, high_in, low_in, high_out, low_out in rows(
            session, f"{_OURS} UNION ALL {_OF_ISSUERS}"
        )
    }
    for key, more in moved.items():
        at[key] = _sum(at.get(key, InAndOut()), more)
    return TransferSums(number, kept_to, at, moved)


def keep(session: Session, sums: TransferSums, block_hash: str, now: datetime) -> None:
    """Keep sums of a final block, unless somebody else has kept any since they were read."""
    if sums.number <= sums.kept_to or _mark(session) != sums.kept_to:
        return
    insert_rows(
        session,
        "transfer_sum",
        ("token", "holder", "received_high", "received_low", "paid_high", "paid_low"),
        [
            (*key, *divmod(more.received, _HALF), *divmod(more.paid, _HALF))
            for key, more in sorted(sums.moved.items())
        ],
        # Whoever is no wallet of ours yet may become one: all holders are kept.
        "ON CONFLICT (token, holder) DO UPDATE SET"
        " received_high = transfer_sum.received_high + excluded.received_high,"
        " received_low = transfer_sum.received_low + excluded.received_low,"
        " paid_high = transfer_sum.paid_high + excluded.paid_high,"
        " paid_low = transfer_sum.paid_low + excluded.paid_low",
    )
    insert_rows(
        session,
        "cursor",
        ("name", "number", "hash", "at"),
        [(SUMMED, sums.number, block_hash, to_micros(now))],
        "ON CONFLICT (name) DO UPDATE SET number = excluded.number, hash = excluded.hash,"
        " at = excluded.at",
    )


def _added_up(session: Session, after: int, through: int) -> dict[Key, InAndOut]:
    found: dict[Key, InAndOut] = {}
    for token, debtor, creditor, high, low in rows(session, _MOVED, (after, through)):
        minor = int(high) * _HALF + int(low)
        for holder, more in ((debtor, InAndOut(paid=minor)), (creditor, InAndOut(received=minor))):
            found[token, holder] = _sum(found.get((token, holder), InAndOut()), more)
    return found


def _sum(one: InAndOut, other: InAndOut) -> InAndOut:
    return InAndOut(one.received + other.received, one.paid + other.paid)


def _mark(session: Session) -> int:
    found = rows(session, "SELECT number FROM cursor WHERE name = ?", (SUMMED,))
    return int(found[0][0]) if found else -1
