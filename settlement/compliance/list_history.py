"""The versions of lists that were and are in force, and what each of them changed.

Reads; changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from settlement.errors import NotFound
from settlement.store.bulk import rows


@dataclass(frozen=True, slots=True)
class Version:
    """One state of one list, as it is told; `stats` is JSON, the time microseconds."""

    id: str
    name: str
    format: str
    sha256: str
    entry_count: int
    stats: str
    loaded_by: str
    created_at: int


def version_of(session: Session, name: str, version_id: str | None = None) -> str:
    """Return the id of a version of a list, by default of the one in force.

    Raises:
        NotFound: there is no such list, or no such version of it.
    """
    found = rows(
        session,
        "SELECT MAX(id) FROM list_version WHERE name = ? AND (? = '' OR id = ?)",
        (name, version_id or "", version_id or ""),
    )
    if not found or found[0][0] is None:
        raise NotFound("list", f"{name} {version_id}" if version_id else name)
    return str(found[0][0])


def in_detail(session: Session, name: str = "") -> list[Version]:
    """Return the newest version of every list, or all versions of one, newest first."""
    columns = ", ".join(f"v.{column}" for column in Version.__slots__)
    newest = "SELECT MAX(w.id) FROM list_version w WHERE w.name = v.name"
    where = "v.name = ?" if name else f"v.id = ({newest})"
    values = (name,) if name else ()
    sql = f"SELECT {columns} FROM list_version v WHERE {where} ORDER BY v.name, v.id DESC"
    return [Version(*row) for row in rows(session, sql, values)]


def changes(session: Session, version_id: str) -> dict[str, list[tuple[str, str]]]:
    """Return what a version changed: added, changed and removed, each as (entry key, name)."""
    began = rows(
        session,
        "SELECT entry_key, name FROM list_party WHERE version_id = ? ORDER BY entry_key",
        (version_id,),
    )
    ended = rows(
        session,
        "SELECT entry_key, name FROM list_party WHERE ended_by = ? ORDER BY entry_key",
        (version_id,),
    )
    new: dict[str, str] = dict(began)
    old: dict[str, str] = dict(ended)
    return {
        "added": [(key, name) for key, name in new.items() if key not in old],
        "changed": [(key, name) for key, name in new.items() if key in old],
        "removed": [(key, name) for key, name in old.items() if key not in new],
    }
