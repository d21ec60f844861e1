"""Every error, event and rejection code of the contracts is named by a Solidity test."""

import re
from pathlib import Path

import pytest

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
DECLARED = "\n".join(p.read_text(encoding="utf-8") for p in (CONTRACTS / "src").rglob("*.sol"))
TESTED = "\n".join(p.read_text(encoding="utf-8") for p in (CONTRACTS / "test").glob("*.t.sol"))
ERRORS = sorted(set(re.findall(r"^ +error (\w+)\(", DECLARED, re.MULTILINE)))
EVENTS = sorted(set(re.findall(r"^ +event (\w+)\s*\(", DECLARED, re.MULTILINE)))
CODES = re.findall(
    r"^    (\w+),?$", DECLARED.split("enum Rejection {")[1].split("}")[0], re.MULTILINE
)


def test_the_contracts_declare_what_is_looked_for() -> None:
    assert len(ERRORS) >= 20
    assert len(EVENTS) >= 10
    assert len(CODES) == 10


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_expected_by_a_test(error: str) -> None:
    assert re.search(rf"\.{error}\.selector", TESTED), f"no test expects {error}"


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_expected_by_a_test(event: str) -> None:
    assert re.search(rf"emit \w+\.{event}\(", TESTED), f"no test expects {event}"


@pytest.mark.parametrize("code", CODES)
def test_a_rejection_code_is_the_outcome_of_a_test(code: str) -> None:
    assert re.search(rf"same\([^;]+Rejection\.{code}\)", TESTED), f"no test ends in {code}"
