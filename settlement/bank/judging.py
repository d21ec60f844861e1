"""Whether a statement adds up: opening + movements = closing, counts and sums as it says itself.

Pure: it is given what was read, and refuses or returns. Stores nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from settlement.documents.identifiers import minor_units
from settlement.documents.iso20022.reading_model import (
    Balance,
    ReadEnd,
    ReadEntry,
    ReadHead,
    StatementContradicts,
    Total,
)
from settlement.money import format_minor


class Sums:
    """What the entries of one statement come to, batch by batch."""

    def __init__(self, head: ReadHead) -> None:
        self._head = head
        self.booked_minor = 0
        self.moved_minor = 0
        """Of what is booked, whatever its sign."""
        self.rows = 0
        self._credits = [0, 0]
        self._debits = [0, 0]
        self._zeros = 0

    def add(self, entries: Sequence[ReadEntry]) -> None:
        """Count rows; of a batch booking, the entry counts once."""
        self.rows += len(entries)
        for entry in entries:
            if entry.status == "BOOK":
                self.booked_minor += entry.amount_minor
                self.moved_minor += abs(entry.amount_minor)
            if entry.detail_index <= 1 and entry.entry_minor == 0:
                self._zeros += 1
            elif entry.detail_index <= 1:
                kind = self._credits if entry.entry_minor >= 0 else self._debits
                kind[0] += 1
                kind[1] += abs(entry.entry_minor)

    def judge(self, end: ReadEnd) -> tuple[Balance | None, Balance | None]:
        """Return opening and closing balance of a statement that adds up.

        Raises:
            StatementContradicts: it does not; the difference is named.
        """
        head = self._head
        opening, closing = head.opening or end.opening, head.closing or end.closing
        if opening is not None and closing is not None:
            self._judge_balances(opening, closing)
        count = self._credits[0] + self._debits[0] + self._zeros
        self._judge_total(
            "TtlNtries", head.all_entries, [count, self._credits[1] + self._debits[1]]
        )
        # An entry of nothing is of either side, and which one moves no money.
        self._judge_total("TtlCdtNtries", head.credits, self._credits, either=self._zeros)
        self._judge_total("TtlDbtNtries", head.debits, self._debits, either=self._zeros)
        return opening, closing

    def _judge_balances(self, opening: Balance, closing: Balance) -> None:
        head = self._head
        difference = opening.minor + self.booked_minor - closing.minor
        if difference:
            shown = [
                _shown(each, head.currency)
                for each in (opening.minor, self.booked_minor, closing.minor, difference)
            ]
            raise StatementContradicts(
                f"opening {shown[0]} and movements {shown[1]} do not make the closing balance"
                f" {shown[2]}: the difference is {shown[3]} {head.currency}",
                line=head.line, path=f"{head.path}/Bal",
                repair="an entry is missing, is there twice or has another sign or amount:"
                " ask the bank for the statement again",
            )  # fmt: skip
        if closing.day < opening.day:
            raise StatementContradicts(
                f"it closes on {closing.day}, before it opens on {opening.day}",
                line=head.line, path=f"{head.path}/Bal",
                repair="ask the bank for a corrected statement",
            )  # fmt: skip

    def _judge_total(
        self, name: str, told: Total, found: Sequence[int], *, either: int = 0
    ) -> None:
        path = f"{self._head.path}/TxsSummry/{name}"
        repair = "the file is cut or was changed on its way: ask the bank for it again"
        line = self._head.line
        if told.entries is not None and not 0 <= told.entries - found[0] <= either:
            raise StatementContradicts(
                f"it says {told.entries} entries and has {found[0]}",
                line=line, path=f"{path}/NbOfNtries", repair=repair,
            )  # fmt: skip
        if told.sum_minor is not None and told.sum_minor != found[1]:
            currency = self._head.currency
            raise StatementContradicts(
                f"it says a sum of {_shown(told.sum_minor, currency)} and has"
                f" {_shown(found[1], currency)}",
                line=line, path=f"{path}/Sum", repair=repair,
            )  # fmt: skip


class StatementSpan(NamedTuple):
    """What of a stored statement tells whether another one is missing before it."""

    id: str
    account_id: str
    statement_id: str
    sequence: int | None
    opening_minor: int
    closing_minor: int
    opening_date: str
    closing_date: str
    currency: str


class Gap(NamedTuple):
    """Between two statements of an account, something is missing."""

    account_id: str
    after: str
    """Ids of the stored statements on both sides."""
    before: str
    missing_minor: int
    """What the opening differs from the closing before."""
    missing_sequences: tuple[int, int] | None
    """First and last running number that is not there."""
    reason: str

    @property
    def subject(self) -> str:
        """What a break about it is about: the same whenever it is looked for."""
        return f"statement:{self.before}"


def gaps(spans: Sequence[StatementSpan]) -> list[Gap]:
    """Return where statements are missing between those of each account, in their order.

    A running number that starts again (a new year) is no gap as long as the balances meet.
    """
    found = []
    by_account: dict[str, list[StatementSpan]] = {}
    for span in spans:
        by_account.setdefault(span.account_id, []).append(span)
    for account in sorted(by_account):
        ordered = in_order(by_account[account])
        for place, later in enumerate(ordered):
            gap = _before(later, ordered[:place])
            if gap is not None:
                found.append(gap)
    return found


def in_order(spans: Sequence[StatementSpan]) -> list[StatementSpan]:
    """Return an account's statements as they follow each other, in whatever order they came.

    Of one day and without running numbers, their balances say which follows which.
    """
    ordered: list[StatementSpan] = []
    for _day, of_a_day in groupby(sorted(spans, key=_order), key=lambda span: _order(span)[:3]):
        left = list(of_a_day)
        while left:
            following = _following(left, ordered[-1].closing_minor if ordered else None)
            left.remove(following)
            ordered.append(following)
    return ordered


def _following(left: Sequence[StatementSpan], balance_minor: int | None) -> StatementSpan:
    """Return which comes next: it opens with the balance, or more open as it does than close so.

    Of several, one that moves nothing, or behind which another one comes.
    """
    opened = Counter(span.opening_minor for span in left)
    closed = Counter(span.closing_minor for span in left)

    def rank(span: StatementSpan) -> tuple[bool, int, bool, bool]:
        before = closed[span.opening_minor] - opened[span.opening_minor]
        moves = span.opening_minor != span.closing_minor
        return span.opening_minor != balance_minor, before, moves, not opened[span.closing_minor]

    return min(left, key=rank)


def _order(span: StatementSpan) -> tuple[str, str, int, str]:
    return span.closing_date, span.opening_date, span.sequence or 0, span.id


def _before(later: StatementSpan, ordered: Sequence[StatementSpan]) -> Gap | None:
    """Return what is missing right before a statement; its period may overlap others'."""
    ended = [span for span in ordered if span.closing_date <= later.opening_date]
    if not ended:
        return None
    numbered = [span for span in ended if _is_numbered_before(span, later)]
    if numbered:
        return _between(max(numbered, key=lambda span: span.sequence or 0), later)
    # A bank dates an opening balance by its own day or by the day before.
    days = sorted({span.closing_date for span in ended})[-2:]
    meeting = [
        span
        for span in ended
        if span.closing_date in days and span.closing_minor == later.opening_minor
    ]
    return _between((meeting or ended)[-1], later)


def _is_numbered_before(span: StatementSpan, later: StatementSpan) -> bool:
    return (
        span.sequence is not None and later.sequence is not None and span.sequence < later.sequence
    )


def _between(earlier: StatementSpan, later: StatementSpan) -> Gap | None:
    missing = None
    first, last = (earlier.sequence or 0) + 1, (later.sequence or 0) - 1
    if earlier.sequence is not None and first <= last:
        missing = (first, last)
    difference = later.opening_minor - earlier.closing_minor
    if difference == 0 and missing is None:
        return None
    shown = _shown(difference, later.currency)
    numbers = "" if missing is None else f", statements {missing[0]} to {missing[1]} are missing"
    reason = (
        f"statement {later.statement_id} opens {shown} {later.currency} off the closing balance"
        f" of {earlier.statement_id}{numbers}"
    )
    return Gap(later.account_id, earlier.id, later.id, difference, missing, reason)


def _shown(minor: int, currency: str) -> str:
    return format_minor(minor, minor_units(currency) or 0)
