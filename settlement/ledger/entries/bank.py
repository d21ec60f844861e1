"""What a bank's statement brings into the books. Pure."""

from __future__ import annotations

from settlement.ledger import accounts
from settlement.ledger.entries.values import Entry, Line


def bank_movement(
    entry_id: int,
    *,
    bank_account_id: str,
    currency: str,
    minor: int,
    value_date: str,
    reason: str | None = None,
) -> Entry:
    """A booked entry of a bank: + credited to us, - debited; in clearing until matched.

    `entry_id` is the id of the stored bank entry, `value_date` the bank's own, ISO 8601. A reversal
    that the bank books comes with the opposite sign, as one more movement.
    """
    pair = (
        Line(accounts.nostro(bank_account_id, currency), minor),
        Line(accounts.clearing(bank_account_id, currency), -minor),
    )
    # A charge of nothing is on the statement and moves nothing: its entry has no lines.
    lines = pair if minor else ()
    return Entry("bank", f"bank:{entry_id}", lines, reason=reason, value_date=value_date)


def reserve_movement(
    act_id: str,
    *,
    bank_account_id: str,
    token: str,
    currency: str,
    minor: int,
    value_date: str,
    reason: str | None = None,
) -> Entry:
    """Bank money in clearing that backs a token: + it came in, - it was paid out again.

    `act_id` is the id of the match or act that says so; it is posted once for each.
    """
    lines = (
        Line(accounts.clearing(bank_account_id, currency), minor),
        Line(accounts.reserve(token, currency), -minor),
    )
    return Entry("reserve_movement", f"reserve_movement:{act_id}", lines, reason=reason,
                 value_date=value_date)  # fmt: skip
