"""Stores a world: parties, invoices and settlements, what the watcher saw, journal, statements.

The journal is posted by the ledger itself; the other rows are what the watcher, the doors and the
bank's importer would have written. The labels stay outside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from scripts.benches import _trouble_chain as chain_rows
from scripts.benches._trouble import (
    NEXT_MONTH,
    NOW,
    PAYOUT_DAYS,
    BankRow,
    Payment,
    World,
)
from scripts.benches._trouble_chain import RAIL, TOKENS
from scripts.benches._trouble_names import (
    CURRENCIES,
    ISSUER,
    ISSUER_RESERVES,
    SYMBOLS,
    account_id,
    buyer_account,
    buyer_id,
    buyer_wallet,
    iban,
    name_of,
    seller_account,
    seller_id,
    seller_wallet,
    statement_id,
)
from settlement import ledger
from settlement.clock import to_micros
from settlement.ledger import Claim, entries
from settlement.store import transaction
from settlement.store.bulk import chunks, insert_rows, rows

AT_ONCE = 5_000
SHA = "7" * 64
FILE = "sfl_trouble"


def store(engine: Engine, world: World) -> None:
    """Write the world into a migrated, empty database, in the order that its lists have."""
    with transaction(engine) as session:
        _parties(session, world)
        _payments(session, world)
        _events(session, world)
        _expected(session, world)
    with transaction(engine) as session:
        chain_rows.store(session, world)
    with transaction(engine) as session:
        _bank(session, world)
    for some in chunks([_acceptance(row) for row in _invoice_rows(world)], AT_ONCE):
        with transaction(engine) as session:
            ledger.post(session, some, NOW)
    posted = [*chain_rows.move_entries(world), *chain_rows.payment_entries(world)]
    for some in chunks(posted, AT_ONCE):
        with transaction(engine) as session:
            ledger.post(session, some, NOW)
    with transaction(engine) as session:
        _reverse(session, world)


def _parties(session: Session, world: World) -> None:
    parties = [seller_id(n) for n in range(world.sellers)]
    parties += [buyer_id(n) for n in range(world.buyers)]
    parties.append(ISSUER)
    columns = ("id", "lei", "name", "country", "street", "post_code", "town", "state", "created_at")
    insert_rows(session, "participant", columns, [
        (each, f"LEI{place:017d}", name_of(each), "DE", "", "", "Hamburg", "active", 0)
        for place, each in enumerate(parties)
    ])  # fmt: skip
    wallets = [(seller_wallet(n), seller_id(n), 0) for n in range(world.sellers)]
    wallets += [(buyer_wallet(n), buyer_id(n), 0) for n in range(world.buyers)]
    insert_rows(session, "wallet", ("address", "participant_id", "created_at"), wallets)
    columns = ("address", "symbol", "currency", "decimals", "kind", "code_hash", "listed")
    insert_rows(session, "token", columns, [
        (address, symbol, currency, 6, "exact", "0x" + "00" * 32, True)
        for address, symbol, currency in zip(TOKENS, SYMBOLS, CURRENCIES, strict=True)
    ])  # fmt: skip
    insert_rows(
        session, "bank_account",
        ("id", "owner_id", "name", "iban", "servicer_bic", "currency", "role", "reserve_of",
         "payout_days", "created_at"),
        list(_accounts(world)),
    )  # fmt: skip


def _accounts(world: World) -> Iterator[tuple[object, ...]]:
    for unit, currency in enumerate(CURRENCIES):
        for n in range(world.sellers):
            yield _account(seller_account(n, unit), seller_id(n), currency, "payout", None)
        for n in range(world.buyers):
            # A buyer has one IBAN with an account in each currency behind it.
            identifier = account_id(f"b{n:05d}:{unit}")
            yield (
                identifier, buyer_id(n), "Operating", iban(buyer_account(n)), "TESTDEFFXXX",
                currency, "nostro", None, 0, 0,
            )  # fmt: skip
        yield _account(ISSUER_RESERVES[unit], ISSUER, currency, "reserve", TOKENS[unit])


def _account(
    account: str, owner: str, currency: str, role: str, token: str | None
) -> tuple[object, ...]:
    return (
        account_id(account), owner, role, iban(account), "TESTDEFFXXX", currency, role, token,
        PAYOUT_DAYS, 0,
    )  # fmt: skip


def _payments(session: Session, world: World) -> None:
    insert_rows(
        session, "document", ("sha256", "media_type", "content", "record", "received_at"),
        [(SHA, "application/json", b"{}", "{}", 0)],
    )  # fmt: skip
    insert_rows(
        session, "invoice",
        ("id", "number", "issue_date", "issue_year", "due_date", "type_code", "seller_id",
         "buyer_id", "currency", "payable_minor", "in_flight_minor", "settled_minor",
         "returned_minor", "credited_minor", "state", "document_sha256", "version", "created_at"),
        list(_invoice_rows(world)),
    )  # fmt: skip
    insert_rows(
        session, "settlement",
        ("id", "invoice_id", "end_to_end_id", "rail", "token", "debtor_id", "creditor_id",
         "debtor_wallet", "creditor_wallet", "sequence", "amount_minor", "claim_minor",
         "reference", "document_sha256", "execution_date", "state", "outcome", "outcome_code",
         "block_number", "block_hash", "tx_hash", "log_index", "reverted_count", "version",
         "created_at"),
        [_settlement_row(each) for each in world.payments],
    )  # fmt: skip


def _invoice_rows(world: World) -> Iterator[tuple[object, ...]]:
    parts: dict[str, list[Payment]] = defaultdict(list)
    for payment in world.payments:
        parts[payment.invoice_id].append(payment)
    for invoice_id, paying in parts.items():
        first = paying[0]
        total = sum(each.cents for each in paying)
        is_paid = first.state == "SETTLED"
        yield (
            invoice_id, first.invoice_number, "2026-11-01", 2026,
            (first.due or NEXT_MONTH).isoformat(), "380", seller_id(first.seller),
            buyer_id(first.buyer), CURRENCIES[first.unit], total, 0 if is_paid else total,
            total if is_paid else 0, 0, 0, "PAID" if is_paid else "ACCEPTED", SHA, 1, 0,
        )  # fmt: skip
    for claim in world.claims:
        yield (
            claim.invoice_id, f"OPEN-{claim.number:06d}", "2026-11-01", 2026,
            claim.due.isoformat(), "380", seller_id(claim.seller), buyer_id(claim.buyer),
            CURRENCIES[claim.unit], claim.cents, 0, 0, 0, 0, "ACCEPTED", SHA, 1, 0,
        )  # fmt: skip


def _settlement_row(payment: Payment) -> tuple[object, ...]:
    place: tuple[object, ...] = (None, None, None, None)
    if payment.outcome is not None:
        # What the books call paid has a place, whether the chain still shows it or not.
        shown = (*payment.shown, *payment.booked)
        block, index = (shown[0].block, shown[0].index + 1) if shown else (None, None)
        place = (
            block, chain_rows.block_hash(block), chain_rows.tx_hash(block, 0), index
        ) if block else place  # fmt: skip
    created = datetime.combine(payment.day, time_of_day(8), UTC)
    return (
        payment.settlement_id, payment.invoice_id, payment.end_to_end_id, RAIL,
        TOKENS[payment.unit], buyer_id(payment.buyer), seller_id(payment.seller),
        buyer_wallet(payment.buyer), seller_wallet(payment.seller), payment.number,
        payment.cents * 10_000, payment.cents, chain_rows.reference(payment.number), SHA,
        (payment.asked_for or payment.day).isoformat(), payment.state, payment.outcome,
        3 if payment.outcome == "rejected" else None, *place, 0, 1, to_micros(created),
    )  # fmt: skip


def _events(session: Session, world: World) -> None:
    """When each payment that is under way has moved last: those that are stuck, long ago."""
    moved = {True: NOW - timedelta(hours=1), False: NOW - timedelta(days=14)}
    insert_rows(
        session, "settlement_event",
        ("settlement_id", "move", "state", "actor", "reason", "at"),
        [
            (each.settlement_id, "sent", each.state, "rail", None,
             to_micros(moved[bool(each.shown)]))
            for each in world.payments
            if each.state in ("SUBMITTED", "CONFIRMING")
        ],
    )  # fmt: skip


def _expected(session: Session, world: World) -> None:
    insert_rows(
        session, "expected_payment",
        ("owner_id", "account", "direction", "currency", "low_minor", "high_minor", "first_day",
         "last_day", "reference", "counterparty", "description", "created_by", "created_at"),
        [
            (seller_id(each.seller), "", "credit", CURRENCIES[each.unit], each.low, each.high,
             each.first.isoformat(), each.last.isoformat(), each.reference, each.counterparty,
             str(each.number), "treasury", 0)
            for each in world.expected
        ],
    )  # fmt: skip


def _bank(session: Session, world: World) -> None:
    insert_rows(
        session, "statement_file",
        ("id", "sha256", "name", "format", "actor", "state", "line_reached", "statement_count",
         "entry_count", "duplicate_count", "created_at"),
        [(FILE, SHA, "trouble.xml", "camt.053.001.08", "bank", "complete", 0, 0, 0, 0, 0)],
    )  # fmt: skip
    insert_rows(
        session, "statement",
        ("id", "file_id", "account_id", "kind", "statement_id", "sequence", "from_date",
         "to_date", "opening_minor", "closing_minor", "opening_date", "closing_date",
         "entry_count", "content_sha256", "created_at"),
        list(_statements(world)),
    )  # fmt: skip
    insert_rows(
        session, "bank_entry",
        ("account_id", "statement_id", "file_id", "source_line", "entry_index", "detail_index",
         "amount_minor", "currency", "status", "booking_date", "value_date", "end_to_end_id",
         "bank_reference", "creditor_reference", "remittance", "counterparty_name",
         "counterparty_account", "charges_minor", "is_reversal", "fingerprint"),
        [_entry_row(each) for each in world.bank],
    )  # fmt: skip


def _entry_row(row: BankRow) -> tuple[object, ...]:
    day = row.day.isoformat()
    return (
        account_id(row.account), statement_id(row.account, row.day), FILE, row.number, row.number,
        0, row.cents, CURRENCIES[row.unit], "BOOK", day, day, row.end_to_end_id,
        f"BANK{row.number:08d}", row.creditor_reference, row.remittance, row.name,
        row.counterparty_account, row.charges, False, row.fingerprint,
    )  # fmt: skip


def _statements(world: World) -> Iterator[tuple[object, ...]]:
    """One statement for each account and day with a movement; a gap moves what follows it."""
    moved: dict[str, dict[object, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in world.bank:
        moved[row.account][row.day].append(row.cents)
    gaps = {(gap.account, gap.day): gap.cents for gap in world.gaps}
    for account in sorted(moved):
        balance, sequence = 0, 0
        for day in sorted(moved[account], key=str):
            missing = gaps.get((account, day), 0)  # type: ignore[call-overload]
            opening = balance + missing
            sequence += 2 if missing else 1
            balance = opening + sum(moved[account][day])
            key = statement_id(account, day)  # type: ignore[arg-type]
            yield (
                key, FILE, account_id(account), "statement", key, sequence, str(day), str(day),
                opening, balance, str(day), str(day), len(moved[account][day]), key, 0,
            )  # fmt: skip


def _acceptance(invoice: tuple[Any, ...]) -> ledger.Entry:
    identifier, seller, buyer, currency, minor = (invoice[n] for n in (0, 6, 7, 8, 9))
    return entries.accept(Claim(identifier, seller, buyer, currency, minor, "2026-11-01"))


def _reverse(session: Session, world: World) -> None:
    gone = [each.settlement_id for each in world.payments if each.is_reorged]
    for settlement_id in gone:
        found = rows(
            session,
            "SELECT seq FROM journal_entry WHERE settlement_id = ? AND kind = 'payment'",
            (settlement_id,),
        )
        ledger.reverse(session, [seq for (seq,) in found], NOW, "its block was orphaned")
