"""Packs as they are read: versions that name their content, and faults with their line."""

import pytest

from settlement.compliance import policy
from settlement.compliance.policy import PackInvalid

HEAD = """id: one
version: 1
title: A pack
status: in_force
source: a test
as_of: 2026-11-01
confidence: high
rules:
"""
RULE = """  - id: R-1
    title: t
    predicate: token_not_listed
    outcome: HOLD
"""
OVER = """  - id: R-1
    title: t
    predicate: over_units
    outcome: HOLD
    with:
      units: 10
"""


def _read(*rules: str, head: str = HEAD, **more: bytes) -> policy.Policy:
    return policy.read({"one.yaml": (head + "".join(rules)).encode(), **more})


def test_a_version_names_the_content_of_every_file() -> None:
    first, second = _read(RULE), _read(RULE.replace("HOLD", "BLOCK"))

    assert first.version != second.version
    assert _read(RULE).version == first.version


@pytest.mark.parametrize(
    ("rule", "line", "words"),
    [
        (RULE.replace("token_not_listed", "moon_phase"), 11, "no predicate 'moon_phase'"),
        (RULE.replace("HOLD", "MAYBE"), 12, "no outcome 'MAYBE'"),
        (RULE.replace("    title: t\n", ""), 9, "title is missing"),
        (RULE + "    titel: u\n", 13, "no key 'titel'"),
        (RULE + "    id: R-2\n", 13, "comes twice"),
        (RULE + "    status: perhaps\n", 13, "neither in_force nor proposed"),
        (RULE + "    confidence: sure\n", 13, "none of high, medium and low"),
        (RULE + "    valid_from: soon\n", 13, "no date"),
        (RULE + "    valid_from: 2026-02-01\n    valid_until: 2026-01-31\n", 14, "before valid_"),
        (RULE + "    with:\n      units: 1\n", 14, "no key 'units'"),
        (OVER.replace("10", "1e9"), 14, "not a decimal number"),
        (OVER.replace("10", "-1"), 14, "not a decimal number"),
        (OVER.replace("      units: 10\n", "      tons: 10\n"), 14, "no key 'tons'"),
        (OVER.replace("    with:\n      units: 10\n", ""), 9, "units is missing"),
        (RULE.replace("token_not_listed", "country_in") + "    with:\n      countries: [de]\n",
         14, "ISO 3166-1"),
        (RULE + "  - [1, 2]\n", 8, "no list of mappings"),
        (RULE + "   bad: [\n", 13, "expected <block end>"),
    ],
)  # fmt: skip
def test_a_fault_in_a_pack_is_told_with_its_line(rule: str, line: int, words: str) -> None:
    with pytest.raises(PackInvalid, match=words) as told:
        _read(rule)

    assert f"one.yaml:{line}:" in str(told.value)
    assert told.value.line == line


def test_no_pack_at_all_clears_nothing() -> None:
    with pytest.raises(PackInvalid, match="no rule"):
        policy.read({})
    with pytest.raises(PackInvalid, match="source is missing"):
        _read(RULE, head=HEAD.replace("source: a test\n", ""))


def test_an_id_that_is_used_twice_is_refused_with_both_places() -> None:
    with pytest.raises(PackInvalid, match=r"id R-1 is used twice, first in one\.yaml:9") as rule:
        _read(RULE, RULE)
    with pytest.raises(PackInvalid, match=r"id one is used twice, first in one\.yaml:1") as pack:
        _read(RULE, **{"two.yaml": (HEAD + RULE.replace("R-1", "R-2")).encode()})

    assert (rule.value.name, rule.value.line) == ("one.yaml", 13)
    assert (pack.value.name, pack.value.line) == ("two.yaml", 1)


def test_a_country_called_no_is_a_country() -> None:
    rule = RULE.replace("token_not_listed", "country_in") + "    with:\n      countries: [NO]\n"

    assert _read(rule).rules[0].options == {"countries": ["NO"]}


def test_an_alias_that_multiplies_is_refused() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for name, before in zip("bcdefgh", "abcdefg", strict=True):
        bomb += f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"

    with pytest.raises(PackInvalid, match="more than"):
        policy.read({"bomb.yaml": bomb.encode()})
