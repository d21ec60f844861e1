"""Limits over HTTP: what is allowed in a period and what is used of it.

A company sees the limits that count its own payments alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field
from starlette.responses import Response

from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import QueryRoute
from settlement.clock import iso
from settlement.compliance.limits import reading
from settlement.compliance.limits.reading import LimitChange, Standing
from settlement.money import format_minor
from settlement.store import reading as reading_store
from settlement.store.bulk import rows


class LimitState(StrEnum):
    """Whether a limit refuses payments."""

    ACTIVE = "active"
    RETIRED = "retired"


class LimitUsed(Shape):
    """What one debtor, creditor or pair has used."""

    bucket: str = Field(description="Whose; empty: all together.")
    used: str
    left: str


class PaymentLimit(Shape):
    """A limit as it stands today (UTC)."""

    object: Literal["limit"]
    id: str
    name: str
    asset: str = Field(description="The token's symbol.")
    max: str = Field(examples=["250000.000000"])
    period: str = Field(description="payment, day, month or rolling; dates are UTC.")
    days: int = Field(description="Of a rolling limit: how many dates; else 0.")
    counted_by: str = Field(description="What adds up: rule (all), debtor, creditor or pair.")
    debtor_id: str | None
    creditor_id: str | None
    debtor_country: str | None
    creditor_country: str | None
    state: str
    version: int
    created_at: str
    window_end: str | None = Field(description="Last date of the window that `used` is of.")
    used: list[LimitUsed]


class PaymentLimitChange(Shape):
    """A change that two people have agreed on."""

    act: str
    before: str | None
    after: str | None
    reason: str
    asked_by: str
    approved_by: str
    approval_id: str
    at: str


class PaymentLimitDetail(PaymentLimit):
    """A limit with its history; a company is not shown who decided."""

    changes: list[PaymentLimitChange]


class PaymentLimitList(Shape):
    """Every limit that the caller may see, oldest first."""

    object: Literal["list"]
    has_more: bool
    data: list[PaymentLimit]


def list_limits(
    gateway: TheGateway, caller: TheCaller, state: LimitState = LimitState.ACTIVE
) -> Response:
    """Limits with what is used of them today; a company sees its own."""
    today = gateway.clock().date()
    with reading_store(gateway.engine) as session:
        tokens = _tokens(session)
        found = reading.listed(session, today, party=caller.party, state=state.value)
    data = [shown(each, tokens) for each in found]
    return json_answer({"object": "list", "has_more": False, "data": data})


def get_limit(limit_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """One limit, what is used of it today, and how it came to be what it is."""
    today = gateway.clock().date()
    with reading_store(gateway.engine) as session:
        tokens = _tokens(session)
        found = reading.found(session, limit_id, today, party=caller.party)
        changes = reading.changes(session, limit_id) if caller.party is None else []
    decimals = tokens[found.limit.token][1]
    changed = [_shown_change(each, decimals) for each in changes]
    return json_answer({**shown(found, tokens), "changes": changed})


def shown(standing: Standing, tokens: dict[str, tuple[str, int]]) -> dict[str, Any]:
    """Return a limit as it is answered; `tokens` are symbol and decimals by address."""
    limit = standing.limit
    symbol, decimals = tokens[limit.token]
    plain = limit._asdict()
    for name in ("token", "max_minor"):
        del plain[name]
    return {
        "object": "limit",
        **plain,
        "asset": symbol,
        "max": format_minor(limit.max_minor, decimals),
        "created_at": iso(limit.created_at),
        "window_end": standing.window_end,
        "used": [
            {
                "bucket": each.bucket,
                "used": format_minor(each.used_minor, decimals),
                "left": format_minor(max(limit.max_minor - each.used_minor, 0), decimals),
            }
            for each in standing.used
        ],
    }


def _shown_change(change: LimitChange, decimals: int) -> dict[str, Any]:
    sums = {
        name: None if minor is None else format_minor(minor, decimals)
        for name, minor in (("before", change.before_minor), ("after", change.after_minor))
    }
    plain = change._asdict()
    for name in ("before_minor", "after_minor"):
        del plain[name]
    return {**plain, **sums, "at": iso(change.at)}


def _tokens(session: Any) -> dict[str, tuple[str, int]]:
    found = rows(session, "SELECT address, symbol, decimals FROM token")
    return {address: (symbol, decimals) for address, symbol, decimals in found}


_LIMIT: dict[str, Any] = {
    "object": "limit",
    "id": "lim_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
    "name": "the buyer's day",
    "asset": "TUSD",
    "max": "250000.000000",
    "period": "day",
    "days": 0,
    "counted_by": "debtor",
    "debtor_id": None,
    "creditor_id": None,
    "debtor_country": "AE",
    "creditor_country": None,
    "state": "active",
    "version": 1,
    "created_at": "2026-11-30T09:30:00.000000Z",
    "window_end": "2026-11-30",
    "used": [
        {
            "bucket": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
            "used": "60000.000000",
            "left": "190000.000000",
        }
    ],
}
_CHANGE = {
    "act": "add",
    "before": None,
    "after": "250000.000000",
    "reason": "the board's decision of November",
    "asked_by": "per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e90",
    "approved_by": "per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e91",
    "approval_id": "apr_019a8f2e5a0b7c1d8e2f3a4b5c6d7e92",
    "at": "2026-11-30T09:30:00.000000Z",
}

QUERIES = (
    QueryRoute(
        "/v1/limits",
        list_limits,
        "List limits and what is used of them",
        PaymentLimitList,
        {"object": "list", "has_more": False, "data": [_LIMIT]},
        tag="limits",
    ),
    QueryRoute(
        "/v1/limits/{limit_id}",
        get_limit,
        "Show a limit",
        PaymentLimitDetail,
        {**_LIMIT, "changes": [_CHANGE]},
        tag="limits",
    ),
)
