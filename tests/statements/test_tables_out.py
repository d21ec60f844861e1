"""Tables as files: every cell of its kind, no cell a formula, no digit lost."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.statements import tables_out
from settlement.statements.columns import column
from settlement.statements.tables_out import (
    Cells,
    Column,
    Kind,
    csv_into,
    guarded,
    unguarded,
    write_csv,
    write_xlsx,
)

NOW = datetime(2026, 11, 23, 9, 30, 1, 250_000, tzinfo=UTC)
ATTACKS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\u3000+1",
    "＝1", "－1", "＋1", "＠x", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "'=1", " '+1",
    "\ufeff=1", "-", "=",
]  # fmt: skip
HARMLESS = ["", "a=1", "RE-1", "0x00", "'quoted'", "5", "Søren", "a;=1", "a,b", 'say "x"']
# A workbook is XML: it cannot hold controls, nor half a character.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)


@pytest.mark.parametrize("text", ATTACKS)
def test_a_text_that_a_spreadsheet_could_run_begins_with_a_quote(text: str) -> None:
    (row,) = _csv([Column("a")], [[text]])

    assert row["a"] == f"'{text}"
    assert unguarded(row["a"]) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_any_other_text_comes_as_it_is(text: str) -> None:
    (row,) = _csv([Column("a"), Column("b")], [[text, "x"]])

    assert row == {"a": text, "b": "x"}


@given(st.text(max_size=20))
def test_what_is_guarded_comes_back_whole_and_what_is_not_dangerous_is_left(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(st.sampled_from("=+-@\t\r\n"), st.text(" '\u00a0", max_size=4), st.text(max_size=5))
def test_no_guarded_text_begins_with_what_starts_a_formula(
    mark: str, before: str, after: str
) -> None:
    text = guarded(before + mark + after)

    assert text[0] == "'"
    assert text.strip(" \u00a0")[0] == "'"


def test_a_heading_is_guarded_as_any_text() -> None:
    out = io.StringIO()

    write_csv([Column("=1")], [], out)

    assert out.getvalue() == '"\'=1"\r\n'


def test_every_cell_of_a_csv_is_quoted_so_that_no_other_separator_splits_it() -> None:
    out = io.StringIO()

    write_csv([Column("a"), Column("b", Kind.AMOUNT)], [["x;=1", "-1.50"]], out)

    assert out.getvalue().splitlines()[1] == '"x;=1","-1.50"'


@pytest.mark.parametrize("amount", ["-1.50", "0", "9223372036854.775807", "-0.000001"])
def test_an_amount_is_not_taken_for_a_formula(amount: str) -> None:
    (row,) = _csv([Column("a", Kind.AMOUNT)], [[amount]])

    assert row["a"] == amount


@pytest.mark.parametrize("text", ["-1+2", "-1.5=", "=1", "-", "- 1", "+1", "-１"])
def test_what_stands_in_a_column_of_amounts_and_is_none_is_guarded(text: str) -> None:
    (row,) = _csv([Column("a", Kind.AMOUNT)], [[text]])

    assert row["a"] == f"'{text}"


@pytest.mark.parametrize(("flag", "shown"), [(True, "true"), (False, "false"), ("=1", "'=1")])
def test_a_flag_in_a_csv_is_a_word_and_never_a_formula(flag: object, shown: str) -> None:
    (row,) = _csv([Column("a", Kind.FLAG)], [[flag]])

    assert row["a"] == shown


def test_a_csv_begins_with_a_byte_order_mark_only_if_asked() -> None:
    contents = []
    for with_bom in (True, False):
        out = io.BytesIO()
        stream = csv_into(out)
        assert write_csv([Column("a")], [["é"]], stream, with_bom=with_bom) == 1
        stream.detach()
        contents.append(out.getvalue())

    assert contents[0] == b"\xef\xbb\xbf" + contents[1]
    assert contents[1].decode() == '"a"\r\n"é"\r\n'


def test_a_workbook_has_a_type_for_each_cell() -> None:
    columns = [
        Column("text"), Column("amount", Kind.AMOUNT), Column("count", Kind.COUNT),
        Column("date", Kind.DATE), Column("moment", Kind.MOMENT), Column("flag", Kind.FLAG),
    ]  # fmt: skip
    rows = [
        ["00123", "-1200.50", 7, date(2026, 11, 20), NOW, True],
        ["5", "0.000001", "12", "2026-11-20", "2026-11-23T11:30:01.250000+02:00", False],
    ]

    cells = _xlsx(columns, rows)

    assert [cell.data_type for cell in cells[1]] == ["s", "n", "n", "d", "d", "b"]
    assert [cell.value for cell in cells[1]][:3] == ["00123", -1200.5, 7]
    assert cells[1][3].value.date() == cells[2][3].value.date() == date(2026, 11, 20)
    assert cells[1][4].value == cells[2][4].value == NOW.replace(tzinfo=None)
    assert [cell.value for cell in cells[2]][:3] == ["5", 0.000001, 12]
    assert cells[1][1].number_format == "#,##0.00" and cells[2][1].number_format == "#,##0.000000"


@pytest.mark.parametrize(
    ("amount", "is_number"),
    [
        ("999999999.999999", True),
        ("9999999999.999999", False),
        ("-999999999999999", True),
        ("1000000000000001", False),
        ("9223372036854.775807", False),
        ("0.000000000000001", True),
    ],
)
def test_an_amount_is_a_number_only_where_a_number_holds_every_digit(
    amount: str, is_number: bool
) -> None:
    cell = _xlsx([Column("a", Kind.AMOUNT)], [[amount]])[1][0]

    assert cell.data_type == ("n" if is_number else "s")
    # What a spreadsheet shows of a number are the fewest digits that name it, as repr does.
    shown = repr(cell.value) if is_number else cell.value
    assert Decimal(shown) == Decimal(amount)


@pytest.mark.parametrize("text", [text for text in ATTACKS if text.strip() != ""])
def test_no_cell_of_a_workbook_is_a_formula_or_a_link_and_each_is_whole(text: str) -> None:
    cell = _xlsx([Column("a")], [[text]])[1][0]

    assert cell.data_type == "s"
    assert cell.hyperlink is None
    assert cell.quotePrefix
    assert str(cell.value).replace("_x000D_", "\r").replace("\r\n", "\n") in (
        text,
        text.replace("\r", "\n"),
    )


@given(TEXTS)
def test_a_workbook_gives_every_text_back(text: str) -> None:
    cell = _xlsx([Column("a"), Column("b")], [[text, "x"]])[1][0]

    assert (cell.value or "") == text


def test_the_same_table_makes_the_same_workbook() -> None:
    made = {_workbook([Column("a")], [["x"], ["y"]]) for _ in range(2)}

    assert len(made) == 1


def test_a_table_that_breaks_off_leaves_no_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def rows() -> Iterator[Cells]:
        yield ["x"]
        raise RuntimeError("the database went away")

    out = io.BytesIO()
    with pytest.raises(RuntimeError):
        write_xlsx([Column("a")], rows(), out, title="test", created_at=NOW)

    assert list(tmp_path.iterdir()) == []
    assert out.getvalue() == b""


def test_a_full_sheet_is_followed_by_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_out, "SHEET_ROWS", 4)

    book = openpyxl.load_workbook(io.BytesIO(_workbook([Column("a")], [[n] for n in range(7)])))

    assert [[cell.value for cell in sheet["A"]] for sheet in book] == [
        ["a", "0", "1", "2"],
        ["a", "3", "4", "5"],
        ["a", "6"],
    ]


def test_a_text_longer_than_a_cell_says_that_it_was_cut() -> None:
    cell = _xlsx([Column("a")], [["x" * 40_000]])[1][0]

    assert len(cell.value) == 32_767 and cell.value.endswith("[cut]")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("open_amount", Kind.AMOUNT), ("created_at", Kind.MOMENT), ("due_date", Kind.DATE),
        ("seq", Kind.COUNT), ("is_open", Kind.FLAG), ("number", Kind.TEXT), ("id", Kind.TEXT),
        ("end_to_end_id", Kind.TEXT), ("tx_hash", Kind.TEXT), ("new_thing", Kind.TEXT),
    ],
)  # fmt: skip
def test_a_columns_name_tells_its_kind_and_an_id_is_text(name: str, kind: Kind) -> None:
    assert column(name) == Column(name, kind)


def _csv(columns: Sequence[Column], rows: Sequence[Cells]) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    assert write_csv(columns, rows, out) == len(rows)
    out.seek(0)
    return list(csv.DictReader(out))


def _workbook(columns: Sequence[Column], rows: Sequence[Cells]) -> bytes:
    out = io.BytesIO()
    assert write_xlsx(columns, rows, out, title="test", created_at=NOW) == len(rows)
    return out.getvalue()


def _xlsx(columns: Sequence[Column], rows: Sequence[Cells]) -> Any:
    book = openpyxl.load_workbook(io.BytesIO(_workbook(columns, rows)))
    return list(book.worksheets[0].rows)
