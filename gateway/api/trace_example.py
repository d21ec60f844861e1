"""An example of a trace, as the API's description shows it: one invoice, paid."""

from __future__ import annotations

from typing import Any

_INVOICE = "inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081"
_SETTLEMENT = "stl_019a8f2e71aa7b2c8d3e4f5a6b7c8d9e"
_CLEARANCE = "clr_019a8f2e72bb7c3d8e4f5a6b7c8d9e0f"
_CHAIN_TX = "ctx_019a8f2e73cc7d4e8f5a6b7c8d9e0f10"
_SELLER = "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f"
_BUYER = "par_019a8f2e5a0c7c1d8e2f3a4b5c6d7e90"
_TX = "0x" + "af94d801a1ec6063b7a48facc42f23cb5c14ce1fec935db4e5bf35e9129cf8c3"
_BLOCK = "0x" + "5107fe80a87dc3334d2dfa9936dcca432b4648aa5a51cdb2ed3423183aa04053"
_REFERENCE = "0x" + "3e7e2306b5f064e5fe5277d03bbc489b2368e3d080d1c1c30a33f5bdf1a3374a"
_DOCUMENT = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
_DEBTOR = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
_CREDITOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
_TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
_NOON = "2026-10-06T12:00:00Z"


def _eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "unit": "EUR"}


def _teur(amount: str = "4320.000000") -> dict[str, str]:
    return {"amount": amount, "unit": "TEUR"}


def _move(move: str, state: str, at: str, actor: str | None) -> dict[str, Any]:
    return {"move": move, "state": state, "at": at, "actor": actor, "reason": None}


def _line(account: str, amount: dict[str, str]) -> dict[str, Any]:
    return {"account": account, "phase": "posted", "amount": amount}


def _log(name: str, index: int) -> dict[str, Any]:
    return {
        "key": f"log:{_BLOCK}:{index}",
        "name": name,
        "block_number": 4711,
        "block_hash": _BLOCK,
        "block_time": _NOON,
        "canonical": True,
        "tx_hash": _TX,
        "log_index": index,
        "pair_index": 1 - index,
        "code": None,
        "token": _TOKEN,
        "sender": _DEBTOR,
        "receiver": _CREDITOR,
        "amount": _teur(),
    }


_PAYMENT = {
    "key": "je_33",
    "seq": 33,
    "kind": "payment",
    "source_key": f"log:{_BLOCK}:0",
    "block_number": 4711,
    "tx_hash": _TX,
    "reverses_seq": None,
    "reversed_by_seq": None,
    "reason": None,
    "value_date": "2026-10-06",
    "booked_at": _NOON,
    "hash": "1bcb1236309128926a0937261745543d3533b74b9a027eb9340d3cb7b2dc10ab",
    "lines": [
        _line(f"wallet:{_CREDITOR.lower()}:TEUR", _teur()),
        _line(f"par:{_SELLER}:TEUR", _teur("-4320.000000")),
        _line(f"par:{_SELLER}:EUR", _eur("4320.00")),
        _line(f"receivable:{_SELLER}:EUR", _eur("-4320.00")),
        _line(f"payable:{_BUYER}:EUR", _eur("4320.00")),
        _line(f"par:{_BUYER}:EUR", _eur("-4320.00")),
        _line(f"par:{_BUYER}:TEUR", _teur()),
        _line(f"wallet:{_DEBTOR.lower()}:TEUR", _teur("-4320.000000")),
    ],
}

_SETTLED: dict[str, Any] = {
    "id": _SETTLEMENT,
    "end_to_end_id": "E019a8f2e71aa7b2c8d3e4f5a6b7c8d9e",
    "reference": _REFERENCE,
    "state": "SETTLED",
    "iso_status": "ACSC",
    "reason": None,
    "outcome": "paid",
    "sequence": 4,
    "amount": _teur(),
    "claim": _eur("4320.00"),
    "debtor_wallet": _DEBTOR,
    "creditor_wallet": _CREDITOR,
    "execution_date": "2026-10-06",
    "block_number": 4711,
    "tx_hash": _TX,
    "moves": [
        _move("instruct", "INSTRUCTED", "2026-10-06T11:59:50Z", "importer:k7Qm"),
        _move("clear", "CLEARED", "2026-10-06T11:59:51Z", "policy"),
        _move("claim", "CLAIMED", "2026-10-06T11:59:51Z", "rail"),
        _move("submit", "SUBMITTED", "2026-10-06T11:59:51Z", "rail"),
        _move("seen", "CONFIRMING", _NOON, "chain"),
        _move("booked", "BOOKED", _NOON, "chain"),
        _move("finalized", "SETTLED", "2026-10-06T12:00:22Z", "chain"),
    ],
    "clearances": [
        {
            "id": _CLEARANCE,
            "outcome": "ALLOW",
            "policy_version": "baseline@2026-11-01.1#3c72ce9768f8",
            "verdicts": [{"rule": "BASE-01", "outcome": "ALLOW"}],
            "list_versions": {},
            "created_at": "2026-10-06T11:59:51Z",
            "expires_at": "2026-10-06T12:59:51Z",
            "revoked_at": None,
        }
    ],
    "chain_tx_ids": [_CHAIN_TX],
    "logs": [_log("Transfer", 0), _log("Settled", 1)],
    "entries": [_PAYMENT],
    "matches": [
        {
            "key": "match_4",
            "id": 4,
            "log_key": f"log:{_BLOCK}:1",
            "entry_seq": 33,
            "live": True,
            "created_at": "2026-10-06T12:00:22Z",
            "undone_at": None,
        }
    ],
    "breaks": [],
}

TRACE: dict[str, Any] = {
    "key": _SETTLEMENT,
    "kind": "settlement",
    "journeys": [
        {
            "invoice": {
                "id": _INVOICE,
                "number": "HM-2026-00417",
                "type_code": "380",
                "issue_date": "2026-10-05",
                "due_date": "2026-11-04",
                "state": "PAID",
                "seller": {
                    "id": _SELLER,
                    "name": "Hanse Maritime GmbH",
                    "country": "DE",
                    "lei": "529900T8BM49AURSDO55",
                },
                "buyer": {
                    "id": _BUYER,
                    "name": "Baltic Import AS",
                    "country": "EE",
                    "lei": "5493001KJTIIGC8Y1R12",
                },
                "payable": _eur("4320.00"),
                "in_flight": _eur("0.00"),
                "settled": _eur("4320.00"),
                "credited": _eur("0.00"),
                "document_sha256": _DOCUMENT,
                "received_at": "2026-10-06T09:00:00Z",
                "preceding_id": None,
                "moves": [
                    _move("issue", "ISSUED", "2026-10-06T09:00:00Z", "exporter:p2Xa"),
                    _move("accept", "ACCEPTED", "2026-10-06T10:30:00Z", "importer:k7Qm"),
                    _move("paid", "PAID", "2026-10-06T12:00:22Z", "rail"),
                ],
                "entries": [],
            },
            "settlements": [_SETTLED],
        }
    ],
    "chain_txs": [
        {
            "id": _CHAIN_TX,
            "signer": "0x7e9fb40f66c4e132Fa5E64E49f307E02B76540f8",
            "nonce": 1,
            "kind": "pay",
            "state": "FINAL",
            "outcome": "done",
            "member_count": 1,
            "total": _teur(),
            "deadline": "2026-10-06T12:59:51Z",
            "booking_depth": 1,
            "block_number": 4711,
            "block_hash": _BLOCK,
            "tx_hash": _TX,
            "moves": [_move("see", "SEEN", _NOON, None)],
            "attempts": [
                {
                    "hash": _TX,
                    "kind": "pay",
                    "created_at": "2026-10-06T11:59:51Z",
                    "first_sent_at": "2026-10-06T11:59:51Z",
                    "last_sent_at": "2026-10-06T11:59:51Z",
                    "send_count": 1,
                    "outcome": "accepted",
                    "mined": True,
                }
            ],
        }
    ],
    "logs": [],
    "entries": [],
    "breaks": [],
}
