"""The journal as an hledger file: what `hledger check --strict` accepts.

Balances of what lives on the chain are asserted at blocks drawn by a seed, and all at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

from sqlmodel import Session

from settlement.ledger.exports import journal_file
from settlement.ledger.exports.journal_file import BlockEnd, Scope, Sums
from settlement.ledger.exports.names import unit_name
from settlement.ledger.exports.writing import Speller, ending, facts, heading
from settlement.ledger.stored import StoredEntry

DIALECT = "hledger"
BLOCKS = 100
SEED = 1


def hledger(
    session: Session,
    *,
    first: date | None = None,
    last: date | None = None,
    final_block: int | None = None,
    blocks: int = BLOCKS,
    seed: int = SEED,
) -> Iterator[str]:
    """Yield the file piece by piece; `first` and `last` are value dates, all of it by default.

    `final_block` is the newest block at which balances may be asserted; None asserts at none.

    Raises:
        NotExported: a unit's name is too long for the tools.
    """
    of = journal_file.scope(session, first, last)
    spell = Speller(journal_file.decimals(session))
    begins = journal_file.first_day(session, of)
    yield heading(DIALECT, of)
    yield "decimal-mark .\n\n"
    for unit, name in spell.units():
        # A point behind the digits: without it hledger takes them for a grouped number.
        number = spell.amount(10 ** (spell.decimals[unit] + 3), unit)
        yield f'commodity {number}{"" if "." in number else "."} "{name}"\n'
    for code in journal_file.accounts(session, of):
        yield f"account {spell.account(code)}\n"
    yield "\n"
    if not of.is_from_the_beginning:
        lines = journal_file.opening(session, of).items()
        posted = "".join(_line(spell, code, minor) for code, minor in lines)
        yield f"{begins} * opening\n{posted}\n"
    ends = (
        []
        if final_block is None
        else journal_file.block_ends(session, of, final_block=final_block, count=blocks, seed=seed)
    )
    yield from _entries(session, of, spell, ends)


def _entries(session: Session, of: Scope, spell: Speller, ends: list[BlockEnd]) -> Iterator[str]:
    place = entries = 0
    day = of.first
    for page in journal_file.pages(session, of):
        written: list[str] = []
        for stored in page:
            day = stored.entry.value_date or day
            number = stored.entry.block_number
            at = (day, -1 if number is None else number)
            while place < len(ends) and (ends[place].day, ends[place].number) < at:
                written.append(_block_end(spell, ends[place]))
                place += 1
            written.append(_entry(spell, stored))
        entries += len(page)
        yield "".join(written)
    for end in ends[place:]:
        yield _block_end(spell, end)
    closing = journal_file.closing(session, of)
    yield _asserted(spell, f"{day} * closing\n", closing)
    yield ending(entries, sum(len(end.sums) for end in ends) + len(closing))


def _entry(spell: Speller, stored: StoredEntry) -> str:
    entry = stored.entry
    parts = [f"{entry.value_date} * {entry.kind}\n"]
    parts += [f"    ; {name}: {value}\n" for name, value in facts(stored)]
    if entry.reason:
        parts.append(f"    ; reason: {json.dumps(entry.reason)}\n")
    parts += [_line(spell, line.code, line.minor) for line in stored.lines]
    return "".join(parts) + "\n"


def _line(spell: Speller, code: str, minor: int) -> str:
    unit = code.rpartition(":")[2]
    return f'    {spell.account(code)}  {spell.amount(minor, unit)} "{unit_name(unit)}"\n'


def _block_end(spell: Speller, end: BlockEnd) -> str:
    return _asserted(spell, f"{end.day} * block end\n    ; block: {end.number}\n", end.sums)


def _asserted(spell: Speller, heading: str, sums: Sums) -> str:
    """Return a posting of nothing to each account, which asserts what it has."""
    lines = []
    for code, minor in sums.items():
        unit = code.rpartition(":")[2]
        name = unit_name(unit)
        nothing, balance = spell.amount(0, unit), spell.amount(minor, unit)
        lines.append(f'    {spell.account(code)}  {nothing} "{name}" = {balance} "{name}"\n')
    return heading + "".join(lines) + "\n"
