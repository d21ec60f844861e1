"""The chart of accounts: one truth in code, and the same for people."""

from pathlib import Path

from settlement.ledger import accounts
from settlement.ledger.chart import BY_KIND, CHART
from settlement.ledger.entries import __all__ as builders

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ledger.md"


def test_every_kind_of_account_is_in_the_chart_once() -> None:
    assert len(CHART) == len(BY_KIND)
    assert set(BY_KIND) == accounts.KINDS


def test_the_page_says_what_the_chart_says() -> None:
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]

    assert rows == [(f"`{each.kind}`", *each[1:]) for each in CHART]


def test_what_moves_an_account_is_a_kind_of_entry() -> None:
    made = {"bank" if name == "bank_movement" else name for name in builders if name.islower()}

    assert {kind for each in CHART for kind in each.moved_by.split(", ")} <= made
