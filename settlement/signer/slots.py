"""The signer's own durable memory, in a file of its own: slots, signatures, amounts of a day.

A restored or changed main database cannot reset it. Signs nothing; it says what may be signed.

- A nonce carries one content for ever. Anything else is signed only as a declared cancel, and
  after that nothing but the cancel: no payment is signed for that nonce again, at no fee.
- A new signature for the same content bids at least an eighth more than the last, on both fees.
  Who asks for less gets the last signature again: nothing new is signed, nothing is counted.
- A payment is counted against the day's amounts when its nonce is first taken, and never again.
  Nothing is given back, not for a cancel either: which of the two the chain takes is not known
  here. So the sums of a day are never less than what this signer let move.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from settlement.errors import Retryable
from settlement.files import identity

_SCHEMA = """
CREATE TABLE IF NOT EXISTS slot (
    signer TEXT NOT NULL,
    nonce INTEGER NOT NULL,
    content_hash TEXT,
    cancelled INTEGER NOT NULL DEFAULT 0,
    day TEXT,
    PRIMARY KEY (signer, nonce)
);
CREATE TABLE IF NOT EXISTS bid (
    signer TEXT NOT NULL,
    nonce INTEGER NOT NULL,
    cancel INTEGER NOT NULL,
    max_fee_wei INTEGER NOT NULL,
    priority_fee_wei INTEGER NOT NULL,
    signature BLOB,
    PRIMARY KEY (signer, nonce, cancel, max_fee_wei)
);
CREATE TABLE IF NOT EXISTS spent (
    day TEXT NOT NULL,
    token TEXT NOT NULL,
    debtor TEXT NOT NULL,
    minor INTEGER NOT NULL,
    PRIMARY KEY (day, token, debtor)
);
CREATE TABLE IF NOT EXISTS pin (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
"""
_EVERYBODY = ""
"""Under this name the sums of all debtors are kept."""


class MemoryUnusable(Retryable):
    """The signer's memory cannot be read or written: nothing is signed without it."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What a payment takes of a day's amounts, and how far they go; minor units of the token."""

    token: str
    debtor: str
    minor: int
    day_max_minor: int
    debtor_day_max_minor: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A nonce and what it shall carry; `content_hash` "" and no `spending` for a cancel."""

    nonce: int
    content_hash: str
    max_fee_wei: int
    priority_fee_wei: int
    spending: Spending | None = None

    @property
    def is_cancel(self) -> bool:
        """Whether this moves nothing."""
        return not self.content_hash


@dataclass(frozen=True, slots=True)
class Taken:
    """The nonce is theirs with these fees; `signature` where it was signed so before."""

    max_fee_wei: int
    priority_fee_wei: int
    signature: bytes | None


class SlotStore:
    """A small synchronous SQLite file: a slot is on disk before its signature leaves the signer."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._using = path, threading.RLock()
        self._opened: tuple[int, int] | None = None
        with self._translated():
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA busy_timeout=30000")
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(_SCHEMA)
        path.chmod(0o600)
        self._opened = identity(path)

    def take(self, signer: str, wanted: Sequence[Wanted], day: str) -> list[Taken | str]:
        """Remember all that may be signed, in one commit; `day` is an ISO 8601 date.

        Return, in order, the fees to sign with or why not.

        Raises:
            MemoryUnusable: nothing is remembered.
        """
        with self._writing():
            return [self._take(signer, each, day) for each in wanted]

    def keep(self, signer: str, signed: Sequence[tuple[Wanted, Taken, bytes]]) -> list[bytes]:
        """Remember signatures; return those that hold: the first for the same content and fees.

        Raises:
            MemoryUnusable: none may leave the signer.
        """
        with self._writing():
            return [self._keep(signer, *each) for each in signed]

    def pinned(self, name: str, value: str) -> str:
        """Return what was first said under a name; that is `value` if nothing was."""
        asked = "SELECT value FROM pin WHERE name = ?"
        with self._translated():
            known = self._connection.execute(asked, (name,)).fetchone()
        if known is not None:
            return str(known[0])
        with self._writing():
            self._connection.execute(
                "INSERT INTO pin (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (name, value),
            )
            return str(self._connection.execute(asked, (name,)).fetchone()[0])

    def pin(self, name: str, value: str) -> None:
        """Say something else under a name: a person wanted it."""
        with self._writing():
            self._connection.execute(
                "INSERT INTO pin (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def highest(self, signer: str) -> int | None:
        """Return the highest nonce that was ever taken."""
        with self._translated():
            found: int | None = self._connection.execute(
                "SELECT MAX(nonce) FROM slot WHERE signer = ?", (signer,)
            ).fetchone()[0]
        return found

    def spent(self, day: str, token: str, debtor: str = _EVERYBODY) -> int:
        """Return what was signed for on a day, of one debtor's wallet or of all; minor units."""
        with self._translated():
            row = self._connection.execute(
                "SELECT minor FROM spent WHERE day = ? AND token = ? AND debtor = ?",
                (day, token, debtor),
            ).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _take(self, signer: str, wanted: Wanted, day: str) -> Taken | str:
        row = self._connection.execute(
            "SELECT content_hash, cancelled FROM slot WHERE signer = ? AND nonce = ?",
            (signer, wanted.nonce),
        ).fetchone()
        if not wanted.is_cancel and row is not None:
            if row[1]:
                return f"nonce {wanted.nonce} has been cancelled"
            if row[0] != wanted.content_hash:
                return f"nonce {wanted.nonce} was signed with other content"
        if wanted.spending is not None and row is None:
            refusal = self._spend(wanted.spending, day)
            if refusal is not None:
                return refusal
        self._connection.execute(
            "INSERT INTO slot (signer, nonce, content_hash, cancelled, day) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (signer, nonce) DO UPDATE SET cancelled = excluded.cancelled",
            (signer, wanted.nonce, wanted.content_hash or None, wanted.is_cancel, day),
        )
        return self._bid(signer, wanted)

    def _bid(self, signer: str, wanted: Wanted) -> Taken:
        """Return the fees asked for if they outbid what was signed, else the last ones again."""
        last = self._connection.execute(
            "SELECT max_fee_wei, priority_fee_wei, signature FROM bid"
            " WHERE signer = ? AND nonce = ? AND cancel = ? ORDER BY max_fee_wei DESC LIMIT 1",
            (signer, wanted.nonce, wanted.is_cancel),
        ).fetchone()
        fees = (wanted.max_fee_wei, wanted.priority_fee_wei)
        if last is not None and any(
            8 * new < 9 * old for new, old in zip(fees, last, strict=False)
        ):
            return Taken(*last)
        self._connection.execute(
            "INSERT INTO bid (signer, nonce, cancel, max_fee_wei, priority_fee_wei)"
            " VALUES (?, ?, ?, ?, ?)",
            (signer, wanted.nonce, wanted.is_cancel, *fees),
        )
        return Taken(*fees, None)

    def _keep(self, signer: str, wanted: Wanted, taken: Taken, signature: bytes) -> bytes:
        key = (signer, wanted.nonce, wanted.is_cancel, taken.max_fee_wei)
        self._connection.execute(
            "UPDATE bid SET signature = ? WHERE signer = ? AND nonce = ? AND cancel = ?"
            " AND max_fee_wei = ? AND signature IS NULL",
            (signature, *key),
        )
        row = self._connection.execute(
            "SELECT signature FROM bid WHERE signer = ? AND nonce = ? AND cancel = ?"
            " AND max_fee_wei = ?",
            key,
        ).fetchone()
        return bytes(row[0])

    def _spend(self, spending: Spending, day: str) -> str | None:
        for debtor, most, whose in (
            (_EVERYBODY, spending.day_max_minor, "the day's limit"),
            (spending.debtor, spending.debtor_day_max_minor, "its debtor's limit of a day"),
        ):
            row = self._connection.execute(
                "SELECT minor FROM spent WHERE day = ? AND token = ? AND debtor = ?",
                (day, spending.token, debtor),
            ).fetchone()
            used = row[0] if row else 0
            if used + spending.minor > most:
                return (
                    f"{spending.minor} on top of {used} is over {whose} for {spending.token},"
                    f" {most} minor units on {day} (UTC)"
                )
        for debtor in (_EVERYBODY, spending.debtor):
            self._connection.execute(
                "INSERT INTO spent (day, token, debtor, minor) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (day, token, debtor) DO UPDATE SET minor = minor + excluded.minor",
                (day, spending.token, debtor, spending.minor),
            )
        return None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with self._using:
                self._require_same_file()
                yield
        except sqlite3.Error as error:
            raise MemoryUnusable(f"the signer's memory {self._path}: {error}") from error

    def _require_same_file(self) -> None:
        """Refuse a file that is gone: what is remembered in it is forgotten with this process."""
        if self._opened is not None and identity(self._path) != self._opened:
            raise MemoryUnusable(
                f"the signer's memory {self._path} was deleted, moved or replaced: nothing is"
                " signed without it. Put that very file back, with its -wal file"
            )
