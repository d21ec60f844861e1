"""Breaks that time alone makes: a settlement that is stuck, an invoice or a payment that is late.

Nothing has to happen for them, so they are looked for every so often and not with each block. What
is not yet due is no break. Moves no settlement.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlmodel import Session

from settlement.clock import iso, to_micros
from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import Action, BreakKind, Finding
from settlement.reconciliation.matching import newest_settled_block
from settlement.store.bulk import insert_rows, rows

LATENESS = "lateness"
"""Name of the cursor up to which final payments were looked at."""
FOUND_MAX = 1_000
"""So many new ones of a kind are opened in one call; the next call goes on."""
_SETTLEMENTS_MAX = 5_000

_DAY = 86_400
_UNTOLD = (
    "NOT EXISTS (SELECT 1 FROM settlement_break k WHERE k.subject = {0}.id AND k.kind = '{1}'"
    " AND (k.closed_at IS NULL OR k.closed_by <> 'rail'))"
)
_STUCK = (
    "SELECT s.id, s.state, s.reason, s.creditor_id, s.amount_minor, t.symbol, c.signer, c.nonce,"
    " c.state, (SELECT MAX(e.at) FROM settlement_event e WHERE e.settlement_id = s.id) AS moved_at"
    " FROM settlement s JOIN token t ON t.address = s.token"
    " LEFT JOIN chain_tx c ON c.id = s.chain_tx_id"
    " WHERE s.state IN ('CLAIMED', 'SUBMITTED', 'CONFIRMING') AND s.created_at < ?"
    " AND NOT EXISTS"
    " (SELECT 1 FROM settlement_event e WHERE e.settlement_id = s.id AND e.at >= ?)"
    f" AND {_UNTOLD.format('s', 'stuck')} ORDER BY s.id LIMIT {FOUND_MAX}"
)
_MOVED_ON = (
    "SELECT k.subject FROM settlement_break k JOIN settlement s ON s.id = k.subject"
    " WHERE k.kind = 'stuck' AND k.closed_at IS NULL"
    " AND ((s.state || '') NOT IN ('CLAIMED', 'SUBMITTED', 'CONFIRMING') OR EXISTS"
    " (SELECT 1 FROM settlement_event e WHERE e.settlement_id = s.id AND e.at >= ?))"
)
_OPEN = (
    "(i.payable_minor - i.credited_minor - i.settled_minor - i.in_flight_minor + i.returned_minor)"
)
_UNPAID = f"i.in_flight_minor = 0 AND {_OPEN} > 0 AND i.due_date < ?"
_OVERDUE = (
    f"SELECT i.id, i.number, i.due_date, i.currency, i.seller_id, {_OPEN} FROM invoice i"
    f" WHERE i.state IN ('ACCEPTED', 'PARTLY_PAID') AND i.type_code <> '381' AND {_UNPAID}"
    f" AND {_UNTOLD.format('i', 'late')} ORDER BY i.id LIMIT {FOUND_MAX}"
)
_NOT_OVERDUE = (
    "SELECT k.subject FROM settlement_break k JOIN invoice i ON i.id = k.subject"
    " WHERE k.kind = 'late' AND k.closed_at IS NULL"
    f" AND NOT ((i.state || '') IN ('ACCEPTED', 'PARTLY_PAID') AND {_UNPAID})"
)
_REACHED = (
    "SELECT MAX(block_number) FROM (SELECT block_number FROM settlement"
    f" WHERE block_number > ? AND block_number <= ? ORDER BY block_number LIMIT {_SETTLEMENTS_MAX})"
    " AS ahead"
)
_FINAL = "s.block_number > ? AND s.block_number <= ? AND (s.state || '') = 'SETTLED'"
_DAYS = (
    f"SELECT DISTINCT b.timestamp / {_DAY} FROM settlement s"
    f" JOIN block b ON b.hash = s.block_hash WHERE {_FINAL} ORDER BY 1"
)
_PAID_LATE = (
    "SELECT s.id, s.execution_date, i.due_date, i.number, s.creditor_id, s.amount_minor, t.symbol"
    " FROM settlement s JOIN block b ON b.hash = s.block_hash JOIN invoice i ON i.id = s.invoice_id"
    f" JOIN token t ON t.address = s.token WHERE {_FINAL}"
    " AND b.timestamp >= ? AND b.timestamp < ?"
    # Without a due date a day's grace: a payment asked for just before midnight is not late.
    " AND s.execution_date < CASE WHEN i.due_date IS NULL THEN ? ELSE ? END"
    " AND (i.due_date IS NULL OR i.due_date < ?)"
)
_REJECTED_UNTOLD = (
    "SELECT MIN(s.block_number) FROM settlement s WHERE s.state = 'REJECTED'"
    " AND s.outcome = 'rejected' AND NOT EXISTS (SELECT 1 FROM settlement_break k"
    " WHERE k.subject = s.id AND k.kind = 'rejected')"
)


def stuck(session: Session, now: datetime, after: timedelta) -> tuple[int, int]:
    """Settlements that have not moved for `after` while they were being sent; (opened, closed)."""
    before = to_micros(now - after)
    healed = {subject for (subject,) in rows(session, _MOVED_ON, (before,))}
    is_open = breaks.open_of(session, [BreakKind.STUCK]) if healed else []
    moved = [each for each in is_open if each.subject in healed]
    closed = breaks.close(session, moved, "it has moved", now)
    found = [_stuck(*row) for row in rows(session, _STUCK, (before, before))]
    return breaks.open_new(session, found, now), closed


def late_invoices(session: Session, now: datetime) -> tuple[int, int]:
    """Invoices past their due date with an open amount and nothing on its way; (opened, closed)."""
    today = now.date().isoformat()
    healed = {subject for (subject,) in rows(session, _NOT_OVERDUE, (today,))}
    is_open = breaks.open_of(session, [BreakKind.LATE]) if healed else []
    done = [each for each in is_open if each.subject in healed]
    closed = breaks.close(session, done, "it is paid, or on its way, or no longer owed", now)
    found = [
        Finding(
            BreakKind.LATE,
            key,
            f"invoice {number} was due on {due} and is open; nothing is on its way",
            {"due_date": due},
            proposed=Action.REVIEW,
            party=seller,
            amount_minor=minor,
            unit=currency,
        )
        for key, number, due, currency, seller, minor in rows(session, _OVERDUE, (today,))
    ]
    return breaks.open_new(session, found, now), closed


def late_payments(session: Session, now: datetime) -> tuple[int, int]:
    """Final payments of a later day than was asked for and the invoice allows; (opened, closed).

    Each is looked at once, by its block: the days are those of the chain's own clock, in UTC.
    """
    through = newest_settled_block(session)
    mark = rows(session, "SELECT number FROM cursor WHERE name = ?", (LATENESS,))
    after = int(mark[0][0]) if mark else -1
    if through is None or through <= after:
        return 0, 0
    (reached,) = rows(session, _REACHED, (after, through))[0]
    if reached is None:
        return 0, 0
    found = []
    for (number,) in rows(session, _DAYS, (after, reached)):
        day = date(1970, 1, 1) + timedelta(days=int(number))
        bounds = (after, reached, int(number) * _DAY, (int(number) + 1) * _DAY)
        yesterday = (day - timedelta(days=1)).isoformat()
        dates = (yesterday, day.isoformat(), day.isoformat())
        found += [_paid_late(day, *row) for row in rows(session, _PAID_LATE, (*bounds, *dates))]
    insert_rows(
        session,
        "cursor",
        ("name", "number", "hash", "at"),
        [(LATENESS, reached, "", to_micros(now))],
        "ON CONFLICT (name) DO UPDATE SET number = excluded.number, at = excluded.at",
    )
    return breaks.open_new(session, found, now), 0


def oldest_untold_rejection(session: Session) -> int | None:
    """Return the block of the first rejection that never was a break, None where all were."""
    (number,) = rows(session, _REJECTED_UNTOLD)[0]
    return None if number is None else int(number)


def _stuck(
    key: str, state: str, reason: str | None, creditor: str, minor: int, symbol: str,
    signer: str | None, nonce: int | None, tx_state: str | None, moved_at: int,
) -> Finding:  # fmt: skip
    since = iso(moved_at)
    where = f"nonce {nonce} of {signer} is {tx_state}" if signer else "it has no chain transaction"
    said = f": {reason}" if reason else ""
    return Finding(
        BreakKind.STUCK,
        key,
        f"{state} since {since}, and {where}{said}",
        {"state": state, "since": since, "signer": signer, "nonce": nonce, "tx_state": tx_state},
        party=creditor,
        amount_minor=minor,
        unit=symbol,
    )


def _paid_late(
    day: date, key: str, execution_date: str, due_date: str | None, number: str,
    creditor: str, minor: int, symbol: str,
) -> Finding:  # fmt: skip
    due = f", and invoice {number} was due on {due_date}" if due_date else ""
    return Finding(
        BreakKind.LATE,
        key,
        f"paid on {day.isoformat()}, asked for {execution_date}{due}",
        {"paid_on": day.isoformat(), "execution_date": execution_date, "due_date": due_date},
        proposed=Action.REVIEW,
        party=creditor,
        amount_minor=minor,
        unit=symbol,
    )
