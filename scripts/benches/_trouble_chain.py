"""The chain's side of a world: blocks, receipts and logs as the watcher stores them; its entries.

`BalanceChain` answers for balances as a node would, from the same logs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from datetime import time as time_of_day
from hashlib import sha256

from sqlmodel import Session

from scripts.benches._trouble import (
    Move,
    Payment,
    Shown,
    World,
)
from scripts.benches._trouble_names import (
    CURRENCIES,
    SYMBOLS,
    buyer_id,
    buyer_wallet,
    seller_id,
    seller_wallet,
)
from settlement.ledger import Entry, Side, Source, entries
from settlement.ledger import Payment as Paid
from settlement.store.bulk import insert_rows

RAIL = "0x" + "4a" * 20
TOKENS = ("0x" + "c3" * 20, "0x" + "c4" * 20)
MICRO_PER_CENT = 10_000
ORPHANED = 1
"""The branch of the blocks that a reorg threw out; 0 is the canonical one."""
_UNKNOWN = 10**12
"""References from here on belong to no settlement."""

_LOG_COLUMNS = (
    "block_hash", "log_index", "tx_index", "tx_hash", "block_number", "address", "name", "token",
    "debtor", "creditor", "amount_minor", "sequence", "reference", "pair_index",
)  # fmt: skip


def block_hash(number: int, branch: int = 0) -> str:
    return f"0x{branch:032x}{number:032x}"


def tx_hash(number: int, place: int) -> str:
    return f"0x{place + 1:032x}{number:032x}"


def reference(number: int) -> str:
    """32 bytes as good as random, as the rail's own hashes are: an index finds no order in them."""
    return "0x" + sha256(f"reference {number}".encode()).hexdigest()


def store(session: Session, world: World) -> None:
    """Write blocks, receipts and logs, and put the watcher's cursors on the newest block."""
    orphaned = {shown.block for each in world.payments if each.is_reorged for shown in each.shown}
    blocks = [(number, 0) for number in world.blocks]
    blocks += [(number, ORPHANED) for number in sorted(orphaned)]
    insert_rows(
        session, "block", ("hash", "number", "parent_hash", "timestamp", "canonical", "seen_at"),
        [
            (block_hash(n, branch), n, block_hash(n - 1, branch), _timestamp(world, n),
             branch == 0, 0)
            for n, branch in blocks
        ],
    )  # fmt: skip
    logs = [log for payment in world.payments for log in _payment_logs(payment)]
    logs += [log for move in world.moves for log in _move_logs(move)]
    seen = sorted({(log[0], log[2], log[3], log[4]) for log in logs})
    insert_rows(
        session, "receipt",
        ("block_hash", "tx_index", "tx_hash", "block_number", "sender", "status", "gas_used",
         "gas_price_wei", "depth", "books"),
        [
            (block, index, tx, number, RAIL, 1, 50_000, 3, 1,
             "posted" if block == block_hash(number) else "reversed")
            for block, index, tx, number in seen
        ],
    )  # fmt: skip
    insert_rows(session, "chain_log", _LOG_COLUMNS, logs)
    newest = max(world.blocks)
    insert_rows(session, "cursor", ("name", "number", "hash", "at"), [
        (name, newest, block_hash(newest), 0) for name in ("head", "final")
    ])  # fmt: skip


def _payment_logs(payment: Payment) -> Iterator[tuple[object, ...]]:
    branch = ORPHANED if payment.is_reorged else 0
    for shown in payment.shown:
        if payment.outcome == "rejected":
            yield (
                block_hash(shown.block), shown.index, 0, tx_hash(shown.block, 0), shown.block,
                RAIL, "Rejected", TOKENS[shown.unit], buyer_wallet(payment.buyer),
                seller_wallet(shown.seller), shown.cents * MICRO_PER_CENT, payment.number,
                reference(payment.number), None,
            )  # fmt: skip
            continue
        moved, settled = shown.index, shown.index + 1
        place = (0, tx_hash(shown.block, 0), shown.block)
        hashed, token = block_hash(shown.block, branch), TOKENS[shown.unit]
        terms = (
            token, buyer_wallet(payment.buyer), seller_wallet(shown.seller),
            shown.cents * MICRO_PER_CENT,
        )  # fmt: skip
        pair = moved if shown.is_paired else None
        if shown.is_paired:
            yield (hashed, moved, *place, token, "Transfer", *terms, None, None, settled)
        yield (
            hashed, settled, *place, RAIL, "Settled", *terms, payment.number,
            reference(payment.number), pair,
        )  # fmt: skip


def _move_logs(move: Move) -> Iterator[tuple[object, ...]]:
    hashed, token = block_hash(move.block), TOKENS[move.unit]
    place = (1, tx_hash(move.block, 1), move.block)
    terms = (token, move.payer, move.payee, move.cents * MICRO_PER_CENT)
    is_settled = move.kind == "settled"
    pair = move.index + 1 if is_settled else None
    yield (hashed, move.index, *place, token, "Transfer", *terms, None, None, pair)
    if is_settled:
        number = _UNKNOWN + move.number
        yield (
            hashed, move.index + 1, *place, RAIL, "Settled", *terms, number, reference(number),
            move.index,
        )  # fmt: skip


def payment_entries(world: World) -> Iterator[Entry]:
    """The entry of every payment that the books have."""
    for payment in world.payments:
        for booked in payment.booked:
            yield entries.payment(
                _paid(payment, booked), booked.index,
                _source(world, booked.block, 0, ORPHANED if payment.is_reorged else 0), (),
            )  # fmt: skip


def _paid(payment: Payment, booked: Shown) -> Paid:
    return Paid(
        settlement_id=payment.settlement_id,
        invoice_id=payment.invoice_id,
        debtor_id=buyer_id(payment.buyer),
        creditor_id=seller_id(payment.seller),
        debtor_wallet=buyer_wallet(payment.buyer),
        creditor_wallet=seller_wallet(booked.seller),
        symbol=SYMBOLS[booked.unit],
        currency=CURRENCIES[payment.unit],
        token_minor=booked.cents * MICRO_PER_CENT,
        claim_minor=booked.cents,
    )


def move_entries(world: World) -> Iterator[Entry]:
    """The entry of every mint and of every Transfer that nobody instructed."""
    holders = {seller_wallet(n): seller_id(n) for n in range(world.sellers)}
    holders |= {buyer_wallet(n): buyer_id(n) for n in range(world.buyers)}
    for move in world.moves:
        source = _source(world, move.block, 1, 0)
        payer, payee = (Side(a, holders.get(a)) for a in (move.payer, move.payee))
        minor, symbol = move.cents * MICRO_PER_CENT, SYMBOLS[move.unit]
        if move.kind == "mint":
            yield entries.mint(
                payee, token=TOKENS[move.unit], symbol=symbol, minor=minor,
                log_index=move.index, source=source,
            )  # fmt: skip
        else:
            yield entries.transfer(
                payer, payee, symbol=symbol, minor=minor, log_index=move.index, source=source
            )


def _source(world: World, block: int, place: int, branch: int) -> Source:
    day = world.blocks[block].isoformat()
    return Source(block, block_hash(block, branch), tx_hash(block, place), day)


def _timestamp(world: World, number: int) -> int:
    noon = datetime.combine(world.blocks[number], time_of_day(12), UTC)
    return int(noon.timestamp()) + number % 1_000
