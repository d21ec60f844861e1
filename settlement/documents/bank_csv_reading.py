"""A bank's CSV read as a stream, by its saved mapping: the same values as from ISO 20022.

What looks like a spreadsheet's formula is refused; amounts go from text to integers.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import BinaryIO

from settlement.documents.bank_csv import CsvMapping
from settlement.documents.bank_csv_amounts import amount_of, signed
from settlement.documents.iso20022.reading_model import (
    TEXT_MAX,
    Balance,
    ReadEnd,
    ReadEntry,
    ReadHead,
    StatementContradicts,
    StatementInvalid,
    StatementUnreadable,
    Total,
)
from settlement.documents.iso20022.reading_values import YEARS, Misfit, provided

ROWS_AT_ONCE = 500
_FORMULA = re.compile(r"[=@\t\r]|[+-][^0-9]*[A-Za-z(].*[(|!]|[+-].*[|!(]")
_NOTHING = Total(None, None)


class _Balances:
    """Whether each row's balance follows from the row before, or, newest first, the row after."""

    def __init__(self) -> None:
        self.first: tuple[int, int, str] | None = None
        self.last: tuple[int, int, str] | None = None
        self._fault: dict[str, int] = {}

    def add(self, amount: int, balance: int, day: str, line: int) -> None:
        """Compare a row with the one before it, both ways."""
        if self.last is None:
            self.first = (amount, balance, day)
        else:
            before_amount, before, _ = self.last
            if before + amount != balance:
                self._fault.setdefault("ascending", line)
            if before != balance + before_amount:
                self._fault.setdefault("descending", line)
        self.last = (amount, balance, day)

    def ends(self, currency: str) -> tuple[Balance, Balance] | None:
        """Return opening and closing balance.

        Raises:
            StatementContradicts: the rows follow from each other in neither order.
        """
        if self.first is None or self.last is None:
            return None
        if len(self._fault) == 2:
            raise StatementContradicts(
                "the balance after the row does not follow from the row beside it",
                line=max(self._fault.values()), path="balance",
                repair="a row is missing, is there twice, or its amount or sign is read wrongly:"
                " check the mapping, then ask the bank for the file again",
            )  # fmt: skip
        oldest, newest = self.first, self.last
        # Rows that take each other back follow from each other both ways: their days decide.
        is_descending = "ascending" in self._fault or (not self._fault and oldest[2] > newest[2])
        if is_descending:
            oldest, newest = newest, oldest
        amount, balance, day = oldest
        return Balance(balance - amount, currency, day), Balance(newest[1], currency, newest[2])


class _Cells:
    """One row's cells by the name of their field."""

    def __init__(self, mapping: CsvMapping, header: list[str]) -> None:
        named = mapping.columns.model_dump(exclude_none=True)
        self._remittance = [_place(header, name, "remittance") for name in named.pop("remittance")]
        self._places = {field: _place(header, name, field) for field, name in named.items()}
        self.width = len(header)

    def of(self, row: list[str]) -> dict[str, str]:
        """Return the cells that are mapped, without the spaces around them."""
        cells = {field: row[place].strip() for field, place in self._places.items()}
        cells["remittance"] = " ".join(
            text for place in self._remittance if (text := row[place].strip())
        )
        return cells

    def has(self, field: str) -> bool:
        """Return whether a field is mapped."""
        return field in self._places


def read(
    file: BinaryIO, mapping: CsvMapping, *, account: str, currency: str, statement_id: str
) -> Iterator[ReadHead | list[ReadEntry] | ReadEnd]:
    """Yield head, rows by the hundred, and the end with the balances that the rows tell.

    Raises:
        StatementUnreadable: not in the mapping's encoding or shape.
        StatementInvalid, StatementContradicts: a cell is wrong, or the balances do not follow.
    """
    text = io.TextIOWrapper(file, mapping.encoding, errors="strict", newline="")
    try:
        yield from _read(text, mapping, account, currency, statement_id)
    except UnicodeDecodeError as error:
        raise StatementUnreadable(
            f"the bytes are not {mapping.encoding}: {error.reason}",
            line=None, path="encoding", repair="correct the mapping's encoding",
        ) from error  # fmt: skip
    finally:
        text.detach()


def _read(
    text: io.TextIOWrapper, mapping: CsvMapping, account: str, currency: str, statement_id: str
) -> Iterator[ReadHead | list[ReadEntry] | ReadEnd]:
    skipped = sum(1 for _ in itertools.islice(text, mapping.skip_lines))
    rows = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    cells = _Cells(mapping, [name.strip() for name in _next(rows, skipped) or []])
    entry_of = _entries(mapping, currency)
    balances, waiting, number = _Balances(), list[ReadEntry](), 0
    kind = "statement" if cells.has("balance") else "notification"
    yield ReadHead(kind, statement_id, None, account, currency, None, None, None, None,
                   _NOTHING, _NOTHING, _NOTHING, skipped + 1, "")  # fmt: skip
    while (row := _next(rows, skipped)) is not None:
        line = rows.line_num + skipped
        if not any(row):
            continue
        if len(row) != cells.width:
            raise StatementUnreadable(
                f"the row has {len(row)} cells, the header {cells.width}", line=line, path="row",
                repair="send the complete file; check the mapping's delimiter",
            )  # fmt: skip
        number += 1
        found = cells.of(row)
        entry = entry_of(found, line, number)
        if kind == "statement":
            balances.add(entry.amount_minor, signed(found["balance"], mapping, currency, line,
                         "balance"), entry.booking_date, line)  # fmt: skip
        waiting.append(entry)
        if len(waiting) >= ROWS_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
    opening, closing = balances.ends(currency) or (None, None)
    if number == 0:
        raise StatementUnreadable(
            "it has no row", line=skipped + 1, path="row", repair="send a file with entries"
        )
    yield ReadEnd(rows.line_num + skipped, opening, closing)


def _next(rows: Iterator[list[str]], skipped: int) -> list[str] | None:
    try:
        return next(rows, None)
    except csv.Error as error:
        line = getattr(rows, "line_num", 0) + skipped
        raise StatementUnreadable(
            f"it is no CSV: {error}", line=line, path="row",
            repair="send the complete file as the bank made it",
        ) from error  # fmt: skip


def _place(header: list[str], name: str, field: str) -> int:
    if header.count(name) != 1:
        told = ", ".join(header)[:200] or "nothing"
        count = f"{header.count(name)} columns" if name in header else "no column"
        raise StatementInvalid(
            f"the header has {count} {name!r}: it is {told}", line=None,
            path=f"columns/{field}", repair="correct the mapping: `settle bank mapping set`",
        )  # fmt: skip
    return header.index(name)


def _entries(mapping: CsvMapping, currency: str) -> Callable[[dict[str, str], int, int], ReadEntry]:
    """Return what makes an entry of a row's cells."""
    pattern = mapping.date_pattern()

    def entry(cells: dict[str, str], line: int, number: int) -> ReadEntry:
        _refuse_formulas(cells, line)
        if cells.get("currency", currency) != currency:
            raise StatementInvalid(
                f"the row is in {cells['currency'][:10]!r}, the account in {currency}", line=line,
                path="currency", repair="import it for the account of its currency",
            )  # fmt: skip
        amount = amount_of(cells, mapping, currency, line)
        booked = _day(cells["booking_date"], pattern, line, "booking_date")
        valued = cells.get("value_date")
        reference, end_to_end, uetr, creditor_reference = (
            _named(cells, field, line)
            for field in ("bank_reference", "end_to_end_id", "uetr", "creditor_reference")
        )
        party = cells.get("counterparty_account") or cells.get("counterparty_name") or ""
        text = cells["remittance"][:TEXT_MAX] or None
        return ReadEntry(
            line, number, 0, amount, currency, "BOOK", booked,
            _day(valued, pattern, line, "value_date") if valued else booked,
            end_to_end, None, uetr.lower() if uetr else None, reference,
            creditor_reference, text,
            (cells.get("counterparty_name") or "")[:TEXT_MAX] or None,
            "".join((cells.get("counterparty_account") or "").split()) or None,
            cells.get("transaction_code") or None, 0, False, None, amount,
            reference or uetr or end_to_end or f"{party}\x1f{text or ''}",
        )  # fmt: skip

    return entry


def _named(cells: Mapping[str, str], field: str, line: int) -> str | None:
    """Return an identification, None where the bank gives none."""
    try:
        return provided(cells.get(field))
    except Misfit as misfit:
        raise StatementInvalid(
            misfit.message, line=line, path=field,
            repair="correct the mapping: this column holds something else",
        ) from misfit  # fmt: skip


def _refuse_formulas(cells: Mapping[str, str], line: int) -> None:
    for field, cell in cells.items():
        if "\0" in cell or (cell[:1] in "=@+-\t\r" and cell and _FORMULA.match(cell)):
            raise StatementInvalid(
                f"the cell {cell[:40]!r} is a formula", line=line, path=field,
                repair="a bank's file has none: ask the bank, and open files in no spreadsheet",
            )  # fmt: skip


def _day(text: str, pattern: re.Pattern[str], line: int, field: str) -> str:
    found = pattern.match(text)
    try:
        if found is not None:
            parts = found.groupdict()
            year = int(parts.get("year") or f"20{parts['short']}")
            shown = date(year, int(parts["month"]), int(parts["day"])).isoformat()
            if year in YEARS:
                return shown
    except ValueError:
        pass
    raise StatementInvalid(
        f"{text[:40]!r} is no day in this format", line=line, path=field,
        repair="correct the mapping's date_format, or the file",
    )  # fmt: skip
