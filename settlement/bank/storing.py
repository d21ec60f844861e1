"""Storing a file that was read and judged: all of it in one database transaction, once.

A kill leaves nothing of it; the same file again, or two at once, leave the first one's rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.bank.accounts import BankAccount
from settlement.bank.posting import require_room
from settlement.bank.spool import Row, Spool, SpooledStatement
from settlement.clock import Ids, to_micros
from settlement.errors import Conflict
from settlement.store import outbox
from settlement.store.bulk import insert_rows, rows_by_key
from settlement.store.outbox import OutboxEvent

_COLUMNS = (
    "account_id", "statement_id", "file_id", "source_line", "entry_index", "detail_index",
    "amount_minor", "currency", "status", "booking_date", "value_date", "end_to_end_id",
    "instruction_id", "uetr", "bank_reference", "creditor_reference", "remittance",
    "counterparty_name", "counterparty_account", "transaction_code", "charges_minor",
    "is_reversal", "return_reason", "fingerprint", "duplicate_of",
)  # fmt: skip
_DETAIL = 3
"""Place of the detail's number in a row."""
_BANK_REFERENCE = 12
"""Place of the bank's own reference in a row."""
_LOCK = 0x62616E6B  # "bank"

_FILE = text("SELECT id, entry_count, duplicate_count FROM statement_file WHERE sha256 = :sha256")
_KNOWN = text(
    "SELECT id, file_id, content_sha256 FROM statement WHERE account_id = :account_id"
    " AND kind = :kind AND statement_id = :statement_id"
)
_STATEMENTS = text("SELECT id FROM statement WHERE file_id = :file_id ORDER BY id")
_INSERT_FILE = text(
    "INSERT INTO statement_file (id, sha256, name, format, mapping_sha256, actor, state,"
    " line_reached, statement_count, entry_count, duplicate_count, created_at) VALUES (:id,"
    " :sha256, :name, :format, :mapping_sha256, :actor, 'complete', :line_reached,"
    " :statement_count, :entry_count, :duplicate_count, :at)"
)
_INSERT_STATEMENT = text(
    "INSERT INTO statement (id, file_id, account_id, kind, statement_id, sequence, from_date,"
    " to_date, opening_minor, closing_minor, opening_date, closing_date, entry_count,"
    " content_sha256, created_at) VALUES (:id, :file_id, :account_id, :kind, :statement_id,"
    " :sequence, :from_date, :to_date, :opening_minor, :closing_minor, :opening_date,"
    " :closing_date, :entry_count, :content_sha256, :at)"
)
_COUNT_DUPLICATES = text("UPDATE statement_file SET duplicate_count = :duplicates WHERE id = :id")
_HAS_ENTRIES = text("SELECT EXISTS (SELECT 1 FROM bank_entry WHERE account_id = :account_id)")


class StatementConflict(Conflict):
    """A statement of this name was imported with other balances or entries."""

    def __init__(self, statement_id: str, existing_id: str) -> None:
        super().__init__(
            f"statement {statement_id!r} was imported before, as {existing_id}, with other"
            " balances or entries",
            field="Id",
            repair="compare both with `settle bank statements`; ask the bank which one holds",
        )
        self.existing_id = existing_id


class FileFacts(NamedTuple):
    """What is known of a file beside its content."""

    sha256: str
    name: str
    format: str
    mapping_sha256: str | None
    actor: str


class Imported(NamedTuple):
    """What an import came to; of a file that was there already, what the first one came to."""

    file_id: str
    statement_ids: tuple[str, ...]
    entries: int
    duplicates: int
    is_new: bool


def first_import(session: Session, sha256: str) -> Imported | None:
    """Return what a file came to when it was imported; None if it never was."""
    row = session.execute(_FILE, {"sha256": sha256}).one_or_none()
    return None if row is None else _stored(session, *row)


def accounts_of_file(session: Session, file_id: str) -> list[str]:
    """Return the accounts that a stored file told of."""
    found = session.execute(
        text("SELECT DISTINCT account_id FROM statement WHERE file_id = :id ORDER BY account_id"),
        {"id": file_id},
    )
    return [str(each) for each in found.scalars()]


def store(session: Session, spool: Spool, facts: FileFacts, *, ids: Ids, now: datetime) -> Imported:
    """Store a judged file with its statements and entries, or return what it came to before.

    Raises:
        StatementConflict: a statement of the same name says something else.
        StatementInvalid: it moves more than the books can hold.
    """
    _one_at_a_time(session)
    before = first_import(session, facts.sha256)
    if before is not None:
        return before
    new: dict[int, str] = {}
    for place, statement in enumerate(spool.statements):
        known = _known(session, statement)
        if known is None:
            new[place] = ids("bst")
        elif len(spool.statements) == 1:
            # The bank has written the same statement anew: the first one is the answer.
            return _file_of(session, known)
    _require_room(session, [spool.statements[place] for place in new])
    file_id = ids("bsf")
    entries = sum(spool.statements[place].entry_rows for place in new)
    at = to_micros(now)
    session.execute(
        _INSERT_FILE,
        {
            **facts._asdict(), "id": file_id, "line_reached": spool.line_reached, "at": at,
            "statement_count": len(new), "entry_count": entries, "duplicate_count": 0,
        },
    )  # fmt: skip
    for place, identifier in new.items():
        _insert_statement(session, spool.statements[place], identifier, file_id, at)
    duplicates = _insert_entries(session, spool, new, file_id)
    session.execute(_COUNT_DUPLICATES, {"duplicates": duplicates, "id": file_id})
    outbox.record(session, [OutboxEvent("bank_statement.imported", each) for each in new.values()],
                  now)  # fmt: skip
    return Imported(file_id, tuple(new.values()), entries, duplicates, is_new=True)


def _one_at_a_time(session: Session) -> None:
    """Let one file be stored after the other: ids grow in the order of the commits."""
    if session.connection().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _require_room(session: Session, statements: Sequence[SpooledStatement]) -> None:
    moved: Counter[BankAccount] = Counter()
    for statement in statements:
        moved[statement.account] += statement.moved_minor
    for account, minor in moved.items():
        require_room(session, account, minor)


def _known(session: Session, statement: SpooledStatement) -> str | None:
    """Return the file of a statement that is stored already with the same content."""
    head = statement.head
    row = session.execute(
        _KNOWN,
        {
            "account_id": statement.account.id,
            "kind": head.kind,
            "statement_id": head.statement_id,
        },
    ).one_or_none()
    if row is None:
        return None
    if row.content_sha256 != statement.content_sha256:
        raise StatementConflict(head.statement_id, row.id)
    return str(row.file_id)


def _file_of(session: Session, file_id: str) -> Imported:
    row = session.execute(
        text("SELECT id, entry_count, duplicate_count FROM statement_file WHERE id = :id"),
        {"id": file_id},
    ).one()
    return _stored(session, *row)


def _stored(session: Session, file_id: str, entries: int, duplicates: int) -> Imported:
    statements = session.execute(_STATEMENTS, {"file_id": file_id}).scalars().all()
    return Imported(file_id, tuple(statements), entries, duplicates, is_new=False)


def _insert_statement(
    session: Session, statement: SpooledStatement, identifier: str, file_id: str, at: int
) -> None:
    head, opening, closing = statement.head, statement.opening, statement.closing
    row: dict[str, Any] = {
        "id": identifier,
        "file_id": file_id,
        "account_id": statement.account.id,
        "kind": head.kind,
        "statement_id": head.statement_id,
        "sequence": head.sequence,
        "from_date": head.from_date or (opening.day if opening else None),
        "to_date": head.to_date or (closing.day if closing else None),
        "opening_minor": opening.minor if opening else None,
        "closing_minor": closing.minor if closing else None,
        "opening_date": opening.day if opening else None,
        "closing_date": closing.day if closing else None,
        "entry_count": statement.entry_rows,
        "content_sha256": statement.content_sha256,
        "at": at,
    }
    session.execute(_INSERT_STATEMENT, row)


def _insert_entries(session: Session, spool: Spool, new: dict[int, str], file_id: str) -> int:
    """Insert the rows of all new statements; return how many were there already."""
    duplicates, before = 0, -1
    spool.repeats.restart()
    accounts = {place: spool.statements[place].account.id for place in new}
    busy = {
        account: bool(session.execute(_HAS_ENTRIES, {"account_id": account}).scalar())
        for account in set(accounts.values())
    }
    for place, rows in spool.blocks():
        if place != before:
            spool.repeats.next_statement()
            before = place
        keys = _numbered(spool, rows)
        if place not in new:
            continue
        account = accounts[place]
        # What is new to the account may still stand in another statement of this file.
        known = keys if busy[account] else _repeated(spool, rows, keys)
        first = _first_ones(session, account, known) if known else {}
        duplicates += sum(key in first for key in keys)
        shared = (account, new[place], file_id)
        insert_rows(
            session, "bank_entry", _COLUMNS,
            [
                (*shared, *row[1:], f"{key}/{row[_DETAIL]}", first.get(key))
                for key, row in zip(keys, rows, strict=True)
            ],
        )  # fmt: skip
    return duplicates


def _numbered(spool: Spool, rows: Sequence[Row]) -> list[str]:
    """Return each row's key with the number of its entry among equal ones."""
    keys: list[str] = []
    for row in rows:
        if row[_DETAIL] <= 1:
            number = spool.repeats.number(row[0], is_named=row[_BANK_REFERENCE] is not None)
            numbered = f"{row[0]}#{number}"
        keys.append(numbered)
    return keys


def _repeated(spool: Spool, rows: Sequence[Row], keys: Sequence[str]) -> list[str]:
    return [key for key, row in zip(keys, rows, strict=True) if spool.repeats.may_repeat(row[0])]


def _first_ones(session: Session, account: str, keys: Sequence[str]) -> dict[str, int]:
    """Return the id of the first row of each entry that is stored already."""
    wanted = {fingerprint: key for key in keys for fingerprint in (f"{key}/0", f"{key}/1")}
    found = rows_by_key(
        session,
        "SELECT fingerprint, id FROM bank_entry WHERE fingerprint {keys} AND account_id = ?"
        " AND duplicate_of IS NULL",
        wanted,
        account,
    )
    return {wanted[name]: identifier for name, identifier in found}
