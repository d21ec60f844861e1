"""The rail's records as the signer reads them: its own connection, which cannot write.

Speaks SQL to SQLite and PostgreSQL by their drivers: the process with the key loads little else.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from settlement.chain.port import Address
from settlement.errors import Retryable

_INTENTS = (
    "SELECT c.id, c.signer, c.nonce, c.kind, c.to_address, c.calldata, c.token, c.debtor_wallet,"
    " c.deadline, c.gas_limit, c.member_count, t.decimals"
    " FROM chain_tx c LEFT JOIN token t ON t.address = c.token WHERE c.id IN ({})"
)
_MEMBERS = (
    "SELECT m.chain_tx_id, s.id, s.rail, s.token, s.debtor_wallet, s.creditor_wallet, s.sequence,"
    " s.amount_minor, s.reference, s.document_sha256, c.settlement_id, c.outcome,"
    " c.expires_at, c.revoked_at, c.debtor_wallet, c.creditor_wallet, c.token,"
    " c.amount_minor, c.reference"
    " FROM batch_member m JOIN settlement s ON s.id = m.settlement_id"
    " LEFT JOIN clearance c ON c.id = m.clearance_id"
    " WHERE m.chain_tx_id IN ({}) AND m.live ORDER BY m.chain_tx_id, m.position"
)
# Asked again here: a clearance may have been given in the instant in which a list changed.
_RESTRICTED = (
    "SELECT wallet, contract FROM registry_standing"
    " WHERE wallet IN ({}) AND wanted IN ('unlisted', 'frozen')"
)
_CHANGES = (
    "SELECT h.chain_tx_id, h.wallet, h.contract, h.effect, s.wanted, p.state,"
    " EXISTS (SELECT 1 FROM registry_wish w WHERE w.wallet = h.wallet AND w.contract = h.contract"
    "  AND w.wanted IN ('unlisted', 'frozen')),"
    " EXISTS (SELECT 1 FROM token t WHERE t.address = h.contract AND t.listed)"
    " FROM registry_change h"
    " LEFT JOIN registry_standing s ON s.wallet = h.wallet AND s.contract = h.contract"
    " LEFT JOIN wallet o ON o.address = h.wallet"
    " LEFT JOIN participant p ON p.id = o.participant_id"
    " WHERE h.chain_tx_id IN ({}) ORDER BY h.chain_tx_id, h.position"
)
_DEPLOYMENT = "SELECT chain_id, rail FROM deployment"
_IDS_AT_ONCE = 1_000
_CACHE_KB = 16_384


class RecordsUnreachable(Retryable):
    """The rail's database did not answer the signer."""


class Intent(NamedTuple):
    """A chain transaction as it is stored; `decimals` of its token, None where it is not listed."""

    id: str
    signer: str
    nonce: int
    kind: str
    to_address: str
    calldata: bytes
    token: str | None
    debtor_wallet: str | None
    deadline: int
    gas_limit: int
    member_count: int
    decimals: int | None


class Member(NamedTuple):
    """A settlement in a chain transaction, with the clearance that it was claimed under."""

    chain_tx_id: str
    id: str
    rail: str
    token: str
    debtor_wallet: str
    creditor_wallet: str
    sequence: int
    amount_minor: int
    reference: str
    document_sha256: str
    cleared_id: str | None
    outcome: str | None
    expires_at: int | None
    revoked_at: int | None
    cleared_debtor: str | None
    cleared_creditor: str | None
    cleared_token: str | None
    cleared_minor: int | None
    cleared_reference: str | None
    is_restricted: bool
    """A wallet of it is to be unlisted, or frozen in this token."""


class Change(NamedTuple):
    """A wallet in a chain transaction of the admin's lane, with what is wanted of it now."""

    chain_tx_id: str
    wallet: str
    contract: str
    effect: str
    wanted: str | None
    owner_state: str | None
    """None: no participant's wallet."""
    is_bound: bool
    """A side wants it unlisted or frozen, whatever the others want."""
    token_is_listed: bool


def _places(row: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
    """Return each wallet of a member's row in each contract that could stop it."""
    _chain_tx, _id, rail, token, debtor, creditor, *_others = row
    return ((debtor, rail), (debtor, token), (creditor, rail), (creditor, token))


class HasUrl(Protocol):
    """An engine of SQLAlchemy, as far as it matters here: this module does not load it."""

    url: Any


class Records:
    """Opens its connection at the first question, and anew after an error."""

    def __init__(self, url: str) -> None:
        self._database: _Database = _Sqlite(url) if url.startswith("sqlite") else _Postgres(url)
        self._connection: Any = None
        self._using = threading.Lock()

    @classmethod
    def beside(cls, engine: HasUrl) -> Records:
        """Return the records of an engine's database, by a connection of their own."""
        return cls(engine.url.render_as_string(hide_password=False))

    def intents(self, ids: Sequence[str]) -> tuple[dict[str, Intent], dict[str, list[Member]]]:
        """Return chain transactions and their live members, both as of one moment.

        Raises:
            RecordsUnreachable: the database did not answer.
        """
        found: dict[str, Intent] = {}
        members: dict[str, list[Member]] = {}
        with self._snapshot() as connection:
            for row in self._each(connection, _INTENTS, ids):
                intent = Intent(*row)
                found[intent.id] = intent._replace(calldata=bytes(intent.calldata))
            rows = list(self._each(connection, _MEMBERS, ids))
            wallets = {wallet for row in rows for wallet in row[4:6]}
            restricted = set(self._each(connection, _RESTRICTED, sorted(wallets)))
        for row in rows:
            places = _places(row) if restricted else ()
            is_restricted = not restricted.isdisjoint(places)
            members.setdefault(row[0], []).append(Member._make((*row, is_restricted)))
        return found, members

    def changes(self, ids: Sequence[str]) -> dict[str, list[Change]]:
        """Return what chain transactions are to change in the registry, as it is wanted now.

        Raises:
            RecordsUnreachable: the database did not answer.
        """
        found: dict[str, list[Change]] = {}
        with self._snapshot() as connection:
            for row in self._each(connection, _CHANGES, ids):
                found.setdefault(row[0], []).append(Change(*row))
        return found

    def deployment(self) -> tuple[int, Address] | None:
        """Return the chain's id and the rail's address; None before there is a deployment.

        Raises:
            RecordsUnreachable: the database did not answer.
        """
        with self._snapshot() as connection:
            row = connection.execute(_DEPLOYMENT).fetchone()
        return (int(row[0]), Address(row[1])) if row else None

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        if self._connection is not None:
            with suppress(self._database.failure()):
                self._connection.close()
            self._connection = None

    def _each(self, connection: Any, sql: str, keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query for any number of keys, in their order by the thousand."""
        for start in range(0, len(keys), _IDS_AT_ONCE):
            some = list(keys[start : start + _IDS_AT_ONCE])
            marks = ", ".join([self._database.mark] * len(some))
            yield from connection.execute(sql.format(marks), some)

    @contextmanager
    def _snapshot(self) -> Iterator[Any]:
        with self._using, self._translated():
            if self._connection is None:
                self._connection = self._database.connect()
            self._connection.execute(self._database.begin)
            yield self._connection
            self._connection.execute("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._database.failure() as error:
            self.close()
            # The driver's own words may hold the address with its password.
            raise RecordsUnreachable(
                f"the signer cannot read the rail's database ({type(error).__name__})"
            ) from None
        except BaseException:
            self.close()
            raise


class _Database(Protocol):
    """What differs between the two."""

    mark: str
    begin: str

    def connect(self) -> Any:
        """Return a connection that cannot write."""

    def failure(self) -> type[Exception]:
        """Return what its driver raises."""


class _Sqlite:
    mark, begin = "?", "BEGIN"

    def __init__(self, url: str) -> None:
        self._path = Path(url.partition(":///")[2])

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=ro",
            uri=True, isolation_level=None, check_same_thread=False, timeout=30,
        )  # fmt: skip
        connection.execute("PRAGMA query_only=ON")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
        return connection

    def failure(self) -> type[Exception]:
        return sqlite3.Error


class _Postgres:
    mark, begin = "%s", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def __init__(self, url: str) -> None:
        self._url = "postgresql://" + url.partition("://")[2]

    def connect(self) -> Any:
        import psycopg

        return psycopg.connect(
            self._url, autocommit=True, connect_timeout=10,
            options="-c default_transaction_read_only=on",
        )  # fmt: skip

    def failure(self) -> type[Exception]:
        import psycopg

        return psycopg.Error
