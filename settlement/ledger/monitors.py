"""Monitors: bounds that balances should keep, and what is said once when one leaves them.

Stops nothing: it tells. A monitor looks only at accounts that were posted to since it last looked.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import orjson
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.errors import Invalid, NotFound
from settlement.ledger.accounts import KINDS
from settlement.ledger.balances import HALF, whole
from settlement.ledger.journal import head
from settlement.money import MINOR_MAX
from settlement.store.bulk import insert_rows, rows, rows_by_key
from settlement.store.outbox import OutboxEvent, record

BELOW, WITHIN, ABOVE = "below", "within", "above"
NAME_MAX, PATTERN_MAX = 100, 200

_COLUMNS = "id, name, pattern, lower_minor, upper_minor, created_by, created_at, retired_at"
_STANDS = (
    "SELECT c.code, c.side, c.balance_high, c.balance_minor, c.entry_seq, c.at"
    " FROM monitor_crossing c WHERE c.monitor_id = ? AND c.id ="
    " (SELECT MAX(d.id) FROM monitor_crossing d WHERE d.monitor_id = c.monitor_id"
    " AND d.code = c.code)"
)


class Monitor(NamedTuple):
    """Bounds, both included and either absent, for each account of a pattern. Micros."""

    id: str
    name: str
    pattern: str
    lower_minor: int | None
    upper_minor: int | None
    created_by: str
    created_at: int
    retired_at: int | None

    def side(self, minor: int) -> str:
        """Say on which side of the bounds a balance is. Pure."""
        if self.lower_minor is not None and minor < self.lower_minor:
            return BELOW
        if self.upper_minor is not None and minor > self.upper_minor:
            return ABOVE
        return WITHIN


class Crossing(NamedTuple):
    """A balance that left its bounds, or came back into them."""

    monitor_id: str
    code: str
    side: str
    balance_minor: int
    entry_seq: int
    at: int


def watch(
    session: Session,
    pattern: str,
    *,
    name: str,
    lower_minor: int | None,
    upper_minor: int | None,
    actor: str,
    ids: Ids,
    now: datetime,
) -> Monitor:
    """Store a monitor; accounts that break its bounds already are said at the next look.

    Raises:
        Invalid: no bound, bounds the wrong way round, or a pattern of no kind of account.
    """
    _require_sound(pattern, name, lower_minor, upper_minor)
    made = Monitor(ids("mon"), name, pattern, lower_minor, upper_minor, actor, to_micros(now), None)
    columns = (*_COLUMNS.split(", "), "checked_seq")
    insert_rows(session, "balance_monitor", columns, [(*made, -1)])
    return made


def retire(session: Session, monitor_id: str, *, now: datetime) -> Monitor:
    """Stop watching; what it has said stays.

    Raises:
        NotFound: no such monitor is watching.
    """
    changed = rows(
        session,
        "UPDATE balance_monitor SET retired_at = ? WHERE id = ? AND retired_at IS NULL"
        f" RETURNING {_COLUMNS}",
        (to_micros(now), monitor_id),
    )
    if not changed:
        raise NotFound("monitor", monitor_id)
    return Monitor._make(changed[0])


def listed(session: Session) -> list[Monitor]:
    """Return every monitor, oldest first."""
    found = rows(session, f"SELECT {_COLUMNS} FROM balance_monitor ORDER BY created_at, id")
    return [Monitor._make(row) for row in found]


def outside(session: Session, monitor_id: str) -> list[Crossing]:
    """Return the accounts that were out of this monitor's bounds when it last looked."""
    return [
        crossing for crossing in _standing(session, monitor_id).values() if crossing.side != WITHIN
    ]


def check(session: Session, now: datetime) -> list[Crossing]:
    """Look at every account that was posted to since the last look; store and tell what crossed.

    Where nothing was posted it is one small query.
    """
    due = rows(
        session,
        f"SELECT {_COLUMNS}, checked_seq FROM balance_monitor WHERE retired_at IS NULL"
        " AND checked_seq < (SELECT COALESCE(MAX(seq), 0) FROM journal_entry) ORDER BY id",
    )
    if not due:
        return []
    seq, at = head(session).seq, to_micros(now)
    crossed: list[Crossing] = []
    for *fields, checked in due:
        monitor = Monitor._make(fields)
        stands = _standing(session, monitor.id)
        for code, minor in _moved(session, monitor.pattern, checked):
            side = monitor.side(minor)
            if side != (stands[code].side if code in stands else WITHIN):
                crossed.append(Crossing(monitor.id, code, side, minor, seq, at))
    _store(session, crossed, now)
    rows_by_key(
        session,
        f"UPDATE balance_monitor SET checked_seq = {seq} WHERE id {{keys}} RETURNING id",
        [row[0] for row in due],
    )
    return crossed


def _moved(session: Session, pattern: str, checked_seq: int) -> list[tuple[str, int]]:
    """Return code and balance of a pattern's accounts with postings behind `checked_seq`."""
    is_sqlite = session.connection().dialect.name == "sqlite"
    if "*" not in pattern:
        matches, value = "a.code = ?", pattern
    elif is_sqlite:
        matches, value = "a.code GLOB ?", pattern
    else:
        matches, value = "a.code LIKE ?", pattern.replace("_", r"\_").replace("*", "%")
    found = rows(
        session,
        "SELECT a.code, b.posted_high, b.posted_minor FROM account a"
        f" JOIN balance b ON b.account_id = a.id WHERE {matches} AND (? < 0 OR EXISTS"
        " (SELECT 1 FROM posting p WHERE p.account_id = a.id AND p.entry_seq > ?))"
        " ORDER BY a.code",
        (value, checked_seq, checked_seq),
    )
    return [(code, whole(high, low)) for code, high, low in found]


def _standing(session: Session, monitor_id: str) -> dict[str, Crossing]:
    return {
        code: Crossing(monitor_id, code, side, whole(high, low), seq, at)
        for code, side, high, low, seq, at in rows(session, _STANDS, (monitor_id,))
    }


def _store(session: Session, crossed: list[Crossing], now: datetime) -> None:
    columns = ("monitor_id", "code", "side", "balance_high", "balance_minor", "entry_seq", "at")
    made = [
        (each.monitor_id, each.code, each.side, *divmod(each.balance_minor, HALF), *each[4:])
        for each in crossed
    ]
    insert_rows(session, "monitor_crossing", columns, made)
    events = [
        OutboxEvent(
            f"monitor.{each.side}",
            each.monitor_id,
            orjson.dumps(
                {
                    "code": each.code,
                    "balance_minor": str(each.balance_minor),
                    "entry_seq": each.entry_seq,
                }
            ).decode(),
        )
        for each in crossed
    ]
    record(session, events, now)


def _require_sound(
    pattern: str, name: str, lower_minor: int | None, upper_minor: int | None
) -> None:
    kind = pattern.partition(":")[0]
    bounds = [bound for bound in (lower_minor, upper_minor) if bound is not None]
    if (kind not in KINDS and kind != "*") or not 0 < len(pattern) <= PATTERN_MAX:
        known = ", ".join(sorted(KINDS))
        raise Invalid(
            f"{pattern[:60]!r} is no account's code", field="pattern",
            repair=f"write kind:owner:unit, * for any characters; kinds are {known}",
        )  # fmt: skip
    if any(character in pattern for character in "?[]%\\"):
        raise Invalid(
            f"{pattern[:60]!r} holds a character of no code", field="pattern",
            repair="only * stands for other characters",
        )  # fmt: skip
    if not 0 < len(name) <= NAME_MAX:
        raise Invalid("a monitor needs a name", field="name", repair="name it in 100 characters")
    if not bounds or bounds != sorted(bounds) or any(abs(bound) > MINOR_MAX for bound in bounds):
        raise Invalid(
            "the bounds are absent or the wrong way round", field="lower",
            repair="give lower, upper or both, lower not above upper",
        )  # fmt: skip
