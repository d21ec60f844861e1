"""Registers that rules look things up in: participants of a regime, mining operators, purposes.

Loaded from files, kept by version; the newest of a name is in force. Decides nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.errors import Conflict, Invalid
from settlement.store.bulk import insert_rows, rows, rows_by_key

REGIME_PARTICIPANTS = "regime_participants"
PERMITTED_ASSETS = "permitted_assets"
PERMITTED_PURPOSES = "permitted_purposes"
MINING_OPERATORS = "mining_operators"
BANNED_REGIONS = "banned_regions"
NAMES = (
    REGIME_PARTICIPANTS,
    PERMITTED_ASSETS,
    PERMITTED_PURPOSES,
    MINING_OPERATORS,
    BANNED_REGIONS,
)
"""Those that the shipped packs ask; a pack may ask others."""
VERSION_PREFIX = "register/"
"""How a clearance tells a register's version from a list's."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
_VALUE_MAX = 140
_ENTRIES_MAX = 1_000_000
_PERCENT = 80
_COUNTED_FROM = 10
"""A register of few entries may well change by more."""
_NEWEST = (
    "SELECT v.name, v.sha256, v.id, v.entry_count, v.loaded_by, v.created_at"
    " FROM register_version v WHERE v.id ="
    " (SELECT MAX(w.id) FROM register_version w WHERE w.name = v.name) ORDER BY v.name"
)
_FOUND = (
    "SELECT e.value, v.name FROM register_entry e"
    " JOIN register_version v ON v.id = e.register_version_id WHERE e.value {keys}"
    " AND v.id IN (SELECT MAX(w.id) FROM register_version w GROUP BY w.name)"
)


class RegisterUnreadable(Invalid):
    """A register's file is not in a form that is read; the version in force stays."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(
            f"register {name} cannot be read: {fault}",
            field="file",
            repair="give UTF-8 text with one entry a line: its value, and a detail after a comma",
        )


class RegisterShrinks(Conflict):
    """A file that lacks much of what is in force is more likely cut off than true."""

    def __init__(self, name: str, *, left: int, then: int) -> None:
        super().__init__(
            f"of register {name} this file would leave {left} of {then} entries",
            field="file",
            repair="give the register's file whole; where so much was taken out, say so:"
            f" --shrinks accept, or POST /v1/registers/{name}/smaller",
        )


@dataclass(frozen=True, slots=True)
class RegisterVersion:
    """A register in force; `created_at` in microseconds."""

    name: str
    sha256: str
    id: str
    entry_count: int
    loaded_by: str
    created_at: int


def load(
    session: Session,
    *,
    name: str,
    content: bytes,
    actor: str,
    ids: Ids,
    now: datetime,
    accept_shrinking: bool = False,
) -> str | None:
    """Put a register's file in force; return its version's id, None if nothing changed.

    Raises:
        RegisterUnreadable: the name or the file is none; the version in force stays.
        RegisterShrinks: it lacks more than a fifth of what is in force, or all of it.
    """
    if not _NAME.match(name):
        raise RegisterUnreadable(name, "a name has lower-case letters, digits and _")
    entries = _entries(name, content)
    digest = hashlib.sha256(content).hexdigest()
    before = next((each for each in in_force(session) if each.name == name), None)
    if before is not None and before.sha256 == digest:
        return None
    if before is not None and not accept_shrinking:
        _require_most(session, before, entries)
    version_id = ids("reg")
    columns = ("id", "name", "sha256", "entry_count", "loaded_by", "created_at")
    insert_rows(
        session, "register_version", columns,
        [(version_id, name, digest, len(entries), actor, to_micros(now))],
    )  # fmt: skip
    insert_rows(
        session, "register_entry", ("register_version_id", "value", "detail"),
        [(version_id, value, detail) for value, detail in entries.items()],
    )  # fmt: skip
    return version_id


def in_force(session: Session) -> list[RegisterVersion]:
    """Return the newest version of every register."""
    return [RegisterVersion(*row) for row in rows(session, _NEWEST)]


def versions(session: Session) -> dict[str, str]:
    """Return the hash of every register in force, by the name that a clearance keeps."""
    return {VERSION_PREFIX + each.name: each.sha256 for each in in_force(session)}


def memberships(session: Session, values: Iterable[str | None]) -> dict[str, tuple[str, ...]]:
    """Return, per value as `folded` gives it, the registers in force that have it."""
    wanted = {folded(value) for value in values if value}
    found: dict[str, set[str]] = {}
    for value, name in rows_by_key(session, _FOUND, sorted(wanted)):
        found.setdefault(value, set()).add(name)
    return {value: tuple(sorted(names)) for value, names in found.items()}


def folded(value: str) -> str:
    """Return a value as registers compare it: without white space, in capitals."""
    return "".join(value.split()).upper()


def entries(
    session: Session, version_id: str, *, after: str = "", limit: int = 100
) -> Sequence[tuple[str, str]]:
    """Return up to `limit` entries of a version above `after`, in order."""
    found = session.connection().execute(
        text(
            "SELECT value, detail FROM register_entry WHERE register_version_id = :id"
            " AND value > :after ORDER BY value LIMIT :limit"
        ),
        {"id": version_id, "after": after, "limit": limit},
    )
    return [(row.value, row.detail) for row in found]


def _require_most(session: Session, before: RegisterVersion, entries: Mapping[str, str]) -> None:
    old = rows(
        session, "SELECT value FROM register_entry WHERE register_version_id = ?", (before.id,)
    )
    left, then = sum(value in entries for (value,) in old), before.entry_count
    if (then and not entries) or (then >= _COUNTED_FROM and left * 100 < then * _PERCENT):
        raise RegisterShrinks(before.name, left=left, then=then)


def _entries(name: str, content: bytes) -> dict[str, str]:
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        found: dict[str, str] = {}
        for row in reader:
            value = folded(row[0]) if row else ""
            if not value or value.startswith("#"):
                continue
            if len(value) > _VALUE_MAX or not value.isprintable():
                raise RegisterUnreadable(name, f"line {reader.line_num} has no value")
            found[value] = ",".join(row[1:]).strip()[:_VALUE_MAX]
            if len(found) > _ENTRIES_MAX:
                raise RegisterUnreadable(name, f"it has more than {_ENTRIES_MAX} entries")
    except UnicodeDecodeError as error:
        raise RegisterUnreadable(name, "it is not UTF-8") from error
    except csv.Error as error:
        raise RegisterUnreadable(name, str(error)) from error
    return found
