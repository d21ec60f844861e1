"""Short ways to look at a rail from a test: its rows, its books, and what the chain says.

Changes nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, text

from gateway.sandbox import Sandbox
from settlement.chain.port import Address
from settlement.chain.rail_abi import BALANCE_OF, address_word
from settlement.store import reading


class Looking:
    """Whoever has a database, a chain and what was founded there can look at them."""

    engine: Engine
    chain: Any
    sandbox: Sandbox

    def token(self, symbol: str = "TUSD") -> Address:
        return self.sandbox.deployment.token(symbol).address

    def rows(self, sql: str, **params: Any) -> list[Any]:
        with reading(self.engine) as session:
            return list(session.connection().execute(text(sql), params).all())

    def one(self, sql: str, **params: Any) -> Any:
        (row,) = self.rows(sql, **params)
        return row[0] if len(row) == 1 else row

    def states(self) -> dict[str, str]:
        return dict(map(tuple, self.rows("SELECT id, state FROM settlement ORDER BY id")))

    def state(self, settlement_id: str) -> str:
        return self.states()[settlement_id]

    def moves(self, settlement_id: str) -> list[str]:
        """The moves that a settlement has made, in order."""
        sql = "SELECT move FROM settlement_event WHERE settlement_id = :id ORDER BY id"
        return [row.move for row in self.rows(sql, id=settlement_id)]

    def told(self, key: str) -> list[str]:
        """What the outside was told about something's state, in order; see ``told_all``."""
        return [kind for kind in self.told_all(key) if kind != "travel_rule.ready"]

    def told_all(self, key: str) -> list[str]:
        """The same, and that the travel rule's data are ready, which says nothing of a state."""
        sql = "SELECT kind FROM outbox WHERE aggregate_id = :key ORDER BY seq"
        return [row.kind for row in self.rows(sql, key=key)]

    def invoice(self, invoice_id: str) -> Any:
        sql = "SELECT * FROM invoice WHERE id = :id"
        return self.one(sql, id=invoice_id)

    def invoice_of(self, settlement_id: str) -> Any:
        sql = "SELECT invoice_id FROM settlement WHERE id = :id"
        return self.invoice(self.one(sql, id=settlement_id))

    def balance(self, holder: Address, symbol: str = "TUSD") -> int:
        """What the chain says that a wallet holds."""
        call = (self.token(symbol), BALANCE_OF + address_word(holder))
        return int(self.chain.call_many([call])[0], 16)

    def booked(self, holder: Address, symbol: str = "TUSD") -> int:
        """What the books say that a wallet holds."""
        sql = (
            "SELECT COALESCE(SUM(b.posted_minor), 0) FROM balance b JOIN account a"
            " ON a.id = b.account_id WHERE a.code = :code"
        )
        return int(self.one(sql, code=f"wallet:{holder}:{symbol}"))

    def reserved(self, holder: Address, symbol: str = "TUSD") -> int:
        """What of a wallet's money is set aside."""
        sql = (
            "SELECT COALESCE(SUM(b.reserved_minor), 0) FROM balance b JOIN account a"
            " ON a.id = b.account_id WHERE a.code = :code"
        )
        return int(self.one(sql, code=f"wallet:{holder}:{symbol}"))

    def paid_logs(self) -> list[tuple[int, int]]:
        """(sequence, amount) of every canonical Settled that the watcher has stored."""
        sql = (
            "SELECT l.sequence, l.amount_minor FROM chain_log l JOIN block b"
            " ON b.hash = l.block_hash AND b.canonical WHERE l.name = 'Settled'"
            " ORDER BY l.block_number, l.log_index"
        )
        return [tuple(row) for row in self.rows(sql)]

    def lane(self) -> Any:
        return self.one("SELECT * FROM lane")
