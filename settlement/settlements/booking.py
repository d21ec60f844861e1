"""Booking what the chain showed: receipts at their depth become entries, orphaned ones go back.

Amounts come from Transfer logs, never from our own events. Asks no node and judges no settlement:
a Transfer that pays a settlement of ours is booked as its payment, whatever state that is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session

from settlement import ledger
from settlement.clock import to_micros
from settlement.config import Settings
from settlement.errors import ChainContradicts
from settlement.ledger import Entry, Line, Payment, Side, Source, entries
from settlement.settlements.moves import move_where
from settlement.store.bulk import rows, rows_by_key, run_many

RECEIPTS_PER_CALL = 100
"""So many chain transactions are booked in one commit, more where batches are small by setting."""

_ZERO = "0x" + "00" * 20
_ORPHANED = "its block was orphaned"

_DUE = (
    "SELECT r.block_hash, r.tx_index, r.tx_hash, r.block_number, r.sender,"
    " r.gas_used, r.gas_price_wei, b.timestamp"
    " FROM receipt r JOIN block b ON b.hash = r.block_hash AND b.canonical"
    " WHERE r.books = 'due' AND r.block_number + r.depth <= :head + 1"
    " ORDER BY r.block_number, r.tx_index LIMIT :limit"
)
_TRANSFERS = (
    "SELECT l.block_hash, l.tx_index, l.log_index, t.address, t.symbol, t.currency, l.debtor,"
    " l.creditor, l.amount_minor, l.detail, payer.participant_id, payee.participant_id,"
    " s.id, s.invoice_id, s.debtor_id, s.creditor_id, s.claim_minor"
    " FROM chain_log l JOIN token t ON t.address = l.address"
    " LEFT JOIN wallet payer ON payer.address = l.debtor"
    " LEFT JOIN wallet payee ON payee.address = l.creditor"
    " LEFT JOIN chain_log k ON k.block_hash = l.block_hash AND k.log_index = l.pair_index"
    " AND k.name = 'Settled'"
    # The reference commits to the terms: a log with other terms is not this settlement's payment.
    " LEFT JOIN settlement s ON s.reference = k.reference AND s.rail = k.address"
    " AND s.token = l.address AND s.debtor_wallet = l.debtor AND s.creditor_wallet = l.creditor"
    " AND s.amount_minor = l.amount_minor"
    " WHERE l.block_hash {keys} AND l.name = 'Transfer' ORDER BY l.block_number, l.log_index"
)
_REVERSED_KEYS = (
    "SELECT o.source_key FROM journal_entry r JOIN journal_entry o ON o.seq = r.reverses_seq"
    " WHERE r.kind = 'reversal' AND r.block_number BETWEEN :first AND :last"
)
_POSTED = (
    "UPDATE receipt SET books = 'posted'"
    " WHERE block_hash = :block_hash AND tx_index = :tx_index AND books = 'due'"
)
_IS_BOOKED = (
    "settlement.outcome = 'paid' AND EXISTS (SELECT 1 FROM journal_entry e"
    " WHERE e.settlement_id = settlement.id AND e.kind = 'payment'"
    " AND e.block_hash = settlement.block_hash AND NOT EXISTS"
    " (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq))"
)
_OUTDATED = (
    "SELECT b.hash, b.number FROM block b WHERE NOT b.canonical AND EXISTS"
    " (SELECT 1 FROM receipt r WHERE r.block_hash = b.hash AND r.books IN ('due', 'posted'))"
)
_STANDING = (
    "SELECT e.seq, e.block_hash, e.kind FROM journal_entry e WHERE e.block_number {keys}"
    # Not the column alone: its index would lead through all that was never reversed.
    " AND +e.reverses_seq IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq)"
)
_TAKE_BACK = (
    "UPDATE receipt SET books = CASE books WHEN 'posted' THEN 'reversed' ELSE 'none' END"
    " WHERE block_hash IN :hashes AND books IN ('due', 'posted')"
)
_UNDO_MATCHES = (
    "UPDATE settlement_match SET live = false, undone_at = :at WHERE live AND block_hash IN :hashes"
)


class AmountOutOfBounds(ChainContradicts):
    """A Transfer that touches our books moves more than they can hold."""

    def __init__(self, token: str, block_hash: str, log_index: int, detail: str | None) -> None:
        super().__init__(
            f"log {log_index} of block {block_hash}: token {token} moved an amount of 2^63 or more"
            f" ({detail}); the books hold less, so nothing behind it is booked until a person"
            " has looked at the token"
        )


@dataclass(frozen=True, slots=True)
class Booked:
    """What one call has booked. `more`: it stopped at its bound, and the next call goes on."""

    receipts: int
    entries: int
    payments: int
    settlements: int
    more: bool


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What one call has reversed; `settlements` are those whose booked payment went."""

    blocks: int
    entries: int
    settlements: int


class _Receipt(NamedTuple):
    block_hash: str
    tx_index: int
    tx_hash: str
    block_number: int
    sender: str
    gas_used: int
    gas_price_wei: int
    timestamp: int


class _Transfer(NamedTuple):
    block_hash: str
    tx_index: int
    log_index: int
    token: str
    symbol: str
    currency: str
    debtor: str
    creditor: str
    amount_minor: int | None
    detail: str | None
    debtor_owner: str | None
    creditor_owner: str | None
    settlement_id: str | None
    invoice_id: str
    debtor_id: str
    creditor_id: str
    claim_minor: int


def book(session: Session, settings: Settings, now: datetime) -> Booked:
    """Book receipts that have their depth, oldest block first; their settlements become BOOKED.

    A chain transaction is booked as a whole. A second run is a no-op.

    Raises:
        AmountOutOfBounds: nothing of this call is booked.
    """
    ((head,),) = rows(session, "SELECT COALESCE(MAX(number), 0) FROM block WHERE canonical")
    limit = max(RECEIPTS_PER_CALL, settings.settlements_per_tick_max // settings.batch_payments_max)
    receipts = [_Receipt(*row) for row in rows(session, _DUE, {"head": head, "limit": limit})]
    made = _entries(session, receipts) if receipts else []
    posted = ledger.post(session, made, now)
    if receipts:
        run_many(
            session,
            _POSTED,
            [{"block_hash": r.block_hash, "tx_index": r.tx_index} for r in receipts],
        )
    moved = move_where(session, "booked", _IS_BOOKED, {}, actor="chain", now=now)
    return Booked(
        receipts=len(receipts),
        entries=posted,
        payments=sum(entry.kind == "payment" for entry in made),
        settlements=len(moved),
        more=len(receipts) == limit,
    )


def reverse(session: Session, now: datetime) -> TakenBack:
    """Reverse what was booked from blocks that are canonical no more, and undo its matches."""
    numbers: dict[str, int] = dict(rows(session, _OUTDATED))
    if not numbers:
        return TakenBack(0, 0, 0)
    standing = rows_by_key(session, _STANDING, set(numbers.values()))
    orphaned = [(seq, kind) for seq, block_hash, kind in standing if block_hash in numbers]
    reversed_count = ledger.reverse(session, [seq for seq, _kind in orphaned], now, _ORPHANED)
    hashes = {"hashes": list(numbers)}
    for statement, values in (
        (_TAKE_BACK, hashes),
        (_UNDO_MATCHES, {**hashes, "at": to_micros(now)}),
    ):
        session.execute(text(statement).bindparams(bindparam("hashes", expanding=True)), values)
    paid = sum(kind == "payment" for _seq, kind in orphaned)
    return TakenBack(len(numbers), reversed_count, paid)


def _entries(session: Session, receipts: Sequence[_Receipt]) -> list[Entry]:
    """Return the entries of these receipts in the chain's own order, each receipt's gas last."""
    by_place: dict[tuple[str, int], list[_Transfer]] = {
        (receipt.block_hash, receipt.tx_index): [] for receipt in receipts
    }
    for row in rows_by_key(session, _TRANSFERS, {receipt.block_hash for receipt in receipts}):
        # Others in the same block may be booked already, or later because they are larger.
        here = by_place.get(row[:2])
        if here is not None:
            here.append(_Transfer(*row))
    paid = [each.settlement_id for found in by_place.values() for each in found]
    releases = ledger.releases(session, [key for key in paid if key is not None])
    operators = {signer for (signer,) in rows(session, "SELECT signer FROM lane")}
    made: list[Entry] = []
    for receipt, transfers in zip(receipts, by_place.values(), strict=True):
        source = Source(
            receipt.block_number,
            receipt.block_hash,
            receipt.tx_hash,
            datetime.fromtimestamp(receipt.timestamp, UTC).date().isoformat(),
        )
        made += _transfer_entries(transfers, source, releases)
        wei = receipt.gas_used * receipt.gas_price_wei
        if receipt.sender in operators and wei:
            made.append(entries.gas(receipt.sender, wei, source))
    return _renewed(session, made, receipts)


def _transfer_entries(
    transfers: Iterable[_Transfer], source: Source, releases: dict[str, tuple[Line, ...]]
) -> list[Entry]:
    made = []
    for each in transfers:
        payer = Side(each.debtor, each.debtor_owner)
        payee = Side(each.creditor, each.creditor_owner)
        is_mint, is_burn = each.debtor == _ZERO, each.creditor == _ZERO
        if not (is_mint or is_burn or each.debtor_owner or each.creditor_owner):
            continue  # Between two that nobody registered: not in our books.
        minor, at = each.amount_minor, each.log_index
        if minor is None:
            raise AmountOutOfBounds(each.token, each.block_hash, at, each.detail)
        if each.settlement_id is not None:
            release = releases.pop(each.settlement_id, ())
            made.append(entries.payment(_payment(each, minor), at, source, release))
        elif is_mint or is_burn:
            build, holder = (entries.mint, payee) if is_mint else (entries.burn, payer)
            made.append(
                build(
                    holder,
                    token=each.token,
                    symbol=each.symbol,
                    minor=minor,
                    log_index=at,
                    source=source,
                )
            )
        else:
            made.append(
                entries.transfer(
                    payer, payee, symbol=each.symbol, minor=minor, log_index=at, source=source
                )
            )
    return made


def _payment(each: _Transfer, minor: int) -> Payment:
    assert each.settlement_id is not None
    return Payment(
        settlement_id=each.settlement_id,
        invoice_id=each.invoice_id,
        debtor_id=each.debtor_id,
        creditor_id=each.creditor_id,
        debtor_wallet=each.debtor,
        creditor_wallet=each.creditor,
        symbol=each.symbol,
        currency=each.currency,
        token_minor=minor,
        claim_minor=each.claim_minor,
    )


def _renewed(session: Session, made: list[Entry], receipts: Sequence[_Receipt]) -> list[Entry]:
    """Give a new source key to what was reversed before: its block is canonical once more."""
    numbers = [receipt.block_number for receipt in receipts]
    span = {"first": min(numbers), "last": max(numbers)}
    reversed_keys = {key for (key,) in rows(session, _REVERSED_KEYS, span)}
    if not reversed_keys:
        return made
    renewed = []
    for entry in made:
        key, nth = entry.source_key, 1
        while key in reversed_keys:
            nth += 1
            key = f"{entry.source_key}:{nth}"
        renewed.append(entry._replace(source_key=key))
    return renewed
