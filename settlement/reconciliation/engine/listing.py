"""Pages of records, matches and runs, for people to read. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.errors import NotFound
from settlement.store.bulk import rows_by_key


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record; amounts in millionths, days since 1970. `match_id` is the live match it is in."""

    id: int
    source: str
    origin: str
    owner: str
    account: str
    currency: str
    amount_micro: int
    unit: str
    end_to_end_id: str | None
    reference: str | None
    counterparty: str | None
    value_day: int
    due_day: int | None
    settlement_id: str | None
    invoice_id: str | None
    parent_id: int | None
    state: str
    match_id: int | None


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A match with the ids of its records; `reasons` is JSON, times are microseconds."""

    id: int
    rule_set_version: int | None
    rule_id: str
    score: int
    reasons: str
    kind: str
    live: bool
    created_at: int
    created_by: str
    undone_at: int | None
    undone_by: str | None
    undone_reason: str | None
    record_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run; `counts` is JSON, times are microseconds."""

    id: int
    rule_set_version: int
    state: str
    counts: str
    started_at: int
    finished_at: int | None


_RECORDS = (
    "SELECT r.id, r.source, r.origin, r.owner, r.account, r.currency, r.amount_micro, r.unit,"
    " r.end_to_end_id, r.reference, r.counterparty, r.value_day, r.due_day, r.settlement_id,"
    " r.invoice_id, r.parent_id, r.state, m.match_id FROM recon_record r"
    " LEFT JOIN recon_member m ON m.record_id = r.id AND m.live"
)
_MATCHES = (
    "SELECT id, rule_set_version, rule_id, score, reasons, kind, live, created_at, created_by,"
    " undone_at, undone_by, undone_reason FROM recon_match"
)
_RUNS = (
    "SELECT id, rule_set_version, state, counts, started_at, finished_at FROM recon_run"
    " ORDER BY id DESC LIMIT :limit"
)


def records(
    session: Session,
    *,
    limit: int,
    after: int = 0,
    state: str | None = None,
    source: str | None = None,
    owner: str | None = None,
) -> list[RecordRow]:
    """Return up to `limit` records with an id above `after`, in order of their ids."""
    wanted = {"r.state": state, "r.source": source, "r.owner": owner}
    found = _page(session, _RECORDS, "r.id > :place", "r.id", wanted, after, limit)
    return [RecordRow(*row) for row in found]


def matches(
    session: Session,
    *,
    limit: int,
    before: int = 2**62,
    live: bool | None = None,
    rule_id: str | None = None,
    kind: str | None = None,
) -> list[MatchRow]:
    """Return up to `limit` matches with an id below `before`, newest first."""
    wanted = {"live": live, "rule_id": rule_id, "kind": kind}
    found = _page(session, _MATCHES, "id < :place", "id DESC", wanted, before, limit)
    members = rows_by_key(
        session,
        "SELECT match_id, record_id FROM recon_member WHERE match_id {keys} ORDER BY record_id",
        [row[0] for row in found],
    )
    of: dict[int, list[int]] = {}
    for match_id, record_id in members:
        of.setdefault(match_id, []).append(record_id)
    return [
        replace(MatchRow(*row), live=bool(row[6]), record_ids=tuple(of.get(row[0], ())))
        for row in found
    ]


def match(session: Session, match_id: int) -> MatchRow:
    """Return one match.

    Raises:
        NotFound: there is none of that id.
    """
    found = [each for each in matches(session, limit=1, before=match_id + 1) if each.id == match_id]
    if not found:
        raise NotFound("match", str(match_id))
    return found[0]


def runs(session: Session, *, limit: int) -> list[RunRow]:
    """Return the newest runs, newest first."""
    return [RunRow(*row) for row in session.connection().execute(text(_RUNS), {"limit": limit})]


def _page(
    session: Session,
    select: str,
    place: str,
    order: str,
    wanted: dict[str, Any],
    start: int,
    limit: int,
) -> list[Any]:
    given = {column: value for column, value in wanted.items() if value is not None}
    names = {column: column.rpartition(".")[2] for column in given}
    said = [place, *(f"{column} = :{name}" for column, name in names.items())]
    values = {names[column]: value for column, value in given.items()}
    statement = f"{select} WHERE {' AND '.join(said)} ORDER BY {order} LIMIT :limit"
    found = session.connection().execute(
        text(statement), {**values, "place": start, "limit": limit}
    )
    return [tuple(row) for row in found]
