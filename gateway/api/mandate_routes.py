"""The routes of mandates, with an example of each."""

from __future__ import annotations

from gateway.api import mandates
from gateway.api.operation import CommandRoute, QueryRoute, body_of

_WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
_HASH = "0x88df016429689c079f3b2f6ad39fa052532c56795b733da78a91ebe6a713944b"
_MANDATE = {
    "object": "mandate",
    "participant_id": "par_019a8f2e5a0c7c1d8e2f3a4b5c6d7e90",
    "debtor_wallet": _WALLET,
    "token_symbol": "TEUR",
    "cap_per_payment": "50000.000000",
    "cap_per_day": "200000.000000",
    "expires_at": "2027-11-04T00:00:00Z",
    "tx_hash": _HASH,
    "left_today": "195680.000000",
    "allowance": "1000000.000000",
    "balance": "95680.000000",
}
_INSTRUCTION = {
    "object": "mandate_instruction",
    "to_sign": [
        {
            "purpose": "let the rail move TEUR of this wallet",
            "fields": {
                "chainId": "0x7a69",
                "from": _WALLET,
                "to": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
                "data": "0x095ea7b3",
                "value": "0x0",
            },
        }
    ],
}

QUERIES = (
    QueryRoute(
        "/v1/mandates",
        mandates.list_mandates,
        "List mandates, with what is left of the day",
        mandates.MandateList,
        {"object": "list", "has_more": False, "data": [_MANDATE]},
        tag="mandates",
    ),
    QueryRoute(
        "/v1/mandates/grant",
        mandates.get_grant,
        "See what to sign to grant or change a mandate",
        mandates.Instruction,
        _INSTRUCTION,
        tag="mandates",
    ),
    QueryRoute(
        "/v1/mandates/revocation",
        mandates.get_revocation,
        "See what to sign to revoke a mandate",
        mandates.Instruction,
        _INSTRUCTION,
        tag="mandates",
    ),
)
COMMANDS = (
    CommandRoute(
        "/v1/mandates",
        mandates.plan_relay,
        "Relay signed mandate calls",
        body_of(mandates.RelayBody, {"signed": {"signed": ["0x02f8b0"]}}),
        mandates.RelayAnswer,
        {
            "object": "list",
            "data": [{"tx_hash": _HASH, "outcome": "accepted", "message": ""}],
        },
        status=202,
        tag="mandates",
    ),
)
