"""A file that was read and found sound, waiting to be stored: its rows in a temporary file.

Nothing of a file is in the database before all of it was judged; memory holds one batch of rows.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Any
from zlib import crc32

from settlement.bank.accounts import BankAccount
from settlement.bank.fingerprints import DIGEST_SIZE, Repeats, key_of
from settlement.bank.judging import Sums
from settlement.documents.iso20022.reading_model import (
    Balance,
    ReadEnd,
    ReadEntry,
    ReadHead,
    StatementInvalid,
    StatementRefused,
)

_IN_MEMORY_BYTES = 4_000_000
_SUM_SIZE = 32
_SUM_MODULUS = 1 << (8 * _SUM_SIZE)

Accounts = Mapping[tuple[str, str], BankAccount]
"""By IBAN and currency."""
Row = tuple[Any, ...]
"""Key of the entry, then the columns of `ReadEntry` up to `return_reason`."""


class UnknownBankAccount(StatementRefused):
    """The statement is of an account that nobody has registered."""


class OtherBankAccount(StatementRefused):
    """The statement is of another account than the one that was named."""


@dataclass(slots=True)
class SpooledStatement:
    """A statement that adds up."""

    head: ReadHead
    account: BankAccount
    opening: Balance | None = None
    closing: Balance | None = None
    entry_rows: int = 0
    moved_minor: int = 0
    content_sha256: str = ""
    """Of balances and entries in any order: the same statement written anew has the same."""


@dataclass(slots=True)
class Spool:
    """All that a file holds."""

    repeats: Repeats
    statements: list[SpooledStatement] = field(default_factory=list)
    line_reached: int = 0
    _blocks: list[int] = field(default_factory=list)
    """Which statement each block of rows belongs to."""
    _names: set[tuple[str, str, str]] = field(default_factory=set)
    """Account, kind and name of each statement."""
    _file: Any = field(default_factory=partial(SpooledTemporaryFile, _IN_MEMORY_BYTES))

    def close(self) -> None:
        """Let go of the temporary file."""
        self._file.close()

    def __del__(self) -> None:
        # A request's spool ends with the request, however that ends.
        self.close()

    def fill(
        self,
        read: Iterable[ReadHead | list[ReadEntry] | ReadEnd],
        accounts: Accounts,
        wanted: BankAccount | None,
    ) -> None:
        """Judge all that is read, statement by statement, and keep its rows.

        Raises:
            StatementRefused: of whatever kind; the file is not to be stored.
        """
        sums, content = None, 0
        for each in read:
            if isinstance(each, ReadHead):
                account = _account(each, accounts, wanted)
                self._require_new(each, account)
                self.statements.append(SpooledStatement(each, account))
                sums, content = Sums(each), 0
                continue
            assert sums is not None, "a reader gives the head first"
            if isinstance(each, ReadEnd):
                self._end(each, sums, content)
            else:
                sums.add(each)
                content += self._keep(each)

    def _require_new(self, head: ReadHead, account: BankAccount) -> None:
        name = (account.id, head.kind, head.statement_id)
        if name in self._names:
            raise StatementInvalid(
                f"the file holds two statements {head.statement_id[:64]!r} of {head.account}",
                line=head.line, path=f"{head.path}/Id",
                repair="ask the bank for a file with each statement once",
            )  # fmt: skip
        self._names.add(name)

    def blocks(self) -> Iterator[tuple[int, list[Row]]]:
        """Yield (statement's place, rows), in the order of the file."""
        self._file.seek(0)
        for place in self._blocks:
            yield place, marshal.load(self._file)  # Our own bytes of a moment ago.

    def _keep(self, entries: list[ReadEntry]) -> int:
        """Write rows down and return the sum of their hashes."""
        account_id = self.statements[-1].account.id
        rows, content, key, digest = [], 0, "", 0
        for entry in entries:
            if entry.detail_index <= 1:
                key = key_of(entry, account_id)
                digest = int(key[-2 * DIGEST_SIZE :], 16)
                self.repeats.note(key)
            rows.append((key, *entry[:20]))
            told = f"{entry.detail_index}\x1d{entry.amount_minor}\x1d{entry.value_date}"
            content += digest * (1 + crc32(told.encode()))
        marshal.dump(rows, self._file)
        self._blocks.append(len(self.statements) - 1)
        self.line_reached = entries[-1].source_line
        return content

    def _end(self, end: ReadEnd, sums: Sums, content: int) -> None:
        statement = self.statements[-1]
        statement.opening, statement.closing = sums.judge(end)
        statement.entry_rows, statement.moved_minor = sums.rows, sums.moved_minor
        told = f"{statement.opening}\x1d{statement.closing}\x1d{sums.rows}\x1d"
        body = (content % _SUM_MODULUS).to_bytes(_SUM_SIZE)
        statement.content_sha256 = hashlib.sha256(told.encode() + body).hexdigest()
        self.line_reached = max(self.line_reached, end.line)


def _account(head: ReadHead, accounts: Accounts, wanted: BankAccount | None) -> BankAccount:
    found = accounts.get((head.account, head.currency))
    if found is not None and wanted is not None and found.id != wanted.id:
        raise OtherBankAccount(
            f"the statement is of {head.account} in {head.currency}, not of {wanted.id}",
            line=head.line, path=f"{head.path}/Acct",
            repair=f"import it for {found.id}, or without naming an account",
        )  # fmt: skip
    if found is not None:
        return found
    others = sorted(currency for iban, currency in accounts if iban == head.account)
    if others:
        raise StatementInvalid(
            f"the statement is in {head.currency}, the account {head.account} is registered"
            f" in {', '.join(others)}",
            line=head.line, path=f"{head.path}/Acct/Ccy",
            repair="register the account in this currency too, or ask for the right file",
        )  # fmt: skip
    raise UnknownBankAccount(
        f"nobody has registered the account {head.account[:64]} in {head.currency}",
        line=head.line, path=f"{head.path}/Acct/Id",
        repair="register it with `settle bank account add`, then import the file again",
    )  # fmt: skip
