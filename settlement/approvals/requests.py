"""Asking for a second person, taking it back, letting it lapse, making it void.

Who has to approve is the matrix's; what follows from an approval is the asking room's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.approvals import matrix as matrices
from settlement.approvals.errors import ApprovalNotOpen, ApprovalOpen, NotTheMaker
from settlement.approvals.matrix import Matrix, Rule
from settlement.approvals.records import Approval, canonical, find, several, what_hash
from settlement.clock import Ids, to_micros
from settlement.errors import Invalid
from settlement.money import Unit
from settlement.store import row_lock
from settlement.store.bulk import insert_rows, rows_by_key

REASON_MAX = 500
LAPSED_MAX = 1_000
"""Requests that one run lets lapse."""

_INSERT = (
    "id", "kind", "subject", "terms", "what_hash", "amount_minor", "unit", "maker", "maker_role",
    "approver_roles", "needed", "matrix_version", "state", "reason", "created_at", "expires_at",
    "ended_at",
)  # fmt: skip
_OPEN = (
    "SELECT a.id, a.kind, a.subject, a.expires_at FROM approval_request a"
    " WHERE a.subject {keys} AND a.state = 'open' ORDER BY a.id"
)
_END = text(
    "UPDATE approval_request SET state = :state, ended_at = :at, ended_reason = :reason"
    " WHERE id = :id AND state = 'open'"
)
_OVERDUE = text(
    "SELECT id FROM approval_request WHERE state = 'open' AND expires_at <= :now"
    " ORDER BY expires_at, id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be approved: `terms` is all that there is to be seen, the version among it."""

    kind: str
    subject: str
    terms: Mapping[str, Any]
    amount_minor: int | None = None
    unit: Unit | None = None


def ask(
    session: Session,
    *,
    kind: str,
    subject: str,
    terms: Mapping[str, Any],
    maker: str,
    role: str,
    reason: str,
    ids: Ids,
    now: datetime,
    amount_minor: int | None = None,
    unit: Unit | None = None,
    matrix: Matrix | None = None,
) -> Approval:
    """Ask for the approvals that the matrix wants; where it wants none, it is approved at once.

    `maker` is the caller's hand, `role` its role.

    Raises:
        NoApprovalRule: the matrix has no row for this.
        ApprovalOpen: the subject has an open request of this kind.
    """
    question = Question(kind, subject, terms, amount_minor, unit)
    asked = ask_each(
        session, [question], maker=maker, role=role, reason=reason, ids=ids, now=now, matrix=matrix
    )
    return asked[0]


def ask_each(
    session: Session,
    questions: Sequence[Question],
    *,
    maker: str,
    role: str,
    reason: str,
    ids: Ids,
    now: datetime,
    matrix: Matrix | None = None,
) -> list[Approval]:
    """Ask many at once, all or none; see `ask`."""
    words = reason.strip()
    if not words or len(words) > REASON_MAX:
        raise Invalid(
            "a request needs a reason",
            field="reason",
            repair=f"say why, in up to {REASON_MAX} characters",
        )
    table = matrix or matrices.load()
    asked = [(each, rule_of(each, role, table)) for each in questions]
    _make_room(session, questions, now)
    made = [ids("apr") for _ in asked]
    at = to_micros(now)
    insert_rows(
        session,
        "approval_request",
        _INSERT,
        [
            (
                key,
                each.kind,
                each.subject,
                canonical(each.terms),
                what_hash(each.kind, each.subject, each.terms),
                each.amount_minor,
                each.unit.code if each.unit else None,
                maker,
                role,
                orjson.dumps(list(rule.approvers)).decode(),
                rule.needed,
                table.version,
                "open" if rule.needed else "approved",
                words,
                at,
                to_micros(now + timedelta(hours=rule.open_hours)),
                None if rule.needed else at,
            )
            for key, (each, rule) in zip(made, asked, strict=True)
        ],
    )
    found = {each.id: each for each in several(session, made)}
    return [found[key] for key in made]


def rule_of(question: Question, role: str, matrix: Matrix | None = None) -> Rule:
    """Return the row of the matrix that a question falls under.

    Raises:
        NoApprovalRule: there is none.
    """
    return (matrix or matrices.load()).rule(
        question.kind, role=role, minor=question.amount_minor, unit=question.unit
    )


def withdraw(
    session: Session, approval_id: str, *, maker: str, reason: str, now: datetime
) -> Approval:
    """Take a request back; only the hand that asked can.

    Raises:
        NotFound, NotTheMaker, ApprovalNotOpen: nothing is changed.
    """
    approval = find(session, approval_id, locked=True)
    if approval.maker != maker:
        raise NotTheMaker(approval_id)
    if approval.state != "open":
        raise ApprovalNotOpen(approval_id, approval.state)
    end(session, approval_id, "withdrawn", reason, now)
    return find(session, approval_id)


def make_void(
    session: Session, subjects: Sequence[str], *, kind: str, reason: str, now: datetime
) -> list[str]:
    """End the open requests about subjects that have changed or gone; return their ids."""
    opened = rows_by_key(session, _OPEN + row_lock(session, "a"), subjects)
    ended = [key for key, its_kind, _subject, _expires in opened if its_kind == kind]
    for key in ended:
        end(session, key, "void", reason, now)
    return ended


def lapse(session: Session, now: datetime) -> list[Approval]:
    """End requests that nobody has decided about in time; return them, so that effects follow."""
    values = {"now": to_micros(now), "limit": LAPSED_MAX}
    overdue = list(session.connection().execute(_OVERDUE, values).scalars())
    lapsed = [each.id for each in several(session, overdue, locked=True) if each.state == "open"]
    for key in lapsed:
        end(session, key, "lapsed", "nobody decided in time", now)
    return several(session, lapsed)


def end(session: Session, approval_id: str, state: str, reason: str, now: datetime) -> None:
    """End one request that was read open, under its lock."""
    values = {"id": approval_id, "state": state, "reason": reason, "at": to_micros(now)}
    ended = session.connection().execute(_END, values)
    assert ended.rowcount == 1, f"{approval_id} was read open, under its lock"


def _make_room(session: Session, questions: Sequence[Question], now: datetime) -> None:
    """End what has lapsed about the subjects; refuse where a request is still open."""
    wanted = {(each.kind, each.subject) for each in questions}
    opened = rows_by_key(
        session, _OPEN + row_lock(session, "a"), [each.subject for each in questions]
    )
    for key, kind, subject, expires_at in opened:
        if (kind, subject) not in wanted:
            continue
        if expires_at > to_micros(now):
            raise ApprovalOpen(kind, subject, key)
        end(session, key, "lapsed", "nobody decided in time", now)
