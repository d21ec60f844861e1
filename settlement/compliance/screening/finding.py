"""Hits as they are found, found again, changed and lost: stored with an event for each move.

Decides nothing: what a person has cleared stays so until a side that was compared changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.compliance.screening.matching import Match
from settlement.store.bulk import insert_rows, rows_by_key, run_many

_COLUMNS = (
    "id", "participant_id", "subject_kind", "subject_key", "subject_text", "list_name",
    "entry_key", "party_id", "entry_text", "score", "parts", "subject_hash", "entry_hash",
    "state", "created_at", "updated_at",
)  # fmt: skip
_EVENT = ("hit_id", "move", "actor", "reason", "detail", "at")
_KNOWN = (
    "SELECT id, participant_id, subject_kind, subject_key, list_name, entry_key, state,"
    " subject_hash, entry_hash FROM screening_hit WHERE participant_id {keys} ORDER BY id"
)
_COMPARED = (
    "UPDATE screening_hit SET party_id = :party_id, entry_text = :entry_text, score = :score,"
    " parts = :parts, subject_hash = :subject_hash, entry_hash = :entry_hash, state = :state,"
    " updated_at = :at WHERE id = :id"
)
_LAPSE = "UPDATE screening_hit SET state = 'lapsed', updated_at = :at WHERE id = :id"

Key = tuple[str, str, str, str, str]
"""Participant, kind and key of the part, list and entry: a hit is one row for ever."""


@dataclass(slots=True)
class Counts:
    """What a comparison came to."""

    compared: int = 0
    found: int = 0
    reopened: int = 0
    lapsed: int = 0
    against: set[str] = field(default_factory=set)
    """Participants that something new stands against."""
    less: set[str] = field(default_factory=set)
    """Participants that something stands against no more."""

    def add(self, other: Counts) -> None:
        """Count another comparison in."""
        self.compared += other.compared
        self.found += other.found
        self.reopened += other.reopened
        self.lapsed += other.lapsed
        self.against |= other.against
        self.less |= other.less


def record(
    session: Session,
    compared: Sequence[tuple[str, Sequence[Match]]],
    *,
    entries: frozenset[tuple[str, str]] | None = None,
    actor: str,
    ids: Ids,
    now: datetime,
) -> Counts:
    """Store what was found of some participants, by their ids; return the counts.

    `entries`: the only (list, entry) that were looked at; None: all.
    """
    keys = [participant_id for participant_id, _ in compared]
    known = {tuple(row[1:6]): row for row in rows_by_key(session, _KNOWN, keys)}
    at = to_micros(now)
    counts = Counts(compared=len(compared))
    new: list[tuple[Any, ...]] = []
    again: list[dict[str, Any]] = []
    events: list[tuple[Any, ...]] = []
    seen: set[tuple[Any, ...]] = set()
    for participant_id, matches in compared:
        for match in _best(matches):
            key = _key(participant_id, match)
            seen.add(key)
            if key not in known:
                row = _row(ids("hit"), key, match, at)
                new.append(row)
                events.append(_event(row[0], "found", actor, match, at))
                counts.found += 1
                counts.against.add(participant_id)
            elif (move := _move(known[key], match)) is not None:
                state = known[key][6] if move == "compared" else "open"
                again.append(_again(known[key][0], match, state, at))
                if move != "compared":
                    events.append(_event(known[key][0], move, actor, match, at))
                    counts.reopened += 1
                    counts.against.add(participant_id)
    lost = [
        row
        for key, row in known.items()
        if key not in seen
        and row[6] in ("open", "confirmed")
        and (entries is None or (row[4], row[5]) in entries)
    ]
    counts.lapsed, counts.less = len(lost), {row[1] for row in lost}
    events += [(row[0], "lapsed", actor, None, "{}", at) for row in lost]
    insert_rows(session, "screening_hit", _COLUMNS, new)
    run_many(session, _COMPARED, again)
    run_many(session, _LAPSE, [{"id": row[0], "at": at} for row in lost])
    insert_rows(session, "screening_hit_event", _EVENT, events)
    return counts


def _best(matches: Sequence[Match]) -> Iterable[Match]:
    """Yield one match a part and listed party: a wallet may be listed twice over."""
    best: dict[tuple[str, str, str, str], Match] = {}
    for each in matches:
        key = (each.part.kind, each.part.key, each.listed.list_name, each.listed.entry_key)
        if key not in best or each.points > best[key].points:
            best[key] = each
    return best.values()


def _move(row: Sequence[Any], match: Match) -> str | None:
    """Return what a match means for a hit that is known: None for nothing."""
    state, subject_hash, entry_hash = row[6], row[7], row[8]
    same = (subject_hash, entry_hash) == (match.part.hash, match.listed.hash)
    if state == "lapsed":
        return "found again"
    if same:
        return None
    return "reopened" if state == "cleared" else "compared"


def _key(participant_id: str, match: Match) -> Key:
    part, listed = match.part, match.listed
    return (participant_id, part.kind, part.key, listed.list_name, listed.entry_key)


def _row(hit_id: str, key: Key, match: Match, at: int) -> tuple[Any, ...]:
    participant_id, kind, part_key, list_name, entry_key = key
    shown = "" if match.part.is_person else match.part.text
    return (
        hit_id, participant_id, kind, part_key, shown, list_name, entry_key,
        match.listed.party_id, match.entry_text, match.points, _parts(match), match.part.hash,
        match.listed.hash, "open", at, at,
    )  # fmt: skip


def _again(hit_id: str, match: Match, state: str, at: int) -> dict[str, Any]:
    return {
        "id": hit_id,
        "party_id": match.listed.party_id,
        "entry_text": match.entry_text,
        "score": match.points,
        "parts": _parts(match),
        "subject_hash": match.part.hash,
        "entry_hash": match.listed.hash,
        "state": state,
        "at": at,
    }


def _event(hit_id: str, move: str, actor: str, match: Match, at: int) -> tuple[Any, ...]:
    said: Mapping[str, Any] = {"score": match.points, "party_id": match.listed.party_id}
    return (hit_id, move, actor, None, orjson.dumps(said).decode(), at)


def _parts(match: Match) -> str:
    return orjson.dumps(match.details).decode()
