"""Accounts at banks: their numbers checked, each of one participant, counting by their date."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Engine

from settlement.clock import counted_ids, to_micros
from settlement.errors import Invalid
from settlement.participants import (
    accounts,
)
from settlement.participants.accounts import NewAccount, PayeeAccountExists
from settlement.store import transaction
from tests.participants.changing import (
    IBAN,
    LATER,
    an_account,
    approve,
    proposed,
)
from tests.participants.files import (
    a_trader,
    activated,
    applied,
)


def test_an_account_counts_by_its_date_and_belongs_to_one_participant(engine: Engine) -> None:
    ids = counted_ids()
    key = activated(engine, ids=ids)
    with transaction(engine) as session:
        approve(session, proposed(session, key, an_account()))
        (account,) = accounts.accounts(session, key)
        other = applied(session, a_trader(), ids=ids)
    assert account.usable_from == to_micros(LATER)
    assert (account.country, account.currency) == ("DE", "EUR")

    for holder in (key, other):
        with pytest.raises(PayeeAccountExists), transaction(engine) as session:
            proposed(session, holder, an_account(), start=700)


@pytest.mark.parametrize(
    ("field", "account"),
    [
        ("iban", {"iban": IBAN[:-1] + "7"}),
        ("iban", {"iban": None}),
        ("iban", {"account_number": "1", "clearing_system": "USABA", "clearing_code": "021000021"}),
        ("currency", {"currency": "XXX"}),
        ("bic", {"bic": "ESSLDE6"}),
        ("bic", {"bic": "ESSLXX66"}),
        ("clearing_code", {"clearing_code": "021000021"}),
        ("clearing_system", {"iban": None, "account_number": "1"}),
        ("clearing_code",
         {"iban": None, "account_number": "1", "clearing_system": "USABA",
          "clearing_code": "021000022"}),
        ("clearing_code",
         {"iban": None, "account_number": "1", "clearing_system": "INFSC",
          "clearing_code": "HDFC1000001"}),
        ("account_number",
         {"iban": None, "account_number": "1" * 35, "clearing_system": "CNAPS",
          "clearing_code": "102584000001"}),
    ],
)  # fmt: skip
def test_an_account_with_a_wrong_number_is_refused_by_its_field(
    field: str, account: Mapping[str, Any]
) -> None:
    with pytest.raises(Invalid) as refusal:
        an_account(**account)

    assert refusal.value.field == field


def test_accounts_without_an_iban_are_told_by_their_clearing_code() -> None:
    account = accounts.checked(
        NewAccount("USD", account_number="12 345 678", clearing_system="USABA",
                   clearing_code="021000021", bic="chasus33")
    )  # fmt: skip

    assert (account.account_number, account.bic) == ("12345678", "CHASUS33")
    assert accounts.country_of(account) == "US"
