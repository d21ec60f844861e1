"""What parties are compared with by equality: folded names and addresses, by the list's version.

Kept by what changes: an entry stands from one version until another ends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, text
from sqlmodel import Session

from settlement.compliance.list_files.record import Party
from settlement.compliance.policy.names import fold_once
from settlement.store.bulk import insert_rows, rows, rows_by_key, run_many

_HITS = text(
    "SELECT v.name, e.kind, e.value, e.detail FROM list_entry e"
    " JOIN list_version v ON v.id = e.list_version_id"
    " WHERE e.value IN :values AND e.ended_by IS NULL ORDER BY v.name, e.value"
).bindparams(bindparam("values", expanding=True))
_STANDING = (
    "SELECT e.list_version_id, e.kind, e.value, e.detail FROM list_entry e"
    " JOIN list_version v ON v.id = e.list_version_id WHERE v.name = ? AND e.ended_by IS NULL"
)
_END = (
    "UPDATE list_entry SET ended_by = :by WHERE list_version_id = :version AND kind = :kind"
    " AND value = :value"
)
_NAMES = "SELECT party_id, name, kind FROM list_name WHERE party_id {keys}"
_WALLETS = (
    "SELECT party_id, kind, value FROM list_identifier WHERE party_id {keys} AND kind = 'wallet'"
)


@dataclass(frozen=True, slots=True)
class ListHit:
    """An entry of a list in force that equals what was asked for."""

    list_name: str
    value: str
    detail: str


def hits(session: Session, values: Sequence[str]) -> dict[str, list[ListHit]]:
    """Return, per folded name or address, the entries in force that equal it."""
    found: dict[str, list[ListHit]] = {}
    if values:
        for row in session.connection().execute(_HITS, {"values": sorted(set(values))}):
            found.setdefault(row.value, []).append(ListHit(row.name, row.value, row.detail))
    return found


def store(
    session: Session,
    version_id: str,
    name: str,
    parties: Iterable[Party],
    *,
    fresh: Iterable[Party],
    gone: Sequence[str] | None,
) -> None:
    """Keep what equality is judged by: only what is new is written, what is gone is ended.

    `fresh`: those of the parties that are new or changed; `gone`: ids of the descriptions that
    this version ended; None: whatever stands is looked at.
    """
    entries = _entries(parties)
    if gone is None:
        standing_rows = rows(session, _STANDING, (name,))
    else:
        ended = _described(session, gone)
        touched = {value for _, value, _ in _entries((*fresh, *ended))}
        entries = (each for each in entries if each[1] in touched)
        standing_rows = rows_by_key(session, f"{_STANDING} AND e.value {{keys}}", touched, name)
    wanted = {(kind, value): detail for kind, value, detail in entries if value}
    standing = {(row[1], row[2]): row for row in standing_rows}
    run_many(
        session,
        _END,
        [
            {"version": row[0], "kind": row[1], "value": row[2], "by": version_id}
            for key, row in standing.items()
            if wanted.get(key) != row[3]
        ],
    )
    insert_rows(
        session, "list_entry", ("list_version_id", "kind", "value", "detail"),
        [
            (version_id, *key, detail)
            for key, detail in wanted.items()
            if key not in standing or standing[key][3] != detail
        ],
    )  # fmt: skip


def _described(session: Session, party_ids: Sequence[str]) -> Iterable[Party]:
    """Return parties with the names and wallets that they were described by."""
    found = {key: Party(key) for key in party_ids}
    for key, name, kind in rows_by_key(session, _NAMES, party_ids):
        found[key].names[name] = kind
    for key, kind, value in rows_by_key(session, _WALLETS, party_ids):
        found[key].identifiers[kind, value] = None
    return found.values()


def _entries(parties: Iterable[Party]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, value and detail of each: which party it is, where the value is not its key."""
    for party in parties:
        for shown, kind in party.names.items():
            if kind == "weak":
                continue
            folded = fold_once(shown)
            detail = "" if folded == party.key else party.key
            yield "name", folded, detail
            if "," in shown:  # "SURNAME, First" also as "First SURNAME".
                last, _, first = shown.partition(",")
                yield "name", fold_once(f"{first} {last}"), detail
        for kind, value in party.identifiers:
            if kind == "wallet":
                yield "address", value, "" if value == party.key else party.key
