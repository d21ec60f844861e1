"""The overseer's views and reports over HTTP, as JSON, CSV or XML; and the filing of a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api.answers import TheGateway, json_answer
from gateway.api.operation import Command
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.clock import iso, to_micros
from settlement.errors import Invalid
from settlement.store import reading
from settlement.supervision import reports
from settlement.supervision.periods import Span
from settlement.supervision.rendering import MEDIA_TYPES, Format, Heading, render
from settlement.supervision.reports import REFERENCE_MAX, Report
from settlement.supervision.views import EXPORT_MAX, VIEWS, View

JSON_MAX = 1_000
"""Rows of one page of JSON."""
DEFAULT_DAYS = 31
"""So far back a view goes where no first day is named."""

First = Annotated[date | None, Query(description=f"UTC; else {DEFAULT_DAYS} days before last.")]
Last = Annotated[date | None, Query(description="UTC, included; else today.")]
Most = Annotated[int, Query(ge=1, le=JSON_MAX, description="Rows of a page of JSON.")]
After = Annotated[
    str, Query(max_length=200, description="The first column of the last row of a page before.")
]


class FileBody(Body):
    """Under which reference a report was filed."""

    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_MAX)]


@dataclass(frozen=True, slots=True)
class Filing:
    """Who says that which report was filed."""

    caller: Caller
    report_id: str
    reference: str


def endpoint(name: str) -> Callable[..., Response]:
    """Return the endpoint of a view."""
    view = VIEWS[name]

    def show(
        gateway: TheGateway,
        first: First = None,
        last: Last = None,
        format: Format = Format.JSON,
        limit: Most = 100,
        after: After = "",
    ) -> Response:
        now = gateway.clock()
        span = _span(first, last, now)
        with reading(gateway.engine) as session:
            if format is Format.JSON:
                return _page(session, view, span, after, limit, now)
            rows = list(view.rows(session, span, EXPORT_MAX + 1))
        if len(rows) > EXPORT_MAX:
            raise Invalid(
                f"there are more than {EXPORT_MAX} rows", field="first",
                repair="export fewer days at once, or page through the JSON",
            )  # fmt: skip
        heading = _heading(view.name, view.title, span, now)
        return _attached(view.name, format, render(format, heading, view.columns, rows))

    show.__name__ = f"get_{name}"
    show.__doc__ = f"{view.title}; oldest first, of days in UTC."
    return show


def get_report(report_id: str, gateway: TheGateway, format: Format = Format.JSON) -> Response:
    """A report as it was written, whatever has come since."""
    with reading(gateway.engine) as session:
        found = reports.find(session, report_id)
        columns, rows = reports.content(session, report_id)
    if format is Format.JSON:
        names = [column.name for column in columns]
        data = [dict(zip(names, row, strict=True)) for row in rows]
        return json_answer({**shown(found), "data": data})
    heading = Heading(
        found.kind, found.title, found.period_first, found.period_last, iso(found.written_at)
    )
    name = f"{found.kind}-{found.period_last}"
    return _attached(name, format, render(format, heading, columns, rows))


async def plan_file(gateway: Gateway, command: Command) -> Work:
    """Say that a report was filed; its deadline's break closes."""
    body = json_body.read(command.content, FileBody)
    return Work(_FILE, Filing(command.caller, command.path["report_id"], body.reference))


def shown(report: Report) -> dict[str, Any]:
    """Return a report without its rows."""
    return {
        "object": "report",
        **report._asdict(),
        "written_at": iso(report.written_at),
        "filed_at": None if report.filed_at is None else iso(report.filed_at),
    }


def _page(
    session: Session, view: View, span: Span, after: str, limit: int, now: datetime
) -> Response:
    rows = view.read(session, span, after, limit + 1)
    names = view.names
    return json_answer(
        {
            "object": "list",
            **_heading(view.name, view.title, span, now)._asdict(),
            "has_more": len(rows) > limit,
            "data": [dict(zip(names, row, strict=True)) for row in rows[:limit]],
        }
    )


def _span(first: date | None, last: date | None, now: datetime) -> Span:
    end = last or now.date()
    try:
        start = first or end - timedelta(days=DEFAULT_DAYS - 1)
        behind = end + timedelta(days=1)
    except OverflowError:
        raise Invalid(f"{end} is no day", field="last", repair="name a day of this era") from None
    if start > end:
        raise Invalid(
            f"{start} is after {end}", field="first", repair="let the first day come first"
        )
    assert behind > end
    return Span(start, end)


def _heading(name: str, title: str, span: Span, now: datetime) -> Heading:
    return Heading(name, title, span.first.isoformat(), span.last.isoformat(), iso(to_micros(now)))


def _attached(name: str, form: Format, content: bytes) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form.value}"'}
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)


def _file(session: Session, filing: Filing, now: datetime) -> Reply:
    filed = reports.file(
        session, filing.report_id, reference=filing.reference, actor=filing.caller.actor, now=now
    )
    return Reply(200, orjson.dumps(shown(filed)))


_FILE = one_by_one(_file)
