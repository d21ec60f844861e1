"""UBL and CII: official rules and ours, every failure with its place, what was found, a repair."""

import time
from datetime import date

import pytest

from settlement.documents.errors import (
    DocumentRejected,
    DocumentTooLarge,
    DocumentUnreadable,
    UnknownDocumentType,
)
from settlement.documents.model import InvoiceDocument, from_json
from settlement.documents.rules_engine import RulesEngine
from tests.documents.builders import a_document, an_xml, outcome, rule_ids

UBL = "ubl-01-ring-spinning-parts"
CII = "cii-01-knitting-machine-parts"


def test_a_ubl_invoice_is_read_in_full(rules: RulesEngine) -> None:
    document = outcome(a_document("ubl-09-usd-with-euro-tax"), rules)

    assert isinstance(document, InvoiceDocument)
    assert (document.kind, document.type_code) == ("ubl", "380")
    assert (document.issue_date, document.due_date) == (date(2026, 9, 17), date(2026, 10, 17))
    assert document.seller.lei == "529900HARTWIG7MB2K73"
    assert document.seller.vat_id == "DE129274202"
    assert document.seller.address.city == "Esslingen am Neckar"
    assert document.buyer.country == "CN"
    assert (document.lines_net_minor, document.tax_minor) == (678_000, 128_820)
    assert str(document.payable) == "8068.20 USD"
    assert (document.tax_currency, document.tax_currency_tax) == ("EUR", "1187.60")
    assert [line.net_minor for line in document.lines] == [630_000, 48_000]
    assert document.lines[0].classifications[0].scheme == "HS"
    assert document.vat_breakdown[0].rate == "19"
    assert document.iban == "DE92611500200100417826"
    assert document.notes == ("USD 1 = EUR 0.92 on the day of issue.",)


def test_a_cii_document_gives_the_same_record_as_its_fields_say(rules: RulesEngine) -> None:
    document = outcome(a_document(CII), rules)

    assert isinstance(document, InvoiceDocument)
    assert (document.kind, document.number) == ("cii", "HM-BASE-1001")
    assert (document.issue_date, document.due_date) == (date(2026, 9, 18), date(2026, 10, 18))
    assert [(it.kind, it.amount_minor) for it in document.adjustments] == [
        ("allowance", 10_000),
        ("charge", 24_000),
    ]
    assert (document.lines_net_minor, document.payable_minor) == (578_000, 592_000)
    assert (document.seller.lei, document.buyer.lei) == (
        "529900HARTWIG7MB2K73",
        "984500KAVERITX3P6178",
    )
    assert document.lines[1].name == "Yarn feeder, electronic"
    assert document.order_reference == "KTE-PO-5540"
    assert from_json(document.as_json()) == document


@pytest.mark.parametrize(
    ("template", "number"),
    [
        ("ubl-08-credit-note-service", "HM-BASE-0501"),
        ("cii-03-credit-note-sensors", "LYE-BASE-1101"),
    ],
)
def test_a_credit_note_names_its_invoice(template: str, number: str, rules: RulesEngine) -> None:
    document = outcome(a_document(template), rules)

    assert isinstance(document, InvoiceDocument)
    assert document.is_credit_note
    assert document.preceding_number == number
    assert document.preceding_issue_date is not None
    assert document.payable_minor > 0


def test_every_broken_rule_is_named_with_what_was_found(rules: RulesEngine) -> None:
    content = an_xml(
        UBL,
        (r"(<cbc:PayableAmount[^>]*>)[\d.]+", r"\g<1>9.00"),
        (r"(<cbc:TaxableAmount[^>]*>)[\d.]+", r"\g<1>1.00"),
        (r"<cbc:IssueDate>.*</cbc:IssueDate>", ""),
    )

    result = outcome(content, rules)

    assert isinstance(result, DocumentRejected)
    assert rule_ids(result) >= {"BR-CO-16", "BR-G-08", "BR-03"}
    due = next(it for it in result.failures if it.rule_id == "BR-CO-16")
    assert due.location == "/Invoice/cac:LegalMonetaryTotal"
    assert "cbc:PayableAmount 9.00" in due.found
    assert "cbc:TaxInclusiveAmount 2628.00" in due.found
    assert due.message.startswith("Amount due for payment (BT-115)")
    assert due.repair.startswith("Let the amount due (BT-115) be")
    assert all(it.message and it.repair and it.location for it in result.failures)


@pytest.mark.parametrize(
    ("change", "rule_id"),
    [
        ((r"(<cbc:PayableAmount[^>]*>)[\d.]+", r"\g<1>abc"), "SR-XSD"),
        ((r"<cbc:ID>HM-BASE-0101</cbc:ID>", ""), "BR-02"),
        ((r"HM-BASE-0101", "HM\u200e0101"), "SR-NUMBER"),
        ((r"<cbc:InvoiceTypeCode>380", "<cbc:InvoiceTypeCode>384"), "SR-TYPE"),
        ((r"529900HARTWIG7MB2K73", "529900HARTWIG7MB2K74"), "SR-LEI"),
        ((r"(<cbc:PayableAmount currencyID=)\"EUR\"", r'\1"USD"'), "SR-CURRENCY"),
        ((r"EUR", "XXX"), "SR-CURRENCY"),
        ((r"(<cac:PartyLegalEntity>[\s\S]*?</cac:PartyLegalEntity>)", r"\1\1"), "SR-RULES"),
        ((r"(<cbc:PayableAmount[^>]*>)[\d.]+", r"\g<1>2628.001"), "SR-DECIMALS"),
        ((r"<cbc:IdentificationCode>IN", "<cbc:IdentificationCode>ZZ"), "SR-COUNTRY"),
        ((r"<cac:InvoiceLine>[\s\S]*</cac:InvoiceLine>", ""), "BR-16"),
        ((r"Hartwig Maschinenbau", "Hartwig\u202e Maschinenbau"), "SR-TEXT"),
    ],
)
def test_a_wrong_value_is_refused_by_its_rule(
    change: tuple[str, str], rule_id: str, rules: RulesEngine
) -> None:
    assert rule_id in rule_ids(outcome(an_xml(UBL, change), rules))


@pytest.mark.parametrize(
    "change",
    [
        (r"<cbc:DocumentCurrencyCode>.*</cbc:DocumentCurrencyCode>", ""),
        (r"(<cbc:DocumentCurrencyCode>)EUR", r"\1EURO"),
    ],
)
def test_a_missing_or_unknown_currency_is_told_once(
    change: tuple[str, str], rules: RulesEngine
) -> None:
    result = outcome(an_xml(UBL, change), rules)

    assert isinstance(result, DocumentRejected)
    own = [each.rule_id for each in result.failures if each.rule_id.startswith("SR-")]
    assert own == ["SR-CURRENCY"]


@pytest.mark.parametrize("factor", ["0", "-1"])
def test_nothing_due_is_refused(factor: str, rules: RulesEngine) -> None:
    prepaid = {"0": "2628.00", "-1": "2629.00"}[factor]
    due = {"0": "0.00", "-1": "-1.00"}[factor]
    content = an_xml(
        UBL,
        (
            r"(<cbc:PayableAmount[^>]*>)[\d.]+",
            rf'<cbc:PrepaidAmount currencyID="EUR">{prepaid}</cbc:PrepaidAmount>\g<1>{due}',
        ),
    )

    assert rule_ids(outcome(content, rules)) == {"SR-PAYABLE"}


def test_a_wrong_vat_number_is_a_warning_since_the_official_rules_allow_it(
    rules: RulesEngine,
) -> None:
    document = outcome(an_xml(UBL, ("DE129274202", "DE129274203")), rules)

    assert isinstance(document, InvoiceDocument)
    assert [warning.rule_id for warning in document.warnings] == ["SR-VAT"]


@pytest.mark.parametrize(
    "profile",
    [
        "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
        "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic",
        "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
    ],
)
def test_profiles_that_keep_the_standard_are_accepted(profile: str, rules: RulesEngine) -> None:
    for template in (UBL, CII):
        content = an_xml(template, (r">urn:cen\.eu:en16931:2017<", f">{profile}<"))

        assert isinstance(outcome(content, rules), InvoiceDocument)


def test_a_profile_below_the_standard_is_refused(rules: RulesEngine) -> None:
    content = an_xml(CII, (r">urn:cen\.eu:en16931:2017<", ">urn:factur-x.eu:1p0:minimum<"))

    assert rule_ids(outcome(content, rules)) == {"FX-SCH-A-000556"}


def test_an_entity_is_refused_and_never_read(rules: RulesEngine) -> None:
    head = '<!DOCTYPE Invoice [<!ENTITY secret SYSTEM "file:///etc/hostname">]>\n<Invoice'
    content = an_xml(UBL, ("<Invoice", head), ("<cbc:Note>", "<cbc:Note>&secret;"))

    result = outcome(content, rules)

    assert isinstance(result, DocumentUnreadable)
    assert rule_ids(result) == {"SR-DOCTYPE"}
    with open("/etc/hostname", encoding="utf-8") as file:
        assert file.read().strip() not in str(result.failures)


def _laughs() -> str:
    levels = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 12))
    return f'<!DOCTYPE a [<!ENTITY l0 "lol">{levels}]><a>&l11;</a>'


@pytest.mark.parametrize(
    "content",
    [
        _laughs().encode(),
        _laughs().encode("utf-16"),
        _laughs().encode("utf-16-le"),
        b'\xef\xbb\xbf<?xml version="1.0"?><!DOCTYPE Invoice SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>',
    ],
)
def test_no_doctype_is_ever_expanded(content: bytes, rules: RulesEngine) -> None:
    began = time.monotonic()

    result = outcome(content, rules)

    assert rule_ids(result) == {"SR-DOCTYPE"}
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("content", "rule_id"),
    [
        (b"", "SR-EMPTY"),
        (b" \n", "SR-EMPTY"),
        (b"hello", "SR-FORMAT"),
        (b"PK\x03\x04", "SR-FORMAT"),
        (b"[1]", "SR-FORMAT"),
        (b"<html/>", "SR-FORMAT"),
        (b"<Invoice/>", "SR-FORMAT"),
        (b"<a><b></a>", "SR-XML"),
        (b"<a>" * 300 + b"</a>" * 300, "SR-XML"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "SR-ENCODING"),
        (b'<?xml version="1.0" encoding="EBCDIC-CP-US"?><a/>', "SR-ENCODING"),
        (b"<a>\xff\xfe</a>", "SR-ENCODING"),
        (b"<r>" + b"<a/>" * 300_000 + b"</r>", "SR-SIZE"),
        (b"<r>" + b" " * 10_000_000 + b"</r>", "SR-SIZE"),
    ],
)
def test_what_cannot_be_read_is_refused(content: bytes, rule_id: str, rules: RulesEngine) -> None:
    result = outcome(content, rules)

    assert isinstance(result, (DocumentUnreadable, DocumentTooLarge, UnknownDocumentType))
    assert rule_ids(result) == {rule_id}


def test_other_encodings_are_read(rules: RulesEngine) -> None:
    text = a_document(UBL).decode().replace("encoding='UTF-8'", "encoding='UTF-16'")
    latin = a_document(UBL).decode().replace("encoding='UTF-8'", "encoding='ISO-8859-1'")

    for content in (
        text.encode("utf-16"),
        latin.encode("iso-8859-1"),
        b"\xef\xbb\xbf" + a_document(UBL),
    ):
        document = outcome(content, rules)
        assert isinstance(document, InvoiceDocument)
        assert document.seller.address.street == "Industriestraße 14"


def test_a_large_document_is_judged(rules: RulesEngine) -> None:
    text = a_document("ubl-04-motor-drives").decode()
    start, end = text.index("<cac:InvoiceLine>"), text.rindex("</cac:InvoiceLine>")
    lines = text[start : end + len("</cac:InvoiceLine>")]
    content = text.replace(lines, lines * 1_000).encode()

    result = outcome(content, rules)

    assert "BR-CO-10" in rule_ids(result)
