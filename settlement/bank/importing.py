"""From a bank's file to stored entries: recognised, read, judged, and only then stored, at once.

Chooses the reader by the bytes. Nothing is stored of a file that is refused.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine
from sqlmodel import Session

from settlement.bank.accounts import BankAccount, bank_account, bank_accounts
from settlement.bank.fingerprints import Repeats
from settlement.bank.mappings import SavedMapping, mapping
from settlement.bank.spool import Accounts, OtherBankAccount, Spool
from settlement.bank.storing import FileFacts, Imported, accounts_of_file, first_import, store
from settlement.clock import Ids
from settlement.documents import bank_csv_reading
from settlement.documents.iso20022 import reading
from settlement.documents.iso20022.reading_model import StatementUnreadable
from settlement.errors import Invalid
from settlement.store import reading as reading_session
from settlement.store import transaction

NAME_MAX = 255
_PAGE = 1_000
_ACCOUNTS_PAGES_MAX = 10_000
_HEAD_BYTES = 200
_BLOCK_BYTES = 1 << 20
_XML_STARTS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\x00", b"\xfe\xff\x00<", b"<\x00", b"\x00<")


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import. `path` is its own place, where it has one."""

    file: BinaryIO
    name: str
    path: Path | None = None
    account_id: str | None = None
    """The account that it must be of; a CSV does not say by itself."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that is sound, ready to be stored; close its spool when it is done with."""

    facts: FileFacts
    spool: Spool

    def store(self, session: Session, *, ids: Ids, now: datetime) -> Imported:
        """Store it. Raises as `storing.store`."""
        return store(session, self.spool, self.facts, ids=ids, now=now)


def import_file(
    engine: Engine, path: Path, *, actor: str, ids: Ids, now: datetime,
    account_id: str | None = None,
) -> Imported:  # fmt: skip
    """Import a file on this machine, of any size, or return what it came to before.

    Raises:
        StatementRefused: of whatever kind; nothing was stored.
        Invalid: it cannot be read, or has a name that cannot be kept.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise Invalid(
            f"the file's name is no UTF-8: {str(path)!a}", field="file", repair="rename it"
        ) from error
    try:
        file = path.open("rb")
    except OSError as error:
        raise Invalid(
            f"the file cannot be read: {error}", field="file", repair="check its path"
        ) from error
    with file:
        source = Source(file, path.name, path, account_id)
        with reading_session(engine) as session:
            found = prepare(session, source, actor=actor)
        if isinstance(found, Imported):
            return found
        try:
            with transaction(engine) as session:
                return found.store(session, ids=ids, now=now)
        finally:
            found.spool.close()


def prepare(session: Session, source: Source, *, actor: str) -> Imported | Prepared:
    """Read and judge a file; of one that is stored already, return what it came to.

    Only reads from the database. Raises:
        StatementRefused: of whatever kind.
        NotFound, NoBankMapping: the account, or the mapping of its CSV, is not there.
    """
    wanted = None if source.account_id is None else bank_account(session, source.account_id)
    state = _state(source.file)
    sha256 = _sha256(source.file)
    before = first_import(session, sha256)
    if before is not None:
        _require_account(session, before, wanted)
        return before
    _refuse_swift_text(source.file)
    saved = None if _is_xml(source.file) else _mapping(session, wanted)
    accounts = _accounts(session)
    spool = Spool(Repeats(state[0]))
    try:
        name, read = _reader(source, saved, wanted, sha256)
        spool.fill(read, accounts, wanted)
        if _state(source.file) != state:
            raise StatementUnreadable(
                "it was changed while it was read", line=None, path="/",
                repair="wait until it is written completely, then import it again",
            )  # fmt: skip
    except BaseException:
        spool.close()
        raise
    mapped = None if saved is None else saved.sha256
    return Prepared(FileFacts(sha256, source.name[:NAME_MAX], name, mapped, actor), spool)


def _reader(
    source: Source, saved: SavedMapping | None, wanted: BankAccount | None, sha256: str
) -> tuple[str, Iterator[reading.Read]]:
    """Return the format's name and what reads it."""
    if saved is None:
        message = reading.message_of(source.file)
        return message.full_name, reading.read(source.file, message, source.path)
    assert wanted is not None
    read = bank_csv_reading.read(
        source.file, saved.mapping, account=wanted.iban, currency=wanted.currency,
        statement_id=sha256[:32],
    )  # fmt: skip
    return "csv", read


def _mapping(session: Session, wanted: BankAccount | None) -> SavedMapping:
    if wanted is None:
        raise Invalid(
            "a file that is no XML is a CSV, and does not say of which account it is",
            field="account", repair="name its account (--account); statements in XML need none",
        )  # fmt: skip
    return mapping(session, wanted.id)


def _require_account(session: Session, before: Imported, wanted: BankAccount | None) -> None:
    """Refuse a known file that is now said to be of another account."""
    found = accounts_of_file(session, before.file_id)
    if wanted is not None and found and wanted.id not in found:
        raise OtherBankAccount(
            f"this file was imported before, for {', '.join(found)}", line=None, path="account",
            repair="import it for its own account, or send the right file",
        )  # fmt: skip


def _accounts(session: Session) -> Accounts:
    accounts: dict[tuple[str, str], BankAccount] = {}
    after = ""
    for _page in range(_ACCOUNTS_PAGES_MAX):
        page = bank_accounts(session, after=after, limit=_PAGE)
        accounts.update(((each.iban, each.currency), each) for each in page)
        if len(page) < _PAGE:
            break
        after = page[-1].id
    return accounts


def _is_xml(file: BinaryIO) -> bool:
    head = file.read(_HEAD_BYTES).lstrip(b" \t\r\n")
    file.seek(0)
    return head.startswith(_XML_STARTS)


def _refuse_swift_text(file: BinaryIO) -> None:
    """Refuse MT940 and MT942: without this they would be taken for a CSV without an account.

    Raises:
        StatementUnreadable: it begins as one of them does.
    """
    head = file.read(_HEAD_BYTES).lstrip(b" \t\r\n\x01")
    file.seek(0)
    if head.startswith((b"{1:", b":20:")):
        raise StatementUnreadable(
            "it is a SWIFT message such as MT940, and that is not read", line=1, path="/",
            repair="ask the bank for camt.053 or camt.054, or for CSV and save a mapping for it",
        )  # fmt: skip


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _state(file: BinaryIO) -> tuple[int, int]:
    """Return size and last change of a file, or the size of bytes in memory."""
    try:
        found = os.fstat(file.fileno())
    except OSError:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return size, 0
    return found.st_size, found.st_mtime_ns
