"""Statements of accounts at banks, as our books have them: by IBAN, in cents, read back."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

from sqlalchemy import Engine

from settlement.documents.iso20022.reading import read
from settlement.documents.iso20022.reading_model import ReadHead
from settlement.documents.iso20022.reading_source import message_of
from settlement.documents.iso20022.schema import faults
from settlement.ledger import entries
from settlement.ledger.journal import post
from settlement.statements.accounts import find_account
from settlement.statements.figures import Basis
from settlement.statements.statement import StatementWanted, write_statement
from settlement.store import reading, transaction
from settlement.tables import BankAccount
from tests.builders import ledger as books

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
IBAN = "DE89370400440532013000"
CODE = "nostro:bka_1:EUR"


def test_a_bank_account_has_a_statement_under_its_iban_that_the_banks_reader_takes(
    engine: Engine,
) -> None:
    with transaction(engine) as session:
        books.seed_parties(session)
        session.add(
            BankAccount(
                id="bka_1",
                owner_id=books.SELLER,
                name="Payouts",
                iban=IBAN,
                servicer_bic="COBADEFFXXX",
                currency="EUR",
                role="payout",
                created_at=0,
            )
        )
        session.flush()
        moved = [
            entries.bank_movement(
                number,
                bank_account_id="bka_1",
                currency="EUR",
                minor=minor,
                value_date=day,
            )
            for number, (minor, day) in enumerate(
                [(10_000, "2026-11-19"), (120_050, "2026-11-20"), (-50, "2026-11-20")], start=1
            )
        ]
        assert post(session, moved, NOW) == 3

    out = io.BytesIO()
    wanted = StatementWanted(CODE, date(2026, 11, 20), basis=Basis.VALUE)
    with reading(engine) as session:
        write_statement(session, wanted, out, now=NOW, party=books.SELLER)
        owner = find_account(session, CODE).owner_id

    assert owner == books.SELLER
    assert faults(out.getvalue(), "camt.053.001.08") == []
    out.seek(0)
    found = list(read(out, message_of(out)))
    head = found[0]
    assert isinstance(head, ReadHead) and head.opening and head.closing
    assert (head.account, head.currency) == (IBAN, "EUR")
    assert (head.opening.minor, head.closing.minor) == (10_000, 130_000)
    amounts = [entry.amount_minor for part in found if isinstance(part, list) for entry in part]
    assert amounts == [120_050, -50]
