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
from settlement.compliance import clearance
from settlement.compliance.policy import fold
from settlement.errors import Invalid
from settlement.tables import ListEntry, ListVersion

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}(?![0-9a-fA-F])")
_OFAC_COLUMNS = 12
_OTHER_FILES = (b"<", b"{", b"[", b"%pdf")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")

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
_UNDER_WAY = text(
    "SELECT s.id, d.name AS debtor_name, c.name AS creditor_name, s.debtor_wallet,"
    " s.creditor_wallet FROM settlement s JOIN participant d ON d.id = s.debtor_id"
    " JOIN participant c ON c.id = s.creditor_id"
    # What is mined may be orphaned, and would be sent again.
    " WHERE s.state IN ('CLEARED', 'CLAIMED', 'SUBMITTED', 'CONFIRMING', 'BOOKED')"
)


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

    Clearances of payments under way end where a party is listed now: what is sent is cancelled.

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
    _revoke_hits(session, now)
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


def _revoke_hits(session: Session, now: datetime) -> None:
    """End the clearances of those who are listed now: what is not mined is not sent again."""
    under_way = session.connection().execute(_UNDER_WAY).all()
    values = {
        row.id: (fold(row.debtor_name), fold(row.creditor_name), *row[3:]) for row in under_way
    }
    listed = hits(session, [value for of_one in values.values() for value in of_one])
    clearance.revoke(
        session, [key for key, of_one in values.items() if any(v in listed for v in of_one)], now
    )


def _entries(name: str, content: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield `(kind, value, detail)` of OFAC's SDN.CSV or of plain lines.

    Raises:
        ListUnreadable: it is neither; half a list would let the other half be paid.
    """
    words = _text(name, content)
    first = next(csv.reader(words.splitlines()[:1]), [])
    if len(first) == _OFAC_COLUMNS:
        yield from _ofac(name, words)
        return
    for line in words.splitlines():
        addresses = _ADDRESS.findall(line)
        for address in addresses:
            yield "address", address.lower(), ""
        if not addresses and fold(line):
            yield "name", fold(line), ""


def _ofac(name: str, words: str) -> Iterator[tuple[str, str, str]]:
    try:
        rows = list(csv.reader(io.StringIO(words), strict=True))
    except csv.Error as error:
        raise ListUnreadable(name, str(error)) from error
    for place, row in enumerate(rows, start=1):
        if not "".join(row).strip():
            continue
        if len(row) != _OFAC_COLUMNS:
            raise ListUnreadable(name, f"row {place} has {len(row)} columns of {_OFAC_COLUMNS}")
        detail, listed = row[0].strip(), row[1].strip()
        for address in _ADDRESS.findall(",".join(row)):
            yield "address", address.lower(), detail
        if fold(listed):
            yield "name", fold(listed), detail
            if "," in listed:  # "SURNAME, First" also as "First SURNAME".
                last, _, first = listed.partition(",")
                yield "name", fold(f"{first} {last}"), detail


def _text(name: str, content: bytes) -> str:
    """Return the content as text; other files, read as text, would be lists of nobody."""
    content = content.rstrip(b"\x1a\r\n\0 ")  # OFAC's files end with a control character.
    if content.lstrip()[:4].lower().startswith(_OTHER_FILES):
        raise ListUnreadable(name, "it is a page, an archive or another kind of file")
    if _CONTROL.search(content):
        raise ListUnreadable(name, "it holds control characters")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # OFAC's older files.
