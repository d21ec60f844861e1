"""Lists of parties that may not be paid: kept by version, each version by what it changes.

What equality is judged by is kept by `list_entries`; likeness of names is `screening`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.compliance import list_entries
from settlement.compliance.list_files.reading import ListFile, read_list
from settlement.compliance.list_files.record import ListUnreadable, Party
from settlement.compliance.list_losses import Loss, losses
from settlement.errors import Conflict
from settlement.store.bulk import insert_rows, rows, run_many

__all__ = ["ListFormatDiffers", "ListShrinks", "ListUnreadable", "Loaded", "load", "versions"]

_COUNTED_SINCE = "strong_names"
"""Counted since listed wallets without a holder are read: without it a file is read again."""

_NEWEST = (
    "SELECT v.name, v.sha256, v.id FROM list_version v WHERE v.id ="
    " (SELECT MAX(w.id) FROM list_version w WHERE w.name = v.name) ORDER BY v.name"
)
_BEFORE = (
    "SELECT id, sha256, stats, format FROM list_version WHERE name = ? ORDER BY id DESC LIMIT 1"
)
_PARTIES = (
    "SELECT id, entry_key, content_hash, name FROM list_party"
    " WHERE list_name = ? AND ended_by IS NULL"
)
_END_PARTY = "UPDATE list_party SET ended_by = :by WHERE id = :id"
_VERSION = (
    "id", "name", "sha256", "entry_count", "created_at", "format", "stats", "loaded_by",
)  # fmt: skip
_PARTY = (
    "id", "list_name", "entry_key", "kind", "name", "content_hash", "detail", "version_id",
)  # fmt: skip


class ListShrinks(Conflict):
    """A file that lacks much of what is in force is more likely cut off than true."""

    def __init__(self, name: str, lost: Sequence[Loss]) -> None:
        super().__init__(
            f"of list {name} this file would leave {', '.join(map(str, lost))}",
            field="file",
            repair="give the publisher's files whole, OFAC's all three; where so much was taken"
            " off the list, say so: --shrinks accept, or POST with /smaller behind the path",
        )


class ListFormatDiffers(Conflict):
    """A file in another format than the list in force is more likely a wrong one than the next."""

    def __init__(self, name: str, *, now: str, then: str) -> None:
        super().__init__(
            f"list {name} is in force as {then}, and this file is {now}",
            field="file",
            repair="give the publisher's file as it was downloaded; where the list is to come in"
            f" another format, say so: --format accept, or POST /v1/lists/{name}/other-format",
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """What putting a version in force has changed."""

    version_id: str
    name: str
    format: str
    stats: dict[str, int]
    added: tuple[str, ...]
    """Entry keys."""
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    party_ids: tuple[str, ...] = field(default=(), repr=False)
    """Descriptions that are new: of added and of changed parties."""
    is_new: bool = True
    """False where the same file was in force already."""


def load(
    session: Session,
    *,
    name: str,
    content: bytes,
    ids: Ids,
    now: datetime,
    actor: str = "rail",
    accept_shrinking: bool = False,
    accept_format: bool = False,
    found: ListFile | None = None,
) -> Loaded:
    """Put a list file in force under `name`, whole or not at all. Compares nobody with it.

    `found`: what the content holds, where it was read before.

    Raises:
        ListUnreadable: it is in no form that is read; the version in force stays.
        ListFormatDiffers: the version in force is in another format.
        ListShrinks: it lacks much of the version in force.
    """
    digest = hashlib.sha256(content).hexdigest()
    before = rows(session, _BEFORE, (name,))
    then: dict[str, int] = orjson.loads(before[0][2]) if before else {}
    if before and before[0][1] == digest and _COUNTED_SINCE in then:
        return Loaded(before[0][0], name, "", then, (), (), (), is_new=False)
    found = found or read_list(name, content)
    stats = found.stats
    if then:  # What was stored before parties were kept tells neither its counts nor its format.
        if found.format != before[0][3] and not accept_format:
            raise ListFormatDiffers(name, now=found.format, then=before[0][3])
        if (lost := losses(then=then, now=stats)) and not accept_shrinking:
            raise ListShrinks(name, lost)
    known = {row[1]: row for row in rows(session, _PARTIES, (name,))}
    version_id = ids("lst")
    _store_version(session, version_id, name, digest, found, stats, actor, now)
    loaded, fresh = _store_parties(session, version_id, name, found, stats, known, ids)
    ended = [known[key][0] for key in (*loaded.changed, *loaded.removed)]
    list_entries.store(
        session, version_id, name, found.parties, fresh=fresh, gone=ended if known else None
    )
    return loaded


class ListVersion(NamedTuple):
    """The version of a list that is in force."""

    name: str
    sha256: str
    id: str


def versions(session: Session) -> list[ListVersion]:
    """Return what is in force of every list."""
    return [ListVersion._make(row) for row in rows(session, _NEWEST)]


def _store_version(
    session: Session,
    version_id: str,
    name: str,
    digest: str,
    found: ListFile,
    stats: dict[str, int],
    actor: str,
    now: datetime,
) -> None:
    said = orjson.dumps(stats).decode()
    count = len(found.parties)
    row = (version_id, name, digest, count, to_micros(now), found.format, said, actor)
    insert_rows(session, "list_version", _VERSION, [row])


def _store_parties(
    session: Session,
    version_id: str,
    name: str,
    found: ListFile,
    stats: dict[str, int],
    known: dict[str, tuple[Any, ...]],
    ids: Ids,
) -> tuple[Loaded, list[Party]]:
    """Store what is new of the parties; return what that is, and the parties as they are read."""
    hashes = {party.key: party.content_hash for party in found.parties}
    added = [party for party in found.parties if party.key not in known]
    changed = [
        party
        for party in found.parties
        if party.key in known and known[party.key][2] != hashes[party.key]
    ]
    removed = [key for key in known if key not in hashes]
    gone = [*removed, *(party.key for party in changed)]
    ended = [{"id": known[key][0], "by": version_id} for key in gone]
    run_many(session, _END_PARTY, ended)
    fresh = [(ids("lpy"), party) for party in (*added, *changed)]
    insert_rows(
        session, "list_party", _PARTY,
        [
            (key, name, party.key, party.kind, party.name, hashes[party.key],
             _detail(party), version_id)
            for key, party in fresh
        ],
    )  # fmt: skip
    for table, columns, made in _children(fresh):
        insert_rows(session, table, ("party_id", "place", *columns), made)
    loaded = Loaded(
        version_id, name, found.format, stats,
        added=tuple(party.key for party in added),
        changed=tuple(party.key for party in changed),
        removed=tuple(removed),
        party_ids=tuple(key for key, _ in fresh),
    )  # fmt: skip
    return loaded, [party for _, party in fresh]


def _children(
    fresh: Sequence[tuple[str, Party]],
) -> Iterator[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
    """Yield table, columns and rows of what hangs on each new description."""
    kinds: tuple[tuple[str, tuple[str, ...], Any], ...] = (
        ("list_name", ("name", "kind"), lambda party: party.names.items()),
        ("list_address", ("address", "country"), lambda party: party.addresses),
        ("list_identifier", ("kind", "value"), lambda party: party.identifiers),
        (
            "list_link",
            ("relation", "other", "share_bp"),
            lambda party: [(each.relation, each.other, each.share_bp) for each in party.links],
        ),
    )
    for table, columns, of in kinds:
        yield (
            table,
            columns,
            [(key, place, *row) for key, party in fresh for place, row in enumerate(of(party))],
        )


def _detail(party: Party) -> str:
    said = {
        "programs": list(party.programs),
        "countries": list(party.countries),
        "birth_dates": list(party.birth_dates),
        "remarks": party.remarks,
    }
    return orjson.dumps({key: value for key, value in said.items() if value}).decode()
