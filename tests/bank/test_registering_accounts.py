"""Which accounts at banks may be registered, and what is refused with its field."""

from typing import Any

import pytest
from sqlalchemy import Engine

from settlement import bank
from settlement.clock import counted_ids
from settlement.errors import Invalid, NotFound
from settlement.store import reading, transaction
from tests.bank.builders import IBAN, OTHER_IBAN, an_account, opened, with_account
from tests.builders.ledger import NOW, TOKEN


def test_an_account_is_registered_with_a_compact_iban(engine: Engine) -> None:
    account_id = with_account(engine, iban="de89 3704 0044 0532 0130 00", payout_days=2)

    with reading(engine) as session:
        found = bank.bank_account(session, account_id)
        assert bank.bank_account(session, "DE89 3704 0044 0532 0130 00") == found
        assert bank.bank_accounts(session) == [found]
    assert (found.iban, found.currency, found.role, found.payout_days) == (IBAN, "EUR", "payout", 2)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("iban", {"iban": "DE89370400440532013001"}),
        ("iban", {"iban": ""}),
        ("servicer_bic", {"servicer_bic": "COBADEFF1"}),
        ("servicer_bic", {"servicer_bic": "COBAZZFF"}),
        ("currency", {"currency": "XXX"}),
        ("currency", {"currency": "eur"}),
        ("role", {"role": "petty cash"}),
        ("reserve_of", {"role": "reserve"}),
        ("reserve_of", {"role": "payout", "reserve_of": TOKEN}),
        ("reserve_of", {"role": "reserve", "reserve_of": TOKEN}),
        ("reserve_of", {"role": "reserve", "reserve_of": "0x" + "99" * 20}),
        ("payout_days", {"payout_days": -1}),
        ("payout_days", {"payout_days": 367}),
        ("name", {"name": " "}),
        ("name", {"name": "Cash\u202egnp"}),
        ("owner_id", {"owner_id": "par_nobody"}),
    ],
)
def test_a_wrong_field_is_named(engine: Engine, field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal, transaction(engine) as session:
        opened(session, an_account(**changes))

    assert refusal.value.field == field
    assert refusal.value.repair


def test_a_reserve_names_a_listed_token_of_its_currency(engine: Engine) -> None:
    account_id = with_account(engine, role="reserve", reserve_of=TOKEN.upper(), currency="USD")

    with reading(engine) as session:
        assert bank.bank_account(session, account_id).reserve_of == TOKEN


def test_one_iban_and_currency_is_one_account_and_a_token_has_one_reserve(engine: Engine) -> None:
    reserve = an_account(role="reserve", reserve_of=TOKEN, currency="USD")
    with transaction(engine) as session:
        first, second = opened(session, an_account(), reserve)

    for twin in (an_account(name="Again"), an_account(**_as(reserve, iban=OTHER_IBAN))):
        with pytest.raises(bank.BankAccountExists) as refusal, transaction(engine) as session:
            bank.register(session, twin, ids=counted_ids(9), now=NOW)
        assert refusal.value.existing_id in (first, second)

    with reading(engine) as session, pytest.raises(NotFound):
        # Two currencies share the IBAN: it names no single account.
        bank.bank_account(session, IBAN)


def _as(account: bank.NewBankAccount, **changes: Any) -> dict[str, Any]:
    return {name: getattr(account, name) for name in account.__slots__} | changes
