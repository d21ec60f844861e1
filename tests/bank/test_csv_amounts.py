"""Amounts in CSV: written as the mapping says, or refused; never read as another amount."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.documents.bank_csv import CsvColumns, CsvMapping
from settlement.documents.bank_csv_amounts import amount_of, signed
from settlement.documents.iso20022.reading_model import StatementInvalid

COLUMNS = CsvColumns(booking_date="d", amount="a")
CONVENTIONS = [(",", "."), (".", ","), (",", " "), (".", "'"), (",", ""), (".", "")]
GERMAN, ENGLISH = CONVENTIONS[:2]


def mapping(convention: tuple[str, str]) -> CsvMapping:
    decimal_sign, grouping_sign = convention
    return CsvMapping.model_validate(
        {"columns": COLUMNS, "decimal_sign": decimal_sign, "grouping_sign": grouping_sign}
    )


def written(minor: int, convention: tuple[str, str], decimals: int) -> str:
    """Return cents as a bank of this convention writes them, with 0, 1 or 2 decimals."""
    decimal_sign, grouping_sign = convention
    whole, cents = divmod(abs(minor), 100)
    fraction = f"{cents:02}".rstrip("0").ljust(decimals, "0")
    shown = f"{whole:,}".replace(",", grouping_sign) + (decimal_sign + fraction if fraction else "")
    return f"-{shown}" if minor < 0 else shown


@given(
    minor=st.integers(-(10**13), 10**13) | st.integers(-1_000, 1_000).map(lambda n: n * 100_000),
    theirs=st.sampled_from(CONVENTIONS),
    ours=st.sampled_from(CONVENTIONS),
    decimals=st.integers(0, 2),
)
def test_an_amount_is_read_as_it_was_meant_or_refused(
    minor: int, theirs: tuple[str, str], ours: tuple[str, str], decimals: int
) -> None:
    text = written(minor, theirs, decimals)

    try:
        read = signed(text, mapping(ours), "EUR", 2, "amount")
    except StatementInvalid:
        assert theirs != ours
    else:
        assert read == minor


@pytest.mark.parametrize(
    ("convention", "text"),
    [
        (GERMAN, "4,320.00"),
        (GERMAN, "4,3.2"),
        (GERMAN, "4,320"),
        (GERMAN, "0.500"),
        (GERMAN, "1.2345,00"),
        (GERMAN, "1..234,00"),
        (GERMAN, ".234,00"),
        (GERMAN, "1,2,3"),
        (GERMAN, "12,"),
        (GERMAN, ",50"),
        (GERMAN, "12,500"),
        (ENGLISH, "4.320,00"),
        (ENGLISH, "4.320"),
        (ENGLISH, "1.2.3"),
        (ENGLISH, "--1.00"),
        (ENGLISH, "-1.00-"),
        (ENGLISH, "+1.00-"),
        (ENGLISH, "+-1.00"),
        (ENGLISH, "1.00+"),
        (ENGLISH, "- 1.00"),
        (ENGLISH, "1 000.00"),
        (ENGLISH, "1.0 0"),
        (ENGLISH, "(1.00)"),
        (ENGLISH, "1'000.00"),
        (ENGLISH, "\u22121.00"),
        (ENGLISH, "1.00\u2212"),
        (ENGLISH, "\u0661.00"),
        (ENGLISH, "\uff11.00"),
        (ENGLISH, "1,\u0660\u0660\u0660.00"),
        (ENGLISH, "1e3"),
        (ENGLISH, "1_000"),
        (ENGLISH, "EUR 1.00"),
        (ENGLISH, "-"),
        (ENGLISH, ""),
        ((",", " "), "1 000,5 0"),
        ((",", " "), "1\u00a0000,50"),
        ((",", " "), "12,50 -"),
        ((".", "'"), "1'000.5'0"),
        ((".", "'"), "1\u2019000.50"),
        ((",", ""), "4.320,00"),
    ],
)
def test_what_could_be_another_amount_is_refused_with_line_and_field(
    convention: tuple[str, str], text: str
) -> None:
    with pytest.raises(StatementInvalid) as refusal:
        signed(text, mapping(convention), "EUR", 7, "amount")

    assert refusal.value.line == 7 and refusal.value.path == "amount"
    assert refusal.value.repair and repr(text) in str(refusal.value)


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("EUR", "1,234,567.89", 123456789),
        ("EUR", "1234567.89", 123456789),
        ("EUR", "+5", 500),
        ("EUR", "5.5-", -550),
        ("JPY", "4,320", 4320),
        ("BHD", "4.320", 4320),
    ],
)
def test_what_is_written_as_the_mapping_says_is_read(currency: str, text: str, minor: int) -> None:
    assert signed(text, mapping(ENGLISH), currency, 2, "amount") == minor


@pytest.mark.parametrize("text", ["5.00-", "-5.00", "+5.00", "-0.00"])
def test_a_word_for_the_side_leaves_no_place_for_a_sign(text: str) -> None:
    worded = CsvMapping.model_validate({
        "columns": CsvColumns(booking_date="d", amount="a", direction="s"),
        "amount_sign": "direction", "credit_words": ["C"], "debit_words": ["D"],
    })  # fmt: skip

    with pytest.raises(StatementInvalid) as refusal:
        amount_of(
            {"amount": text, "direction": "D"},
            worded,
            "EUR",
            3,
        )

    assert refusal.value.path == "direction"
