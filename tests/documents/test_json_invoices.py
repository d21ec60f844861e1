"""Our own JSON invoice: what is accepted, and every way in which it is refused."""

import json
from datetime import date

import pytest

from settlement.documents.errors import DocumentRejected, DocumentTooLarge
from settlement.documents.json_invoice import EXAMPLE
from settlement.documents.json_reading import read_json
from settlement.documents.model import InvoiceDocument, from_json
from tests.documents.builders import a_json, at, json_outcome, rule_ids, with_value


def test_the_example_is_read_to_the_cent() -> None:
    document = read_json(json.dumps(EXAMPLE).encode())

    assert document.kind == "json"
    assert document.number == "HM-2026-00417"
    assert document.issue_date == date(2026, 10, 5)
    assert str(document.payable) == "4320.00 EUR"
    assert document.lines[0].net_minor == 414_000
    assert document.lines[0].classifications[0].code == "84834021"
    assert document.seller.lei == "529900HARTWIG7MB2K73"
    assert document.buyer.country == "AE"
    assert len(document.sha256) == 64


def test_a_record_comes_back_from_its_json() -> None:
    document = read_json(json.dumps(EXAMPLE).encode())

    assert from_json(document.as_json()) == document
    assert json.loads(document.as_json_bytes()) == document.as_json()


@pytest.mark.parametrize(
    "value",
    [
        4320,
        4320.0,
        4320.5,
        True,
        "4.32e3",
        "NaN",
        "Infinity",
        "1e400",
        "+4320",
        "04320",
        "4,320",
        "4320.",
        ".5",
        " 4320",
        "4320 ",
        "4320.00 EUR",
        "",
        "٤٣٢٠",
        "0x10",
        "--1",
        "4320.00000",
    ],
)
def test_an_amount_is_a_plain_decimal_string(value: object) -> None:
    result = json_outcome(with_value("/totals/payable", value))

    assert isinstance(result, DocumentRejected)
    assert [(failure.rule_id, failure.location) for failure in result.failures] in (
        [("SR-AMOUNT", "/totals/payable")],
        [("BR-15", "/totals/payable")],
    )


def test_a_bare_nan_is_no_amount() -> None:
    content = json.dumps(with_value("/totals/payable", float("nan"))).encode()

    result = json_outcome(content)

    assert rule_ids(result) == {"SR-AMOUNT"}


def test_more_decimals_than_the_currency_has_are_refused() -> None:
    result = json_outcome(with_value("/lines/0/net", "4140.001"))

    assert "SR-DECIMALS" in rule_ids(result)


def test_a_currency_without_minor_units_takes_whole_amounts_only() -> None:
    plain = a_json(currency="JPY")

    assert "SR-DECIMALS" in rule_ids(json_outcome(plain))
    whole = json.loads(json.dumps(plain).replace(".00", ""))
    result = json_outcome(whole)
    assert isinstance(result, InvoiceDocument)
    assert str(result.payable) == "4320 JPY"


@pytest.mark.parametrize("payable", ["0", "0.00", "-1.00"])
def test_nothing_due_is_refused(payable: str) -> None:
    plain = with_value("/totals/payable", payable)
    plain["totals"]["prepaid"] = {"0": "4320", "0.00": "4320", "-1.00": "4321"}[payable]

    assert rule_ids(json_outcome(plain)) == {"SR-PAYABLE"}


def test_the_largest_amount_fits_and_one_more_does_not() -> None:
    def with_total(amount: str) -> dict[str, object]:
        plain = a_json(charges=None)
        plain["lines"][0] |= {"quantity": "1", "price": amount, "net": amount}
        plain["vat_breakdown"][0]["taxable"] = amount
        for name in ("lines_net", "tax_exclusive", "tax_inclusive", "payable"):
            plain["totals"][name] = amount
        plain["totals"]["charges"] = "0"
        return plain

    fits = json_outcome(with_total("92233720368547758.07"))
    over = json_outcome(with_total("92233720368547758.08"))

    assert isinstance(fits, InvoiceDocument)
    assert fits.payable_minor == 2**63 - 1
    assert "SR-AMOUNT" in rule_ids(over)


@pytest.mark.parametrize(
    ("pointer", "rule_id"),
    [
        ("/type_code", "BR-04"),
        ("/number", "BR-02"),
        ("/issue_date", "BR-03"),
        ("/currency", "BR-05"),
        ("/seller/name", "BR-06"),
        ("/buyer/name", "BR-07"),
        ("/seller/address", "BR-08"),
        ("/seller/address/country", "BR-09"),
        ("/buyer/address", "BR-10"),
        ("/buyer/address/country", "BR-11"),
        ("/totals/lines_net", "BR-12"),
        ("/totals/tax_exclusive", "BR-13"),
        ("/totals/tax_inclusive", "BR-14"),
        ("/totals/payable", "BR-15"),
        ("/lines", "BR-16"),
        ("/lines/0/id", "BR-21"),
        ("/lines/0/quantity", "BR-22"),
        ("/lines/0/unit", "BR-23"),
        ("/lines/0/net", "BR-24"),
        ("/lines/0/name", "BR-25"),
        ("/lines/0/price", "BR-26"),
        ("/lines/0/vat_category", "BR-CO-04"),
        ("/charges/0/amount", "BR-36"),
        ("/charges/0/vat_category", "BR-37"),
        ("/charges/0/reason", "BR-38"),
        ("/vat_breakdown", "BR-CO-18"),
        ("/vat_breakdown/0/taxable", "BR-45"),
        ("/vat_breakdown/0/tax", "BR-46"),
        ("/vat_breakdown/0/category", "BR-47"),
        ("/seller/vat_id", "BR-G-02"),
        ("/vat_breakdown/0/rate", "BR-48"),
        ("/vat_breakdown/0/exemption_reason", "BR-G-10"),
        ("/lines/0/vat_rate", "BR-G-05"),
        ("/charges/0/vat_rate", "BR-G-07"),
    ],
)
def test_a_missing_field_is_named_by_its_rule(pointer: str, rule_id: str) -> None:
    plain = a_json()
    container, last = at(plain, pointer)
    del container[last]

    result = json_outcome(plain)

    assert isinstance(result, DocumentRejected)
    assert [failure.rule_id for failure in result.failures] == [rule_id]
    assert result.failures[0].location.startswith(pointer.rpartition("/")[0])
    assert result.failures[0].repair.endswith(".")


def test_every_broken_rule_is_named_at_once() -> None:
    plain = a_json(number="\u202eevil", currency="XXX")
    plain["seller"]["lei"] = "529900HARTWIG7MB2K74"
    plain["seller"]["vat_id"] = "DE129274203"
    plain["buyer"]["address"]["country"] = "ZZ"
    plain["totals"]["lines_net"] = "1.00"

    ids = rule_ids(json_outcome(plain))

    assert ids == {
        "SR-NUMBER", "SR-CURRENCY", "SR-LEI", "SR-VAT", "SR-COUNTRY", "SR-TEXT", "BR-CO-10",
        "BR-CO-13",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value", "rule_id"),
    [
        ("/type_code", "384", "SR-TYPE"),
        ("/issue_date", "2026-02-30", "SR-DATE"),
        ("/due_date", "30.10.2026", "SR-DATE"),
        ("/iban", "DE92611500200100417827", "SR-IBAN"),
        ("/lines/0/vat_category", "X", "BR-CL-17"),
        ("/lines/0/net", "4140.02", "SR-LINE-NET"),
        ("/seller/name", "Hartwig\x00GmbH", "SR-TEXT"),
        ("/seller/name", "Hartwig\u202eGmbH", "SR-TEXT"),
        ("/number", "HM\n2026", "SR-NUMBER"),
        ("/number", "НМ-2026-a", "SR-NUMBER"),
        ("/number", "x" * 101, "SR-NUMBER"),
        ("/number", "", "BR-02"),
        ("/notes", ["a\x07b"], "SR-TEXT"),
        ("/payable", "1.00", "SR-UNKNOWN"),
        ("/seller/roles", ["admin"], "SR-UNKNOWN"),
        ("/lines", [], "BR-16"),
        ("/lines", {}, "SR-FIELD"),
        ("/seller", "Hartwig", "SR-FIELD"),
    ],
)
def test_a_wrong_value_is_refused_by_its_rule(pointer: str, value: object, rule_id: str) -> None:
    assert rule_id in rule_ids(json_outcome(with_value(pointer, value)))


def test_a_key_that_stands_twice_is_refused() -> None:
    text = json.dumps(EXAMPLE, ensure_ascii=False)
    assert "\\" not in text
    plain = text.replace('"payable"', '"payable": "1.00", "payable"')
    nested = text.replace('"price"', '"price": "1", "price"')
    escaped = text.replace('"payable"', '"payable": "1.00", "\\u0070ayable"')

    for content in (plain, nested, escaped):
        assert rule_ids(json_outcome(content.encode())) == {"SR-TWIN"}


@pytest.mark.parametrize("hidden", ["\u202e", "\x7f", "\u0085", "\ufeff"])
def test_a_hidden_character_is_found_without_an_escape_too(hidden: str) -> None:
    for street in ("Industriestraße 14", "Industriestrasse 14"):
        plain = a_json()
        plain["seller"]["address"]["street"] = street + hidden
        content = json.dumps(plain, ensure_ascii=False).encode()

        assert rule_ids(json_outcome(content)) == {"SR-TEXT"}


def test_an_escaped_quote_hides_no_twin() -> None:
    text = json.dumps(EXAMPLE).replace('"payable"', '"payable": "1.00", "payable"')
    text = text.replace("Sea freight", "Sea \\u0022fre\\u0022ight")

    assert rule_ids(json_outcome(text.encode())) == {"SR-TWIN"}


def test_escapes_alone_are_accepted() -> None:
    text = json.dumps(EXAMPLE, ensure_ascii=True).replace(
        "Sea freight", "Sea \\u0022freight\\u0022"
    )

    assert isinstance(json_outcome(text.encode()), InvoiceDocument)


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":' * 100_000,
        b"[" * 1_000_000,
        b'{"number": 1' + b"0" * 1_000_000 + b"}",
        b"\xff\xfe{\x00}\x00",
        b'{"number": "\xff"}',
        b'{"number": "\\ud800"}',
        b"{} {}",
        json.dumps(EXAMPLE).encode()[:-1],
    ],
)
def test_what_is_no_json_document_is_refused(content: bytes) -> None:
    result = json_outcome(content)

    assert isinstance(result, DocumentRejected)


def test_a_document_over_ten_megabytes_is_refused() -> None:
    content = json.dumps(a_json(notes=["x" * 10_000_000])).encode()

    assert isinstance(json_outcome(content), DocumentTooLarge)


def test_the_failures_of_one_document_are_bounded() -> None:
    plain = a_json(lines=[{"id": str(number)} for number in range(900)])

    result = json_outcome(plain)

    assert isinstance(result, DocumentRejected)
    assert len(result.failures) == 100
    assert result.failures[-1].rule_id == "SR-MORE"
