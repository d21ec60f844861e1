"""What follows from an approval, kind by kind: looked at again, then done in the same commit.

Each kind says what is to be seen of its subject now, what is done once it is approved, and what
once it is not. Who may decide is `settlement.approvals`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlmodel import Session

from gateway.auth import Caller
from settlement import approvals, audit
from settlement.approvals import Approval, SeenOutdated, what_hash
from settlement.clock import new_id
from settlement.compliance import publishing
from settlement.compliance.limits import asking as limits
from settlement.errors import Fatal, NotFound
from settlement.participants import activation, changes
from settlement.registry import freezing
from settlement.settlements import approving as settlements
from settlement.settlements import screened

Follows = Callable[[Session, Approval, datetime], None]


class UnknownKind(Fatal):
    """A request is of a kind that this program does not know what to do about."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"nothing is known of approvals of kind {kind}")


def _nothing(_session: Session, _approval: Approval, _now: datetime) -> None:
    """Let nothing follow."""


def _as_asked(_session: Session, approval: Approval) -> Mapping[str, Any]:
    """Return the terms as they were asked: the subject does not exist before it is approved."""
    return approval.terms


@dataclass(frozen=True, slots=True)
class Kind:
    """What the rooms know of one kind of request."""

    apply: Follows
    """Does what was approved, in the database transaction of the last approval."""
    seen_now: Callable[[Session, Approval], Mapping[str, Any] | None] = _as_asked
    """The terms as they would be shown now, the subject locked; None: it waits no more."""
    end: Follows = _nothing
    """What follows where it was refused, withdrawn or has lapsed."""


KINDS: Mapping[str, Kind] = {
    settlements.KIND: Kind(settlements.give, settlements.seen_now, settlements.end),
    limits.KIND: Kind(limits.apply, limits.seen_now),
    publishing.KIND: Kind(publishing.apply, publishing.seen_now),
    activation.KIND: Kind(activation.apply_approved, activation.seen_now),
    changes.PAYEE: Kind(partial(changes.apply_approved, ids=new_id), end=changes.end_refused),
    changes.PARTICIPANT_CHANGE: Kind(
        partial(changes.apply_approved, ids=new_id), end=changes.end_refused
    ),
    screened.KIND: Kind(screened.clear_hit, screened.hit_now),
    freezing.KIND: Kind(freezing.apply_unfreeze),
}


def decide(
    session: Session,
    caller: Caller,
    approval_id: str,
    *,
    verdict: str,
    seen_hash: str,
    reason: str,
    now: datetime,
) -> Approval:
    """Approve or refuse as a caller; do what follows.

    Raises:
        SeenOutdated: the subject is not what was shown any more.
        NotFound, ApprovalNotOpen, NotAnApprover, SamePerson: see `approvals.decide`.
    """
    approval = approvals.find(session, approval_id)
    kind = _kind(approval)
    # Looked at before the request is locked: whoever changes the subject takes it first, too.
    current = kind.seen_now(session, approval) if approval.state == "open" else approval.terms
    decided = approvals.decide(
        session,
        approval_id,
        verdict=verdict,
        seen_hash=seen_hash,
        checker=caller.hand,
        role=caller.role.value,
        reason=reason,
        now=now,
    )
    if verdict == "approve" and (
        current is None or what_hash(approval.kind, approval.subject, current) != approval.what_hash
    ):
        raise SeenOutdated(approval_id)
    if decided.state == "approved":
        kind.apply(session, decided, now)
    elif decided.state == "refused" and current is not None:
        kind.end(session, decided, now)
    _note(session, approval, decided)
    return decided


def withdraw(
    session: Session, caller: Caller, approval_id: str, *, reason: str, now: datetime
) -> Approval:
    """Take a request back as the hand that asked.

    Raises:
        NotFound, NotTheMaker, ApprovalNotOpen: nothing is changed.
    """
    approval = approvals.find(session, approval_id)
    if caller.party is not None and approval.maker != caller.hand:
        raise NotFound("approval", approval_id)  # A company sees its own requests alone.
    kind = _kind(approval)
    current = kind.seen_now(session, approval) if approval.state == "open" else None
    ended = approvals.withdraw(session, approval_id, maker=caller.hand, reason=reason, now=now)
    if current is not None:
        kind.end(session, ended, now)
    _note(session, approval, ended)
    return ended


def lapse(session: Session, now: datetime) -> int:
    """End what nobody has decided about in time, with what follows; return how many there were."""
    lapsed = approvals.lapse(session, now)
    for approval in lapsed:
        if approval.kind in KINDS:
            KINDS[approval.kind].end(session, approval, now)
    return len(lapsed)


def _kind(approval: Approval) -> Kind:
    try:
        return KINDS[approval.kind]
    except KeyError:
        raise UnknownKind(approval.kind) from None


def _note(session: Session, before: Approval, after: Approval) -> None:
    audit.changed(
        session,
        before.subject,
        before={"approval": before.state, "approved_by": list(before.approvers)},
        after={"approval": after.state, "approved_by": list(after.approvers)},
    )
