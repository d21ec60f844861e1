"""A signer that is looked at: what leaves it is compared with the database, by code of its own.

Reads database files and raw bytes itself; shares no query, no decoding and no rule with the rail.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from settlement.signer.port import Refusal, Signature, Signer, SigningRequest

_HEAD = 4 + 6 * 32
_PAYMENT = 64
_MAY_BE_PAID = ("ALLOW", "ALLOW_WITH_DATA")


class WatchedSigner:
    """Implements `Signer` by another one; keeps a fault for all that no live clearance covers."""

    def __init__(self, inner: Signer, database: Path, slots: Path) -> None:
        self._inner = inner
        self._database, self._slots = sqlite3.connect(database), sqlite3.connect(slots)
        self.faults: list[str] = []
        self.signed, self.refused, self.cancelled = 0, 0, 0
        self._nonces: set[int] = set()

    @property
    def address(self) -> Any:
        return self._inner.address

    def signed_through(self) -> int | None:
        return self._inner.signed_through()

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        answers = self._inner.sign(requests, now)
        for request, answer in zip(requests, answers, strict=True):
            if isinstance(answer, Refusal):
                self.refused += 1
                continue
            nonce, to, value, data = _read(answer.raw)
            if not data:
                self.cancelled += 1
                if value or to.hex() != self.address[2:]:
                    self.faults.append(f"{request.chain_tx_id}: a cancel that moves something")
                continue
            self.signed += 1
            self._nonces.add(nonce)
            self.faults += self._uncovered(request.chain_tx_id, data, now)
        return answers

    def unseen(self) -> list[str]:
        """Return what the signer's own memory says was signed, and nobody saw."""
        rows = self._slots.execute("SELECT nonce FROM slot WHERE content_hash IS NOT NULL")
        taken = {nonce for (nonce,) in rows}
        return [f"nonce {nonce} was signed unseen" for nonce in sorted(taken - self._nonces)]

    def close(self) -> None:
        self._database.close()
        self._slots.close()

    def _uncovered(self, chain_tx: str, data: bytes, now: datetime) -> list[str]:
        token, debtor = data[4 + 12 : 36].hex(), data[36 + 12 : 68].hex()
        paid = [
            (part[:20].hex(), int.from_bytes(part[20:28], "big"), part[32:].hex())
            for part in (
                data[start : start + _PAYMENT] for start in range(_HEAD, len(data), _PAYMENT)
            )
        ]
        rows = self._database.execute(
            "SELECT c.reference, c.outcome, c.revoked_at, c.expires_at, c.debtor_wallet,"
            " c.creditor_wallet, c.token, c.amount_minor, c.settlement_id, m.settlement_id"
            " FROM batch_member m LEFT JOIN clearance c ON c.id = m.clearance_id"
            " WHERE m.chain_tx_id = ? AND m.live", (chain_tx,),
        ).fetchall()  # fmt: skip
        by_reference = {str(row[0])[2:]: row for row in rows}
        at = int(now.timestamp() * 1_000_000)
        found = []
        if len(rows) != len(paid):
            found.append(f"{chain_tx}: {len(paid)} payments of {len(rows)} members")
        for creditor, amount, reference in paid:
            row = by_reference.get(reference)
            if row is None:
                found.append(f"{chain_tx}: no clearance has reference {reference}")
                continue
            said = (row[4][2:], row[5][2:], row[6][2:], row[7])
            if said != (debtor, creditor, token, amount):
                found.append(f"{chain_tx}: {said} was cleared, not what is paid")
            if row[1] not in _MAY_BE_PAID or row[2] is not None or row[3] <= at:
                found.append(f"{chain_tx}: {row[1]}, revoked {row[2]}, expires {row[3]} at {at}")
            if row[8] != row[9]:
                found.append(f"{chain_tx}: the clearance of another settlement")
        return found


def _read(raw: bytes) -> tuple[int, bytes, int, bytes]:
    """Return nonce, receiver, value and data of a chain transaction of type 2."""
    assert raw[0] == 2
    fields, _ = _item(raw, 1)
    return (int.from_bytes(fields[1], "big"), fields[5], int.from_bytes(fields[6], "big"),
            fields[7])  # fmt: skip


def _item(raw: bytes, at: int) -> tuple[Any, int]:
    """Read one item of RLP. Source: Ethereum's yellow paper, appendix B."""
    first = raw[at]
    if first < 0x80:
        return raw[at : at + 1], at + 1
    is_list = first >= 0xC0
    size = first - (0xC0 if is_list else 0x80)
    start = at + 1
    if size > 55:
        width = size - 55
        size = int.from_bytes(raw[start : start + width], "big")
        start += width
    end = start + size
    if not is_list:
        return raw[start:end], end
    items = []
    while start < end:
        one, start = _item(raw, start)
        items.append(one)
    return items, end
