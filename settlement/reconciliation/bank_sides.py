"""What the banks say of our balances: every account's closing balance, and every token's reserve.

Compared at the end of the day on which the last complete statement closes: what moved after it is
not yet due at the bank. Reads, and judges nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session

from settlement import bank, ledger
from settlement.bank import BankAccount
from settlement.documents.identifiers import minor_units
from settlement.ledger import accounts
from settlement.reconciliation.transfer_sums import ZERO, InAndOut, sums_at
from settlement.store.bulk import rows

_PAGE = 500
_PAGES_MAX = 1_000
_UNPOSTED = (
    "SELECT 1 FROM bank_entry WHERE posted_seq IS NULL AND duplicate_of IS NULL"
    " AND status = 'BOOK' AND amount_minor <> 0 LIMIT 1"
)
_LATER = (
    "SELECT SUM(amount_minor) FROM bank_entry WHERE account_id = ? AND booking_date > ?"
    " AND posted_seq IS NOT NULL"
)
_LAST_OF_DAY = "SELECT MAX(number) FROM block WHERE canonical AND number <= ? AND timestamp < ?"
_STATED = (
    "SELECT COUNT(*), COALESCE(MAX(id), ''), (SELECT COALESCE(MAX(id), 0) FROM bank_entry)"
    " FROM statement"
)


class BankSide(NamedTuple):
    """A balance as the ledger and the bank have it; of a reserve also what the logs add up to."""

    subject: str
    """`nostro:<bank account>:<currency>` or `reserve:<symbol>`."""
    unit: str
    block_number: int
    ledger_minor: int
    bank_minor: int
    logs: InAndOut | None
    missing_minor: int
    """What a gap between statements explains of the difference: it is a break of its own."""


def stated(session: Session) -> tuple[object, ...]:
    """Return what changes when a bank has said something new; cheap to ask."""
    return tuple(rows(session, _STATED)[0])


def bank_sides(session: Session, day: date, number: int) -> list[BankSide] | None:
    """Return what banks have said up to a day, and the ledger at final block `number` or before.

    None while something of it is not posted: it is not due yet.
    """
    if rows(session, _UNPOSTED):
        return None
    tokens = {
        address: (symbol, decimals)
        for address, symbol, decimals in rows(
            session, "SELECT address, symbol, decimals FROM token"
        )
    }
    found = []
    after = ""
    for _page in range(_PAGES_MAX):
        page = bank.bank_accounts(session, after=after, limit=_PAGE)
        for account in page:
            closing = bank.closing_balances(session, account.id, day.isoformat())
            if closing is None:
                continue
            found.append(_nostro(session, account, closing.minor, closing.day, number))
            if account.reserve_of is not None:
                token = (account.reserve_of, *tokens[account.reserve_of])
                at = _last_of_day(session, closing.day, number)
                found += _reserve(session, token, account.currency, closing.minor, at)
        if len(page) < _PAGE:
            break
        after = page[-1].id
    return found


def _nostro(
    session: Session, account: BankAccount, closing_minor: int, day: str, number: int
) -> BankSide:
    code = accounts.nostro(account.id, account.currency)
    first = bank.first_opening(session, account.id)
    assert first is not None, "there is a statement: it has told the closing balance"
    (later,) = rows(session, _LATER, (account.id, day))[0]
    # Of what stood on the account before the first statement only what was told of was posted.
    before = first.opening_minor - first.told_minor
    booked = ledger.balances(session, [code])[code] + before - int(later or 0)
    missing = 0
    if booked != closing_minor:
        missing = sum(gap.missing_minor for gap in bank.statement_gaps(session, account.id))
    return BankSide(code, account.currency, number, booked, closing_minor, None, missing)


def _reserve(
    session: Session, token: tuple[str, str, int], currency: str, closing_minor: int, at: int
) -> list[BankSide]:
    address, symbol, decimals = token
    digits = minor_units(currency)
    assert digits is not None, "an account's currency was checked when it was registered"
    code = accounts.liability(address, symbol)
    owed = -ledger.balances_at(session, ("liability",), at).get(code, 0)
    burnt, minted = sums_at(session, at).at.get((address, ZERO), InAndOut())
    held = closing_minor * 10**decimals // 10**digits
    logs = InAndOut(minted, burnt)
    return [BankSide(f"reserve:{symbol}", symbol, at, owed, held, logs, 0)]


def _last_of_day(session: Session, day: str, number: int) -> int:
    """Return the last block of a day in UTC that is not behind `number`; -1 before the first."""
    midnight = datetime.combine(
        date.fromisoformat(day) + timedelta(days=1), datetime.min.time(), UTC
    )
    (last,) = rows(session, _LAST_OF_DAY, (number, int(midnight.timestamp())))[0]
    return -1 if last is None else int(last)
