"""`settle break` as a person types it: the queue, single acts, two people, sheets out and in."""

import csv
from pathlib import Path

from openpyxl import load_workbook

from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.store import transaction
from tests.gateway.cli.conftest import Desk


def _short(desk: Desk, count: int) -> None:
    findings = [
        Finding(
            BreakKind.SHORT, f"exp_{n}", "less came", amount_minor=-2_50, unit="USD",
            detail={"differs": [{"field": "amount", "ours": "10.00", "theirs": "7.50"}]},
        )
        for n in range(count)
    ]  # fmt: skip
    with transaction(desk.rail.engine) as session:
        breaks.open_new(session, findings, desk.rail.now)


def test_a_break_is_worked_on_by_two_people(desk: Desk) -> None:
    _short(desk, 1)
    invoice = desk.rail.accepted(10_00)
    (row,) = desk.json("break", "list", "--open", "--kind", "short")
    key, why = row["id"], ("--reason", "the bank keeps its fee")

    assigned = desk.json("break", "assign", key, "anna", *why)
    desk.json("break", "comment", key, *why)
    desk.json("break", "propose", key, "write_off", "--invoice", invoice, "--amount", "2.50", *why)
    own = desk.settle("break", "approve", key, *why)
    done = desk.json("break", "approve", key, *why, who="approver")

    assert (assigned["owner"], row["amount"]) == ("anna", "-2.50")
    assert own.code == 1 and "may not use" in own.err
    assert done["proposals"][0]["state"] == "approved"
    assert done["effects"][0]["claim"] == "2.50"
    assert "close" in assigned["acts"] and "reopen" not in assigned["acts"]
    assert "reopen" in done["acts"] and not {"close", "match"} & set(done["acts"])
    shown = desk.settle("break", "show", key).out
    assert "history" in shown and "the bank keeps its fee" in shown
    assert [each["from_days"] for each in desk.json("break", "aging")] in ([], [0])
    late = desk.settle("break", "close", key, "--version", "1", *why)
    assert late.code == 1 and "read the break again" in late.err


def test_sheets_go_out_and_come_in_once(desk: Desk, tmp_path: Path) -> None:
    _short(desk, 3)
    sheet, book = tmp_path / "breaks.csv", tmp_path / "breaks.xlsx"

    assert desk.settle("break", "export", "-o", str(sheet)).err == "3 breaks\n"
    assert desk.settle("break", "export", "-o", str(book)).code == 0
    there = desk.settle("break", "export", "-o", str(book))
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row, action in zip(rows, ("close", "assign", "dance"), strict=True):
        row |= {"action": action, "argument": "", "reason": "settled by phone"}
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    tried = desk.settle("break", "import", str(sheet), "--dry-run")
    done = desk.settle("break", "import", str(sheet))
    again = desk.settle("break", "import", str(sheet))

    assert there.code == 1 and "is there already" in there.err
    assert load_workbook(book, read_only=True).worksheets[0].max_row == 4
    assert tried.code == done.code == again.code == 1
    assert "dry run: 2 applied, 0 already, 1 refused" in tried.err
    assert "2 applied, 0 already, 1 refused" in done.err
    assert "0 applied, 2 already, 1 refused" in again.err
    assert "is no action" in done.out and "\n   4  brk_" in done.out
    assert len(desk.json("break", "list", "--open")) == 2
    missing = desk.settle("break", "import", str(tmp_path / "none.csv"))
    assert missing.code == 1 and "there is no file" in missing.err
