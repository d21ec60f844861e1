"""Saved CSV mappings: one for each account, validated before it is kept.

Knows where they are stored; what is in one, `documents.bank_csv` knows.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.bank.accounts import bank_account
from settlement.clock import to_micros
from settlement.documents.bank_csv import CsvMapping, mapping_of
from settlement.errors import Invalid

_SET = text(
    "INSERT INTO bank_mapping (account_id, body, sha256, set_by, set_at)"
    " VALUES (:account_id, :body, :sha256, :actor, :at) ON CONFLICT (account_id) DO UPDATE"
    " SET body = excluded.body, sha256 = excluded.sha256, set_by = excluded.set_by,"
    " set_at = excluded.set_at"
)
_GET = text("SELECT body, sha256, set_by, set_at FROM bank_mapping WHERE account_id = :account_id")


class NoBankMapping(Invalid):
    """A CSV came for an account whose CSV nobody has described."""

    def __init__(self, account_id: str) -> None:
        super().__init__(
            f"{account_id} has no saved mapping for CSV files",
            field="mapping",
            repair="save one with `settle bank mapping set`, then import the file again",
        )


class SavedMapping(NamedTuple):
    """A mapping as it is kept; `set_at` in microseconds."""

    mapping: CsvMapping
    sha256: str
    set_by: str
    set_at: int


def set_mapping(
    session: Session, account_id: str, content: bytes, *, actor: str, now: datetime
) -> SavedMapping:
    """Keep how an account's CSV files are read; the next import uses it.

    Raises:
        NotFound: there is no such account.
        MappingInvalid: it makes no sense.
    """
    account = bank_account(session, account_id)
    mapping = mapping_of(content)
    body = orjson.dumps(mapping.model_dump(), option=orjson.OPT_SORT_KEYS).decode()
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    at = to_micros(now)
    session.execute(
        _SET,
        {"account_id": account.id, "body": body, "sha256": sha256, "actor": actor, "at": at},
    )
    return SavedMapping(mapping, sha256, actor, at)


def mapping(session: Session, account_id: str) -> SavedMapping:
    """Return an account's mapping.

    Raises:
        NotFound: there is no such account.
        NoBankMapping: it has none.
    """
    account = bank_account(session, account_id)
    row = session.execute(_GET, {"account_id": account.id}).one_or_none()
    if row is None:
        raise NoBankMapping(account.id)
    return SavedMapping(mapping_of(row.body.encode()), row.sha256, row.set_by, row.set_at)
