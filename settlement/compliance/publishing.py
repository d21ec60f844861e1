"""Asking for a policy to be put in force, and doing what a second person has approved.

Who may ask and who approves is the approval matrix's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import Session

from settlement import approvals, audit
from settlement.approvals import Approval
from settlement.clock import Ids, from_micros, to_micros
from settlement.compliance import policies
from settlement.compliance.policy_errors import PolicyDecided, PolicyTakesBack
from settlement.errors import Invalid, NotFound

KIND = "policy"
_PREFIX = "policy-"


def ask(
    session: Session,
    version: int,
    *,
    in_force_from: datetime | None,
    hand: str,
    role: str,
    reason: str,
    ids: Ids,
    now: datetime,
) -> Approval:
    """Ask for a draft to be put in force, at once or from a moment on; it has to have been tried.

    Raises:
        NotFound, PolicyDecided: there is no such draft.
        PolicyOutdated: it was made on what is in force no more.
        Invalid: it was not tried on history, or the moment has passed.
        NoApprovalRule, ApprovalOpen: see `approvals.ask`.
    """
    stored = policies.get(session, version)
    if stored.published_by is not None:
        raise PolicyDecided(version, stored.published_by)
    base = policies.require_current(session, stored, now)
    if stored.tried is None:
        raise Invalid(
            f"policy {version} was not tried on history",
            field="version",
            repair=f"try it first: settle policy simulate {version}",
        )
    if in_force_from is not None and in_force_from < now:
        raise Invalid(
            "a policy is not put in force from a moment that has passed",
            field="in_force_from",
            repair="name a moment to come, or none for at once",
        )
    return approvals.ask(
        session,
        kind=KIND,
        subject=f"{_PREFIX}{version}",
        terms={
            "version": version,
            "sha256": stored.sha256,
            "made_on": base,
            "takes_back": policies.waiting(session, now),
            "author": stored.author,
            "note": stored.note,
            "tried": orjson.loads(stored.tried),
            "in_force_from": None if in_force_from is None else to_micros(in_force_from),
        },
        maker=hand,
        role=role,
        reason=reason,
        ids=ids,
        now=now,
    )


def seen_now(session: Session, approval: Approval) -> Mapping[str, Any] | None:
    """Return the terms as they would be shown now; None: it is in force already."""
    terms = dict(approval.terms)
    try:
        stored = policies.get(session, terms["version"])
    except NotFound:
        return None
    if stored.published_by is not None:
        return None
    return terms | {"sha256": stored.sha256, "tried": orjson.loads(stored.tried or "{}")}


def apply(session: Session, approval: Approval, now: datetime) -> None:
    """Put in force what was approved.

    Raises:
        OwnPolicy, PolicyDecided, PolicyOutdated: nothing is changed.
        PolicyTakesBack: for their day wait other versions than were seen.
    """
    assert approval.state == "approved" and approval.kind == KIND
    terms = approval.terms
    at = now if terms["in_force_from"] is None else from_micros(terms["in_force_from"])
    before = policies.lock_in_force(session, now)
    waiting = policies.waiting(session, now)
    after = policies.publish(
        session, terms["version"], actor=approval.approvers[-1], in_force_from=at, now=now
    )
    if waiting != terms.get("takes_back", []):
        raise PolicyTakesBack(after.version, waiting)
    audit.changed(
        session,
        approval.subject,
        before={"in_force": before, "waiting": waiting},
        after={"in_force": after.version, "from": after.in_force_from},
    )
