"""Pages of accounts with their balances, and of journal entries, for people to read.

Changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement.ledger import stored
from settlement.ledger.balances import balances
from settlement.ledger.stored import StoredEntry

_ACCOUNTS = text(
    "SELECT a.code, a.kind, a.owner, a.unit, COALESCE(b.reserved_minor, 0) AS reserved_minor,"
    " COALESCE(b.expected_minor, 0) AS expected_minor FROM account a"
    " LEFT JOIN balance b ON b.account_id = a.id WHERE a.code > :after"
    " AND (CAST(:owner AS TEXT) IS NULL OR a.owner = :owner)"
    " AND (CAST(:kind AS TEXT) IS NULL OR a.kind = :kind)"
    " AND (CAST(:code AS TEXT) IS NULL OR a.code = :code) ORDER BY a.code LIMIT :limit"
)
_OWNER = text("SELECT owner FROM account WHERE code = :code")


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account: what was posted to it by then; what is set aside of it, and to come, now."""

    code: str
    kind: str
    owner: str
    unit: str
    reserved_minor: int
    expected_minor: int
    posted_minor: int


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries to list; None does not restrict."""

    kind: str | None = None
    invoice_id: str | None = None
    settlement_id: str | None = None
    tx_hash: str | None = None


def accounts_page(
    session: Session,
    *,
    after: str,
    limit: int,
    owner: str | None = None,
    kind: str | None = None,
    code: str | None = None,
    at_block: int | None = None,
    at: datetime | None = None,
    on: date | None = None,
) -> list[AccountBalance]:
    """Return up to `limit` accounts with a code above `after`, with their balances at a moment."""
    params = {"after": after, "limit": limit, "owner": owner, "kind": kind, "code": code}
    found = session.connection().execute(_ACCOUNTS, params).all()
    posted = balances(session, [row.code for row in found], at_block=at_block, at=at, on=on)
    return [AccountBalance(**row._mapping, posted_minor=posted[row.code]) for row in found]


def owner_of(session: Session, code: str) -> str | None:
    """Return the owner of an account; None where nothing was ever posted to it."""
    found = session.connection().execute(_OWNER, {"code": code}).scalar()
    return None if found is None else str(found)


def entries_page(
    session: Session, wanted: EntryFilter, *, before: int | None, limit: int
) -> Sequence[StoredEntry]:
    """Return up to `limit` entries with a seq below `before`, newest first."""
    conditions, params = ["1 = 1"], {"limit": limit}
    for name in ("kind", "invoice_id", "settlement_id", "tx_hash"):
        if getattr(wanted, name) is not None:
            conditions.append(f"{name} = :{name}")
            params[name] = getattr(wanted, name)
    if before is not None:
        conditions.append("seq < :before")
        params["before"] = before
    statement = (
        f"SELECT seq FROM journal_entry WHERE {' AND '.join(conditions)}"
        " ORDER BY seq DESC LIMIT :limit"
    )
    seqs = list(session.connection().execute(text(statement), params).scalars())
    return sorted(stored.by_seq(session, seqs), key=lambda entry: -entry.seq)
