"""Activating, renewing and reinstating a participant: asked for by one, approved by another.

What is approved is bound to the dossier that was seen: when anything in it changes, it is asked
for anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement import approvals
from settlement.approvals import Approval
from settlement.clock import Ids, to_micros
from settlement.errors import Conflict, Forbidden, IllegalMove, Invalid
from settlement.participants import dossier as dossiers
from settlement.participants import moves, papers, requirements
from settlement.participants.dossier import Actor
from settlement.participants.owners import WHOLE_BP
from settlement.participants.registry import Participant, participant
from settlement.states import PARTICIPANT_MOVES, ParticipantState
from settlement.store import row_lock
from settlement.store.bulk import rows

KIND = "participant"
REVIEW_DAYS_MAX = 1_096

_MOVES = {
    ParticipantState.APPLIED: "activate",
    ParticipantState.SUSPENDED: "reinstate",
    ParticipantState.EXPIRED: "renew",
    ParticipantState.ACTIVE: "renew",
}
_KNOWN = text("UPDATE participant SET known_by = 'documents' WHERE id = :id")
_OPEN_WALLETS = text(
    "UPDATE wallet SET usable_from = :at WHERE participant_id = :id AND usable_from IS NULL"
    " AND retired_at IS NULL"
)
_OPEN_ACCOUNTS = text(
    "UPDATE participant_account SET usable_from = :at WHERE participant_id = :id"
    " AND usable_from IS NULL AND live"
)


class DossierIncomplete(Conflict):
    """Nobody is activated whose documents or owners are not there."""

    def __init__(self, participant_id: str, lacking: list[str]) -> None:
        super().__init__(
            f"{participant_id} lacks: {', '.join(lacking)}",
            field="documents",
            repair="offer the documents and declare the owners, then ask again",
        )
        self.lacking = tuple(lacking)


class DossierChanged(Conflict):
    """What was approved is not what is there now."""

    def __init__(self, participant_id: str) -> None:
        super().__init__(
            f"the dossier of {participant_id} has changed since the activation was asked for",
            repair="look at it again, and ask for the activation anew",
        )


class OwnWork(Forbidden):
    """Nobody activates whom he has registered, or on what he has put into the file."""

    def __init__(self, participant_id: str, hand: str, what: str) -> None:
        super().__init__(
            f"{hand} has {what} of {participant_id}",
            repair="another person approves: a second key of the same person is the same hand",
        )


def ask(
    session: Session,
    participant_id: str,
    *,
    by: Actor,
    reason: str,
    ids: Ids,
    now: datetime,
    review_on: date | None = None,
) -> Approval:
    """Ask for the activation, renewal or reinstatement that the state allows.

    `review_on` is the last day before it is to be looked at again; None: as the rules say.

    Raises:
        NotFound, IllegalMove: there is none, or it is closed.
        DossierIncomplete: documents or owners are not there.
        Invalid, NoApprovalRule, ApprovalOpen: nothing is asked.
    """
    found = participant(session, participant_id)
    review = _review(review_on, now)
    move = move_of(found, now)
    _require_complete(session, found, move, now)
    terms = _terms(session, found, move, review.isoformat())
    asked = approvals.ask(
        session, kind=KIND, subject=participant_id, terms=terms, maker=by.hand, role=by.role,
        reason=reason, ids=ids, now=now,
    )  # fmt: skip
    moves.note(
        session, participant_id, "activation_asked", actor=by.text, reason=reason, now=now,
        detail={"approval": asked.id, "what_hash": asked.what_hash},
    )  # fmt: skip
    return asked


def apply_approved(session: Session, approval: Approval, now: datetime) -> None:
    """Do what was approved: accept the documents, open wallets and accounts, move the state.

    Raises:
        DossierChanged: the dossier is another than the one that was seen.
        OwnWork: an approver registered it, offered a document, or changed it before.
        DossierIncomplete, IllegalMove: meanwhile it cannot be done any more.
    """
    participant_id = approval.subject
    _lock(session, participant_id)
    found = participant(session, participant_id)
    terms = approval.terms
    seal = dossiers.seal(dossiers.dossier(session, participant_id))
    if terms["dossier_sha256"] != seal:
        raise DossierChanged(participant_id)
    _require_other_hands(session, found, approval)
    move = move_of(found, now)
    # Between asking and approving the worker may have written down that the KYB has ended: the
    # same move. Suspended meanwhile is another matter.
    if move != terms["move"]:
        raise IllegalMove("participant", participant_id, found.state, str(terms["move"]))
    _require_complete(session, found, move, now)
    papers.accept(session, participant_id, by=approval.approvers[-1], now=now)
    review = date.fromisoformat(str(terms["review_on"]))
    if _is_complete(session, found, now):
        papers.renew(session, participant_id, found.legal_form, review, now)
        session.execute(_KNOWN, {"id": participant_id})
    values = {"id": participant_id, "at": to_micros(now)}
    session.execute(_OPEN_WALLETS, values)
    session.execute(_OPEN_ACCOUNTS, values)
    moves.move(
        session, participant_id, move, actor=f"approval:{approval.approvers[-1]}", now=now,
        reason=approval.reason, detail={"approval": approval.id, "dossier_sha256": seal},
    )  # fmt: skip


def seen_now(session: Session, approval: Approval) -> Mapping[str, Any] | None:
    """Return the terms as they would be shown now, the participant locked; None: it is closed."""
    _lock(session, approval.subject)
    found = participant(session, approval.subject)
    if found.state == ParticipantState.CLOSED:
        return None
    return _terms(session, found, str(approval.terms["move"]), str(approval.terms["review_on"]))


def _terms(session: Session, found: Participant, move: str, review_on: str) -> dict[str, Any]:
    return {
        "participant_id": found.id,
        "move": move,
        "legal_form": found.legal_form,
        "country": found.country,
        "review_on": review_on,
        "documents": [
            {"id": each.id, "kind": each.kind, "sha256": each.sha256}
            for each in papers.documents(session, found.id)
        ],
        "dossier_sha256": dossiers.seal(dossiers.dossier(session, found.id)),
    }


def move_of(found: Participant, now: datetime) -> str:
    """Return the move that leads a participant to `active` from where it stands.

    Raises:
        IllegalMove: none does.
    """
    state = ParticipantState(found.state)
    move = _MOVES.get(state)
    if move is None or (state, move) not in PARTICIPANT_MOVES:
        raise IllegalMove("participant", found.id, found.state, "activate")
    return move


def lacking(session: Session, found: Participant, now: datetime) -> list[str]:
    """Return what a participant lacks to be activated, in words; empty: nothing."""
    has = papers.standing(session, found.id, found.legal_form, now)
    lacks = [f"document {kind}" for kind in has.missing]
    lacks += [f"a document {kind} that is still good" for kind in has.expired]
    if found.legal_form == "legal_entity":
        lacks += _lacking_owners(session, found.id)
    if found.vat_id is None and found.tax_id is None:
        lacks.append("a VAT or tax number")
    return lacks


def _lacking_owners(session: Session, participant_id: str) -> list[str]:
    declared = dossiers.owners.digests(session, participant_id)
    if not declared:
        return ["a declaration of owners and controllers"]
    shares = sum(share for role, share, _who in declared if role == "owner")
    controls = any(role == "controller" for role, _share, _who in declared)
    # Whoever holds less than a quarter is not named; somebody always has a say.
    if shares < WHOLE_BP * 3 // 4 and not controls:
        return ["owners of three quarters of it, or whoever controls it"]
    return []


def _require_complete(session: Session, found: Participant, move: str, now: datetime) -> None:
    lacks = lacking(session, found, now)
    # Who was taken on before documents were asked for goes on without them, once.
    is_taken_over = move == "reinstate" and found.known_by != "documents"
    if lacks and not is_taken_over:
        raise DossierIncomplete(found.id, lacks)


def _is_complete(session: Session, found: Participant, now: datetime) -> bool:
    return not lacking(session, found, now)


def _require_other_hands(session: Session, found: Participant, approval: Approval) -> None:
    offered = rows(
        session,
        "SELECT DISTINCT offered_by FROM participant_document WHERE participant_id = ? AND live"
        " AND accepted_at IS NULL",
        (found.id,),
    )
    changed = _changed_by(session, found)
    for hand in approval.approvers:
        if hand == found.applied_by:
            raise OwnWork(found.id, hand, "made the application")
        if (hand,) in [tuple(row) for row in offered]:
            raise OwnWork(found.id, hand, "offered a document")
        if hand in changed:
            raise OwnWork(found.id, hand, "changed the file")


def _changed_by(session: Session, found: Participant) -> set[str]:
    """Return the hands that have changed what is known of an applicant: nobody agreed yet."""
    if found.state != ParticipantState.APPLIED:
        return set()
    made = rows(
        session,
        "SELECT DISTINCT actor FROM participant_event WHERE participant_id = ? AND move = 'change'",
        (found.id,),
    )
    return {approvals.hand_of(actor) for (actor,) in made}


def _review(review_on: date | None, now: datetime) -> date:
    today = now.date()
    if review_on is None:
        return today + timedelta(days=requirements.load().review_days)
    if not today < review_on <= today + timedelta(days=REVIEW_DAYS_MAX):
        raise Invalid(
            f"review_on {review_on} is not between tomorrow and {REVIEW_DAYS_MAX} days from now",
            field="review_on",
            repair="name a day in that time, or leave it out",
        )
    return review_on


def _lock(session: Session, participant_id: str) -> None:
    """Let nobody change the participant between the look at its dossier and the move."""
    lock = row_lock(session, "participant")
    rows(session, f"SELECT id FROM participant WHERE id = ?{lock}", (participant_id,))
