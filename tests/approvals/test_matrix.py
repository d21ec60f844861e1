"""The approval matrix: who approves what, and what is wrong with a matrix, by its line."""

import pytest

from settlement.approvals import MatrixInvalid, NoApprovalRule, matrix
from settlement.money import Unit

ROW = """
version: "1"
rules:
  - kind: settlement
    from_units: 100
    below_units: 200
    makers: [treasury]
    approvers: [approver]
    needed: 1
    open_hours: 24
"""
EUR = Unit("EUR", 2)


def test_the_shipped_matrix_can_be_read() -> None:
    shipped = matrix.load()

    assert shipped.version.startswith("2026-")
    assert [rule.needed for rule in shipped.rules["settlement"]] == [0, 1, 2]


def test_the_shipped_matrix_lets_these_ask_and_these_approve_and_nobody_else() -> None:
    staff = ("admin", "compliance", "treasury")
    everybody = ("admin", "compliance", "exporter", "importer", "treasury")
    payers, both = ("importer", "treasury"), ("approver", "compliance")

    rows = {
        kind: [
            (tuple(sorted(each.makers)), each.approvers, each.needed, each.from_units,
             each.below_units)
            for each in rules
        ]
        for kind, rules in matrix.load().rules.items()
    }  # fmt: skip

    assert rows == {
        "settlement": [
            (payers, (), 0, 0, 250_000),
            (payers, ("approver",), 1, 250_000, 5_000_000),
            (payers, ("approver",), 2, 5_000_000, None),
        ],
        "participant": [(staff, both, 1, 0, None)],
        "payee": [(everybody, ("approver",), 1, 0, None)],
        "participant_change": [(everybody, both, 1, 0, None)],
        "limit": [(staff, both, 1, 0, None)],
        "policy": [(("admin", "compliance"), both, 1, 0, None)],
        "screening": [(("compliance",), both, 1, 0, None)],
        "unfreeze": [(("compliance",), both, 1, 0, None)],
    }


@pytest.mark.parametrize(
    ("minor", "fits"), [(99_99, False), (100_00, True), (199_99, True), (200_00, False)]
)
def test_a_row_holds_from_its_lower_bound_up_to_below_its_upper(minor: int, fits: bool) -> None:
    read = matrix.parse(ROW.encode(), "test")

    if fits:
        assert read.rule("settlement", role="treasury", minor=minor, unit=EUR).needed == 1
        return
    with pytest.raises(NoApprovalRule, match="EUR"):
        read.rule("settlement", role="treasury", minor=minor, unit=EUR)


def test_an_amount_is_counted_in_whole_units_whatever_the_decimals() -> None:
    read = matrix.parse(ROW.encode(), "test")

    rule = read.rule("settlement", role="treasury", minor=150_000_000, unit=Unit("TEUR", 6))

    assert rule.needed == 1


def test_what_has_no_amount_falls_under_no_row_with_bounds() -> None:
    with pytest.raises(NoApprovalRule):
        matrix.parse(ROW.encode(), "test").rule(
            "settlement", role="treasury", minor=None, unit=None
        )


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("needed: 1", "needed: many", 9, "needed is no int"),
        ("needed: 1", "needed: true", 9, "needed is no int"),
        ("needed: 1", "needed: 10", 9, "from 0 to 9"),
        ("needed: 1", "needed: 0", 8, "approvers are named"),
        ("    needed: 1\n", "", 4, "lacks needed"),
        ("makers: [treasury]", "makers: [boss]", 7, "'boss' is no role"),
        ("makers: [treasury]", "makers: []", 7, "makers is empty"),
        ("below_units: 200", "below_units: 50", 4, "hold nothing"),
        ("below_units: 200", "below_units: 100", 4, "hold nothing"),
        ("below_units: 200", "up_to: 200", 6, "'up_to' is not known"),
        ("below_units: 200", "from_units: 200", 6, "twice"),
        ("open_hours: 24", "open_hours: 0", 10, "at least 1"),
        ("rules:", "rules: [", 4, "node content"),
        ("version:", "edition:", 1, "version and rules"),
    ],
)
def test_a_wrong_matrix_is_refused_with_its_line(old: str, new: str, line: int, says: str) -> None:
    with pytest.raises(MatrixInvalid, match=says) as found:
        matrix.parse(ROW.replace(old, new).encode(), "test")

    assert f"line {found.value.line}" in str(found.value)
    assert found.value.line == line
