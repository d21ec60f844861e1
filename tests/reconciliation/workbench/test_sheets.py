"""A thousand breaks by a sheet: out, filled in, tried, taken in once; and sheets that are none."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from openpyxl import load_workbook

from gateway.cli import break_sheets
from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.reconciliation.workbench.errors import SheetUnreadable
from settlement.store import transaction
from tests.reconciliation.workbench.desks import Desks

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
USD = 1_000_000


def _listed(desk: Desks, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = desk.get(f"/v1/breaks?limit=100{query}{after}").json()
        found += page["data"]
        if not page["has_more"]:
            return found
        after = f"&starting_after={found[-1]['id']}"


def _exported(desk: Desks, path: Path) -> Path:
    with path.open("xb") as out:
        break_sheets.write(_listed(desk, "&is_open=true"), path, out, NOW)
    return path


def _filled(path: Path, fill: Callable[[dict[str, str]], tuple[str, str, str]]) -> None:
    """Fill in action, argument and reason of a CSV file, row by row."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["action"], row["argument"], row["reason"] = fill(row)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def _sent(desk: Desks, path: Path, who: str = "anna", *, dry_run: bool = False) -> dict[str, Any]:
    rows = [row._asdict() for row in break_sheets.read(path)]
    answer = desk.post("/v1/breaks/bulk", {"rows": rows, "dry_run": dry_run}, who)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _counts(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["applied"], answer["already"], answer["refused"]


def _late(desk: Desks, count: int) -> None:
    findings = [
        Finding(
            BreakKind.LATE,
            f"exp_{number}",
            "=cmd|' /C calc'!A0 came two days late",
            {"differs": [{"field": "day", "ours": 3, "theirs": 5}]},
            amount_minor=number + 1,
            unit="EUR",
        )
        for number in range(count)
    ]
    with transaction(desk.rail.engine) as session:
        assert breaks.open_new(session, findings, desk.rail.now) == count


def test_a_thousand_breaks_are_closed_by_one_sheet_and_once(desk: Desks, tmp_path: Path) -> None:
    _late(desk, 1000)
    path = _exported(desk, tmp_path / "breaks.csv")
    _filled(path, lambda row: ("close", "", f"agreed by phone, {row['id'][-4:]}"))

    tried = _sent(desk, path, dry_run=True)
    still_open = len(_listed(desk, "&is_open=true"))
    done = _sent(desk, path)
    again = _sent(desk, path)

    assert _counts(tried) == (1000, 0, 0) and still_open == 1000
    assert _counts(done) == (1000, 0, 0)
    assert _counts(again) == (0, 1000, 0)
    assert _listed(desk, "&is_open=true") == []
    closes = desk.rail.one("SELECT COUNT(*) FROM break_event WHERE move = 'close'")
    assert closes == 1000


def test_each_row_is_judged_alone_by_the_same_controls(desk: Desks, tmp_path: Path) -> None:
    invoice = desk.rail.accepted(10_00)
    deposit = desk.deposited(10 * USD)
    _late(desk, 5)
    path = _exported(desk, tmp_path / "breaks.csv")
    stale = _listed(desk, "&kind=late")[0]["id"]
    desk.done(stale, "assign", owner="ben")
    fills = iter(
        [
            ("close", "", "done by another sheet"),  # The one that was assigned since.
            ("attribute", invoice, "it is a late one"),
            ("approve", "", "I am treasury"),
            ("dance", "", "why not"),
            ("close", "", ""),
            ("attribute", f"{invoice} 10.00", "the buyer's mail"),
        ]
    )
    _filled(path, lambda row: next(fills))

    answer = _sent(desk, path)

    assert _counts(answer) == (1, 0, 5)
    said = [(each["line"], each["message"]) for each in answer["data"]]
    assert [line for line, _ in said] == [2, 3, 4, 5, 6, 7]
    assert "is at version 2, not 1" in said[0][1]
    assert said[1][1] == "attribute does not mend a break of kind late"
    assert said[2][1] == "role treasury may not approve a break"
    assert "'dance' is no action" in said[3][1]
    assert "every act on a break has its reason" in said[4][1]
    assert all(each["repair"] for each in answer["data"][:-1])
    assert desk.read(deposit)["effects"][0]["claim"] == "10.00"


def test_two_people_write_off_by_two_sheets(desk: Desks, tmp_path: Path) -> None:
    desk.deposited(10 * USD)
    first = _exported(desk, tmp_path / "first.csv")
    _filled(first, lambda row: ("write_off", "amount=10.00 against=rounding", "too small"))
    proposed = _sent(desk, first)
    second = _exported(desk, tmp_path / "second.csv")
    _filled(second, lambda row: ("approve", "", "agreed"))

    own = _sent(desk, second)
    other = _sent(desk, second, "carl")

    assert _counts(proposed) == (1, 0, 0)
    assert _counts(own) == (0, 0, 1)
    assert _counts(other) == (1, 0, 0)
    booked = desk.books()["balances"]
    assert booked[f"rounding:{desk.rail.companies.seller}:TUSD"] == -10 * USD


def test_rows_about_one_break_follow_each_other(desk: Desks, tmp_path: Path) -> None:
    _late(desk, 1)
    path = _exported(desk, tmp_path / "breaks.csv")
    (row,) = break_sheets.read(_marked(path, "assign", "anna"))
    rows = [row, row._replace(line=3, action="close", argument="")]

    answer = desk.post("/v1/breaks/bulk", {"rows": [each._asdict() for each in rows]}).json()

    assert _counts(answer) == (2, 0, 0)


def _marked(path: Path, action: str, argument: str) -> Path:
    _filled(path, lambda row: (action, argument, "because"))
    return path


def test_a_workbook_has_typed_cells_and_no_formula(desk: Desks, tmp_path: Path) -> None:
    _late(desk, 1)
    path = _exported(desk, tmp_path / "breaks.xlsx")

    sheet = load_workbook(path, read_only=True).worksheets[0]
    heading, row = list(sheet.iter_rows())
    cells = {name.value: cell for name, cell in zip(heading, row, strict=False)}

    assert cells["amount"].value == 0.01 and cells["amount"].data_type == "n"
    assert cells["opened_at"].is_date
    assert cells["what"].data_type in ("s", "inlineStr") and cells["what"].value.startswith("=cmd")
    text = (tmp_path / "breaks.csv").with_name("b.csv")
    _exported(desk, text)
    assert "'=cmd" in text.read_text("utf-8-sig")


def _workbook(path: Path, *rows: list[Any]) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    for place, row in enumerate(rows):
        sheet.write_row(place, 0, row)
    book.close()
    return path


HEADING = ["version", "id", "reason", "action", "argument"]


def test_a_workbook_that_people_filled_in_is_read_by_its_headings(tmp_path: Path) -> None:
    path = _workbook(
        tmp_path / "b.xlsx",
        HEADING,
        [3, "brk_1", "so it is", "Close", ""],
        [4, "brk_2", "", "", ""],
        [5, "brk_3", "'-5 is gone", "split", "1.50 2.50"],
    )

    rows = break_sheets.read(path)

    assert [row.line for row in rows] == [2, 4]
    assert rows[0] == (2, "brk_1", 3, "close", "", "so it is")
    assert (rows[1].argument, rows[1].reason) == ("1.50 2.50", "-5 is gone")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([1, "brk_1", "r", "split", 10.5], "line 2: argument is a number or a date"),
        ([1, "brk_1", "r", "close", "=1+1"], "line 2: argument is a formula"),
        (["one", "brk_1", "r", "close", ""], "line 2: 'one' is no version"),
        ([1.5, "brk_1", "r", "close", ""], "line 2: '1.5' is no version"),
    ],
)
def test_a_cell_that_a_spreadsheet_has_changed_is_refused(
    tmp_path: Path, row: list[Any], said: str
) -> None:
    path = _workbook(tmp_path / "b.xlsx", HEADING, row)

    with pytest.raises(SheetUnreadable, match=said):
        break_sheets.read(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("b.xlsx", b"id,version", "is no workbook"),
        ("b.csv", b"id,version,action\n", "has no column argument, reason"),
        ("b.csv", b"", "has no column id"),
        ("b.csv", "id,größe".encode("latin-1"), "is not UTF-8"),
        ("b.csv", b'id,version,action,argument,reason\n"brk', "line 2"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(SheetUnreadable, match=said):
        break_sheets.read(path)


def test_too_many_rows_at_once_are_refused(desk: Desks) -> None:
    row = {"line": 1, "break_id": "brk_1", "version": 1, "action": "close", "reason": "x"}

    assert desk.post("/v1/breaks/bulk", {"rows": [row] * 1001}).status_code == 422
