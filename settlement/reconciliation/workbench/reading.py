"""One break with all that belongs to it: history, parts, effects, proposals, and where it leads.

Changes nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.errors import NotFound
from settlement.reconciliation.kinds import BreakKind
from settlement.reconciliation.listing import COLUMNS, BreakRecord
from settlement.reconciliation.workbench import rules
from settlement.store.bulk import rows

LINKS_MAX = 100
HISTORY_MAX = 1_000

_FIND = text(f"SELECT {COLUMNS} FROM settlement_break k WHERE k.id = :id")


class Event(NamedTuple):
    """One thing that happened to a break; `detail` is JSON text, `at` microseconds."""

    id: int
    move: str
    actor: str
    reason: str | None
    detail: str
    at: int


class Part(NamedTuple):
    """A part of a split break, and the effect that has used it."""

    part: int
    amount_minor: int
    effect: str | None


class StoredEffect(NamedTuple):
    """What an act has changed; times are microseconds."""

    id: str
    act: str
    amount_minor: int | None
    part: int | None
    invoice_id: str | None
    claim_minor: int | None
    currency: str | None
    """Of the claim: its invoice's."""
    source_key: str | None
    entry_seq: int | None
    match_id: int | None
    settlement_id: str | None
    live: bool
    created_at: int
    created_by: str
    undone_at: int | None
    undone_by: str | None
    undone_reason: str | None


class StoredProposal(NamedTuple):
    """A proposal with how many have approved it."""

    id: str
    act: str
    terms: str
    amount_minor: int
    unit: str
    needed: int
    approvals: int
    state: str
    reason: str
    proposed_by: str
    decided_by: str | None
    created_at: int
    ended_at: int | None


class Link(NamedTuple):
    """Something else that the break is about, by the name that its own door knows it by."""

    noun: str
    id: str


class Opened(NamedTuple):
    """A break, open on the desk."""

    record: BreakRecord
    acts: tuple[str, ...]
    """What makes sense for it."""
    events: tuple[Event, ...]
    parts: tuple[Part, ...]
    effects: tuple[StoredEffect, ...]
    proposals: tuple[StoredProposal, ...]
    links: tuple[Link, ...]


_EVENTS = (
    "SELECT id, move, actor, reason, detail, at FROM break_event WHERE break_id = ?"
    f" ORDER BY id LIMIT {HISTORY_MAX}"
)
_PARTS = (
    "SELECT p.place, p.amount_minor, f.id FROM break_part p LEFT JOIN break_effect f"
    " ON f.break_id = p.break_id AND f.part = p.place AND f.live"
    " WHERE p.break_id = ? AND p.live ORDER BY p.place"
)
_EFFECTS = (
    "SELECT f.id, f.act, f.amount_minor, f.part, f.invoice_id, f.claim_minor, i.currency,"
    " f.source_key, e.seq, f.match_id, f.settlement_id, f.live, f.created_at, f.created_by,"
    " f.undone_at, f.undone_by, f.undone_reason FROM break_effect f"
    " LEFT JOIN journal_entry e ON e.source_key = f.source_key"
    " LEFT JOIN invoice i ON i.id = f.invoice_id"
    f" WHERE f.break_id = ? ORDER BY f.created_at, f.id LIMIT {HISTORY_MAX}"
)
_PROPOSALS = (
    "SELECT p.id, p.act, p.terms, p.amount_minor, p.unit, p.needed,"
    " (SELECT COUNT(*) FROM break_decision d WHERE d.proposal_id = p.id"
    "   AND d.verdict = 'approve'),"
    " p.state, p.reason, p.proposed_by, p.decided_by, p.created_at, p.ended_at"
    f" FROM break_proposal p WHERE p.break_id = ? ORDER BY p.created_at, p.id LIMIT {HISTORY_MAX}"
)
_LINKS = (
    "SELECT 'settlement', id FROM settlement WHERE id = ?"
    " UNION SELECT 'invoice', invoice_id FROM settlement WHERE id = ?"
    " UNION SELECT 'entry', 'je_' || seq FROM journal_entry WHERE settlement_id = ?"
    " UNION SELECT 'entry', 'je_' || seq FROM journal_entry WHERE source_key = ?"
    " UNION SELECT 'record', CAST(id AS TEXT) FROM recon_record WHERE origin = ?"
    " UNION SELECT 'settlement', settlement_id FROM recon_record"
    "   WHERE origin = ? AND settlement_id IS NOT NULL"
    " UNION SELECT 'invoice', invoice_id FROM recon_record"
    "   WHERE origin = ? AND invoice_id IS NOT NULL"
    " UNION SELECT 'match', CAST(m.match_id AS TEXT) FROM recon_member m"
    "   JOIN recon_record r ON r.id = m.record_id WHERE r.origin = ? AND m.live"
    " UNION SELECT 'match', 'match_' || id FROM settlement_match WHERE settlement_id = ? AND live"
)


def opened(session: Session, break_id: str) -> Opened:
    """Return a break with all that belongs to it.

    Raises:
        NotFound: there is none.
    """
    row = session.connection().execute(_FIND, {"id": break_id}).one_or_none()
    if row is None:
        raise NotFound("break", break_id)
    record = BreakRecord(*row)
    found = rows(session, _EFFECTS, (break_id,))
    acts = rules.allowed(BreakKind(record.kind), record.subject)
    is_open = record.closed_at is None
    acts = acts - {rules.Act.REOPEN} if is_open else acts & rules.WHEN_CLOSED
    return Opened(
        record,
        tuple(sorted(act.value for act in acts)),
        tuple(Event(*each) for each in rows(session, _EVENTS, (break_id,))),
        tuple(Part(*each) for each in rows(session, _PARTS, (break_id,))),
        tuple(_effect(each) for each in found),
        tuple(StoredProposal(*each) for each in rows(session, _PROPOSALS, (break_id,))),
        _links(session, record.subject),
    )


def _effect(row: tuple[Any, ...]) -> StoredEffect:
    effect = StoredEffect(*row)
    return effect._replace(live=bool(effect.live))


def _links(session: Session, subject: str) -> tuple[Link, ...]:
    found = [Link(*each) for each in rows(session, _LINKS, (subject,) * _LINKS.count("?"))]
    if subject.startswith("log:"):
        block_hash, _, index = subject.removeprefix("log:").partition(":")
        found.append(Link("log", f"{block_hash}:{index}"))
    return tuple(sorted(found)[:LINKS_MAX])
