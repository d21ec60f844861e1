"""A rail with two sellers and their accounts: payments, bank entries, expectations, by the row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement.reconciliation import engine as matching
from settlement.reconciliation.engine import Ran
from settlement.store import reading, transaction
from settlement.store.bulk import rows
from settlement.tables import (
    BankAccount,
    BankEntry,
    Block,
    ExpectedPayment,
    SettlementMatch,
    Statement,
    StatementFile,
)
from tests.builders.chain_facts import add_settlement, seed_world
from tests.builders.ledger import BUYER, SELLER, TOKEN, block_hash

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FIRST = date(2026, 11, 2)
BANK, OTHER_BANK, RESERVE = "bka_seller", "bka_buyer", "bka_reserve"


def day_of(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def seed(session: Session) -> None:
    """Parties, token, their accounts in USD, and one statement for each account."""
    seed_world(session)
    session.add(
        StatementFile(
            id="fil_1", sha256="0" * 64, name="day.csv", format="csv", actor="t", created_at=0
        )
    )
    for number, (key, owner, role) in enumerate(
        ((BANK, SELLER, "payout"), (OTHER_BANK, BUYER, "payout"), (RESERVE, BUYER, "reserve"))
    ):
        session.add(
            BankAccount(
                id=key,
                owner_id=owner,
                name=key,
                iban=f"DE0{number}",
                servicer_bic="BIC",
                currency="USD",
                role=role,
                reserve_of=TOKEN if role == "reserve" else None,
                payout_days=2,
                created_at=0,
            )
        )
        session.flush()
        session.add(
            Statement(
                id=f"sta_{key}",
                file_id="fil_1",
                account_id=key,
                kind="statement",
                statement_id="1",
                content_sha256=key,
                created_at=0,
            )
        )
    session.flush()


def paid(session: Session, number: int, cents: int = 1200, *, day: int = 0) -> None:
    """`stl_<number>` is paid on `day` and matched on the rail."""
    add_settlement(session, number, claim_minor=cents, state="SETTLED")
    session.execute(
        text("UPDATE invoice SET state = 'PAID' WHERE id = :id"), {"id": f"inv_{number}"}
    )
    matched_on_rail(session, number, day=day)


def matched_on_rail(session: Session, number: int, *, day: int = 0, branch: int = 0) -> None:
    """A block of `stl_<number>` alone, and the first stage's match with it."""
    at = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=day)
    place = 1_000 + number
    session.execute(
        text("UPDATE block SET canonical = false WHERE number = :number"), {"number": place}
    )
    session.add(
        Block(
            hash=block_hash(place, branch),
            number=place,
            parent_hash="0x0",
            timestamp=int(at.timestamp()),
            canonical=True,
            seen_at=0,
        )
    )
    session.add(
        SettlementMatch(
            settlement_id=f"stl_{number}",
            block_hash=block_hash(place, branch),
            log_index=1,
            block_number=place,
            entry_seq=place + 10_000 * branch,
            created_at=0,
        )
    )
    session.flush()


def told(session: Session, number: int, cents: int = 1200, **changes: Any) -> None:
    """A booked movement of the seller's account; `day` and any column by name."""
    day = day_of(int(str(changes.pop("day", 1))))
    account = str(changes.pop("account", BANK))
    fields: dict[str, Any] = {
        "account_id": account,
        "statement_id": f"sta_{account}",
        "file_id": "fil_1",
        "source_line": number,
        "entry_index": number,
        "amount_minor": cents,
        "currency": "USD",
        "status": "BOOK",
        "booking_date": day,
        "value_date": day,
        "fingerprint": f"fp{number}",
    }
    session.add(BankEntry(**{**fields, **changes}))
    session.flush()


def expected(session: Session, low: int, high: int, **changes: Any) -> None:
    """The seller expects money from day 0 to day 5."""
    fields: dict[str, Any] = {
        "owner_id": SELLER,
        "direction": "credit",
        "currency": "USD",
        "low_minor": low,
        "high_minor": high,
        "first_day": day_of(0),
        "last_day": day_of(5),
        "created_by": "t",
        "created_at": 0,
    }
    session.add(ExpectedPayment(**{**fields, **changes}))
    session.flush()


def run(engine: Engine, **options: Any) -> Ran:
    return matching.run(engine, NOW, **options)


def live(engine: Engine) -> set[tuple[str, frozenset[str]]]:
    """Live matches: the rule, and what was matched, by names that are the same in every world."""
    with reading(engine) as session:
        found = rows(
            session,
            "SELECT x.id, x.rule_id, r.source, COALESCE(r.settlement_id, e.fingerprint, r.origin)"
            " FROM recon_match x JOIN recon_member m ON m.match_id = x.id AND m.live"
            " JOIN recon_record r ON r.id = m.record_id"
            " LEFT JOIN bank_entry e ON r.source = 'bank' AND r.origin = 'bank:' || e.id"
            " WHERE x.live",
        )
    groups: dict[tuple[int, str], set[str]] = {}
    for key, rule, _source, name in found:
        groups.setdefault((key, rule), set()).add(name)
    return {(rule, frozenset(names)) for (_key, rule), names in groups.items()}


def states(engine: Engine) -> dict[str, str]:
    """Each record's state, by the same names; several of one name are listed by origin."""
    with reading(engine) as session:
        found = rows(
            session,
            "SELECT r.origin, COALESCE(e.fingerprint, r.settlement_id, r.origin), r.state"
            " FROM recon_record r"
            " LEFT JOIN bank_entry e ON r.source = 'bank' AND r.origin = 'bank:' || e.id",
        )
    return {name: state for _origin, name, state in sorted(found)}


def change(engine: Engine, sql: str, **values: object) -> None:
    with transaction(engine) as session:
        session.execute(text(sql), values)


def count(engine: Engine, sql: str) -> int:
    with reading(engine) as session:
        return int(session.execute(text(sql)).scalar_one())
