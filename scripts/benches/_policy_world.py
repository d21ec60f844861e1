"""A database for judging: parties, wallets, tokens, mandates, money and instructed settlements.

Written by the thousand, without documents or a chain. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Engine

from settlement.clock import Ids, to_micros
from settlement.store import transaction
from settlement.store.bulk import insert_rows, rows

RAIL = "0x" + "7a" * 20
_PLENTY = 10**16


@dataclass(slots=True)
class World:
    """What is written at the next `store`. Ids count upward."""

    engine: Engine
    ids: Ids
    now: datetime
    _rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _place: int = 0

    def token(self, symbol: str, currency: str, decimals: int = 6, *, listed: bool = True) -> str:
        """Put a token there; return its address."""
        address = self._address()
        self._add(
            "token", address=address, symbol=symbol, currency=currency, decimals=decimals,
            kind="exact", code_hash="0x", listed=listed,
        )  # fmt: skip
        return address

    def party(self, country: str, **values: Any) -> str:
        """Put a participant there with what is not usual; return its id."""
        key = self.ids("par")
        self._add(
            "participant",
            **{
                "id": key, "lei": f"{self._place:020d}", "name": f"Company {self._place}",
                "country": country, "street": "", "building_number": "", "post_code": "",
                "town": "Town", "subdivision": "", "state": "active", "known_by": "operator",
                "legal_form": "legal_entity", "applied_by": "operator",
                "created_at": to_micros(self.now), **values,
            },
        )  # fmt: skip
        self._place += 1
        return key

    def wallet(self, participant_id: str, **values: Any) -> str:
        """Put a wallet there, proved and usable if nothing else is said; return its address."""
        address = str(values.pop("address", "") or self._address())
        self._add(
            "wallet",
            **{
                "address": address, "participant_id": participant_id, "kind": "self_hosted",
                "proved_by": "signature", "usable_from": 0, "created_at": to_micros(self.now),
                **values,
            },
        )  # fmt: skip
        return address

    def money(
        self,
        wallet: str,
        token: tuple[str, str],
        *,
        held: int = _PLENTY,
        caps: tuple[int, int] | None = (_PLENTY, _PLENTY),
    ) -> None:
        """Let a wallet hold a token (address, symbol) and have a mandate for it."""
        address, symbol = token
        self._place += 1
        self._add("account", code=f"wallet:{wallet}:{symbol}", kind="wallet", owner=wallet,
                  unit=symbol)  # fmt: skip
        self._add("balance", code=f"wallet:{wallet}:{symbol}", posted_minor=held)
        if caps:
            terms = {"cap_per_payment": str(caps[0]), "cap_per_day": str(caps[1]), "expiry": 2**39}
            self._add(
                "chain_log", block_hash="0xb1", log_index=self._place, tx_index=0,
                tx_hash=f"0x{self._place:x}", block_number=1, address=RAIL, name="MandateSet",
                token=address, debtor=wallet, detail=orjson.dumps(terms).decode(),
            )  # fmt: skip

    def invoice(self, seller: str, buyer: str, currency: str, record: str = "{}") -> str:
        """Put an invoice there; return its id."""
        key = self.ids("inv")
        digest = f"{self._place:064x}"
        self._place += 1
        self._add("document", sha256=digest, media_type="application/json", content=b"{}",
                  record=record, received_at=0)  # fmt: skip
        self._add(
            "invoice", id=key, number=key, issue_date="2026-11-01", issue_year=2026,
            type_code="380", seller_id=seller, buyer_id=buyer, currency=currency,
            payable_minor=10**15, in_flight_minor=10**14, settled_minor=0, returned_minor=0,
            credited_minor=0, state="ACCEPTED", document_sha256=digest, version=1,
            created_at=to_micros(self.now),
        )  # fmt: skip
        return key

    def settlement(
        self,
        parties: tuple[str, str],
        wallets: tuple[str, str],
        token: str,
        amount_minor: int,
        invoice_id: str,
        *,
        state: str = "INSTRUCTED",
        days_ago: int = 0,
    ) -> str:
        """Put a settlement there, of debtor and creditor in this order; return its id."""
        key = self.ids("stl")
        self._place += 1
        day = self.now - timedelta(days=days_ago)
        self._add(
            "settlement", id=key, invoice_id=invoice_id, end_to_end_id=key, rail=RAIL, token=token,
            debtor_id=parties[0], creditor_id=parties[1], debtor_wallet=wallets[0],
            creditor_wallet=wallets[1], sequence=self._place, amount_minor=amount_minor,
            claim_minor=1, reference=f"0x{self._place:064x}", document_sha256="",
            execution_date=day.date().isoformat(), state=state, approved_by="policy",
            reverted_count=0, version=1,
            created_at=to_micros(day),
        )  # fmt: skip
        return key

    def row(self, table: str, **values: Any) -> None:
        """Put any other row there."""
        self._add(table, **values)

    def store(self) -> None:
        """Write all of it in one database transaction."""
        with transaction(self.engine) as session:
            if not rows(session, "SELECT 1 FROM block"):
                at = int(self.now.timestamp()) - 60
                self._add("block", hash="0xb1", number=1, parent_hash="0x", timestamp=at,
                          canonical=True, seen_at=0)  # fmt: skip
            for table in _ORDER:
                if table == "balance":
                    self._store_balances(session)
                    continue
                for shape in _by_shape(self._rows.pop(table, [])):
                    columns = tuple(shape[0])
                    insert_rows(session, table, columns, [tuple(r.values()) for r in shape])
            assert not self._rows, sorted(self._rows)

    def _store_balances(self, session: Any) -> None:
        wanted = {each["code"]: each["posted_minor"] for each in self._rows.pop("balance", [])}
        known = [r for r in rows(session, "SELECT id, code FROM account") if r[1] in wanted]
        insert_rows(
            session, "balance",
            ("account_id", "posted_minor", "posted_high", "reserved_minor", "expected_minor"),
            [(key, wanted[code], 0, 0, 0) for key, code in known],
        )  # fmt: skip

    def _address(self) -> str:
        self._place += 1
        return f"0x{self._place:040x}"

    def _add(self, table: str, **values: Any) -> None:
        self._rows.setdefault(table, []).append(values)


_ORDER = (
    "block", "token", "participant", "participant_document", "participant_change",
    "participant_alias", "natural_person", "participant_owner", "wallet", "account", "balance",
    "chain_log", "document", "invoice", "settlement", "clearance", "trade_declaration",
    "screening_subject", "screening_hit",
)  # fmt: skip


def _by_shape(found: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Group rows by the columns that they name."""
    shapes: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for each in found:
        shapes.setdefault(tuple(each), []).append(each)
    return list(shapes.values())
