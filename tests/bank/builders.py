"""Builders for tests of accounts at banks: parties, accounts, and statements with defaults."""

from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from settlement import bank
from settlement.clock import counted_ids
from settlement.store import transaction
from tests.builders.ledger import NOW, SELLER, seed_parties

IBAN = "DE89370400440532013000"
OTHER_IBAN = "GB82WEST12345698765432"
BIC = "COBADEFFXXX"


def an_account(**changes: Any) -> bank.NewBankAccount:
    fields: dict[str, Any] = {
        "owner_id": SELLER,
        "name": "Receivables",
        "iban": IBAN,
        "servicer_bic": BIC,
        "currency": "EUR",
        "role": "payout",
    }
    return bank.NewBankAccount(**{**fields, **changes})


def opened(session: Session, *accounts: bank.NewBankAccount, start: int = 1) -> list[str]:
    """Store the parties and register accounts; return their ids."""
    seed_parties(session)
    ids = counted_ids(start)
    return [bank.register(session, each, ids=ids, now=NOW) for each in accounts or (an_account(),)]


def with_account(engine: Engine, **changes: Any) -> str:
    """Return the id of an account in an otherwise empty database."""
    with transaction(engine) as session:
        return opened(session, an_account(**changes))[0]
