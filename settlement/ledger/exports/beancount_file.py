"""The journal as a beancount file: what `bean-check` accepts and Fava opens.

Every account's balance is asserted, to the last digit, at the end of each day on which it moved,
and at the end of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlmodel import Session

from settlement.ledger.exports import journal_file
from settlement.ledger.exports.journal_file import Scope, Sums, day_after
from settlement.ledger.exports.names import unit_name
from settlement.ledger.exports.writing import Speller, ending, facts, heading
from settlement.ledger.stored import StoredEntry

DIALECT = "beancount"


def beancount(
    session: Session, *, first: date | None = None, last: date | None = None
) -> Iterator[str]:
    """Yield the file piece by piece; `first` and `last` are value dates, all of it by default.

    Raises:
        NotExported: a unit's name is too long for the tools.
    """
    of = journal_file.scope(session, first, last)
    spell = Speller(journal_file.decimals(session))
    begins = journal_file.first_day(session, of)
    yield heading(DIALECT, of)
    yield 'option "title" "Settlement rail"\n\n'
    for unit, name in spell.units():
        yield f"{begins} commodity {name}\n  decimals: {spell.decimals[unit]}\n"
    for code in journal_file.accounts(session, of):
        yield f"{begins} open {spell.account(code)} {unit_name(_unit(code))}\n"
    yield "\n"
    if not of.is_from_the_beginning:
        yield _opening(spell, begins, journal_file.opening(session, of))
    yield from _days(session, of, spell)


def _days(session: Session, of: Scope, spell: Speller) -> Iterator[str]:
    ends = journal_file.day_ends(session, of)
    end = next(ends, None)
    day = of.first
    entries = assertions = 0
    for page in journal_file.pages(session, of):
        written: list[str] = []
        for entry in page:
            day = entry.entry.value_date or day
            while end is not None and end[0] < day:
                written.append(_balances(spell, end[0], end[1]))
                assertions += len(end[1])
                end = next(ends, None)
            written.append(_entry(spell, entry))
        entries += len(page)
        yield "".join(written)
    while end is not None:
        day = end[0]
        yield _balances(spell, *end)
        assertions += len(end[1])
        end = next(ends, None)
    closing = journal_file.closing(session, of)
    yield "\n; closing balances\n" + _balances(spell, day, closing)
    yield ending(entries, assertions + len(closing))


def _entry(spell: Speller, stored: StoredEntry) -> str:
    entry = stored.entry
    parts = [f'{entry.value_date} * "{entry.kind}" "{_escaped(entry.reason or "")}"']
    for name, value in facts(stored):
        parts.append(f'  {name}: "{value}"' if isinstance(value, str) else f"  {name}: {value}")
    for line in stored.lines:
        amount = spell.amount(line.minor, line.unit)
        parts.append(f"  {spell.account(line.code)}  {amount} {unit_name(line.unit)}")
    return "\n".join(parts) + "\n\n"


def _opening(spell: Speller, day: str, sums: Sums) -> str:
    lines = "".join(
        f"  {spell.account(code)}  {spell.amount(minor, _unit(code))} {unit_name(_unit(code))}\n"
        for code, minor in sums.items()
    )
    return f'{day} * "opening" ""\n{lines}\n'


def _balances(spell: Speller, day: str, sums: Sums) -> str:
    """Return assertions of what accounts have at a day's end; beancount looks at a day's start."""
    after = day_after(day)
    return "".join(
        f"{after} balance {spell.account(code)}  {spell.amount(minor, _unit(code))} ~ 0"
        f" {unit_name(_unit(code))}\n"
        for code, minor in sums.items()
    )


def _unit(code: str) -> str:
    return code.rpartition(":")[2]


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
