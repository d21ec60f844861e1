"""Balances in a world of trouble: what each wallet has by the logs, by the books and on the chain.

`BalanceChain` answers as a node would. What was planted between chain and ledger shows in balances
too: those tie-outs are labelled here, with the ones that were planted by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from scripts.benches._trouble import MICRO_PER_CENT, Planted, World
from scripts.benches._trouble_names import (
    CURRENCIES,
    SYMBOLS,
    account_id,
    buyer_wallet,
    seller_wallet,
)
from settlement.chain.rail_abi import BALANCE_OF, TOTAL_SUPPLY

TOKENS = ("0x" + "c3" * 20, "0x" + "c4" * 20)
RESERVES = ("issuer:0", "issuer:1")

Balances = Counter[tuple[str, int]]
"""Millionths by (address, unit)."""


class BalanceChain:
    """The part of a chain that a tie-out asks: balances and supplies, from a world's own logs."""

    def __init__(self, world: World) -> None:
        self._balances = by_logs(world)
        for address, unit, more in world.untied:
            self._balances[address, unit] += more
        self._supply = Counter[int]()
        for move in world.moves:
            if move.kind == "mint":
                self._supply[move.unit] += move.cents * MICRO_PER_CENT

    def call_many(
        self, calls: Sequence[tuple[str, str]], block_hash: str | None = None
    ) -> list[str]:
        """Answer balanceOf and totalSupply."""
        del block_hash
        return [f"0x{self._answer(to, data):064x}" for to, data in calls]

    def coin_balances(self, holders: Sequence[str], block_hash: str) -> list[int]:
        """No operator of this world has a lane."""
        del block_hash
        return [0 for _ in holders]

    def _answer(self, to: str, data: str) -> int:
        unit = TOKENS.index(to)
        if data == TOTAL_SUPPLY:
            return self._supply[unit]
        assert data.startswith(BALANCE_OF), data
        # A wallet that another trouble has overdrawn has nothing.
        return max(0, self._balances["0x" + data[-40:], unit])


def by_logs(world: World) -> Balances:
    """What the canonical Transfers add up to."""
    found = _moved(world)
    for payment in world.payments:
        if payment.is_reorged or payment.outcome == "rejected":
            continue
        for shown in payment.shown:
            if shown.is_paired:
                minor = shown.cents * MICRO_PER_CENT
                found[buyer_wallet(payment.buyer), shown.unit] -= minor
                found[seller_wallet(shown.seller), shown.unit] += minor
    return found


def by_books(world: World) -> Balances:
    """What the entries add up to that were not reversed."""
    found = _moved(world)
    for payment in world.payments:
        if payment.is_reorged:
            continue
        for booked in payment.booked:
            minor = booked.cents * MICRO_PER_CENT
            found[buyer_wallet(payment.buyer), booked.unit] -= minor
            found[seller_wallet(booked.seller), booked.unit] += minor
    return found


def label_balances(world: World) -> None:
    """Label every balance on which chain, logs and books do not agree."""
    ours = {seller_wallet(n) for n in range(world.sellers)}
    ours |= {buyer_wallet(n) for n in range(world.buyers)}
    planted = {(address, unit) for address, unit, _more in world.untied}
    books, logs = by_books(world), by_logs(world)
    moved = {key for key in books.keys() | logs.keys() if books[key] != logs[key]}
    for address, unit in sorted(planted | moved):
        if address in ours:
            variant = "tie_out" if (address, unit) in planted else "tie_out_of_another_trouble"
            subject = f"wallet:{address}:{SYMBOLS[unit]}"
            world.labels.breaks.append(Planted(variant, "tie_out", frozenset({subject})))
    minted, banked = Counter[int](), Counter[int]()
    for move in world.moves:
        minted[move.unit] += move.cents if move.kind == "mint" else 0
    for row in world.bank:
        if row.account in RESERVES:
            banked[RESERVES.index(row.account)] += row.cents
    for unit, symbol in enumerate(SYMBOLS):
        if minted[unit] != banked[unit]:
            subject = f"reserve:{symbol}"
            keys = frozenset({subject, f"nostro:{account_id(RESERVES[unit])}:{CURRENCIES[unit]}"})
            world.labels.breaks.append(Planted("reserve_of_another_trouble", "tie_out", keys))


def _moved(world: World) -> Balances:
    found: Balances = Counter()
    for move in world.moves:
        minor = move.cents * MICRO_PER_CENT
        found[move.payer, move.unit] -= minor
        found[move.payee, move.unit] += minor
    return found
