"""Tie-out: at a final block that booking has passed, every balance of the ledger is the chain's.

Wallets against `balanceOf`, supplies against the issuers' liability, operators' coins against their
balance. A difference opens a break and holds up nothing; gas money that came in is booked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Engine
from sqlmodel import Session

from settlement import ledger
from settlement.chain.port import Address, ChainPort, Hash
from settlement.chain.rail_abi import BALANCE_OF, TOTAL_SUPPLY, address_word
from settlement.errors import Invalid
from settlement.ledger import Source, accounts, entries
from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.reconciliation.matching import newest_settled_block
from settlement.store import reading, transaction
from settlement.store.bulk import rows


@dataclass(frozen=True, slots=True)
class TieOutRow:
    """One balance on both sides, in minor units. `chain_minor` is None where nothing answered."""

    subject: str
    """`wallet:<address>:<symbol>`, `supply:<symbol>` or `coin:<operator>`."""
    unit: str
    block_number: int
    ledger_minor: int
    chain_minor: int | None

    @property
    def difference_minor(self) -> int | None:
        """The chain's balance less the ledger's."""
        return None if self.chain_minor is None else self.chain_minor - self.ledger_minor

    @property
    def ties(self) -> bool:
        """Whether both sides are the same."""
        return self.chain_minor == self.ledger_minor


@dataclass(frozen=True, slots=True)
class TieOut:
    """All balances at one final block; no rows before there is one."""

    block_number: int | None
    block_hash: str | None
    rows: tuple[TieOutRow, ...]

    @property
    def ties(self) -> bool:
        """Whether every balance is the chain's."""
        return all(row.ties for row in self.rows)


class _Question(NamedTuple):
    """A balance of the ledger, and the call that asks the chain for its own; a coin has no call."""

    subject: str
    unit: str
    ledger_minor: int
    to: str
    data: str | None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the database says, at a block."""

    number: int
    hash: str
    timestamp: int
    questions: tuple[_Question, ...]
    is_newest: bool


def tie_out(
    engine: Engine,
    chain: ChainPort,
    now: datetime,
    at: int | None = None,
    guard: Callable[[Session], object] = lambda _session: None,
) -> TieOut:
    """Compare every balance with the chain's, at the newest final block that booking has passed.

    With `at`, an older block: the comparison alone, which leaves breaks as they are. `guard` is
    called before anything is written; it raises where writing is another worker's.

    Raises:
        Invalid: `at` is not final, not booked yet, or not known.
        ChainUnreachable: the node did not answer; nothing was written.
    """
    with reading(engine) as session:
        facts = _facts(session, at)
    if facts is None:
        return TieOut(None, None, ())
    found = _ask(chain, facts)
    if at is not None:
        return found
    with transaction(engine) as session:
        guard(session)
        found = _book_funding(session, facts, found, now)
        _record(session, found, now)
    return found


def _facts(session: Session, at: int | None) -> _Facts | None:
    newest = newest_settled_block(session)
    if at is not None and (newest is None or at > newest):
        raise Invalid(
            f"block {at} is not final, or not booked yet",
            field="block",
            repair=f"name a block up to {newest}" if newest is not None else "wait for one",
        )
    if newest is None:
        return None
    wanted = newest if at is None else at
    # The newest block that is stored may lie below: not every block holds something of ours.
    block = rows(
        session,
        "SELECT number, hash, timestamp FROM block WHERE canonical AND number <= ?"
        " ORDER BY number DESC LIMIT 1",
        (wanted,),
    )
    if not block or (at is not None and block[0][0] != at):
        if at is None:
            return None
        raise Invalid(f"block {at} is not known here", field="block", repair="name a later one")
    number, block_hash, timestamp = block[0]
    return _Facts(number, block_hash, timestamp, _questions(session, number), at is None)


def _questions(session: Session, number: int) -> tuple[_Question, ...]:
    tokens = rows(session, "SELECT address, symbol FROM token ORDER BY symbol")
    holders = [address for (address,) in rows(session, "SELECT address FROM wallet ORDER BY 1")]
    operators = [signer for (signer,) in rows(session, "SELECT signer FROM lane ORDER BY 1")]
    booked = ledger.balances_at(session, ("wallet", "liability", "coin"), number)
    asked = []
    for token, symbol in tokens:
        supply = -booked.get(accounts.liability(token, symbol), 0)
        asked.append(_Question(f"supply:{symbol}", symbol, supply, token, TOTAL_SUPPLY))
        for holder in holders:
            code = accounts.wallet(holder, symbol)
            data = BALANCE_OF + address_word(holder)
            asked.append(_Question(code, symbol, booked.get(code, 0), token, data))
    for operator in operators:
        minor = booked.get(accounts.coin(operator), 0)
        asked.append(_Question(f"coin:{operator}", accounts.WEI, minor, operator, None))
    return tuple(asked)


def _ask(chain: ChainPort, facts: _Facts) -> TieOut:
    """Ask the chain for the other side of every question, in one call of each kind."""
    at = Hash(facts.hash)
    calls = [(Address(q.to), q.data) for q in facts.questions if q.data is not None]
    coins = [Address(q.to) for q in facts.questions if q.data is None]
    answers = [_number(answer) for answer in chain.call_many(calls, at)] if calls else []
    answers += chain.coin_balances(coins, at) if coins else []
    # Tokens come first and coins last, in the questions as in the answers.
    found = tuple(
        TieOutRow(q.subject, q.unit, facts.number, q.ledger_minor, answer)
        for q, answer in zip(facts.questions, answers, strict=True)
    )
    return TieOut(facts.number, facts.hash, found)


def _book_funding(session: Session, facts: _Facts, found: TieOut, now: datetime) -> TieOut:
    """Book the coins that an operator has more than the books say: they leave no log behind."""
    day = datetime.fromtimestamp(facts.timestamp, UTC).date().isoformat()
    source = Source(facts.number, facts.hash, "", day)
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
    findings = [_finding(row) for row in found.rows if not row.ties]
    tied = {row.subject for row in found.rows if row.ties}
    healed = [each for each in breaks.open_of(session, [BreakKind.TIE_OUT]) if each.subject in tied]
    breaks.close(session, healed, f"it ties at block {found.block_number}", now)
    breaks.open_new(session, findings, now)


def _finding(row: TieOutRow) -> Finding:
    detail: dict[str, str | int | None] = {
        "block": row.block_number,
        "unit": row.unit,
        "ledger": str(row.ledger_minor),
        "chain": None if row.chain_minor is None else str(row.chain_minor),
        "difference": None if row.difference_minor is None else str(row.difference_minor),
    }
    if row.chain_minor is None:
        reason = f"at block {row.block_number} the chain gave no balance"
    else:
        reason = (
            f"at block {row.block_number} the chain has {row.chain_minor} {row.unit},"
            f" the ledger {row.ledger_minor}"
        )
    return Finding(BreakKind.TIE_OUT, row.subject, reason, detail)


def _number(answer: str) -> int | None:
    """Return a call's answer; None where the call reverted or nothing is there to answer."""
    return int(answer, 16) if len(answer) == 66 else None


def differing(found: TieOut) -> Sequence[TieOutRow]:
    """Return the rows that do not tie."""
    return [row for row in found.rows if not row.ties]
