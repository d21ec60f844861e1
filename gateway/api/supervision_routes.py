"""The routes of the overseer's views and of reports, with an example of each."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gateway.api import supervision
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import CommandRoute, QueryRoute, body_of
from settlement.supervision.views import VIEWS

Cell = str | int | None
FILES = ("text/csv", "application/xml")


class SupervisionView(Shape):
    """A page of a view: each row by the names of its columns."""

    object: Literal["list"]
    name: str
    title: str
    first: str
    last: str
    written_at: str
    has_more: bool
    data: list[dict[str, Cell]]


class SupervisorReport(Shape):
    """A report that was written for the supervisor."""

    object: Literal["report"]
    id: str
    kind: str
    subject: str = Field(description="The clearance, or the last day of its period.")
    settlement_id: str | None
    title: str
    period_first: str
    period_last: str
    jurisdiction: str = Field(description="Whose business days count.")
    state: str = Field(description="written (never filed), due, overdue or filed.")
    due_date: str | None
    warn_date: str | None
    row_count: int
    sha256: str
    written_at: str
    filed_at: str | None
    filed_by: str | None
    reference: str | None


class SupervisorReportDetail(SupervisorReport):
    """A report with its rows, as they were when it was written."""

    data: list[dict[str, Cell]]


_CLEARANCE = "clr_019a8f2e6c1f7d3e9b6a2d4c5e6f7081"
_REPORT: dict[str, Any] = {
    "object": "report",
    "id": "rep_00064a1b2c3d4e5f0011223344556677",
    "kind": "blocked_property",
    "subject": _CLEARANCE,
    "settlement_id": "stl_019a8f2e6c1f7d3e9b6a2d4c5e6f7082",
    "title": "Report of blocked property",
    "period_first": "2026-11-30",
    "period_last": "2026-11-30",
    "jurisdiction": "us",
    "state": "due",
    "due_date": "2026-12-14",
    "warn_date": "2026-12-09",
    "row_count": 1,
    "sha256": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    "written_at": "2026-11-30T09:31:00.000000Z",
    "filed_at": None,
    "filed_by": None,
    "reference": None,
}
_FILED = {
    **_REPORT,
    "state": "filed",
    "filed_at": "2026-12-01T10:00:00.000000Z",
    "filed_by": "compliance:per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e90",
    "reference": "BLK-2026-0042",
}
_ROW = {"clearance_id": _CLEARANCE, "asset": "TUSD", "amount": "4320.000000"}


def _example(name: str) -> dict[str, Any]:
    view = VIEWS[name]
    row = dict.fromkeys(view.names) | {view.names[0]: "…"}
    return {
        "object": "list",
        "name": name,
        "title": view.title,
        "first": "2026-11-01",
        "last": "2026-11-30",
        "written_at": "2026-11-30T09:30:00.000000Z",
        "has_more": False,
        "data": [row],
    }


COMMANDS = (
    CommandRoute(
        "/v1/supervision/reports/{report_id}/file",
        supervision.plan_file,
        "Say that a report was filed",
        body_of(supervision.FileBody, {"file": {"reference": "BLK-2026-0042"}}),
        SupervisorReport,
        _FILED,
        tag="supervision",
    ),
)
QUERIES = (
    *(
        QueryRoute(
            f"/v1/supervision/{name}",
            supervision.endpoint(name),
            f"Supervision: {view.title[0].lower()}{view.title[1:]}",
            SupervisionView,
            _example(name),
            tag="supervision",
            other_media_types=FILES,
        )
        for name, view in VIEWS.items()
    ),
    QueryRoute(
        "/v1/supervision/reports/{report_id}",
        supervision.get_report,
        "Show a report",
        SupervisorReportDetail,
        {**_REPORT, "data": [_ROW]},
        tag="supervision",
        other_media_types=FILES,
    ),
)
