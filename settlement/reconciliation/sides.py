"""The sides of a tie-out that the database knows: ledger and logs, at a final block.

Asks no chain and judges nothing: `tie_out` puts the chain's own answers beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlmodel import Session

from settlement import ledger
from settlement.chain.rail_abi import BALANCE_OF, TOTAL_SUPPLY, address_word
from settlement.errors import Invalid
from settlement.ledger import accounts
from settlement.reconciliation.matching import newest_settled_block
from settlement.reconciliation.transfer_sums import ZERO, InAndOut, TransferSums, sums_at
from settlement.store.bulk import insert_rows, rows

PAIRS_MAX = 2_000
"""So many wallets' balances are asked with a block, besides those that moved: the rest in turn."""
TURN = "tie_out_turn"
"""Name of the cursor that says where the turn has come to."""


class Question(NamedTuple):
    """A balance of the ledger, and the call that asks the chain for its own; a coin has no call."""

    subject: str
    unit: str
    ledger_minor: int
    to: str
    data: str | None
    logs: InAndOut | None
    """None of a coin, which moves without a log."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What the database says, at a block."""

    number: int
    hash: str
    timestamp: int
    questions: tuple[Question, ...]
    sums: TransferSums
    turn: int
    """Where the next block's turn begins."""


def sides(session: Session, at: int | None, open_subjects: frozenset[str]) -> Sides | None:
    """Return ledger and logs at the newest final block that booking has passed, or at block `at`.

    At the newest, wallets that nothing moved and that have no open break come in turns; at a block
    that somebody names, all of them. None before there is a final block.

    Raises:
        Invalid: `at` is not final, not booked yet, or not known.
    """
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
    sums = sums_at(session, number)
    supplies, wallets, coins = _questions(session, sums)
    turn = 0
    if at is None:
        moved = {f"{token}:{holder}" for token, holder in sums.moved}
        must = [
            place
            for place, each in enumerate(wallets)
            if each.subject in open_subjects or f"{each.to}:{each.subject.split(':')[1]}" in moved
        ]
        chosen, turn = in_turn(len(wallets), must, _turn(session), PAIRS_MAX)
        wallets = [wallets[place] for place in chosen]
    # Coins last: they are another kind of question to the chain.
    return Sides(number, block_hash, timestamp, (*supplies, *wallets, *coins), sums, turn)


def in_turn(count: int, must: Sequence[int], turn: int, most: int) -> tuple[list[int], int]:
    """Choose of `count` places all that must be looked at, and `most` of the others by turn. Pure.

    Returns the places in order, and where the next turn begins.
    """
    if count <= most:
        return list(range(count)), 0
    others = [(turn + step) % count for step in range(most)]
    return sorted({*must, *others}), (turn + most) % count


def leave_turn(session: Session, found: Sides, at_micros: int) -> None:
    """Store where the next turn begins, where there are turns."""
    if found.turn == _turn(session):
        return
    insert_rows(
        session,
        "cursor",
        ("name", "number", "hash", "at"),
        [(TURN, found.turn, found.hash, at_micros)],
        "ON CONFLICT (name) DO UPDATE SET number = excluded.number, hash = excluded.hash,"
        " at = excluded.at",
    )


def _turn(session: Session) -> int:
    found = rows(session, "SELECT number FROM cursor WHERE name = ?", (TURN,))
    return int(found[0][0]) if found else 0


def _questions(
    session: Session, sums: TransferSums
) -> tuple[list[Question], list[Question], list[Question]]:
    """Return what there is to ask of supplies, of wallets, and of operators' coins."""
    tokens = rows(session, "SELECT address, symbol FROM token ORDER BY symbol")
    holders = [address for (address,) in rows(session, "SELECT address FROM wallet ORDER BY 1")]
    operators = [signer for (signer,) in rows(session, "SELECT signer FROM lane ORDER BY 1")]
    booked = ledger.balances_at(session, ("wallet", "liability", "coin"), sums.number)
    nothing = InAndOut()
    supplies, wallets = [], []
    for token, symbol in tokens:
        supply = -booked.get(accounts.liability(token, symbol), 0)
        burnt, minted = sums.at.get((token, ZERO), nothing)
        issued = InAndOut(minted, burnt)
        supplies.append(Question(f"supply:{symbol}", symbol, supply, token, TOTAL_SUPPLY, issued))
        for holder in holders:
            code = accounts.wallet(holder, symbol)
            data = BALANCE_OF + address_word(holder)
            logs = sums.at.get((token, holder), nothing)
            wallets.append(Question(code, symbol, booked.get(code, 0), token, data, logs))
    coins = [
        Question(f"coin:{each}", accounts.WEI, booked.get(accounts.coin(each), 0), each, None, None)
        for each in operators
    ]
    return supplies, wallets, coins
