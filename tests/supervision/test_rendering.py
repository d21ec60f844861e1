"""Views as files: no cell is a formula, every XML obeys the schema, whatever a name holds."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from settlement.statements.columns import columns
from settlement.supervision.rendering import NAMESPACE, SCHEMA, Format, Heading, render
from settlement.supervision.schedule import ScheduleInvalid, read_schedule, schedule
from settlement.supervision.views import VIEWS

HEADING = Heading("blocked", "Blocked <now>", "2026-11-01", "2026-11-30", "2026-11-30T09:30:00Z")
COLUMNS = columns(["id", "name", "amount", "decided_at"])
XSD = etree.XMLSchema(etree.parse(SCHEMA))


def _xml(*rows: tuple[object, ...]) -> etree._Element:
    return etree.fromstring(render(Format.XML, HEADING, COLUMNS, rows))


@pytest.mark.parametrize(
    "name", ["=1+1", "+HYPERLINK(1)", "-2", "@SUM(A1)", "\t=1", " =1", "＝1", "'=1"]
)
def test_no_cell_of_a_csv_is_a_formula(name: str) -> None:
    content = render(Format.CSV, HEADING, COLUMNS, [("a", name, "-1.50", None)])

    (_, row) = list(csv.reader(io.StringIO(content.decode())))

    assert row[1].startswith("'") and row[1].endswith(name.lstrip("'"))
    assert row[2:] == ["-1.50", ""]


@given(st.text(st.characters(codec=None, exclude_categories=["Cs"]), max_size=40))
def test_every_xml_obeys_the_schema_whatever_a_name_holds(name: str) -> None:
    document = _xml(("clr_1", name, "4.20", None), ("clr_2", None, "1", "2026-11-30T09:30:00Z"))

    assert XSD.validate(document), XSD.error_log
    fields = document.findall(f".//{{{NAMESPACE}}}row[1]/{{{NAMESPACE}}}field")
    assert [each.get("name") for each in fields] == ["id", "name", "amount"]


def test_the_schema_refuses_a_column_or_a_field_twice() -> None:
    for tag in ("column", "field"):
        document = _xml(("clr_1", "a", "1", None))
        (first, *_) = document.findall(f".//{{{NAMESPACE}}}{tag}")
        first.addnext(etree.fromstring(etree.tostring(first)))
        assert not XSD.validate(document)


def test_every_view_without_a_row_is_a_valid_file() -> None:
    for view in VIEWS.values():
        heading = HEADING._replace(name=view.name, title=view.title)
        assert XSD.validate(etree.fromstring(render(Format.XML, heading, view.columns, [])))
        assert len(set(view.names)) == len(view.names)


def test_the_shipped_schedule_has_the_deadlines_of_its_sources() -> None:
    by_kind = {each.kind: each for each in schedule()}

    assert by_kind["blocked_property"].due_business_days == 10
    assert by_kind["rejected_transaction"].due_business_days == 10
    annual = by_kind["annual_blocked_property"]
    assert (annual.year_ends, annual.due_month_day) == ("06-30", "09-30")
    assert all(each.source for each in schedule())


@pytest.mark.parametrize(
    "member",
    [
        "view: dreams", "every: hour", "outcome: ALLOW", "due: {business_days: 0}",
        "due: {date: 02-30x}", "due: {business_days: 3, date: '09-30'}", "color: red",
        "every: day\n    outcome: BLOCK",
    ],
)  # fmt: skip
def test_a_schedule_that_is_not_whole_is_refused(member: str) -> None:
    start = "version: '1'\nreports:\n  - kind: a\n    title: A\n    source: s\n    as_of: t\n"
    start += "    confidence: low\n"
    good = start + "    view: blocked\n    every: day\n"
    name = member.partition(":")[0]
    broken = "\n".join(line for line in good.splitlines() if f"    {name}:" not in line)

    assert read_schedule(good.encode())
    with pytest.raises(ScheduleInvalid):
        read_schedule(f"{broken}\n    {member}\n".encode())
