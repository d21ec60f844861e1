"""Tie-out: at a final block that booking has passed, every balance of the ledger is the chain's.

Wallets against `balanceOf` and against what their Transfer logs add up to, supplies against the
issuers' liability, operators' coins against their balance. A difference opens a break and holds up
nothing; gas money that came in is booked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session

from settlement import ledger
from settlement.chain.port import Address, ChainPort, Hash
from settlement.clock import to_micros
from settlement.documents.identifiers import minor_units
from settlement.ledger import Source, entries
from settlement.money import format_minor
from settlement.reconciliation import breaks, transfer_sums
from settlement.reconciliation.bank_sides import BankSide, bank_sides
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.reconciliation.matching import newest_settled_block
from settlement.reconciliation.sides import Sides, leave_turn, sides
from settlement.store import reading, transaction
from settlement.store.bulk import rows


@dataclass(frozen=True, slots=True)
class TieOutRow:
    """One balance on every side that knows it, in minor units."""

    subject: str
    """`wallet:<address>:<symbol>`, `supply:<symbol>`, `coin:<operator>`, `reserve:<symbol>` or
    `nostro:<bank account>:<currency>`."""
    unit: str
    block_number: int
    ledger_minor: int
    chain_minor: int | None
    """None where the chain gave no answer."""
    received_minor: int | None = None
    """By the logs: all that came in; of a supply, all that was minted. None where none tell."""
    paid_minor: int | None = None
    """By the logs: all that went out; of a supply, all that was burnt."""

    bank_minor: int | None = None
    """What the bank has said last, in the unit of the row. None where no bank knows it."""
    has_chain: bool = True
    """Whether there is a balance on the chain to compare with."""
    missing_minor: int = 0
    """What a gap between a bank's statements explains of the difference: its break is its own."""

    @property
    def logs_minor(self) -> int | None:
        """What the logs add up to."""
        if self.received_minor is None or self.paid_minor is None:
            return None
        return self.received_minor - self.paid_minor

    @property
    def difference_minor(self) -> int | None:
        """What the first other side that differs has more than the ledger; None: no answer."""
        if self.has_chain and self.chain_minor is None:
            return None
        for other in (self.chain_minor, self.logs_minor, self.bank_minor):
            if other is not None and other != self.ledger_minor:
                return other - self.ledger_minor
        return 0

    @property
    def ties(self) -> bool:
        """Whether all sides are the same."""
        return self.difference_minor == 0


@dataclass(frozen=True, slots=True)
class TieOut:
    """Balances at one final block; no rows before there is one."""

    block_number: int | None
    block_hash: str | None
    rows: tuple[TieOutRow, ...]

    @property
    def ties(self) -> bool:
        """Whether every balance is the same on all sides."""
        return all(row.ties for row in self.rows)


def tie_out(
    engine: Engine,
    chain: ChainPort,
    now: datetime,
    at: int | None = None,
    guard: Callable[[Session], object] = lambda _session: None,
) -> TieOut:
    """Compare balances with the chain's, at the newest final block that booking has passed.

    With `at`, at that block: the comparison alone of all there is, banks too, which leaves breaks
    as they are. Without, all that moved and the others in turns; banks are `tie_out_banks`.
    `guard` is called before anything is written; it raises where writing is another worker's.

    Raises:
        Invalid: `at` is not final, not booked yet, or not known.
        ChainUnreachable: the node did not answer; nothing was written.
    """
    with reading(engine) as session:
        is_open = breaks.open_of(session, [BreakKind.TIE_OUT]) if at is None else []
        known = sides(session, at, frozenset(each.subject for each in is_open))
        day = None if known is None else datetime.fromtimestamp(known.timestamp, UTC).date()
        banks = [] if at is None or day is None else bank_sides(session, day, at) or []
    if known is None:
        return TieOut(None, None, ())
    found = _ask(chain, known)
    if at is not None:
        return replace(found, rows=(*found.rows, *map(_bank_row, banks)))
    with transaction(engine) as session:
        guard(session)
        found = _book_funding(session, known, found, now)
        _record(session, found, now)
        transfer_sums.keep(session, known.sums, known.hash, now)
        leave_turn(session, known, to_micros(now))
    return found


def tie_out_banks(session: Session, now: datetime) -> tuple[TieOutRow, ...] | None:
    """Compare accounts at banks and tokens' reserves with what the banks have said last.

    A difference is a break. None, and nothing done, while a bank's entries are not all posted.
    """
    newest = newest_settled_block(session)
    found = bank_sides(session, now.date(), -1 if newest is None else newest)
    if found is None:
        return None
    compared = tuple(map(_bank_row, found))
    _record(session, TieOut(newest, None, compared), now)
    return compared


def differing(found: TieOut) -> Sequence[TieOutRow]:
    """Return the rows that do not tie."""
    return [row for row in found.rows if not row.ties]


def _ask(chain: ChainPort, known: Sides) -> TieOut:
    """Ask the chain for its side of every question, in one call of each kind."""
    at = Hash(known.hash)
    calls = [(Address(q.to), q.data) for q in known.questions if q.data is not None]
    coins = [Address(q.to) for q in known.questions if q.data is None]
    answers = [_number(answer) for answer in chain.call_many(calls, at)] if calls else []
    answers += chain.coin_balances(coins, at) if coins else []
    # Tokens come first and coins last, in the questions as in the answers.
    found = tuple(
        TieOutRow(
            q.subject,
            q.unit,
            known.number,
            q.ledger_minor,
            answer,
            None if q.logs is None else q.logs.received,
            None if q.logs is None else q.logs.paid,
        )
        for q, answer in zip(known.questions, answers, strict=True)
    )
    return TieOut(known.number, known.hash, found)


def _book_funding(session: Session, known: Sides, found: TieOut, now: datetime) -> TieOut:
    """Book the coins that an operator has more than the books say: they leave no log behind."""
    day = datetime.fromtimestamp(known.timestamp, UTC).date().isoformat()
    source = Source(known.number, known.hash, "", day)
    made, tied = [], []
    for row in found.rows:
        more = row.difference_minor or 0
        if row.subject.startswith("coin:") and more > 0:
            operator = row.subject.partition(":")[2]
            made.append(entries.funding(operator, more, source, "found at tie-out"))
            row = replace(row, ledger_minor=row.ledger_minor + more)
        tied.append(row)
    ledger.post(session, made, now)
    return replace(found, rows=tuple(tied))


def _record(session: Session, found: TieOut, now: datetime) -> None:
    differing = [
        row
        for row in found.rows
        if not row.ties and (not row.missing_minor or row.difference_minor != row.missing_minor)
    ]
    tokens: dict[str, int] = {}
    if differing:
        tokens = dict(rows(session, "SELECT symbol, decimals FROM token"))
    findings = [
        _finding(row, tokens.get(row.unit, minor_units(row.unit) or 0)) for row in differing
    ]
    tied = {row.subject for row in found.rows if row.ties}
    healed = [each for each in breaks.open_of(session, [BreakKind.TIE_OUT]) if each.subject in tied]
    breaks.close(session, healed, f"it ties at block {found.block_number}", now)
    breaks.open_new(session, findings, now)


def _finding(row: TieOutRow, decimals: int) -> Finding:
    def said(minor: int | None) -> str:
        return "nothing" if minor is None else format_minor(minor, decimals)

    sides = {
        "ledger": row.ledger_minor,
        "chain": row.chain_minor,
        "logs_in": row.received_minor,
        "logs_out": row.paid_minor,
        "bank": row.bank_minor,
        "difference": row.difference_minor,
    }
    detail: dict[str, str | int | None] = {"block": row.block_number, "unit": row.unit}
    detail |= {name: None if minor is None else said(minor) for name, minor in sides.items()}
    at, ledger_has = f"at block {row.block_number}", f"the ledger {said(row.ledger_minor)}"
    if row.has_chain and row.chain_minor is None:
        reason = f"{at} the chain gave no balance"
    elif row.chain_minor not in (None, row.ledger_minor):
        reason = f"{at} the chain has {said(row.chain_minor)} {row.unit}, {ledger_has}"
    elif row.logs_minor not in (None, row.ledger_minor):
        reason = (
            f"{at} the logs add up to {said(row.received_minor)} {row.unit} in and"
            f" {said(row.paid_minor)} out, {ledger_has}"
        )
    else:
        reason = f"{at} the bank has {said(row.bank_minor)} {row.unit}, {ledger_has}"
    return Finding(
        BreakKind.TIE_OUT, row.subject, reason, detail,
        amount_minor=row.difference_minor, unit=row.unit,
    )  # fmt: skip


def _bank_row(side: BankSide) -> TieOutRow:
    return TieOutRow(
        side.subject, side.unit, side.block_number, side.ledger_minor, None,
        None if side.logs is None else side.logs.received,
        None if side.logs is None else side.logs.paid,
        bank_minor=side.bank_minor, has_chain=False, missing_minor=side.missing_minor,
    )  # fmt: skip


def _number(answer: str) -> int | None:
    """Return a call's answer; None where the call reverted or nothing is there to answer."""
    return int(answer, 16) if len(answer) == 66 else None
