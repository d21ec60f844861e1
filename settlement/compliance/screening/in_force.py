"""The lists in force, in memory: one index a database, kept up as versions come.

Reads what `list_store` wrote; compares nothing.
"""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson
from sqlalchemy import Engine
from sqlmodel import Session

from settlement.compliance.screening.index import Index, Listed
from settlement.compliance.screening.names import NameKind
from settlement.store.bulk import rows, rows_by_key

_VERSIONS = (
    "SELECT v.name, v.id, v.sha256 FROM list_version v WHERE v.id ="
    " (SELECT MAX(w.id) FROM list_version w WHERE w.name = v.name) ORDER BY v.name"
)
_IDS = "SELECT id FROM list_party WHERE ended_by IS NULL"
_PARTIES = "SELECT id, list_name, entry_key, kind, detail FROM list_party WHERE id {keys}"
_NAMES = "SELECT party_id, name, kind FROM list_name WHERE party_id {keys} ORDER BY party_id, place"
_NUMBERS = (
    "SELECT party_id, kind, value FROM list_identifier WHERE party_id {keys}"
    " ORDER BY party_id, place"
)
_COMPARING = (
    "apart.py", "index.py", "look_up.py", "matching.py", "names.py", "pairing.py", "romanising.py",
    "scoring.py", "spelling.py", "subjects.py", "vocabulary.py", "words.yaml",
)  # fmt: skip
_REBUILT_PERCENT = 20
"""More gone than this, and the index is filled anew."""


@dataclass(frozen=True, slots=True)
class ListsInForce:
    """Which versions are in force."""

    versions: Mapping[str, str]
    """List name to version id."""
    hash: str
    """SHA-256 over names, ids and files, and over what compares: where that is another release's,
    everybody is compared anew. Empty where no list is in force."""


@dataclass(slots=True)
class _Kept:
    hash: str
    index: Index
    party_ids: set[str]


_kept: weakref.WeakKeyDictionary[Engine, _Kept] = weakref.WeakKeyDictionary()
_filling = threading.Lock()


def lists_in_force(session: Session) -> ListsInForce:
    """Return the versions in force."""
    found = rows(session, _VERSIONS)
    if not found:
        return ListsInForce({}, "")
    said = [how_compared(), *map(list, found)]
    digest = hashlib.sha256(orjson.dumps(said)).hexdigest()
    return ListsInForce({row[0]: row[1] for row in found}, digest)


@cache
def how_compared() -> str:
    """Return the SHA-256 over what makes up a score in this release."""
    here = Path(__file__).parent
    contents = b"".join((here / name).read_bytes() for name in _COMPARING)
    return hashlib.sha256(contents).hexdigest()


def index_in_force(session: Session, lists: ListsInForce) -> Index:
    """Return the index over all that is in force; only what changed since the last is read."""
    engine = session.connection().engine
    with _filling:
        kept = _kept.get(engine)
        if kept is not None and kept.hash == lists.hash:
            return kept.index
        wanted = {row[0] for row in rows(session, _IDS)}
        if kept is not None:
            gone = kept.party_ids - wanted
            if len(gone) * 100 > len(kept.party_ids) * _REBUILT_PERCENT:
                kept = None
        if kept is None:
            kept = _Kept("", Index(), set())
        kept.index.change(
            added=listed(session, sorted(wanted - kept.party_ids)),
            removed=kept.party_ids - wanted,
        )
        kept.hash, kept.party_ids = lists.hash, wanted
        _kept[engine] = kept
        return kept.index


def listed(session: Session, party_ids: Iterable[str]) -> list[Listed]:
    """Return listed parties as they are compared, in the order of their ids."""
    keys = list(party_ids)
    names: dict[str, list[tuple[str, str]]] = {}
    for key, name, kind in rows_by_key(session, _NAMES, keys):
        names.setdefault(key, []).append((name, kind))
    numbers: dict[str, list[tuple[str, str]]] = {}
    for key, kind, value in rows_by_key(session, _NUMBERS, keys):
        numbers.setdefault(key, []).append((kind, value))
    found = []
    for key, list_name, entry_key, kind, detail in rows_by_key(session, _PARTIES, keys):
        said = orjson.loads(detail)
        found.append(
            Listed(
                party_id=key,
                list_name=list_name,
                entry_key=entry_key,
                kind=NameKind(kind),
                names=tuple(names.get(key, ())),
                countries=frozenset(said.get("countries", ())),
                birth_dates=frozenset(said.get("birth_dates", ())),
                identifiers=tuple(numbers.get(key, ())),
            )
        )
    return sorted(found, key=lambda each: each.party_id)
