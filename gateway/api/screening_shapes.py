"""How lists, their versions and hits are shown. Scores are points of 100."""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson
from sqlmodel import Session

from gateway.api.invoice_shapes import Shape
from settlement.clock import iso
from settlement.compliance.list_history import Version
from settlement.compliance.screening import records
from settlement.compliance.screening.loading import InForce
from settlement.compliance.screening.matching import Match
from settlement.compliance.screening.records import Hit
from settlement.errors import Invalid

SHOWN_MAX = 1_000
"""Entries of a kind that a diff shows; their number is always told."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class ListVersionAnswer(Shape):
    """A version of a list."""

    object: Literal["list_version"]
    id: str
    name: str
    format: str
    sha256: str
    parties: int
    stats: dict[str, int]
    loaded_by: str
    created_at: str


class ListVersions(Shape):
    """The lists in force."""

    object: Literal["list"]
    has_more: bool
    data: list[ListVersionAnswer]


class ListLoaded(Shape):
    """What putting a version in force has come to."""

    object: Literal["list_load"]
    id: str
    name: str
    is_new: bool
    format: str
    stats: dict[str, int]
    added: int
    changed: int
    removed: int
    compared: int
    hits: int
    payments_stopped: int
    wallets_unlisted: int


class ListEntryAnswer(Shape):
    """A listed party by its key and name."""

    entry_key: str
    name: str


class ListDiff(Shape):
    """What a version changed."""

    object: Literal["list_diff"]
    name: str
    version_id: str
    counts: dict[str, int]
    added: list[ListEntryAnswer]
    changed: list[ListEntryAnswer]
    removed: list[ListEntryAnswer]


class HitAnswer(Shape):
    """A part of a participant that may be a listed party."""

    object: Literal["screening_hit"]
    id: str
    participant_id: str
    subject_kind: str
    subject_key: str
    subject: str
    list_name: str
    entry_key: str
    entry: str
    score: int
    state: str
    assigned_to: str | None
    decided_by: str | None
    decided_at: str | None
    reason: str | None
    created_at: str
    updated_at: str


class HitEventAnswer(Shape):
    """One thing that happened to a hit."""

    move: str
    actor: str
    reason: str | None
    detail: dict[str, Any]
    at: str


class HitDetail(HitAnswer):
    """A hit with what its score is made of, and its history."""

    parts: dict[str, Any]
    history: list[HitEventAnswer]
    approval_id: str | None = None


class HitList(Shape):
    """A page of hits."""

    object: Literal["list"]
    has_more: bool
    data: list[HitAnswer]


class MatchAnswer(Shape):
    """A listed party that a name may be."""

    list_name: str
    entry_key: str
    kind: str
    entry: str
    score: int
    parts: dict[str, Any]


class MatchList(Shape):
    """What a name may be."""

    object: Literal["list"]
    has_more: bool
    data: list[MatchAnswer]


class RoundAnswer(Shape):
    """A round over everybody."""

    object: Literal["screening_round"]
    id: str | None
    state: str


def list_name(name: str) -> str:
    """Return the name of a list, if it is one.

    Raises:
        Invalid: it is not.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name[:60]!r} is no name of a list",
            field="name",
            repair="use small letters, digits, - and _, such as ofac",
        )
    return name


def version(each: Version) -> dict[str, Any]:
    """Return a version as it is shown."""
    return {
        "object": "list_version",
        "id": each.id,
        "name": each.name,
        "format": each.format,
        "sha256": each.sha256,
        "parties": each.entry_count,
        "stats": orjson.loads(each.stats),
        "loaded_by": each.loaded_by,
        "created_at": iso(each.created_at),
    }


def loaded(found: InForce) -> dict[str, Any]:
    """Return what a load came to."""
    made = found.loaded
    return {
        "object": "list_load",
        "id": made.version_id,
        "name": made.name,
        "is_new": made.is_new,
        "format": made.format,
        "stats": made.stats,
        "added": len(made.added),
        "changed": len(made.changed),
        "removed": len(made.removed),
        "compared": found.counts.compared,
        "hits": found.counts.found + found.counts.reopened,
        "payments_stopped": len(found.settlements),
        "wallets_unlisted": len(found.wallets),
    }


def diff(name: str, version_id: str, found: dict[str, list[tuple[str, str]]]) -> dict[str, Any]:
    """Return what a version changed."""
    shown = {
        kind: [{"entry_key": key, "name": said} for key, said in entries[:SHOWN_MAX]]
        for kind, entries in found.items()
    }
    counts = {kind: len(entries) for kind, entries in found.items()}
    head = {"object": "list_diff", "name": name, "version_id": version_id, "counts": counts}
    return {**head, **shown}


def hit(each: Hit) -> dict[str, Any]:
    """Return a hit as it is listed. A person's name is not: it stands with the participant."""
    return {
        "object": "screening_hit",
        "id": each.id,
        "participant_id": each.participant_id,
        "subject_kind": each.subject_kind,
        "subject_key": each.subject_key,
        "subject": each.subject_text,
        "list_name": each.list_name,
        "entry_key": each.entry_key,
        "entry": each.entry_text,
        "score": each.score,
        "state": each.state,
        "assigned_to": each.assigned_to,
        "decided_by": each.decided_by,
        "decided_at": None if each.decided_at is None else iso(each.decided_at),
        "reason": each.reason,
        "created_at": iso(each.created_at),
        "updated_at": iso(each.updated_at),
    }


def whole(session: Session, each: Hit) -> dict[str, Any]:
    """Return a hit with its parts and its history."""
    return {
        **hit(each),
        "parts": orjson.loads(each.parts),
        "history": [
            {
                "move": event.move,
                "actor": event.actor,
                "reason": event.reason,
                "detail": orjson.loads(event.detail),
                "at": iso(event.at),
            }
            for event in records.history(session, each.id)
        ],
        "approval_id": None,
    }


def match(each: Match) -> dict[str, Any]:
    """Return what a name may be."""
    return {
        "list_name": each.listed.list_name,
        "entry_key": each.listed.entry_key,
        "kind": each.listed.kind.value,
        "entry": each.entry_text,
        "score": each.points,
        "parts": each.details,
    }
