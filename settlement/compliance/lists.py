"""Lists of names and addresses that may not be paid: read from files, kept by version.

Knows exact equality only (folded names, lower-case addresses).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.compliance.policy import fold
from settlement.errors import Invalid
from settlement.tables import ListEntry, ListVersion

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}(?![0-9a-fA-F])")
_OFAC_COLUMNS = 12

_NEWEST = text(
    "SELECT v.name, v.sha256, v.id FROM list_version v WHERE v.id ="
    " (SELECT MAX(w.id) FROM list_version w WHERE w.name = v.name) ORDER BY v.name"
)
_HITS = text(
    "SELECT v.name, e.kind, e.value, e.detail FROM list_entry e"
    " JOIN list_version v ON v.id = e.list_version_id"
    " WHERE e.value IN :values AND v.id IN"
    " (SELECT MAX(w.id) FROM list_version w GROUP BY w.name) ORDER BY v.name, e.value"
).bindparams(bindparam("values", expanding=True))


class ListUnreadable(Invalid):
    """A list file is not in a form that is read; the version in force stays."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(
            f"list {name} cannot be read: {fault}",
            field="file",
            repair="give OFAC's SDN.CSV, or UTF-8 text with one name or one 0x-address a line",
        )


@dataclass(frozen=True, slots=True)
class ListHit:
    """An entry of a list in force that equals what was asked for."""

    list_name: str
    value: str
    detail: str


def store_list(
    session: Session, *, name: str, content: bytes, ids: Ids, now: datetime
) -> str | None:
    """Put a list file in force under `name`; return its version's id, None if nothing changed.

    Raises:
        ListUnreadable: no entry can be found in it; the version in force stays.
    """
    digest = hashlib.sha256(content).hexdigest()
    if any(row.name == name and row.sha256 == digest for row in versions(session)):
        return None
    entries = dict.fromkeys(_entries(name, content))
    if not entries:
        raise ListUnreadable(name, "it holds no entry")
    version_id = ids("lst")
    connection = session.connection()
    connection.execute(
        insert(ListVersion.__table__),  # type: ignore[attr-defined]
        {
            "id": version_id,
            "name": name,
            "sha256": digest,
            "entry_count": len(entries),
            "created_at": to_micros(now),
        },
    )
    rows = {
        (kind, value): {
            "list_version_id": version_id,
            "kind": kind,
            "value": value,
            "detail": detail,
        }
        for kind, value, detail in entries
    }
    connection.execute(insert(ListEntry.__table__), list(rows.values()))  # type: ignore[attr-defined]
    return version_id


def versions(session: Session) -> Sequence[ListVersion]:
    """Return name, hash and id of every list in force."""
    return session.connection().execute(_NEWEST).all()  # type: ignore[return-value]


def hits(session: Session, values: Sequence[str]) -> dict[str, list[ListHit]]:
    """Return, per folded name or lower-case address, the entries in force that equal it."""
    found: dict[str, list[ListHit]] = {}
    if values:
        for row in session.connection().execute(_HITS, {"values": sorted(set(values))}):
            found.setdefault(row.value, []).append(ListHit(row.name, row.value, row.detail))
    return found


def _entries(name: str, content: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield `(kind, value, detail)` of OFAC's SDN.CSV or of plain lines."""
    try:
        lines = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        lines = content.decode("latin-1")  # OFAC's older files.
    rows = list(csv.reader(io.StringIO(lines)))
    is_ofac = bool(rows) and len(rows[0]) == _OFAC_COLUMNS
    for row in rows:
        if not row or not row[0].strip():
            continue
        detail = row[0].strip() if is_ofac else ""
        listed = row[1].strip() if is_ofac and len(row) > 1 else ",".join(row).strip()
        addresses = _ADDRESS.findall(",".join(row))
        for address in addresses:
            yield "address", address.lower(), detail
        if not (addresses and not is_ofac) and fold(listed):
            yield "name", fold(listed), detail
            if is_ofac and "," in listed:  # "SURNAME, First" also as "First SURNAME".
                last, _, first = listed.partition(",")
                yield "name", fold(f"{first} {last}"), detail
