"""The shipped demo documents: valid, of many structures, varied without losing validity."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from gateway.demo.authoring.rendering import json_of, xml_of
from gateway.demo.authoring.specs import SPECS
from gateway.demo.companies import COMPANIES, DemoCompany, company, company_by_lei
from gateway.demo.documents import DemoDocument, broken, documents, shipped
from settlement.documents import intake
from settlement.documents.errors import DocumentRejected, DocumentUnreadable
from settlement.documents.identifiers import iban_fault, lei_fault, vat_fault
from settlement.documents.model import InvoiceDocument
from settlement.documents.rules_engine import RulesEngine
from tests.documents.builders import outcome, rule_ids


def _agrees(made: DemoDocument, read: object) -> None:
    assert isinstance(read, InvoiceDocument), (made.template, read)
    assert read.warnings == ()
    assert (read.kind, read.type_code) == (made.kind, made.type_code)
    assert read.number == made.number
    assert str(read.payable) == f"{made.payable} {made.currency}"
    assert company_by_lei(read.seller.lei).key == made.seller
    assert company_by_lei(read.buyer.lei).key == made.buyer
    assert read.seller.country == company(made.seller).country
    assert read.preceding_number == made.credits


def test_every_shipped_document_is_valid_and_says_what_the_index_says(rules: RulesEngine) -> None:
    made = shipped()

    results = intake.read_many([document.content for document in made], engine=rules)

    numbers = {document.template: document.number for document in made}
    credits = {spec.name: numbers.get(spec.credits, "") for spec in SPECS}
    for document, read in zip(made, results, strict=True):
        _agrees(replace(document, credits=credits[document.template]), read)


def test_the_shipped_documents_differ_in_structure() -> None:
    made = shipped()

    assert len(made) >= 12
    assert {document.kind for document in made} == {"ubl", "cii", "facturx", "json"}
    assert {document.currency for document in made} == {"USD", "EUR", "AED", "CNY", "INR"}
    assert {document.type_code for document in made} == {"380", "381"}
    assert {document.seller for document in made} == {one.key for one in COMPANIES}
    assert {goods.tax.category for spec in SPECS for goods in spec.lines} == {
        "S", "Z", "E", "AE", "G", "O",
    }  # fmt: skip


def test_the_shipped_files_are_what_their_specs_say() -> None:
    specs = {spec.name: spec for spec in SPECS}
    contents = {document.template: document.content for document in shipped()}

    for spec in SPECS:
        if spec.kind != "facturx":
            written = json_of(spec, specs) if spec.kind == "json" else xml_of(spec, specs)
            assert contents[spec.name] == written, spec.name


def test_varied_documents_are_distinct_and_valid(rules: RulesEngine) -> None:
    made = documents(100, seed=7, day=date(2027, 2, 1))

    results = intake.read_many([document.content for document in made], engine=rules)

    for document, read in zip(made, results, strict=True):
        _agrees(document, read)
    assert len({document.number for document in made}) == 100
    assert Counter(document.template for document in made).most_common()[-1][1] >= 4
    dates = [read.issue_date for read in results if isinstance(read, InvoiceDocument)]
    assert min(dates) >= date(2027, 2, 1)
    assert max(dates) < date(2027, 4, 1)


def test_a_credit_note_reduces_an_earlier_document_by_less_than_its_amount() -> None:
    made = documents(60, seed=3)

    by_number = {document.number: document for document in made}
    notes = [document for document in made if document.type_code == "381"]
    assert len(notes) >= 6
    for note in notes:
        invoice = by_number[note.credits]
        assert made.index(invoice) < made.index(note)
        assert (invoice.seller, invoice.buyer, invoice.currency) == (
            note.seller,
            note.buyer,
            note.currency,
        )
        assert Decimal(note.payable) < Decimal(invoice.payable)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert documents(45, seed=11) == documents(45, seed=11)
    assert documents(45, seed=11) != documents(45, seed=12)


def test_further_numbers_give_no_duplicates() -> None:
    first = documents(300, seed=1, kinds=("json",))
    second = documents(300, seed=1, kinds=("json",), first_number=301)

    numbers = {(document.seller, document.number) for document in (*first, *second)}
    assert len(numbers) == 600
    assert {document.kind for document in first} == {"json"}


@pytest.mark.parametrize("one", COMPANIES, ids=lambda one: one.key)
def test_a_company_has_identifiers_that_check(one: DemoCompany) -> None:
    assert lei_fault(one.lei) == ""
    assert vat_fault(one.vat_id) == ""
    assert not one.iban or iban_fault(one.iban) == ""


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        (
            "wrong-arithmetic.xml",
            {"BR-G-02", "BR-G-03", "BR-G-04", "BR-G-08", "BR-CO-10", "BR-CO-13", "BR-CO-16"},
        ),
        ("external-entity.xml", {"SR-DOCTYPE"}),
        ("truncated.xml", {"SR-XML"}),
        ("truncated.pdf", {"SR-PDF"}),
        ("numbers-for-amounts.json", {"SR-AMOUNT", "BR-23"}),
    ],
)
def test_a_broken_document_is_refused_by_its_rules(
    name: str, ids: set[str], rules: RulesEngine
) -> None:
    result = outcome(broken(name), rules)

    assert isinstance(result, DocumentRejected)
    assert rule_ids(result) == ids
    assert isinstance(result, DocumentUnreadable) == name.startswith(("external", "truncated"))
