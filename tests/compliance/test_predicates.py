"""Each predicate alone, at its bounds and on both sides: no other rule stands in for it."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from settlement.compliance.policy import Facts, Tables
from settlement.compliance.policy.predicates import PREDICATES, PairKind, read_option
from tests.compliance.test_baseline_rules import GOOD, but

TABLES = Tables({"EUR": Fraction(1), "AED": Fraction(4)}, {"dual_use": ("8401", "854231")})
MILLION = {"units": "1", "currency": "AED"}
"""In AED the good payment's very amount."""
UN, OTHER = "name is on un (7)", "name is on ofac_sdn (7)"
MINER = {"trade.source_of_funds": "mined", "debtor.legal_form": "individual"}
LAST, FIRST = {"payment.amount_minor": 999_999}, {"payment.amount_minor": 1_000_001}
_EITHER_SIDE: list[tuple[str, dict[str, Any], str, Any]] = [
    ("party_inactive", {}, "state", "expired"),
    ("documents_missing", {}, "documents_missing", ("passport",)),
    ("wallet_bound", {}, "wallet_bound", ("is frozen",)),
    ("country_in", {"countries": ["KP"]}, "country", "KP"),
    ("party_in_register", {"register": "r"}, "registers", ("q", "r")),
    ("legal_form_in", {"forms": ["individual"]}, "legal_form", "individual"),
    ("wallet_not_the_partys", {}, "owns_wallet", False),
    ("wallet_not_usable", {}, "wallet_is_usable", False),
    ("self_hosted", {}, "wallet_kind", "self_hosted"),
    ("name_listed", {"list": "un"}, "names_listed", (OTHER, UN)),
    ("address_listed", {"list": "un"}, "addresses_listed", (UN,)),
    ("hits_open", {}, "hits_open", (OTHER,)),
    ("hits_confirmed", {"list": "un"}, "hits_confirmed", (UN,)),
    ("listed_ownership", {"basis_points": "5000"}, "listed_ownership_bp", 5_000),
    ("listed_ownership", {"basis_points": "5000", "compared": "above"}, "listed_ownership_bp",
     5_001),
    ("listed_control", {}, "listed_control", ("nat_1",)),
]  # fmt: skip
FOUND = [
    *((name, options, {f"{side}.{field}": value}) for name, options, field, value in _EITHER_SIDE
      for side in ("debtor", "creditor")),
    ("payee_change_pending", {}, {"creditor.payee_change_pending": True}),
    ("both_countries_in", {"countries": ["AE", "JP"]}, {}),
    ("residents_not_in_register", {"register": "r", "countries": ["JP"]}, {}),
    ("token_not_listed", {}, {"asset.is_listed": False}),
    ("asset_in", {"assets": ["0x70"]}, {}),
    ("asset_in", {"assets": ["TAED"]}, {}),
    ("asset_not_in_register", {"register": "r"}, {"asset.registers": ("q",)}),
    ("amount_at_least", MILLION, {}),
    ("amount_above", MILLION, FIRST),
    ("over_units", {"units": "1"}, FIRST),
    ("mandate_missing", {}, {"payment.mandate_cap_payment_minor": None}),
    ("over_payment_cap", {}, FIRST),
    ("over_day_cap", {}, FIRST),
    ("funds_short", {}, FIRST),
    ("travel_rule_missing", MILLION, {"payment.travel_rule_gaps": ("a name",)}),
    ("sunrise", MILLION, {"payment.sunrise": "why"}),
    ("inquiry_open", {}, {"payment.inquiry": "inq_1"}),
    ("self_hosted_unproved", MILLION,
     {**FIRST, "creditor.wallet_kind": "self_hosted", "creditor.wallet_is_proved": False}),
    ("contract_missing", {}, {}),
    ("contract_not_registered", {**MILLION, "countries": ["AE"], "direction": "import"}, FIRST),
    ("contract_not_registered", {**MILLION, "countries": ["JP"], "direction": "export"}, FIRST),
    ("purpose_missing", {}, {}),
    ("purpose_not_in_register", {"register": "r"},
     {"trade.purpose_code": "x", "trade.purpose_registers": ("q",)}),
    ("papers_missing", {"kinds": ["contract", "invoice"]}, {"trade.documents": ("invoice",)}),
    ("goods_on_list", {"list": "dual_use"}, {"trade.hs_codes": ("010101", "84011000")}),
    ("goods_on_list", {"list": "dual_use"}, {"trade.hs_codes": ("8401", "8542")}),
    ("source_missing", {}, {}),
    ("mined_unregistered", {"register": "r", "forms": ["individual"]},
     {**MINER, "trade.mining_register_id": "MO-9"}),
    ("mined_kwh_missing", {"register": "r"}, MINER),
    ("mined_over_kwh", {"register": "r", "kwh": "6000"}, {**MINER, "trade.kwh_of_month": 6_001}),
    ("mined_addresses_missing", {}, MINER),
    ("mined_region_missing", {}, MINER),
    ("mined_in_region", {"register": "r"}, {**MINER, "trade.region_registers": ("r",)}),
    ("mined_sum_at_least", {**MILLION, "per": "debtor", "period": "day"}, MINER),
    ("sum_at_least", {**MILLION, "per": "debtor", "period": "month"}, {}),
    ("small_payments_reach", {**MILLION, "per": "pair", "period": "7 days"},
     {"payment.amount_minor": 1, "payment.sums": {"pair:7d<1 AED": {"AED": 999_999_000}}}),
]  # fmt: skip
NOT_FOUND = [
    ("listed_ownership", {"basis_points": "5000"}, {"debtor.listed_ownership_bp": 4_999}),
    ("listed_ownership", {"basis_points": "5000", "compared": "above"},
     {"debtor.listed_ownership_bp": 5_000, "creditor.listed_ownership_bp": 5_000}),
    ("listed_ownership", {"basis_points": "5000"},
     {"debtor.listed_ownership_bp": 2_500, "creditor.listed_ownership_bp": 2_500}),
    ("name_listed", {"list": "un"}, {"debtor.names_listed": (OTHER,)}),
    ("hits_confirmed", {"list": "un"}, {"debtor.hits_confirmed": (OTHER,)}),
    ("address_listed", {"list": "un"}, {"creditor.addresses_listed": (OTHER,)}),
    ("payee_change_pending", {}, {"debtor.payee_change_pending": True}),
    ("both_countries_in", {"countries": ["AE"]}, {}),
    ("residents_not_in_register", {"register": "r", "countries": ["JP"]},
     {"creditor.registers": ("r",)}),
    ("asset_not_in_register", {"register": "r"}, {"asset.registers": ("r",)}),
    ("amount_at_least", MILLION, LAST),
    ("amount_above", MILLION, {}),
    ("over_units", {"units": "1"}, {}),
    ("over_payment_cap", {}, {}),
    ("over_payment_cap", {}, {"payment.mandate_cap_payment_minor": None}),
    ("over_day_cap", {}, {}),
    ("funds_short", {}, {}),
    ("travel_rule_missing", MILLION, {**LAST, "payment.travel_rule_gaps": ("a name",)}),
    ("travel_rule_missing", MILLION, {}),
    ("sunrise", MILLION, {**LAST, "payment.sunrise": "why"}),
    ("self_hosted_unproved", MILLION,
     {"creditor.wallet_kind": "self_hosted", "creditor.wallet_is_proved": False}),
    ("self_hosted_unproved", MILLION, {**FIRST, "creditor.wallet_is_proved": False}),
    ("self_hosted_unproved", MILLION, {**FIRST, "creditor.wallet_kind": "self_hosted"}),
    ("contract_not_registered", {**MILLION, "countries": ["AE"], "direction": "import"}, {}),
    ("contract_not_registered", {**MILLION, "countries": ["AE"], "direction": "export"}, FIRST),
    ("contract_not_registered", {**MILLION, "countries": ["AE"], "direction": "import"},
     {**FIRST, "trade.contract_registration": "1"}),
    ("purpose_not_in_register", {"register": "r"}, {}),
    ("papers_missing", {"kinds": ["contract"]}, {"trade.documents": ("invoice", "contract")}),
    ("goods_on_list", {"list": "dual_use"}, {"trade.hs_codes": ("854232", "840200")}),
    ("mined_unregistered", {"register": "r", "forms": ["legal_entity"]}, MINER),
    ("mined_unregistered", {"register": "r", "forms": ["individual"]},
     {**MINER, "trade.mining_register_known": True}),
    ("mined_unregistered", {"register": "r", "forms": ["individual"]},
     {**MINER, "debtor.registers": ("r",)}),
    ("mined_kwh_missing", {"register": "r"}, {**MINER, "trade.kwh_of_month": 0}),
    ("mined_kwh_missing", {"register": "r"}, {**MINER, "debtor.legal_form": "sole_proprietor"}),
    ("mined_kwh_missing", {"register": "r"}, {**MINER, "debtor.registers": ("r",)}),
    ("mined_over_kwh", {"register": "r", "kwh": "6000"}, {**MINER, "trade.kwh_of_month": 6_000}),
    ("mined_over_kwh", {"register": "r", "kwh": "6000"},
     {**MINER, "trade.kwh_of_month": 6_001, "trade.mining_register_known": True}),
    ("mined_over_kwh", {"register": "r", "kwh": "6000"},
     {**MINER, "trade.kwh_of_month": 6_001, "debtor.legal_form": "legal_entity"}),
    ("mined_in_region", {"register": "r"}, {"trade.region_registers": ("r",)}),
    ("mined_sum_at_least", {**MILLION, "per": "debtor", "period": "day"}, {}),
    ("sum_at_least", {**MILLION, "per": "debtor", "period": "month"}, LAST),
    ("small_payments_reach", {**MILLION, "per": "pair", "period": "7 days"}, {}),
    ("small_payments_reach", {**MILLION, "per": "pair", "period": "7 days"}, LAST),
]  # fmt: skip


def found(name: str, options: Mapping[str, Any], facts: Facts) -> str:
    """Return what a predicate says, its options read as from a file."""
    kind = PREDICATES[name]
    kinds = {**kind.needs, **kind.may}
    read = {key: read_option(kinds[key], value) for key, value in options.items()}
    check: Any = kind.make(read, TABLES)
    return str(check(facts.pair if isinstance(kind, PairKind) else facts))


@pytest.mark.parametrize(("name", "options", "changes"), FOUND)
def test_a_predicate_finds(name: str, options: dict[str, Any], changes: dict[str, Any]) -> None:
    assert found(name, options, but(GOOD, changes))


@pytest.mark.parametrize(("name", "options", "changes"), NOT_FOUND)
def test_a_predicate_does_not_find(
    name: str, options: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert found(name, options, but(GOOD, changes)) == ""


def test_every_predicate_is_here() -> None:
    assert {name for name, *_ in FOUND} == set(PREDICATES)
