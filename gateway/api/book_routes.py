"""The routes of the books, with an example of each."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.api import books
from gateway.api.operation import QueryRoute

_HASH = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
_WALLET = "wallet:0x70997970c51812dc3a010c7d01b50e0d17dc79c8:TEUR"
_SELLER = "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f"
_ACCOUNT = {
    "object": "account",
    "code": _WALLET,
    "kind": "wallet",
    "owner": "par_019a8f2e5a0c7c1d8e2f3a4b5c6d7e90",
    "unit": "TEUR",
    "posted": "95680.000000",
    "reserved": "4320.000000",
    "expected": "0.000000",
}
_ENTRY = {
    "object": "journal_entry",
    "seq": 1,
    "kind": "accept",
    "source_key": "accept:inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
    "invoice_id": "inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
    "settlement_id": None,
    "block_number": None,
    "block_hash": None,
    "tx_hash": None,
    "reverses_seq": None,
    "reason": None,
    "value_date": "2026-10-05",
    "booked_at": "2026-10-06T09:00:00.000000Z",
    "prev_hash": "0" * 64,
    "hash": _HASH,
    "lines": [
        {
            "account": f"receivable:{_SELLER}:EUR",
            "unit": "EUR",
            "phase": "posted",
            "amount": "4320.00",
        },
        {
            "account": f"sales:{_SELLER}:EUR",
            "unit": "EUR",
            "phase": "posted",
            "amount": "-4320.00",
        },
    ],
}
_LINE = {
    "subject": _WALLET,
    "unit": "TEUR",
    "block": 4711,
    "ledger": "95680.000000",
    "chain": "95680.000000",
    "logs_in": "120000.000000",
    "logs_out": "24320.000000",
    "bank": None,
    "difference": "0.000000",
    "ties": True,
}


def _listed(one: Mapping[str, object]) -> dict[str, object]:
    return {"object": "list", "has_more": False, "data": [one]}


QUERIES = (
    QueryRoute(
        "/v1/accounts",
        books.list_accounts,
        "List accounts with their balances",
        books.AccountList,
        {**_listed(_ACCOUNT), "basis": "now"},
        tag="books",
    ),
    QueryRoute(
        "/v1/journal",
        books.list_journal,
        "List journal entries",
        books.JournalList,
        _listed(_ENTRY),
        tag="books",
    ),
    QueryRoute(
        "/v1/tie-out",
        books.get_tie_out,
        "Tie the ledger out with the chain",
        books.TieOut,
        {
            "object": "tie_out",
            "block_number": 4711,
            "block_hash": f"0x{_HASH}",
            "ties": True,
            "data": [_LINE],
        },
        tag="books",
    ),
)
