"""Comparing participants with the lists in force: those about to be paid, and all others in turn.

Whoever's payment is judged has been compared with the versions in force then: nobody waits for a
round to come by. Decides nothing about hits or payments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.compliance.screening import bind
from settlement.compliance.screening.finding import Counts, record
from settlement.compliance.screening.in_force import (
    ListsInForce,
    index_in_force,
    lists_in_force,
)
from settlement.compliance.screening.matching import Match, matches
from settlement.compliance.screening.ownership import Holding, holdings, owned_by, owning
from settlement.compliance.screening.stopping import stop
from settlement.compliance.screening.subjects import Subject, subjects
from settlement.store.bulk import chunks, insert_rows, rows, rows_by_key, run_many

_LOCK = 0x73637265656E  # "screen" in ASCII.
_SUBJECT = (
    "participant_id", "content_hash", "lists_hash", "listed_ownership_bp", "listed_owners",
    "listed_controllers", "screened_at",
)  # fmt: skip
_KEEP = (
    "ON CONFLICT (participant_id) DO UPDATE SET content_hash = excluded.content_hash,"
    " lists_hash = excluded.lists_hash, listed_ownership_bp = excluded.listed_ownership_bp,"
    " listed_owners = excluded.listed_owners, listed_controllers = excluded.listed_controllers,"
    " screened_at = excluded.screened_at"
)
_STANDING = (
    "SELECT participant_id, content_hash, lists_hash FROM screening_subject"
    " WHERE participant_id {keys}"
)
_HELD = (
    "UPDATE screening_subject SET listed_ownership_bp = :bp, listed_owners = :owners,"
    " listed_controllers = :controllers WHERE participant_id = :id"
)
_ADDED_UP = (
    "SELECT participant_id, listed_ownership_bp, listed_owners, listed_controllers"
    " FROM screening_subject WHERE participant_id {keys}"
)
_NOBODY = (0, "[]", "[]")
_LAPSED = "no list names it any more"
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Compared:
    """A participant as it was compared, and what was found."""

    participant_id: str
    content_hash: str
    matches: Sequence[Match]


def ensure(session: Session, participant_ids: Iterable[str], *, ids: Ids, now: datetime) -> Counts:
    """Compare whoever of these was never compared as it is now, with the lists as they are now.

    So are the participants that own them: what these are found to be counts further down. Where no
    list is in force nothing is read or written.
    """
    counts = Counts()
    lists = lists_in_force(session)
    if not lists.hash:
        return counts
    for keys in chunks(owning(session, participant_ids), _CHUNK):
        due = stale(session, subjects(session, keys), lists)
        if due:
            serialise(session)
            counts.add(compare_all(session, due, lists, actor="rail", ids=ids, now=now))
    return counts


def stale(session: Session, found: Sequence[Subject], lists: ListsInForce) -> list[Subject]:
    """Return those that were not compared with these lists as they are."""
    keys = [each.participant_id for each in found]
    standing = {row[0]: row[1:] for row in rows_by_key(session, _STANDING, keys)}
    return [
        each
        for each in found
        if standing.get(each.participant_id) != (each.content_hash, lists.hash)
    ]


def compare_all(
    session: Session,
    found: Sequence[Subject],
    lists: ListsInForce,
    *,
    actor: str,
    ids: Ids,
    now: datetime,
) -> Counts:
    """Compare participants with all that is in force, and store what was found and when."""
    index = index_in_force(session, lists)
    compared = [Compared(each.participant_id, each.content_hash, matches(each, index))
                for each in found]  # fmt: skip
    return keep(session, compared, lists, actor=actor, ids=ids, now=now)


def keep(
    session: Session,
    compared: Sequence[Compared],
    lists: ListsInForce,
    *,
    actor: str,
    ids: Ids,
    now: datetime,
) -> Counts:
    """Store what comparisons came to, and of whom they were made with what.

    Open payments of whoever something new stands against lose their clearances.
    """
    found = [(each.participant_id, each.matches) for each in compared]
    counts = record(session, found, actor=actor, ids=ids, now=now)
    keys = [each.participant_id for each in compared]
    held = {key: _said(each) for key, each in holdings(session, keys).items()}
    before = {row[0]: tuple(row[1:]) for row in rows_by_key(session, _ADDED_UP, keys)}
    moved = [key for key in keys if held[key] != before.get(key, _NOBODY)]
    at = to_micros(now)
    insert_rows(
        session, "screening_subject", _SUBJECT,
        [
            (
                each.participant_id,
                each.content_hash,
                lists.hash,
                *held[each.participant_id],
                at,
            )
            for each in compared
        ],
        _KEEP,
    )  # fmt: skip
    if moved:
        add_up(session, set(owned_by(session, moved)).difference(keys))
    stop(session, counts.against, now)  # What was cleared before is judged anew.
    after_lapse(session, counts, actor=actor, now=now)
    return counts


def after_lapse(session: Session, counts: Counts, *, actor: str, now: datetime) -> None:
    """See to what hung on hits that lapsed: wallets, and what a listed owner made of others."""
    if counts.less:
        add_up(session, owned_by(session, counts.less))
        bind.let_go(session, counts.less, reason=_LAPSED, actor=actor, now=now)


def add_up(session: Session, participant_ids: Iterable[str]) -> None:
    """Add up anew what the listed hold of these participants, and which they control."""
    held = holdings(session, participant_ids)
    run_many(
        session,
        _HELD,
        [
            dict(zip(("id", "bp", "owners", "controllers"), (key, *_said(each)), strict=True))
            for key, each in held.items()
        ],
    )


def _said(held: Holding) -> tuple[int, str, str]:
    """Return it as it is stored: the share, and texts for owners and for controllers."""
    owners, controllers = (orjson.dumps(each).decode() for each in (held.owners, held.controllers))
    return held.share_bp, owners, controllers


def serialise(session: Session) -> None:
    """Let one at a time write hits, until this database transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        rows(session, f"SELECT pg_advisory_xact_lock({_LOCK})")
