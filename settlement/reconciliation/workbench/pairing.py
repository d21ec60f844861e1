"""Matching by hand and taking matches back: the engine keeps the matches, here is the break's side.

A record is in at most one live match, by hand or not: the database says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session

from settlement.errors import Invalid
from settlement.reconciliation import engine
from settlement.reconciliation.workbench import desk as desks
from settlement.reconciliation.workbench import effects, standing
from settlement.reconciliation.workbench.desk import Deed, Means
from settlement.reconciliation.workbench.effects import Effect
from settlement.reconciliation.workbench.errors import NothingToUndo
from settlement.reconciliation.workbench.rules import Act
from settlement.store.bulk import rows_by_key

RECORDS_MAX = 1_000
_ID_DIGITS_MAX = 18
"""A longer number is no record's."""

_MATCH_OF = text(
    "SELECT DISTINCT m.match_id FROM recon_member m JOIN recon_record r ON r.id = m.record_id"
    " WHERE r.origin = :origin AND m.live"
)
_IS_LIVE = text("SELECT live FROM recon_match WHERE id = :id")


def match(session: Session, deed: Deed, records: Sequence[str], means: Means) -> str:
    """Match the break's own record with others, by their ids or origins; return the effect's id.

    Raises:
        Invalid: a record is unknown, or fewer than two are named in all.
        Conflict: one is in a live match, or the engine refuses the group.
    """
    desk = desks.lock(session, deed, Act.MATCH)
    if len(records) > RECORDS_MAX:
        raise Invalid(f"{len(records)} records", field="records", repair=f"up to {RECORDS_MAX}")
    chosen = {key for key, _state in standing.records(session, desk.subject)}
    chosen |= _found(session, records)
    if len(chosen) < 2:
        raise Invalid(
            "one record alone is no match",
            field="records",
            repair="name the records that belong to it, by id or origin",
        )
    match_id = engine.match_by_hand(
        session,
        sorted(chosen),
        actor=deed.person.actor,
        reason=desks.words(deed.reason),
        now=deed.now,
    )
    effect = Effect(means.ids("bef"), desk.id, Act.MATCH.value, match_id=match_id)
    effects.store(session, effect, deed)
    desks.close(session, desk, deed)
    detail = {"effect": effect.id, "match": match_id, "records": sorted(chosen)}
    desks.record(session, deed, "match", detail)
    return effect.id


def unmatch(session: Session, deed: Deed, match_id: int | None = None) -> None:
    """Undo a live match, by default the one that the break's own record is in.

    Raises:
        NothingToUndo: there is none.
    """
    desk = desks.lock(session, deed, Act.UNMATCH, closed=True)
    if match_id is None:
        found = session.connection().execute(_MATCH_OF, {"origin": desk.subject}).scalars().all()
        match_id = found[0] if found else None
    if match_id is None:
        raise NothingToUndo(
            f"nothing of break {desk.id} is matched", field="match", repair="name a match"
        )
    effect = _effect_of(session, desk.id, match_id)
    if effect is not None:
        effects.end(
            session,
            effect,
            actor=deed.person.actor,
            reason=desks.words(deed.reason),
            now=deed.now,
        )
    take_back(session, match_id, deed)
    reopening = ""
    if desk.closed_at is not None:
        reopening = ", closed_at = NULL, closed_reason = NULL, closed_by = NULL"
    desks.change(session, desk, reopening)
    desks.record(session, deed, "unmatch", {"match": match_id})


def take_back(session: Session, match_id: int, deed: Deed) -> None:
    """Undo a match in the engine; one that is undone already stays so."""
    if session.connection().execute(_IS_LIVE, {"id": match_id}).scalar():
        engine.unmatch(
            session,
            match_id,
            actor=deed.person.actor,
            reason=desks.words(deed.reason),
            now=deed.now,
        )


def _found(session: Session, named: Sequence[str]) -> set[int]:
    numbers = [int(each) for each in named if each.isdecimal() and len(each) <= _ID_DIGITS_MAX]
    origins = [each for each in named if not each.isdecimal()]
    by_id = rows_by_key(session, "SELECT id FROM recon_record WHERE id {keys}", numbers)
    by_origin = rows_by_key(
        session, "SELECT id, origin FROM recon_record WHERE origin {keys}", origins
    )
    known = {str(key) for (key,) in by_id} | {origin for _key, origin in by_origin}
    for each in named:
        if each not in known:
            raise Invalid(
                f"there is no record {each[:80]}",
                field="records",
                repair="name records by id or origin, as `settle reconcile` lists them",
            )
    return {key for (key,) in by_id} | {key for key, _origin in by_origin}


def _effect_of(session: Session, break_id: str, match_id: int) -> Effect | None:
    found = rows_by_key(
        session,
        "SELECT id FROM break_effect WHERE match_id {keys} AND break_id = ? AND live",
        [match_id],
        break_id,
    )
    return effects.live(session, break_id, found[0][0]) if found else None
