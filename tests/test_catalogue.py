"""The catalogue of faults: no row is missing, each has tests that exist or a reason for none."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
CATALOGUE = Path(__file__).with_name("catalogue.yaml")
ROWS = {"P": 20, "R": 24, "C": 27, "D": 15, "N": 11, "A": 10, "T": 18, "W": 7, "K": 10, "I": 16}
AWAITED = {"P14", "T7", "T8", "T9", "T10", "I13", *(f"W{number}" for number in range(1, 8))}
"""What is not built yet; a row more here is a decision, not an oversight."""
IMPOSSIBLE = {"R22", "D13"}


def _catalogue() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(CATALOGUE.read_text())
    return found


@cache
def _tests_in(path: str) -> frozenset[str]:
    """The names of the tests in a file, Python or Solidity; none where there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    if file.suffix == ".sol":
        return frozenset(re.findall(r"function ((?:test|invariant)\w*)\(", file.read_text()))
    tree = ast.parse(file.read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, functions) and node.name.startswith("test_")
    )


def faults(catalogue: dict[str, dict[str, Any]]) -> list[str]:
    """What is wrong with a catalogue; nothing, if it is whole."""
    expected = {f"{kind}{number}" for kind, last in ROWS.items() for number in range(1, last + 1)}
    found = [f"{key}: no row" for key in sorted(expected - catalogue.keys())]
    found += [f"{key}: nobody knows this row" for key in sorted(catalogue.keys() - expected)]
    for key, row in catalogue.items():
        ways = {"tests", "waits", "cannot_happen"} & row.keys()
        if not row.get("says") or len(ways) != 1 or not row[next(iter(ways), "")]:
            found.append(f"{key}: it says what fails, and has tests or a reason for none")
        for test in row.get("tests", ()):
            path, _, name = test.partition("::")
            if name not in _tests_in(path):
                found.append(f"{key}: {test} does not exist")
    return found


def test_every_row_has_tests_that_exist_or_a_reason_for_none() -> None:
    assert faults(_catalogue()) == []


def test_what_has_no_test_is_what_was_decided() -> None:
    catalogue = _catalogue()

    assert {key for key, row in catalogue.items() if "waits" in row} == AWAITED
    assert {key for key, row in catalogue.items() if "cannot_happen" in row} == IMPOSSIBLE


@pytest.mark.parametrize(
    ("key", "row", "words"),
    [
        ("C1", None, "C1: no row"),
        ("C99", {"says": "a", "waits": "b"}, "C99: nobody knows this row"),
        ("C1", {"says": "a reorg", "tests": []}, "C1: it says"),
        ("C1", {"says": "", "waits": "b"}, "C1: it says"),
        ("C1", {"says": "a", "tests": ["tests/test_catalogue.py::test_gone"]}, "does not exist"),
        ("C1", {"says": "a", "tests": ["tests/gone.py::test_it"]}, "does not exist"),
        ("C1", {"says": "a", "tests": ["contracts/test/Settle.t.sol::test_no"]}, "does not exist"),
    ],
)
def test_a_hole_in_the_catalogue_is_noticed(
    key: str, row: dict[str, Any] | None, words: str
) -> None:
    catalogue = _catalogue()
    catalogue.pop(key, None)
    if row is not None:
        catalogue[key] = row

    (found,) = faults(catalogue)

    assert words in found
