"""The overseer's views and reports at the doors: who sees them, as what file, who files."""

from datetime import timedelta

import pytest
from lxml import etree

from gateway import access
from settlement.access import Role
from settlement.store import transaction
from settlement.supervision import reports
from settlement.supervision.rendering import SCHEMA
from settlement.supervision.views import VIEWS
from tests.gateway.builders import Door
from tests.invoices.builders import NOW


def _write(door: Door, days: int = 1) -> None:
    with transaction(door.engine) as session:
        reports.write_due(session, NOW)
    with transaction(door.engine) as session:
        reports.write_due(session, NOW + timedelta(days=days))


def test_every_view_comes_as_json_csv_and_valid_xml(door: Door) -> None:
    _write(door)
    schema = etree.XMLSchema(etree.parse(SCHEMA))

    for name, view in VIEWS.items():
        path = f"/v1/supervision/{name}"
        # What the clock of this gateway has not reached is not shown unless it is asked for.
        plain = door.get(f"{path}?last=2026-12-31", "overseer")
        table = door.get(f"{path}?format=csv", "overseer")
        document = door.get(f"{path}?format=xml&last=2026-12-31", "overseer")

        assert plain.status_code == 200, plain.text
        assert all(tuple(row) == view.names for row in plain.json()["data"])
        assert table.text.splitlines()[0] == ",".join(f'"{each}"' for each in view.names)
        assert table.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
        assert schema.validate(etree.fromstring(document.content)), name
    assert len(door.get("/v1/supervision/participants", "overseer").json()["data"]) == 3


def test_a_page_goes_on_behind_its_last_row(door: Door) -> None:
    path = "/v1/supervision/participants?limit=2"

    first = door.get(path, "overseer").json()
    rest = door.get(f"{path}&after={first['data'][-1]['id']}", "overseer").json()

    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [len(first["data"]), len(rest["data"])] == [2, 1]


@pytest.mark.parametrize(
    "query",
    ["first=2026-12-01&last=2026-11-01", "first=soon", "format=pdf", "limit=0", "limit=1001",
     "last=9999-12-31", "first=0001-01-01&last=0001-01-01"],
)  # fmt: skip
def test_a_time_or_format_that_is_none_is_refused_and_an_extreme_one_is_not_a_failure(
    door: Door, query: str
) -> None:
    answer = door.get(f"/v1/supervision/blocked?{query}", "overseer")

    assert answer.status_code == (200 if query.startswith("first=0001") else 422), answer.text


def test_only_compliance_files_and_a_report_is_filed_once(door: Door) -> None:
    _write(door)
    written = door.get(
        "/v1/supervision/reports?first=2026-11-01&last=2026-12-31", "overseer"
    ).json()["data"]
    report = written[0]["id"]
    with transaction(door.engine) as session:
        session.connection().exec_driver_sql(
            "UPDATE supervisor_report SET state = 'due', due_date = '2026-12-01',"
            f" warn_date = '2026-11-25' WHERE id = '{report}'"
        )
    path = f"/v1/supervision/reports/{report}"
    body = {"reference": "BLK-1"}

    for who in ("overseer", "admin", "treasury", "approver", "exporter"):
        assert door.post(f"{path}/file", body, who).status_code == 403, who
    filed = door.post(f"{path}/file", body, "compliance")
    again = door.post(f"{path}/file", body, "compliance")

    assert (filed.status_code, filed.json()["state"]) == (200, "filed")
    assert (again.status_code, again.json()["title"]) == (409, "Nothing to file")
    assert door.post(f"{path}/file", {"reference": ""}, "compliance").status_code == 422
    assert door.post(f"{path}x/file", body, "compliance").status_code == 404
    assert door.get(path, "overseer").json()["reference"] == "BLK-1"
    assert door.get(f"{path}?format=xml", "overseer").headers["content-type"] == "application/xml"
    for who in ("treasury", "exporter", "importer", "approver"):
        assert door.get(path, who).status_code == 403


def test_the_overseer_reads_everything_and_changes_nothing() -> None:
    may = access.allowed(Role.OVERSEER, "")

    assert {route for route in access.table() if route.startswith("GET ")} <= may
    # A session of one's own is ended by whoever has it.
    assert {route for route in may if not route.startswith(("GET ", "POST /v1/me/"))} == set()
