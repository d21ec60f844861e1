"""Tokens that moved past the rail: deposit, withdrawal, the wrong token, or a payment made twice.

One break for each Transfer that our books have and no settlement explains. `explain_transfer` is
the rule, and pure; the rest reads. Attributes nothing: that is a person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement.documents.identifiers import minor_units
from settlement.money import format_minor
from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.store.bulk import rows, rows_by_key

KINDS = (
    BreakKind.UNATTRIBUTED_DEPOSIT,
    BreakKind.UNATTRIBUTED_WITHDRAWAL,
    BreakKind.WRONG_TOKEN,
    BreakKind.DUPLICATE,
)
_CLAIMS_MAX = 1_000
"""So many open claims between two parties, and as many of a payer's payments, are looked at."""

_ENTRIES = (
    "SELECT e.source_key FROM journal_entry e WHERE e.block_number > ? AND e.kind = 'transfer'"
    " AND NOT EXISTS (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq)"
)
_TRANSFERS = (
    "SELECT 'log:' || l.block_hash || ':' || l.log_index, l.debtor, l.creditor, l.amount_minor,"
    " l.tx_hash, l.block_number, t.symbol, t.decimals, t.currency, payer.participant_id,"
    " payee.participant_id"
    " FROM chain_log l JOIN token t ON t.address = l.address"
    " LEFT JOIN wallet payer ON payer.address = l.debtor"
    " LEFT JOIN wallet payee ON payee.address = l.creditor"
    # One that the rail reported too is explained by its Settled log.
    " WHERE l.block_hash {keys} AND l.name = 'Transfer' AND l.pair_index IS NULL"
    " AND l.amount_minor > 0"
)
_CLAIMS = (
    "SELECT i.id, i.number, i.currency,"
    " i.payable_minor - i.credited_minor - i.settled_minor - i.in_flight_minor + i.returned_minor"
    " FROM invoice i WHERE i.seller_id = ? AND i.buyer_id = ?"
    " AND i.state IN ('ACCEPTED', 'PARTLY_PAID') AND i.type_code <> '381' LIMIT ?"
)
_PAYMENTS = (
    "SELECT s.id, s.creditor_id, t.symbol, s.amount_minor FROM settlement s"
    " JOIN token t ON t.address = s.token WHERE s.debtor_id = ?"
    " AND s.state NOT IN ('REJECTED', 'CANCELLED') ORDER BY s.id DESC LIMIT ?"
)


class Moved(NamedTuple):
    """A Transfer that no settlement explains; a side that is nobody of ours is None."""

    subject: str
    debtor: str
    creditor: str
    minor: int
    tx_hash: str
    block_number: int
    symbol: str
    decimals: int
    currency: str
    payer: str | None
    payee: str | None


class OpenClaim(NamedTuple):
    """What is open of an invoice of the payee on the payer."""

    invoice_id: str
    number: str
    currency: str
    open_minor: int


class PaidBefore(NamedTuple):
    """A settlement of the payer that is paid or under way."""

    settlement_id: str
    payee: str
    symbol: str
    minor: int


def uninstructed(session: Session, after: int, now: datetime) -> tuple[int, int]:
    """Open a break for tokens that came or went behind block `after` without a settlement."""
    # A source key may carry the number of its posting behind the log's place.
    keys = {":".join(key.split(":")[:3]) for (key,) in rows(session, _ENTRIES, (after,))}
    every = rows_by_key(session, _TRANSFERS, {key.split(":")[1] for key in keys})
    found = []
    for moved in [Moved(*row) for row in every if row[0] in keys]:
        claims: list[OpenClaim] = []
        before: list[PaidBefore] = []
        if moved.payer and moved.payee and moved.payer != moved.payee:
            pair = (moved.payee, moved.payer, _CLAIMS_MAX)
            claims = [OpenClaim(*row) for row in rows(session, _CLAIMS, pair)]
            paid = rows(session, _PAYMENTS, (moved.payer, _CLAIMS_MAX))
            before = [PaidBefore(*row) for row in paid]
        found.append(explain_transfer(moved, claims, before))
    is_open = [each for each in breaks.open_of(session, KINDS) if each.subject.startswith("log:")]
    closed = breaks.close_orphaned(session, is_open, now)
    return breaks.open_new(session, found, now), closed


def explain_transfer(
    moved: Moved, claims: Sequence[OpenClaim], before: Sequence[PaidBefore]
) -> Finding:
    """Say what a Transfer that nobody instructed is. Pure.

    The wrong token: just what is open of an invoice between the two, and of none in its own
    currency. A duplicate: just what the payer has paid the payee by a settlement, and no more open.
    """
    fitting = [each for each in claims if each.open_minor == _in_claims(moved, each.currency)]
    own = [each for each in fitting if each.currency == moved.currency]
    other = [each for each in fitting if each.currency != moved.currency]
    twice = [
        each.settlement_id
        for each in before
        if (each.payee, each.symbol, each.minor) == (moved.payee, moved.symbol, moved.minor)
    ]
    amount = f"{format_minor(moved.minor, moved.decimals)} {moved.symbol}"
    detail: dict[str, str | int | None] = {
        "amount": amount, "from": moved.debtor, "to": moved.creditor, "payer": moved.payer,
        "payee": moved.payee, "tx": moved.tx_hash, "block": moved.block_number,
    }  # fmt: skip
    came = f"{moved.payee} received {amount} from {moved.debtor}"
    if moved.payee is None:
        kind = BreakKind.UNATTRIBUTED_WITHDRAWAL
        reason = f"{moved.payer} paid {amount} to {moved.creditor}, and no settlement says why"
    elif other and not own:
        claim = other[0]
        kind = BreakKind.WRONG_TOKEN
        detail |= {"invoice": claim.invoice_id, "currency": claim.currency}
        reason = f"{came}: just what invoice {claim.number} asks for, but in {claim.currency}"
    elif twice and not own:
        kind = BreakKind.DUPLICATE
        detail |= {"settlement": twice[0]}
        reason = f"{came} past the rail: just what settlement {twice[0]} pays already"
    else:
        kind = BreakKind.UNATTRIBUTED_DEPOSIT
        reason = f"{came}, and no settlement says why"
        if len(own) == 1:
            detail |= {"invoice": own[0].invoice_id}
            reason += f"; it is just what is open of invoice {own[0].number}"
    party, sign = (moved.payer, -1) if moved.payee is None else (moved.payee, 1)
    return Finding(
        kind, moved.subject, reason, detail,
        party=party, amount_minor=sign * moved.minor, unit=moved.symbol,
    )  # fmt: skip


def _in_claims(moved: Moved, currency: str) -> int | None:
    """Return the moved amount in minor units of a claim's currency; None where it has more digits.

    The number alone is compared: whole units of the token as if they were of that currency.
    """
    digits = minor_units(currency)
    if digits is None:
        return None
    if digits >= moved.decimals:
        return moved.minor * 10 ** (digits - moved.decimals)
    scale = 10 ** (moved.decimals - digits)
    return moved.minor // scale if moved.minor % scale == 0 else None
