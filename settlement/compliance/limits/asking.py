"""Asking for a change of a limit, and doing what a second person has approved.

Who may ask and who approves is the approval matrix's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from settlement import approvals, audit
from settlement.approvals import Approval
from settlement.clock import Ids
from settlement.compliance.limits import changing
from settlement.compliance.limits.changing import Hands, LimitNotActive, NewLimit
from settlement.compliance.limits.rules import COLUMNS, Limit
from settlement.errors import NotFound
from settlement.store.bulk import rows

KIND = "limit"


class Maker(NamedTuple):
    """Whoever asks: the hand, its role, and why."""

    hand: str
    role: str
    reason: str


def ask_add(
    session: Session, wanted: NewLimit, maker: Maker, *, ids: Ids, now: datetime
) -> Approval:
    """Ask for a new limit.

    Raises:
        Invalid, NotFound: it could not be put in force.
        NoApprovalRule: see `approvals.ask`.
    """
    changing.require_sound(session, wanted)
    key = ids("lim")
    return _ask(session, key, {"act": "add", **wanted._asdict()}, maker, ids=ids, now=now)


def ask_change(
    session: Session, limit_id: str, max_minor: int, maker: Maker, *, ids: Ids, now: datetime
) -> Approval:
    """Ask for another sum.

    Raises:
        Invalid, NotFound, LimitNotActive, ApprovalOpen: nothing is asked.
    """
    changing.require_sum(max_minor)
    limit = _active(session, limit_id)
    seen = {"before_minor": limit.max_minor, "max_minor": max_minor, "version": limit.version}
    return _ask(session, limit_id, {"act": "change", **seen}, maker, ids=ids, now=now)


def ask_retire(
    session: Session, limit_id: str, maker: Maker, *, ids: Ids, now: datetime
) -> Approval:
    """Ask for the end of a limit.

    Raises:
        NotFound, LimitNotActive, ApprovalOpen: nothing is asked.
    """
    limit = _active(session, limit_id)
    seen = {"before_minor": limit.max_minor, "version": limit.version}
    return _ask(session, limit_id, {"act": "retire", **seen}, maker, ids=ids, now=now)


def seen_now(session: Session, approval: Approval) -> Mapping[str, Any] | None:
    """Return the terms as they would be shown now; None: the limit takes no change any more."""
    terms = dict(approval.terms)
    if terms["act"] == "add":
        return terms
    try:
        limit = changing.locked(session, approval.subject)
    except (NotFound, LimitNotActive):
        return None
    return terms | {"before_minor": limit.max_minor, "version": limit.version}


def apply(session: Session, approval: Approval, now: datetime) -> None:
    """Do what was approved.

    Raises:
        Invalid, NotFound, LimitNotActive: nothing is changed.
    """
    assert approval.state == "approved" and approval.kind == KIND
    terms: dict[str, Any] = dict(approval.terms)
    hands = Hands(approval.maker, approval.approvers[-1], approval.id, approval.reason)
    act, subject = terms.pop("act"), approval.subject
    if act == "add":
        after = changing.add(session, subject, NewLimit(**terms), hands, now=now)
        audit.changed(session, subject, before={}, after=after._asdict())
        return
    if act == "change":
        after = changing.change(session, subject, terms["max_minor"], hands, now=now)
    else:
        after = changing.retire(session, subject, hands, now=now)
    before = {"max_minor": terms["before_minor"], "state": "active", "version": terms["version"]}
    now_is = {name: getattr(after, name) for name in before}
    audit.changed(session, subject, before=before, after=now_is)


def _ask(
    session: Session, subject: str, terms: dict[str, Any], maker: Maker, *, ids: Ids, now: datetime
) -> Approval:
    return approvals.ask(
        session,
        kind=KIND,
        subject=subject,
        terms=terms,
        maker=maker.hand,
        role=maker.role,
        reason=maker.reason,
        ids=ids,
        now=now,
    )


def _active(session: Session, limit_id: str) -> Limit:
    found = rows(session, f"SELECT {COLUMNS} FROM payment_limit WHERE id = ?", (limit_id,))
    if not found:
        raise NotFound("limit", limit_id)
    limit = Limit._make(found[0])
    if limit.state != "active":
        raise LimitNotActive(limit_id)
    return limit
