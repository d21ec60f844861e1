"""Booked bank entries into the journal, in batches: nostro against clearing, once each.

Matches nothing: what a movement was for stays open in clearing until somebody says so.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from settlement.ledger import entries, post
from settlement.store import transaction
from settlement.store.bulk import rows, rows_by_key, run_many

BATCH = 1_000
_BATCHES_MAX = 100_000

_UNPOSTED = (
    "SELECT id, account_id, currency, amount_minor, value_date FROM bank_entry"
    " WHERE posted_seq IS NULL AND duplicate_of IS NULL AND status = 'BOOK'"
    " AND amount_minor <> 0 ORDER BY id LIMIT ?"
)
_POSTED = "SELECT source_key, seq FROM journal_entry WHERE source_key {keys}"


def post_entries(session: Session, now: datetime, *, limit: int = BATCH) -> int:
    """Post up to `limit` booked entries that are not posted yet, and return how many.

    A duplicate is not posted, nor what is pending or only told of. The value date is the bank's.
    """
    found = rows(session, _UNPOSTED, (limit,))
    if not found:
        return 0
    post(
        session,
        [
            entries.bank_movement(
                identifier, bank_account_id=account, currency=currency, minor=amount,
                value_date=value_date,
            )
            for identifier, account, currency, amount, value_date in found
        ],
        now,
    )  # fmt: skip
    ids = {f"bank:{row[0]}": row[0] for row in found}
    placed = rows_by_key(session, _POSTED, ids)
    # Another run may have posted some of them: their entries are theirs, the place is the same.
    return run_many(
        session,
        "UPDATE bank_entry SET posted_seq = :seq WHERE id = :id AND posted_seq IS NULL",
        [{"id": ids[key], "seq": seq} for key, seq in placed],
    )


def post_all(engine: Engine, now: datetime, *, batch: int = BATCH) -> int:
    """Post all that is not posted yet, each batch in a database transaction of its own."""
    posted = 0
    for _batch in range(_BATCHES_MAX):
        with transaction(engine) as session:
            done = post_entries(session, now, limit=batch)
        posted += done
        if done == 0:
            break
    return posted
