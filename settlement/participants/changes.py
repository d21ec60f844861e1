"""Changes of participants: at once while it has applied; later only with a second person.

What money is paid to (wallet, account, name) cools off after the approval, and can be withdrawn
until it counts. What each kind does is `applying`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from settlement import approvals, audit
from settlement.approvals import Approval
from settlement.clock import Ids, to_micros
from settlement.errors import Conflict, IllegalMove, NotFound
from settlement.participants import applying, listing, moves
from settlement.participants.change_records import Change, change, several
from settlement.participants.dossier import Actor
from settlement.participants.registry import participant
from settlement.store import outbox
from settlement.store.bulk import insert_rows, rows
from settlement.store.outbox import OutboxEvent

PAYEE = "payee"
PARTICIPANT_CHANGE = "participant_change"
SETTLED_MAX = 500
"""Changes that one run lets count."""

_COLUMNS = (
    "id", "participant_id", "kind", "subject", "terms", "state", "asked_by", "asked_at",
    "approval_id",
)  # fmt: skip
_DECIDE = text(
    "UPDATE participant_change SET state = :state, decided_by = :by, decided_at = :at,"
    " usable_from = :usable, reason = :reason WHERE id = :id AND state = 'pending' RETURNING id"
)
_WITHDRAW = text(
    "UPDATE participant_change SET state = 'withdrawn', decided_by = :by, decided_at = :at,"
    " reason = :reason WHERE id = :id AND (state = 'pending' OR (state = 'approved'"
    " AND usable_from > :at)) RETURNING id"
)
_COUNT = text(
    "UPDATE participant_change SET state = 'effective' WHERE id IN (SELECT id FROM"
    " participant_change WHERE state = 'approved' AND usable_from <= :at ORDER BY id LIMIT :most)"
    " AND state = 'approved' RETURNING id"
)
_DEAD = (
    "SELECT c.id FROM participant_change c JOIN approval_request a ON a.id = c.approval_id"
    " WHERE c.state = 'pending' AND (a.state IN ('refused', 'withdrawn', 'lapsed', 'void')"
    " OR (a.state = 'open' AND a.expires_at <= ?))"
)
_END = text(
    "UPDATE participant_change SET state = 'refused', decided_by = 'rail', decided_at = :at,"
    " reason = 'its approval was refused, withdrawn or not given in time'"
    " WHERE id = :id AND state = 'pending'"
)


class ChangePending(Conflict):
    """The same is waiting already."""

    def __init__(self, participant_id: str, kind: str) -> None:
        super().__init__(
            f"the same change of {kind} of {participant_id} is pending already",
            repair="wait for its approval, or withdraw it first",
        )


class ChangeOver(Conflict):
    """The change has been decided about, withdrawn, or counts already."""

    def __init__(self, change_id: str, state: str) -> None:
        super().__init__(
            f"change {change_id} is {state}",
            repair="read it again; what counts already is undone by another change",
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to change. `terms` hold of persons their ids alone."""

    kind: str
    subject: str
    terms: Mapping[str, Any]


def propose(
    session: Session,
    participant_id: str,
    wanted: Wanted,
    *,
    by: Actor,
    reason: str,
    cooling_seconds: int,
    ids: Ids,
    now: datetime,
) -> Change | None:
    """Change an applied participant at once (None), or ask for a second person's approval.

    Raises:
        NotFound, IllegalMove: there is none, or it is closed.
        ChangePending: the same waits already.
        NoApprovalRule, Invalid: nobody could approve it, or the reason is missing.
    """
    found = participant(session, participant_id)
    if found.state == "closed":
        raise IllegalMove("participant", participant_id, found.state, f"change {wanted.kind}")
    applying.check(session, participant_id, wanted.kind, wanted.subject, wanted.terms)
    if found.state == "applied":
        applying.apply(
            session, participant_id, wanted.kind, wanted.subject, wanted.terms,
            usable_from=None, ids=ids, now=now,
        )  # fmt: skip
        _note(session, participant_id, "change", wanted, by.text, now, {})
        return None
    end_dead(session, now, participant_id=participant_id)
    cools = cooling_seconds if wanted.kind in applying.COOLING else 0
    change_id = ids("pch")
    seen = {
        "participant_id": participant_id,
        "change_id": change_id,
        "kind": wanted.kind,
        "subject": wanted.subject,
        "terms": dict(wanted.terms),
        "cooling_off_seconds": cools,
    }
    asked = approvals.ask(
        session, kind=PAYEE if wanted.kind in applying.PAYEE_KINDS else PARTICIPANT_CHANGE,
        subject=change_id, terms=seen, maker=by.hand, role=by.role, reason=reason, ids=ids, now=now,
    )  # fmt: skip
    row = (
        change_id, participant_id, wanted.kind, wanted.subject,
        approvals.canonical(wanted.terms), "pending", by.hand, to_micros(now), asked.id,
    )  # fmt: skip
    try:
        with session.begin_nested():
            insert_rows(session, "participant_change", _COLUMNS, [row])
    except IntegrityError as error:
        raise ChangePending(participant_id, wanted.kind) from error
    _note(session, participant_id, "change_asked", wanted, by.text, now, {"change": change_id})
    _tell(session, participant_id, "change_asked", change_id, wanted.kind, now)
    return change(session, change_id)


def apply_approved(session: Session, approval: Approval, now: datetime, *, ids: Ids) -> None:
    """Do what was approved; what money is paid to counts only after its cooling-off.

    Raises:
        ChangeOver: it was withdrawn, or somebody was faster.
        WalletRefused, PayeeAccountExists, IllegalMove: meanwhile it cannot be done any more.
    """
    found = change(session, approval.subject)
    if participant(session, found.participant_id).state == "closed":
        raise IllegalMove("participant", found.participant_id, "closed", f"change {found.kind}")
    cools = int(approval.terms["cooling_off_seconds"])
    usable = to_micros(now) + cools * 1_000_000
    values = {
        "id": found.id,
        "state": "approved" if cools else "effective",
        "by": approval.approvers[-1],
        "at": to_micros(now),
        "usable": usable,
        "reason": approval.reason,
    }
    if session.execute(_DECIDE, values).scalar() is None:
        raise ChangeOver(found.id, change(session, found.id).state)
    if found.kind not in applying.LATER or not cools:
        applying.apply(
            session, found.participant_id, found.kind, found.subject, found.terms,
            usable_from=usable, ids=ids, now=now,
        )  # fmt: skip
    wanted = Wanted(found.kind, found.subject, found.terms)
    audit.changed(
        session, found.participant_id, before={found.kind: None},
        after={found.kind: {"subject": found.subject, "change": found.id, "usable_from": usable}},
    )  # fmt: skip
    actor = f"approval:{approval.approvers[-1]}"
    told = {"change": found.id, "approval": approval.id, "usable_from": usable}
    _note(session, found.participant_id, "change_approved", wanted, actor, now, told)
    _tell(session, found.participant_id, "change_approved", found.id, found.kind, now)


def withdraw(
    session: Session, participant_id: str, change_id: str, *, by: Actor, reason: str, now: datetime
) -> Change:
    """Take a change back before it counts: one person is enough to stop it.

    Raises:
        NotFound: the participant has no such change.
        ChangeOver: it counts already, or was ended otherwise.
    """
    found = change(session, change_id)
    if found.participant_id != participant_id:
        raise NotFound("change", change_id)
    # The request first, as whoever decides takes it: or two would wait for each other.
    kind = PAYEE if found.kind in applying.PAYEE_KINDS else PARTICIPANT_CHANGE
    approvals.make_void(session, [change_id], kind=kind, reason="withdrawn", now=now)
    found = change(session, change_id)
    values = {"id": change_id, "by": by.hand, "at": to_micros(now), "reason": reason}
    if session.execute(_WITHDRAW, values).scalar() is None:
        raise ChangeOver(change_id, found.state)
    if found.state == "approved":
        applying.take_back(session, participant_id, found.kind, found.subject, found.terms, now)
    wanted = Wanted(found.kind, found.subject, found.terms)
    _note(session, participant_id, "change_withdrawn", wanted, by.text, now, {"change": change_id})
    _tell(session, participant_id, "change_withdrawn", change_id, found.kind, now)
    return change(session, change_id)


def settle_due(session: Session, now: datetime, *, ids: Ids, most: int = SETTLED_MAX) -> list[str]:
    """Let up to `most` changes whose cooling-off is over count; return their ids.

    Wallets and accounts count by their own date anyway; a name is written here.
    """
    values = {"at": to_micros(now), "most": most}
    due = sorted(session.execute(_COUNT, values).scalars())
    for found in several(session, due):
        if found.kind in applying.LATER:
            applying.apply(
                session, found.participant_id, found.kind, found.subject, found.terms,
                usable_from=found.usable_from, ids=ids, now=now,
            )  # fmt: skip
        _tell(session, found.participant_id, "change_effective", found.id, found.kind, now)
    due_of = sorted({found.participant_id for found in several(session, due)})
    why = "the cooling-off is over"
    listing.follow_states(session, due_of, reason=why, actor="rail", now=now)
    return due


def end_refused(session: Session, approval: Approval, now: datetime) -> None:
    """End the change whose approval was refused, withdrawn, or not given in time."""
    session.execute(_END, {"id": approval.subject, "at": to_micros(now)})


def end_dead(session: Session, now: datetime, *, participant_id: str | None = None) -> int:
    """End changes whose approval was refused, or not given in time; return how many."""
    where = " AND c.participant_id = ?" if participant_id is not None else ""
    values = (to_micros(now),) if participant_id is None else (to_micros(now), participant_id)
    dead = [key for (key,) in rows(session, f"{_DEAD}{where} ORDER BY c.id LIMIT 500", values)]
    for key in dead:
        session.execute(_END, {"id": key, "at": to_micros(now)})
    return len(dead)


def _note(
    session: Session,
    participant_id: str,
    what: str,
    wanted: Wanted,
    actor: str,
    now: datetime,
    more: Mapping[str, Any],
) -> None:
    detail = {"kind": wanted.kind, **more}
    moves.note(session, participant_id, what, actor=actor, now=now, detail=detail)


def _tell(
    session: Session, participant_id: str, what: str, change_id: str, kind: str, now: datetime
) -> None:
    body = orjson.dumps({"change": change_id, "kind": kind}).decode()
    outbox.record(session, [OutboxEvent(f"participant.{what}", participant_id, body)], now)
