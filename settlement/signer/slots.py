"""What was signed for which nonce: the signer's own durable memory, in a file of its own.

A nonce carries one content for ever; anything else only as a declared cancel, then nothing but it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS slot (
    signer TEXT NOT NULL,
    nonce INTEGER NOT NULL,
    content_hash TEXT,
    cancelled INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (signer, nonce)
)
"""


class SlotStore:
    """A small synchronous SQLite file: a slot is on disk before its signature leaves the signer."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA busy_timeout=30000")
        self._connection.execute(_SCHEMA)

    def take(self, signer: str, wanted: Sequence[tuple[int, str, bool]]) -> list[str | None]:
        """Remember `(nonce, content hash, as cancel)` in one commit.

        Return per slot a refusal or None.
        """
        refusals: list[str | None] = []
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for nonce, content_hash, as_cancel in wanted:
                refusals.append(self._take(signer, nonce, content_hash, as_cancel))
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return refusals

    def highest(self, signer: str) -> int | None:
        """Return the highest nonce that was ever taken."""
        found: int | None = self._connection.execute(
            "SELECT MAX(nonce) FROM slot WHERE signer = ?", (signer,)
        ).fetchone()[0]
        return found

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _take(self, signer: str, nonce: int, content_hash: str, as_cancel: bool) -> str | None:
        row = self._connection.execute(
            "SELECT content_hash, cancelled FROM slot WHERE signer = ? AND nonce = ?",
            (signer, nonce),
        ).fetchone()
        if as_cancel:
            self._connection.execute(
                "INSERT INTO slot (signer, nonce, cancelled) VALUES (?, ?, 1)"
                " ON CONFLICT (signer, nonce) DO UPDATE SET cancelled = 1",
                (signer, nonce),
            )
            return None
        if row is None:
            self._connection.execute(
                "INSERT INTO slot (signer, nonce, content_hash) VALUES (?, ?, ?)",
                (signer, nonce, content_hash),
            )
            return None
        if row[1]:
            return f"nonce {nonce} has been cancelled"
        if row[0] != content_hash:
            return f"nonce {nonce} was signed with other content"
        return None
