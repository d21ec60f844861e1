"""Deciding about a request: another hand, of a role that may, about exactly what it has seen.

The database holds the same by itself (`m0009_approvals`); here the refusals have words.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from settlement.approvals.errors import ApprovalNotOpen, NotAnApprover, SamePerson, SeenOutdated
from settlement.approvals.records import Approval, find
from settlement.approvals.requests import REASON_MAX, end
from settlement.clock import to_micros
from settlement.errors import Invalid
from settlement.store.bulk import insert_rows

VERDICTS = ("approve", "refuse")

_INSERT = (
    "approval_id", "maker", "what_hash", "checker", "checker_role", "verdict", "reason", "at",
)  # fmt: skip


def decide(
    session: Session,
    approval_id: str,
    *,
    verdict: str,
    seen_hash: str,
    checker: str,
    role: str,
    reason: str,
    now: datetime,
) -> Approval:
    """Approve or refuse; the last approval needed, and any refusal, ends the request.

    `checker` is the caller's hand, `seen_hash` the `what_hash` that it was shown.

    Raises:
        NotFound, ApprovalNotOpen: there is none, or it has ended or lapsed.
        NotAnApprover, SamePerson: the role may not; the maker, or a second time.
        SeenOutdated: another hash than that of the request.
    """
    if verdict not in VERDICTS:
        raise Invalid(
            f"{verdict[:40]!r} is no verdict", field="verdict", repair="approve or refuse"
        )
    if len(reason) > REASON_MAX or (verdict == "refuse" and not reason.strip()):
        raise Invalid(
            "the reason is missing or too long",
            field="reason",
            repair=f"say why, in up to {REASON_MAX} characters",
        )
    approval = find(session, approval_id, locked=True)
    require_open(approval, now)
    if role not in approval.approver_roles:
        raise NotAnApprover(approval_id, role, approval.approver_roles)
    if checker == approval.maker:
        raise SamePerson(approval_id, checker, "asked for")
    if any(each.checker == checker for each in approval.decisions):
        raise SamePerson(approval_id, checker, "already decided about")
    if seen_hash != approval.what_hash:
        raise SeenOutdated(approval_id)
    decision = (
        approval_id, approval.maker, seen_hash, checker, role, verdict, reason.strip(),
        to_micros(now),
    )  # fmt: skip
    insert_rows(session, "approval_decision", _INSERT, [decision])
    if verdict == "refuse":
        end(session, approval_id, "refused", reason.strip(), now)
    elif len(approval.approvers) + 1 >= approval.needed:
        end(session, approval_id, "approved", reason.strip(), now)
    return find(session, approval_id)


def require_open(approval: Approval, now: datetime) -> None:
    """Return quietly if the request can be decided about.

    Raises:
        ApprovalNotOpen: it has ended, or its time is over.
    """
    if approval.state != "open":
        raise ApprovalNotOpen(approval.id, approval.state)
    if approval.expires_at <= to_micros(now):
        raise ApprovalNotOpen(approval.id, "lapsed")
