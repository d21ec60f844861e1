"""What is said of JSON that is written in a way that is not accepted: amounts, shapes, bytes."""

import orjson
import pytest

from settlement.documents.errors import DocumentRejected
from tests.documents.builders import a_json, json_outcome, with_value


@pytest.mark.parametrize(
    ("pointer", "value", "rule"),
    [
        ("/totals/payable", "0004320.00", "no zero"),
        ("/totals/payable", " 4320.00 ", "digits 0-9"),
        ("/totals/payable", "4,320.00", "digits 0-9"),
        ("/totals/payable", "1e3", "digits 0-9"),
        ("/totals/payable", "9" * 60, "at most 18 digits before the point and 4 behind"),
        ("/totals/payable", "1." + "0" * 21, "at most 18 digits before the point and 4 behind"),
        ("/lines/0/quantity", "1." + "0" * 7, "at most 12 digits before the point and 6 behind"),
        ("/lines/0/price", "1" * 19, "at most 18 digits before the point and 6 behind"),
        ("/lines/0/price", "-1", "may not be negative"),
        ("/totals/payable", 4320.5, "never a JSON number"),
    ],
)
def test_an_amount_s_refusal_names_the_rule_that_it_breaks(
    pointer: str, value: object, rule: str
) -> None:
    result = json_outcome(with_value(pointer, value))

    assert isinstance(result, DocumentRejected)
    (failure,) = result.failures
    assert (failure.rule_id, failure.location) == ("SR-AMOUNT", pointer)
    assert rule in failure.message


@pytest.mark.parametrize(("value", "found"), [(None, "null"), ([], "an array"), ({}, "an object")])
def test_what_was_found_is_said_in_the_words_of_json(value: object, found: str) -> None:
    result = json_outcome(with_value("/seller/lei", [value]))

    assert isinstance(result, DocumentRejected)
    assert result.failures[0].found == "an array"
    (failure,) = json_outcome(with_value("/type_code", value)).failures
    assert failure.found == found


def test_a_byte_order_mark_is_called_so() -> None:
    result = json_outcome(b"\xef\xbb\xbf" + orjson.dumps(a_json()))

    assert isinstance(result, DocumentRejected)
    (failure,) = result.failures
    assert (failure.rule_id, failure.found) == ("SR-JSON", "a byte order mark")
    assert "without a byte order mark" in failure.repair
