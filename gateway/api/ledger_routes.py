"""The routes of periods, monitors and account statements, with an example of each."""

from __future__ import annotations

from gateway.api import account_statements, monitors, periods
from gateway.api.operation import CommandRoute, QueryRoute, body_of

_HASH = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
_WALLET = "wallet:0x70997970c51812dc3a010c7d01b50e0d17dc79c8:TEUR"
_MONITOR_ID = "mon_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f"
_PERIOD = {
    "object": "period",
    "id": "2026-10",
    "first_date": "2026-10-01",
    "last_date": "2026-10-31",
    "state": "open",
    "trial_sha256": _HASH,
    "head_seq": 4711,
    "closed_by": "treasury:stk_9f86d081884c",
    "closed_at": "2026-11-04T07:30:00.000000Z",
    "approved_by": None,
    "approved_at": None,
}
_CLOSED = {
    **_PERIOD,
    "state": "closed",
    "approved_by": "treasury:stk_60303ae22b99",
    "approved_at": "2026-11-04T09:15:00.000000Z",
}
_MONITOR = {
    "object": "monitor",
    "id": _MONITOR_ID,
    "name": "the importer's TEUR",
    "pattern": _WALLET,
    "lower_minor": "50000000000",
    "upper_minor": None,
    "created_by": "treasury:stk_9f86d081884c",
    "created_at": "2026-11-04T07:30:00.000000Z",
    "retired_at": None,
    "outside": [
        {
            "account": _WALLET,
            "side": "below",
            "balance": "45680.000000",
            "entry_seq": 4711,
            "at": "2026-11-04T09:15:00.000000Z",
        }
    ],
}
_STATEMENT = {
    "object": "account_statement",
    "account": _WALLET,
    "unit": "TEUR",
    "basis": "value",
    "first": "2026-10-01",
    "last": "2026-10-31",
    "opening": "100000.000000",
    "movements": "-4320.000000",
    "closing": "95680.000000",
    "line_count": 1,
    "has_more": False,
    "data": [
        {
            "seq": 17,
            "kind": "payment",
            "source_key": f"log:0x{_HASH}:3",
            "value_date": "2026-10-06",
            "booked_at": "2026-10-06T09:01:12.000000Z",
            "amount": "-4320.000000",
            "balance": "95680.000000",
            "invoice_id": "inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
            "settlement_id": "stl_019a8f2e6c1f7d3e9b6a2d4c5e6f7082",
            "block_number": 42,
            "block_hash": f"0x{_HASH}",
            "tx_hash": f"0x{_HASH}",
            "state": "posted",
            "reverses_seq": None,
            "reversed_by_seq": None,
            "reason": None,
        }
    ],
}

QUERIES = (
    QueryRoute(
        "/v1/periods",
        periods.list_periods,
        "List accounting periods",
        periods.PeriodList,
        {"object": "list", "has_more": False, "open_since": "2026-10-01", "data": [_PERIOD]},
        tag="books",
    ),
    QueryRoute(
        "/v1/periods/{period_id}",
        periods.get_period,
        "Get an accounting period",
        periods.Period,
        _CLOSED,
        tag="books",
    ),
    QueryRoute(
        "/v1/monitors",
        monitors.list_monitors,
        "List balance monitors, with what is outside its bounds",
        monitors.MonitorList,
        {"object": "list", "has_more": False, "data": [_MONITOR]},
        tag="books",
    ),
    QueryRoute(
        "/v1/account-statement",
        account_statements.get_account_statement,
        "Get the statement of an account",
        account_statements.AccountStatement,
        _STATEMENT,
        tag="books",
    ),
)
COMMANDS = (
    CommandRoute(
        "/v1/periods/close",
        periods.plan_close,
        "Ask for the close of an accounting period",
        body_of(periods.CloseBody, {"a month": {"period": "2026-10"}}),
        periods.Period,
        _PERIOD,
        tag="books",
    ),
    CommandRoute(
        "/v1/periods/approve",
        periods.plan_approve,
        "Approve the close of an accounting period",
        body_of(periods.ApproveBody, {"seen": {"period": "2026-10", "trial_sha256": _HASH}}),
        periods.Period,
        _CLOSED,
        tag="books",
    ),
    CommandRoute(
        "/v1/monitors",
        monitors.plan_watch,
        "Watch a balance",
        body_of(
            monitors.MonitorBody,
            {"low": {"name": "low", "pattern": _WALLET, "lower_minor": "50000000000"}},
        ),
        monitors.BalanceMonitor,
        {**_MONITOR, "outside": []},
        status=201,
        tag="books",
    ),
    CommandRoute(
        "/v1/monitors/{monitor_id}/retire",
        monitors.plan_retire,
        "Stop watching a balance",
        body_of(monitors.NothingBody, {"nothing": {}}, is_required=False),
        monitors.BalanceMonitor,
        {**_MONITOR, "retired_at": "2026-11-05T08:00:00.000000Z"},
        tag="books",
    ),
)
