"""How far the watcher has come: its head, and the highest block that was ever final.

Moves nothing: `storing` writes both in the commit that stores the blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from settlement.chain.port import Hash
from settlement.store.bulk import rows

_CURSOR = "SELECT number, hash FROM cursor WHERE name = ?"

HEAD = "head"
FINAL = "final"
"""Kept apart from the head: after a reorg to a shorter branch, what was final stays final."""


@dataclass(frozen=True, slots=True)
class Tip:
    """A block's number and hash."""

    number: int
    hash: Hash


def head(session: Session) -> Tip | None:
    """Return the newest canonical block that is stored, None before the first."""
    return _cursor(session, HEAD)


def final(session: Session) -> Tip | None:
    """Return the highest block that has ever had the chain's own limit of confirmations."""
    return _cursor(session, FINAL)


def _cursor(session: Session, name: str) -> Tip | None:
    found = rows(session, _CURSOR, (name,))
    return Tip(found[0][0], Hash(found[0][1])) if found else None
