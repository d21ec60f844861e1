"""Requests as stored, with what was said to them, and the hash of what is to be seen.

It changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from sqlmodel import Session

from settlement.errors import NotFound
from settlement.store import row_lock
from settlement.store.bulk import rows, rows_by_key

_COLUMNS = (
    "a.id, a.kind, a.subject, a.terms, a.what_hash, a.amount_minor, a.unit, a.maker, a.maker_role,"
    " a.approver_roles, a.needed, a.matrix_version, a.state, a.reason, a.created_at, a.expires_at,"
    " a.ended_at, a.ended_reason"
)
_FIND = f"SELECT {_COLUMNS} FROM approval_request a WHERE a.id {{keys}} ORDER BY a.id"
_BY_SUBJECT = f"SELECT {_COLUMNS} FROM approval_request a WHERE a.subject {{keys}} ORDER BY a.id"
_DECISIONS = (
    "SELECT d.approval_id, d.checker, d.checker_role, d.verdict, d.reason, d.at"
    " FROM approval_decision d WHERE d.approval_id {keys} ORDER BY d.id"
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one other hand said; `at` in microseconds."""

    checker: str
    checker_role: str
    verdict: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for a second person, bound to what was seen; moments in microseconds."""

    id: str
    kind: str
    subject: str
    terms: Mapping[str, Any]
    """All that there is to be seen."""
    what_hash: str
    amount_minor: int | None
    unit: str | None
    maker: str
    maker_role: str
    approver_roles: tuple[str, ...]
    needed: int
    matrix_version: str
    state: str
    """open, approved, refused, withdrawn, lapsed or void."""
    reason: str
    created_at: int
    expires_at: int
    ended_at: int | None
    ended_reason: str | None
    decisions: tuple[Decision, ...] = ()

    @property
    def approvers(self) -> tuple[str, ...]:
        """The hands that approved it, in their order."""
        return tuple(each.checker for each in self.decisions if each.verdict == "approve")


@dataclass(frozen=True, slots=True)
class ApprovalFilter:
    """Which requests to list; None does not restrict."""

    state: str | None = None
    kind: str | None = None
    subject: str | None = None
    maker: str | None = None
    waits_for_hand: str | None = None
    """Open, asked for by somebody else, and not decided about by this hand."""
    waits_for_role: str | None = None


def canonical(terms: Mapping[str, Any]) -> str:
    """Return terms as canonical JSON: keys sorted, no white space, UTF-8. Pure."""
    return orjson.dumps(dict(terms), option=orjson.OPT_SORT_KEYS).decode()


def what_hash(kind: str, subject: str, terms: Mapping[str, Any]) -> str:
    """Return the SHA-256 over what is to be seen of a request. Pure."""
    return sha256(orjson.dumps([kind, subject, canonical(terms)])).hexdigest()


def find(session: Session, approval_id: str, *, locked: bool = False) -> Approval:
    """Return one request with its decisions, locked where it is to be changed.

    Raises:
        NotFound: there is none.
    """
    found = several(session, [approval_id], locked=locked)
    if not found:
        raise NotFound("approval", approval_id)
    return found[0]


def several(session: Session, ids: Iterable[str], *, locked: bool = False) -> list[Approval]:
    """Return the requests that there are of these, in the order of their ids."""
    lock = row_lock(session, "a") if locked else ""
    return _whole(session, rows_by_key(session, _FIND + lock, list(dict.fromkeys(ids))))


def of_subjects(session: Session, subjects: Iterable[str], *, kind: str) -> list[Approval]:
    """Return every request of a kind about these subjects, oldest first."""
    found = rows_by_key(session, _BY_SUBJECT, subjects)
    return _whole(session, [row for row in found if row[1] == kind])


def page(
    session: Session,
    wanted: ApprovalFilter,
    *,
    limit: int,
    before_id: str | None = None,
    after_id: str | None = None,
) -> list[Approval]:
    """Return up to `limit` requests, newest first; see `settlements.records.page`."""
    conditions, values = ["1 = 1"], []
    for column in ("state", "kind", "subject", "maker"):
        value = getattr(wanted, column)
        if value is not None:
            conditions.append(f"a.{column} = ?")
            values.append(value)
    if wanted.waits_for_hand is not None:
        conditions.append(
            "a.state = 'open' AND a.maker <> ? AND NOT EXISTS (SELECT 1 FROM approval_decision d"
            " WHERE d.approval_id = a.id AND d.checker = ?)"
        )
        values += [wanted.waits_for_hand] * 2
    if wanted.waits_for_role is not None:
        conditions.append("a.state = 'open' AND a.approver_roles LIKE ?")
        values.append(f'%"{wanted.waits_for_role}"%')
    for value, comparison in ((before_id, "<"), (after_id, ">")):
        if value is not None:
            conditions.append(f"a.id {comparison} ?")
            values.append(value)
    order = "ASC" if after_id is not None else "DESC"
    sql = f"SELECT {_COLUMNS} FROM approval_request a WHERE {' AND '.join(conditions)}"
    found = rows(session, f"{sql} ORDER BY a.id {order} LIMIT {int(limit)}", values)
    return _whole(session, found[::-1] if after_id is not None else found)


def _whole(session: Session, found: Sequence[tuple[Any, ...]]) -> list[Approval]:
    said: dict[str, list[Decision]] = {}
    for approval_id, *decision in rows_by_key(session, _DECISIONS, [row[0] for row in found]):
        said.setdefault(approval_id, []).append(Decision(*decision))
    return [_approval(row, tuple(said.get(row[0], ()))) for row in found]


def _approval(row: tuple[Any, ...], decisions: tuple[Decision, ...]) -> Approval:
    values = list(row)
    values[3] = orjson.loads(row[3])
    values[9] = tuple(orjson.loads(row[9]))
    values.append(decisions)
    return Approval(*values)
