"""What people book to settle a difference: write-offs, adjustments, attributions. Pure.

Every one names the act that decided it (`act_id`, posted once) and why; who may decide, and how
much, is judged before. Undone by a reversal, like every other entry.
"""

from __future__ import annotations

from typing import NamedTuple

from settlement.ledger import accounts
from settlement.ledger.entries.values import Claim, Entry, Line
from settlement.money import rescale_exact


class Attribution(NamedTuple):
    """Money that stands unexplained, and the claim of an invoice that it pays."""

    act_id: str
    invoice_id: str
    creditor_id: str
    debtor_id: str
    currency: str
    claim_minor: int
    """What of the claim is paid, in minor units of `currency`."""
    received_in: str
    """Where it stands as received: the creditor's `suspense`, or `clearing` of their account."""
    paid_from: str
    """The payer's side: `suspense` of the payer or of `outside`, `clearing` of the debtor's bank
    account, or `outside:<currency>` where the books do not see it. Same unit as `received_in`."""
    reason: str
    value_date: str | None = None
    """None takes the day of posting."""


def write_off(
    act_id: str,
    *,
    code: str,
    minor: int,
    against: str,
    reason: str,
    invoice_id: str | None = None,
    value_date: str | None = None,
) -> Entry:
    """Take `minor`, signed as it stands there, off the account `code`, at the cost of `against`.

    `against` is an account of the same unit: `write_off`, `fees`, `fx_difference`, `rounding`.
    """
    lines = (Line(code, -minor), Line(against, minor))
    return _decided("write_off", act_id, lines, reason, invoice_id, value_date)


def claim_write_off(act_id: str, claim: Claim, *, reason: str) -> Entry:
    """Let the rest of a claim go: the buyer owes so much less, and the seller bears it."""
    currency, minor = claim.currency, claim.minor
    lines = (
        Line(accounts.receivable(claim.seller_id, currency), -minor),
        Line(accounts.write_off(claim.seller_id, currency), minor),
        Line(accounts.payable(claim.buyer_id, currency), minor),
        Line(accounts.write_off(claim.buyer_id, currency), -minor),
    )
    return _decided("write_off", act_id, lines, reason, claim.invoice_id, claim.value_date)


def adjustment(
    act_id: str,
    *,
    debit: str,
    credit: str,
    minor: int,
    reason: str,
    invoice_id: str | None = None,
    value_date: str | None = None,
) -> Entry:
    """Move `minor` (above 0) between two accounts of one unit: + on `debit`, - on `credit`."""
    lines = (Line(debit, minor), Line(credit, -minor))
    return _decided("adjustment", act_id, lines, reason, invoice_id, value_date)


def attribution(paid: Attribution, *, held_decimals: int, claim_decimals: int) -> Entry:
    """Say what unexplained money was for: it pays a claim, through the par pairs if it is tokens.

    Takes from it the exact multiple that the claim is; what it is more stays where it stands.

    Raises:
        AmountInvalid: the token has too few decimals for this claim.
    """
    held = accounts.unit_of(paid.received_in)
    assert held == accounts.unit_of(paid.paid_from), "both sides are of one unit"
    if held == paid.currency:
        minor = paid.claim_minor
        received: tuple[Line, ...] = ()
        payer: tuple[Line, ...] = ()
    else:
        minor = rescale_exact(
            paid.claim_minor, from_decimals=claim_decimals, to_decimals=held_decimals
        )
        received = _through_par(paid.creditor_id, held, -minor, paid.currency, paid.claim_minor)
        payer = _through_par(paid.debtor_id, held, minor, paid.currency, -paid.claim_minor)
    lines = (
        Line(paid.received_in, minor),
        *received,
        Line(accounts.receivable(paid.creditor_id, paid.currency), -paid.claim_minor),
        Line(accounts.payable(paid.debtor_id, paid.currency), paid.claim_minor),
        *payer,
        Line(paid.paid_from, -minor),
    )
    # One act may share a deposit out among several invoices.
    act = f"{paid.act_id}:{paid.invoice_id}"
    return _decided("attribution", act, lines, paid.reason, paid.invoice_id, paid.value_date)


def _through_par(
    participant: str, token: str, token_minor: int, currency: str, claim_minor: int
) -> tuple[Line, ...]:
    return (
        Line(accounts.par(participant, token), token_minor),
        Line(accounts.par(participant, currency), claim_minor),
    )


def _decided(
    kind: str,
    act_id: str,
    lines: tuple[Line, ...],
    reason: str,
    invoice_id: str | None,
    value_date: str | None,
) -> Entry:
    assert reason, "whoever decides says why"
    key = f"{kind}:{act_id}"
    return Entry(kind, key, lines, invoice_id, reason=reason, value_date=value_date)
