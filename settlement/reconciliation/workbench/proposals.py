"""Acts that need a second person: proposed by one, approved or refused by others, then done.

A proposal is bound to the break's version and its own terms: after any change in between nobody
can approve it. The database itself refuses a decision by the proposer.
"""

from __future__ import annotations

from hashlib import sha256

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.approvals import same_hand
from settlement.clock import to_micros
from settlement.errors import Invalid, NotFound
from settlement.reconciliation.engine.dialect import take_turn
from settlement.reconciliation.workbench import corrections, effects, executing, limits, undoing
from settlement.reconciliation.workbench import desk as desks
from settlement.reconciliation.workbench.corrections import Correction, Terms
from settlement.reconciliation.workbench.desk import Deed, Desk, Means
from settlement.reconciliation.workbench.errors import (
    NothingToUndo,
    ProposalOpen,
    ProposalOutdated,
    SameHand,
)
from settlement.reconciliation.workbench.executing import Proposal
from settlement.reconciliation.workbench.rules import Act
from settlement.store import row_lock
from settlement.store.bulk import insert_rows, rows

_FIND = (
    "SELECT id, break_id, act, terms, what_hash, needed, state, reason, proposed_by"
    " FROM break_proposal WHERE break_id = :break_id AND "
)
_END = text(
    "UPDATE break_proposal SET state = :state, decided_by = :actor, ended_at = :at"
    " WHERE id = :id AND state = 'open'"
)
_DECISIONS = "SELECT decided_by, verdict FROM break_decision WHERE proposal_id = ? ORDER BY id"
_BOOKED = (
    "SELECT p.amount_minor, a.unit FROM journal_entry e JOIN posting p ON p.entry_seq = e.seq"
    " JOIN account a ON a.id = p.account_id WHERE e.source_key = ? ORDER BY p.line LIMIT 1"
)


def propose(session: Session, deed: Deed, wanted: Correction, means: Means) -> str:
    """Propose a write-off, an adjustment, or the undoing of one; return the proposal's id.

    Raises:
        Forbidden, OverTheLimit: not the role's, or too much.
        Invalid, Conflict: it cannot be booked, or another proposal is open.
    """
    act = Act(wanted.act) if wanted.act in ("write_off", "adjust", "undo") else None
    if act is None:
        raise Invalid(
            f"{wanted.act[:40]!r} is not proposed",
            field="act",
            repair="propose write_off, adjust or undo; other acts need no second person",
        )
    limits.require_role(deed.person, "propose")
    desk = desks.lock(session, deed, act, closed=act is Act.UNDO)
    _end_outdated(session, desk, deed)
    terms, limited_as = _terms(session, desk, wanted, act)
    unit = desks.unit_of(session, terms.unit)
    minor = terms.amount_minor
    if act is not Act.UNDO:
        minor += effects.booked_before(
            session, act.value, desk.subject, unit=terms.unit, invoice_id=terms.invoice_id
        )
    needed = limits.approvers_needed(limited_as, minor, unit.decimals, unit.code)
    proposal_id = means.ids("bpr")
    stored = _canonical(terms)
    insert_rows(
        session,
        "break_proposal",
        (
            "id",
            "break_id",
            "act",
            "terms",
            "amount_minor",
            "unit",
            "what_hash",
            "needed",
            "state",
            "reason",
            "proposed_by",
            "created_at",
        ),
        [
            (
                proposal_id,
                desk.id,
                act.value,
                stored,
                terms.amount_minor,
                terms.unit,
                # What others are to decide about is the break as this leaves it.
                what_hash(desk.version + 1, stored),
                needed,
                "open",
                desks.words(deed.reason),
                deed.person.actor,
                to_micros(deed.now),
            )
        ],
    )
    desks.change(session, desk)
    detail = {"proposal": proposal_id, "act": act.value, "terms": stored, "needed": needed}
    desks.record(session, deed, "propose", detail)
    return proposal_id


def approve(session: Session, deed: Deed, proposal_id: str | None, means: Means) -> bool:
    """Approve a proposal; return whether it was the last approval needed, and the act is done.

    Raises:
        SameHand: by its proposer, or a second time by the same person.
        ProposalOutdated: the break is not what was proposed about any more.
    """
    desk, proposal = _open(session, deed, proposal_id, "approve")
    if what_hash(desk.version, proposal.terms) != proposal.what_hash:
        raise ProposalOutdated(proposal.id)
    _decide(session, proposal, deed, "approve")
    approvals = sum(verdict == "approve" for _who, verdict in _decisions(session, proposal.id))
    detail = {"proposal": proposal.id, "approvals": approvals, "needed": proposal.needed}
    desks.record(session, deed, "approve", detail)
    if approvals < proposal.needed:
        return False
    _end(session, proposal, deed, "approved")
    executing.execute(session, desk, proposal, deed._replace(act_key=None), means)
    return True


def refuse(session: Session, deed: Deed, proposal_id: str | None) -> None:
    """Refuse a proposal: one refusal ends it.

    Raises:
        SameHand: by its proposer, who withdraws it instead.
    """
    desk, proposal = _open(session, deed, proposal_id, "refuse")
    _decide(session, proposal, deed, "refuse")
    _end(session, proposal, deed, "refused")
    desks.change(session, desk)
    desks.record(session, deed, "refuse", {"proposal": proposal.id})


def withdraw(session: Session, deed: Deed, proposal_id: str | None) -> None:
    """Take a proposal back."""
    desk, proposal = _open(session, deed, proposal_id, "withdraw")
    _end(session, proposal, deed, "withdrawn")
    desks.change(session, desk)
    desks.record(session, deed, "withdraw", {"proposal": proposal.id})


def what_hash(version: int, terms: str) -> str:
    """Return the hash of what is decided about: the break as it was, and the terms. Pure."""
    return sha256(orjson.dumps([version, terms])).hexdigest()


def _terms(session: Session, desk: Desk, wanted: Correction, act: Act) -> tuple[Terms, str]:
    """Return the terms, and the act by whose limits they are judged."""
    if act is Act.WRITE_OFF:
        return corrections.write_off_terms(session, desk, wanted), act.value
    if act is Act.ADJUST:
        return corrections.adjustment_terms(session, desk, wanted), act.value
    effect = effects.live(session, desk.id, wanted.effect)
    if effect is None or effect.act not in undoing.APPROVED or effect.source_key is None:
        raise NothingToUndo(
            "no write-off or adjustment of that name stands",
            field="effect",
            repair="other acts are undone without a proposal",
        )
    found = rows(session, _BOOKED, (effect.source_key,))
    minor, unit = abs(found[0][0]), found[0][1]
    return Terms(act.value, minor, unit, None, effect=effect.id), effect.act


def _open(session: Session, deed: Deed, proposal_id: str | None, act: str) -> tuple[Desk, Proposal]:
    limits.require_role(deed.person, act)
    desks.words(deed.reason)
    if act == "approve":
        take_turn(session)
    desk = desks.find(session, deed.break_id)
    desks.require_version(desk, deed.version)
    where, values = "state = 'open'", {"break_id": desk.id}
    if proposal_id is not None:
        where, values = "id = :id", values | {"id": proposal_id}
    statement = _FIND + where + row_lock(session, "break_proposal")
    row = session.connection().execute(text(statement), values).one_or_none()
    if row is None:
        raise NotFound("open proposal of break", proposal_id or desk.id)
    proposal = Proposal(*row)
    if proposal.state != "open":
        raise NothingToUndo(
            f"proposal {proposal.id} is {proposal.state}", repair="read the break again"
        )
    if act == "withdraw":
        if not same_hand(proposal.proposed_by, deed.person.actor):
            raise SameHand(proposal.id, deed.person.actor, "not proposed")
    elif same_hand(proposal.proposed_by, deed.person.actor):
        raise SameHand(proposal.id, deed.person.actor, "proposed")
    return desk, proposal


def _decide(session: Session, proposal: Proposal, deed: Deed, verdict: str) -> None:
    if any(same_hand(who, deed.person.actor) for who, _verdict in _decisions(session, proposal.id)):
        raise SameHand(proposal.id, deed.person.actor, "already decided about")
    insert_rows(
        session,
        "break_decision",
        ("proposal_id", "proposed_by", "decided_by", "verdict", "reason", "at"),
        [
            (
                proposal.id,
                proposal.proposed_by,
                deed.person.actor,
                verdict,
                desks.words(deed.reason),
                to_micros(deed.now),
            )
        ],
    )


def _decisions(session: Session, proposal_id: str) -> list[tuple[str, str]]:
    return [(who, verdict) for who, verdict in rows(session, _DECISIONS, (proposal_id,))]


def _end(session: Session, proposal: Proposal, deed: Deed, state: str) -> None:
    by = None if state == "withdrawn" else deed.person.actor
    values = {"id": proposal.id, "state": state, "actor": by, "at": to_micros(deed.now)}
    ended = session.connection().execute(_END, values)
    assert ended.rowcount == 1, f"{proposal.id} was read open, under the break's lock"


def _end_outdated(session: Session, desk: Desk, deed: Deed) -> None:
    """Take back an open proposal that nobody can approve any more, to make room for a new one."""
    statement = text(_FIND + "state = 'open'" + row_lock(session, "break_proposal"))
    row = session.connection().execute(statement, {"break_id": desk.id}).one_or_none()
    if row is None:
        return
    proposal = Proposal(*row)
    if what_hash(desk.version, proposal.terms) == proposal.what_hash:
        raise ProposalOpen(proposal.id)
    _end(session, proposal, deed, "withdrawn")


def _canonical(terms: Terms) -> str:
    return orjson.dumps(terms._asdict(), option=orjson.OPT_SORT_KEYS).decode()
