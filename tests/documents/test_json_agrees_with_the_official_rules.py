"""The same mistake in our JSON and in UBL breaks the same rules: ours against the official ones."""

import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from lxml import etree

from gateway.demo.authoring.rendering import json_of, xml_of
from gateway.demo.authoring.specs import SPECS, Spec
from settlement.documents import intake
from settlement.documents.rulebook import NAMESPACES
from settlement.documents.rules_engine import RulesEngine
from tests.documents.builders import at, json_outcome, rule_ids

ALL = {spec.name: spec for spec in SPECS}
TESTED = (
    "ubl-01",
    "ubl-03",
    "ubl-04",
    "ubl-05",
    "ubl-06",
    "ubl-07",
    "cii-04",
    "json-02",
    "json-03",
)

TOTAL = "cac:LegalMonetaryTotal/cbc:"
AMOUNTS = (
    ("/totals/lines_net", f"{TOTAL}LineExtensionAmount"),
    ("/totals/allowances", f"{TOTAL}AllowanceTotalAmount"),
    ("/totals/charges", f"{TOTAL}ChargeTotalAmount"),
    ("/totals/tax_exclusive", f"{TOTAL}TaxExclusiveAmount"),
    ("/totals/tax_inclusive", f"{TOTAL}TaxInclusiveAmount"),
    ("/totals/prepaid", f"{TOTAL}PrepaidAmount"),
    ("/totals/payable", f"{TOTAL}PayableAmount"),
    ("/totals/tax", "cac:TaxTotal/cbc:TaxAmount"),
    ("/lines/0/net", "cac:InvoiceLine[1]/cbc:LineExtensionAmount"),
    ("/lines/1/net", "cac:InvoiceLine[2]/cbc:LineExtensionAmount"),
    ("/allowances/0/amount", "cac:AllowanceCharge[cbc:ChargeIndicator='false']/cbc:Amount"),
    ("/charges/0/amount", "cac:AllowanceCharge[cbc:ChargeIndicator='true']/cbc:Amount"),
    ("/vat_breakdown/0/taxable", "cac:TaxTotal/cac:TaxSubtotal[1]/cbc:TaxableAmount"),
    ("/vat_breakdown/0/tax", "cac:TaxTotal/cac:TaxSubtotal[1]/cbc:TaxAmount"),
    ("/vat_breakdown/1/taxable", "cac:TaxTotal/cac:TaxSubtotal[2]/cbc:TaxableAmount"),
    ("/vat_breakdown/1/tax", "cac:TaxTotal/cac:TaxSubtotal[2]/cbc:TaxAmount"),
)
CATEGORIES = (
    ("/lines/0/vat_category", "cac:InvoiceLine[1]/cac:Item/cac:ClassifiedTaxCategory/cbc:ID"),
    ("/vat_breakdown/0/category", "cac:TaxTotal/cac:TaxSubtotal[1]/cac:TaxCategory/cbc:ID"),
)
MISSING = (
    ("/seller/vat_id", "cac:AccountingSupplierParty//cac:PartyTaxScheme"),
    ("/buyer/vat_id", "cac:AccountingCustomerParty//cac:PartyTaxScheme"),
    ("/vat_breakdown/0/exemption_reason", "cac:TaxTotal//cbc:TaxExemptionReason"),
    ("/lines/0/vat_rate", "cac:InvoiceLine[1]/cac:Item/cac:ClassifiedTaxCategory/cbc:Percent"),
)
SAME_IN_OTHER_WORDS = {"BR-S-01", "BR-Z-01", "BR-E-01", "BR-G-01", "BR-AE-01", "BR-O-01"}
"""A category without its part of the breakdown: the neighbouring rules tell the same mistake."""


@cache
def _written(prefix: str) -> tuple[bytes, bytes]:
    spec: Spec = next(spec for spec in SPECS if spec.name.startswith(prefix))
    return json_of(spec, ALL), xml_of(replace(spec, kind="ubl"), ALL)


def _pair(prefix: str) -> tuple[dict[str, Any], etree._Element]:
    plain, xml = _written(prefix)
    return json.loads(plain), etree.fromstring(xml)


def _both(
    plain: dict[str, Any], root: etree._Element, rules: RulesEngine
) -> tuple[set[str], set[str]]:
    official = rule_ids(intake.read_many([etree.tostring(root)], engine=rules)[0])
    ours = rule_ids(json_outcome(plain))
    return (
        {it for it in ours if it.startswith("BR-")},
        {it for it in official if it.startswith("BR-")},
    )


@pytest.mark.parametrize("prefix", TESTED)
def test_an_unchanged_document_is_accepted_by_both(prefix: str, rules: RulesEngine) -> None:
    assert _both(*_pair(prefix), rules) == (set(), set())


@pytest.mark.parametrize("delta", ["0.01", "-1", "250"])
@pytest.mark.parametrize("prefix", TESTED)
def test_a_changed_amount_breaks_the_same_rules(
    prefix: str, delta: str, rules: RulesEngine
) -> None:
    tried = 0
    for pointer, path in AMOUNTS:
        plain, root = _pair(prefix)
        found = root.xpath(path, namespaces=NAMESPACES)
        if not found:
            continue
        container, last = at(plain, pointer)
        changed = str(Decimal(container[last]) + Decimal(delta))
        if changed.startswith("-"):
            continue
        container[last], found[0].text = changed, changed

        ours, official = _both(plain, root, rules)

        assert ours == official, f"{prefix} {pointer} {changed}"
        tried += 1
    assert tried >= 7


@pytest.mark.parametrize("category", ["S", "Z", "E", "AE", "K", "G", "O"])
@pytest.mark.parametrize("prefix", ["ubl-01", "ubl-04", "ubl-05", "ubl-07"])
def test_a_changed_category_is_refused_by_both(
    prefix: str, category: str, rules: RulesEngine
) -> None:
    for pointer, path in CATEGORIES:
        plain, root = _pair(prefix)
        container, last = at(plain, pointer)
        if container[last] == category:
            continue
        container[last] = category
        root.xpath(path, namespaces=NAMESPACES)[0].text = category

        ours, official = _both(plain, root, rules)

        assert ours
        assert official
        assert (ours & official) or (ours & SAME_IN_OTHER_WORDS), f"{prefix} {pointer} {category}"


@pytest.mark.parametrize("prefix", TESTED)
def test_a_missing_part_is_refused_by_both(prefix: str, rules: RulesEngine) -> None:
    for pointer, path in MISSING:
        plain, root = _pair(prefix)
        container, last = at(plain, pointer)
        found = root.xpath(path, namespaces=NAMESPACES)
        if last not in container or not found:
            continue
        del container[last]
        found[0].getparent().remove(found[0])

        ours, official = _both(plain, root, rules)

        assert bool(ours) == bool(official), f"{prefix} {pointer}: {ours} {official}"
        assert ours <= official, f"{prefix} {pointer}: {ours} {official}"
