"""Booked bank entries into the journal, in batches: nostro against clearing, once each.

Matches nothing: what a movement was for stays open in clearing until somebody says so.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from settlement.bank.accounts import BankAccount
from settlement.documents.iso20022.reading_model import StatementInvalid
from settlement.ledger import accounts, balances, entries, post
from settlement.ledger.balances import HALF, whole
from settlement.money import MINOR_MAX
from settlement.store import transaction
from settlement.store.bulk import rows, rows_by_key, run_many

BATCH = 1_000
_BATCHES_MAX = 100_000

_WAITS = "posted_seq IS NULL AND duplicate_of IS NULL AND status = 'BOOK'"
_UNPOSTED = (
    "SELECT id, account_id, currency, amount_minor, value_date FROM bank_entry"
    f" WHERE {_WAITS} AND amount_minor <> 0 ORDER BY id LIMIT ?"
)
_WAITING = (
    f"SELECT SUM(ABS(amount_minor) / {HALF}), SUM(ABS(amount_minor) % {HALF}) FROM bank_entry"
    f" WHERE account_id = ? AND {_WAITS}"
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


def require_room(session: Session, account: BankAccount, moved_minor: int) -> None:
    """Return quietly if an account's books can take so much more, whatever the signs.

    What they cannot take would be stored, and stop the posting of all that comes behind it.

    Raises:
        StatementInvalid: its sums would not fit 63 bits.
    """
    codes = [
        accounts.nostro(account.id, account.currency),
        accounts.clearing(account.id, account.currency),
    ]
    # In this order: what is posted in between counts twice, not never.
    waiting = whole(*rows(session, _WAITING, (account.id,))[0])
    held = max(map(abs, balances(session, codes).values()))
    if held + waiting + moved_minor > MINOR_MAX:
        raise StatementInvalid(
            f"the movements of {account.iban} add up to more than the books hold", line=None,
            path="amount", repair="check the amounts, of a CSV the mapping of its columns, too",
        )  # fmt: skip


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
