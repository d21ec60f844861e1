"""The rules that name what is left over: pure, over values."""

from __future__ import annotations

from typing import Any

import pytest

from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.reconciliation.engine.classifying import (
    explain_all,
    explain_alone,
    grouped,
    is_found_here,
)
from settlement.reconciliation.engine.leftovers import Excuses, Leftover

DAY = 20_000
EURO = 1_000_000
NO_EXCUSE = Excuses(frozenset(), frozenset(), frozenset())

ids = iter(range(1, 100_000))


def a_record(source: str, euros: int = 100, **more: Any) -> Leftover:
    number = next(ids)
    origin = {"payment": f"match_{number}", "bank": f"bank:{number}", "expected": f"exp_{number}"}
    values: dict[str, Any] = {
        "id": number, "source": source, "origin": origin.get(source, f"log:0x{number:064x}:1"),
        "owner": "par_seller", "account": "", "currency": "EUR", "amount_micro": euros * EURO,
        "end_to_end_id": None, "reference": None, "counterparty": None, "value_day": DAY,
        "due_day": DAY + 2, "first_day": None, "last_day": None, "low_micro": None,
        "high_micro": None, "settlement_id": None, "state": "open",
    }  # fmt: skip
    return Leftover(**{**values, **more})


def an_expectation(euros: int = 100, **more: Any) -> Leftover:
    bounds = {"first_day": DAY, "last_day": DAY + 2, "reference": "PO1"}
    return a_record("expected", euros, **{**bounds, **more})


def explained(
    *records: Leftover,
    settled: tuple[Leftover, ...] = (),
    kept: dict[int, int] | None = None,
    excused: Excuses = NO_EXCUSE,
    day: int = DAY + 10,
) -> list[Finding]:
    return explain_all(grouped(records, settled), kept or {}, excused, day)


def kinds(found: list[Finding]) -> list[str]:
    return sorted(each.kind.value for each in found)


def test_a_payment_before_its_day_is_expected_and_no_break() -> None:
    payment = a_record("payment", end_to_end_id="E1")

    assert explained(payment, day=DAY + 2) == []
    assert kinds(explained(payment, day=DAY + 3)) == ["missing_at_bank"]


def test_a_bank_entry_that_nothing_answers_to_is_unattributed_at_once() -> None:
    assert kinds(explained(a_record("bank"), day=DAY)) == ["unattributed_bank_credit"]
    assert kinds(explained(a_record("bank", -5), day=DAY)) == ["unattributed_bank_debit"]


def test_a_smaller_payout_is_a_wrong_amount_and_says_both() -> None:
    payment = a_record("payment", end_to_end_id="E1")
    (found,) = explained(payment, a_record("bank", 99, end_to_end_id="E1"))

    assert found.kind is BreakKind.AMOUNT
    assert found.detail["differs"] == [{"field": "amount", "ours": "100.00", "theirs": "99.00"}]
    assert found.amount_minor == -100
    assert found.unit == "EUR"


def test_a_smaller_payout_waits_for_the_rest_until_it_is_due() -> None:
    payment = a_record("payment", end_to_end_id="E1")
    part = a_record("bank", 40, end_to_end_id="E1")

    assert explained(payment, part, day=DAY + 2) == []


@pytest.mark.parametrize(
    ("euros", "charges", "kind"),
    [(90, 0, "short"), (110, 0, "over"), (90, 10, "fee"), (90, 9, "short"), (100, 0, "ambiguous")],
)
def test_an_expectation_tells_short_over_and_fee_apart(euros: int, charges: int, kind: str) -> None:
    bank = a_record("bank", euros, reference="PO1")

    found = explained(an_expectation(), bank, kept={bank.id: charges * EURO})

    assert kinds(found) == [kind]


def test_a_payout_less_than_its_fee_is_a_fee() -> None:
    bank = a_record("bank", -97, end_to_end_id="E1")
    burn = a_record("burn", -100, end_to_end_id="E1")
    paid = a_record("bank", 97, end_to_end_id="E2")

    found = explained(
        a_record("payment", end_to_end_id="E2"), paid, burn, bank,
        kept={paid.id: 3 * EURO, bank.id: 3 * EURO},
    )  # fmt: skip

    assert kinds(found) == ["fee", "fee"]


def test_all_of_it_after_the_last_day_is_late() -> None:
    bank = a_record("bank", reference="PO1", value_day=DAY + 5)

    (found,) = explained(an_expectation(), bank)

    assert found.kind is BreakKind.LATE
    assert found.detail["differs"] == [
        {"field": "value_date", "ours": "2024-10-06", "theirs": "2024-10-09"}
    ]


def test_another_owner_is_the_wrong_payee_and_another_currency_the_wrong_currency() -> None:
    payment = a_record("payment", end_to_end_id="E1")

    elsewhere = explained(payment, a_record("bank", end_to_end_id="E1", owner="par_other"))
    in_dollars = explained(payment, a_record("bank", end_to_end_id="E1", currency="USD"))

    assert (kinds(elsewhere), kinds(in_dollars)) == (["payee"], ["currency"])


def test_the_same_reference_of_another_owner_is_another_payment() -> None:
    found = explained(
        a_record("payment", reference="INV1"),
        a_record("bank", 7, reference="INV1", owner="par_other"),
    )

    assert kinds(found) == ["missing_at_bank", "unattributed_bank_credit"]


def test_two_payouts_of_one_payment_are_one_duplicate() -> None:
    payment = a_record("payment", end_to_end_id="E1")
    banks = [a_record("bank", end_to_end_id="E1", value_day=DAY + n) for n in range(2)]

    (found,) = explained(payment, *banks)

    assert found.kind is BreakKind.DUPLICATE
    assert found.amount_minor == 10_000


def test_a_payout_that_comes_again_after_the_match_is_a_duplicate() -> None:
    payment = a_record("payment", end_to_end_id="E1", state="matched")
    first = a_record("bank", end_to_end_id="E1", state="matched")

    found = explained(a_record("bank", end_to_end_id="E1"), settled=(payment, first))

    assert kinds(found) == ["duplicate"]


@pytest.mark.parametrize("euros", [-100, -1])
def test_what_goes_back_under_a_matched_name_is_no_second_payment(euros: int) -> None:
    payment = a_record("payment", end_to_end_id="E1", state="matched", settlement_id="stl_1")
    came = a_record("bank", end_to_end_id="E1", state="matched")

    (found,) = explained(a_record("bank", euros, end_to_end_id="E1"), settled=(payment, came))

    assert found.kind is BreakKind.UNATTRIBUTED_BANK_DEBIT
    assert found.amount_minor == euros * 100
    assert "E1, which is matched: sent back" in found.reason
    assert (found.detail["settlement"], found.detail["record_count"]) == ("stl_1", 3)


def test_a_word_that_only_banks_write_ties_nothing_together() -> None:
    payment = a_record("payment", end_to_end_id="E1", state="matched")
    first = a_record("bank", end_to_end_id="E1", reference="PAYMENT", state="matched")

    found = explained(a_record("bank", 7, reference="PAYMENT"), settled=(payment, first))

    assert kinds(found) == ["unattributed_bank_credit"]


def test_twins_without_a_name_are_one_ambiguous_break() -> None:
    twins = [a_record("payment", end_to_end_id=f"E{n}") for n in range(2)]
    rows = [a_record("bank") for _ in range(2)]

    (found,) = explained(*twins, *rows)

    assert found.kind is BreakKind.AMBIGUOUS
    assert found.detail["record_count"] == 4


def test_what_the_first_stage_already_tells_gets_no_second_break() -> None:
    excused = Excuses(
        frozenset({"E1"}), frozenset({("INV2", "par_seller")}), frozenset({"log:0xaa:1"})
    )
    records = (
        a_record("bank", 1, end_to_end_id="E1"),
        a_record("bank", 2, reference="INV2"),
        a_record("mint", 3, origin="log:0xaa:1"),
    )

    assert explained(*records, excused=excused) == []


def test_what_a_person_has_explained_is_not_missing() -> None:
    told = a_record("bank", 90, reference="PO1", state="explained")

    assert explained(an_expectation(), settled=(told,)) == []


def test_open_claims_and_bare_transfers_are_told_elsewhere() -> None:
    late = DAY + 1_000

    assert explain_alone(a_record("invoice"), late) is None
    assert explain_alone(a_record("deposit"), late) is None
    assert explain_alone(a_record("withdrawal", -1), late) is None


def test_the_order_of_records_changes_nothing() -> None:
    records = [
        a_record("payment", end_to_end_id="E1"),
        a_record("bank", 90, end_to_end_id="E1", value_day=DAY + 1),
        a_record("bank", 5, end_to_end_id="E1"),
        an_expectation(70),
        a_record("bank", 60, reference="PO1"),
        a_record("bank", 1),
    ]

    assert sorted(map(str, explained(*records))) == sorted(map(str, explained(*records[::-1])))


def test_only_breaks_that_are_found_here_are_closed_here() -> None:
    assert is_found_here(BreakKind.AMOUNT, "bank:7")
    assert is_found_here(BreakKind.MISSING_AT_BANK, "log:0xaa:1")
    assert not is_found_here(BreakKind.AMOUNT, "stl_1")
    assert not is_found_here(BreakKind.DUPLICATE, "log:0xaa:1")
    assert not is_found_here(BreakKind.LATE, "inv_1")
    assert not is_found_here(BreakKind.STUCK, "bank:7")
