"""Every refusal as an RFC 9457 problem: from exception to status, type and title.

With `statuses`, the only place that knows HTTP's words for what the rail refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field

from gateway import refusals
from gateway.statuses import STATUSES
from settlement import errors
from settlement.documents.errors import DocumentRejected
from settlement.invoices import errors as invoices

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One place in the request, what stands there and what to do about it."""

    model_config = ConfigDict(extra="forbid")

    field: str | None = Field(None, description="JSON pointer, XPath, parameter or header.")
    rule_id: str | None = Field(None, description="Of a document: BR-CO-15, SR-…")
    found: str | None = None
    message: str
    repair: str | None = None


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="A path at this gateway that explains this kind of problem.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Also in the header X-Request-Id and in the log.")
    errors: list[Fault] = []
    existing_id: str | None = Field(None, description="Of a duplicate: what is there already.")


class Asked(NamedTuple):
    """Which request a problem answers."""

    path: str
    request_id: str


def status_of(error: errors.RailError) -> int:
    """Return the HTTP status of an exception: its own row's, or its nearest parent's."""
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500


def slug(kind: type[BaseException]) -> str:
    """Return the last part of a problem's type: `DuplicateInvoice` is `duplicate-invoice`."""
    return _words(kind).replace(" ", "-")


def title(kind: type[BaseException]) -> str:
    """Return a problem's title: `DuplicateInvoice` is `Duplicate invoice`."""
    return _words(kind).capitalize()


def problem(error: errors.RailError, asked: Asked) -> dict[str, Any]:
    """Return the problem's members, those without a value left out."""
    status = status_of(error)
    # What only a person at the machine can mend is in the log, not in a stranger's answer.
    detail = str(error) if status != 500 else "the gateway cannot go on; its log says why"
    members: dict[str, Any] = {
        "type": f"/problems/{slug(type(error))}",
        "title": title(type(error)),
        "status": status,
        "detail": detail,
        "instance": asked.path,
        "request_id": asked.request_id,
        "errors": [] if status == 500 else list(_faults(error)),
    }
    if isinstance(error, invoices.DuplicateInvoice):
        members["existing_id"] = error.first_id
    return members


def rendered(error: errors.RailError, asked: Asked) -> tuple[int, bytes]:
    """Return a problem's status and its bytes."""
    members = problem(error, asked)
    return members["status"], orjson.dumps(members)


def page(name: str) -> dict[str, Any] | None:
    """Explain a kind of problem: what `type` leads to. None where there is no such kind."""
    for kind, status in STATUSES.items():
        if slug(kind) == name:
            about = (kind.__doc__ or "").partition("\n")[0]
            return {"title": title(kind), "status": status, "meaning": about}
    return None


def _faults(error: errors.RailError) -> Iterable[dict[str, str]]:
    if isinstance(error, DocumentRejected):
        for failure in error.failures:
            yield {
                "field": failure.location,
                "rule_id": failure.rule_id,
                "found": failure.found,
                "message": failure.message,
                "repair": failure.repair,
            }
    elif isinstance(error, refusals.BodyInvalid):
        for fault in error.faults:
            yield {name: value for name, value in fault.items() if value is not None}
    elif isinstance(error, refusals.NotReady):
        for name, message in error.faults.items():
            yield {"field": name, "message": message}
    elif isinstance(error, errors.Refused) and (error.field or error.repair):
        fault = {"field": error.field, "message": str(error), "repair": error.repair}
        yield {name: value for name, value in fault.items() if value is not None}


def _words(kind: type[BaseException]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", kind.__name__).lower()
