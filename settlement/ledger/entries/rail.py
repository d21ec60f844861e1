"""What invoices and the chain bring into the books: claims, payments, tokens and gas. Pure."""

from __future__ import annotations

from settlement.ledger import accounts
from settlement.ledger.entries.values import Claim, Entry, Line, Payment, Side, Source
from settlement.money import MINOR_MAX


def accept(claim: Claim) -> Entry:
    """An accepted invoice: the buyer owes the seller."""
    return _claim_entry("accept", claim, claim.minor)


def credit(claim: Claim) -> Entry:
    """A credit note: the buyer owes so much less. `claim.invoice_id` is the credit note's."""
    return _claim_entry("credit", claim, -claim.minor)


def claim_back(claim: Claim) -> Entry:
    """What a creditor sends back of a paid invoice: owed to the debtor, who owes it again."""
    debtor, creditor, currency = claim.seller_id, claim.buyer_id, claim.currency
    lines = (
        Line(f"receivable:{debtor}:{currency}", claim.minor),
        Line(f"payable:{debtor}:{currency}", -claim.minor),
        Line(f"receivable:{creditor}:{currency}", claim.minor),
        Line(f"payable:{creditor}:{currency}", -claim.minor),
    )
    key = f"accept:{claim.invoice_id}"
    return Entry("accept", key, lines, claim.invoice_id, value_date=claim.value_date)


def _claim_entry(kind: str, claim: Claim, minor: int) -> Entry:
    seller, buyer, currency = claim.seller_id, claim.buyer_id, claim.currency
    lines = (
        Line(f"receivable:{seller}:{currency}", minor),
        Line(f"sales:{seller}:{currency}", -minor),
        Line(f"purchases:{buyer}:{currency}", minor),
        Line(f"payable:{buyer}:{currency}", -minor),
    )
    key = f"{kind}:{claim.invoice_id}"
    return Entry(kind, key, lines, claim.invoice_id, value_date=claim.value_date)


def payment(paid: Payment, log_index: int, source: Source, release: tuple[Line, ...]) -> Entry:
    """A settlement paid on the chain; `release` are the lines that end its reservation, if any."""
    symbol, currency = paid.symbol, paid.currency
    token_minor, claim_minor = paid.token_minor, paid.claim_minor
    creditor, debtor = paid.creditor_id, paid.debtor_id
    # The codes are spelled out: six calls of builders a payment would cost as much as its hash.
    lines = (
        Line(f"wallet:{paid.creditor_wallet}:{symbol}", token_minor),
        Line(f"par:{creditor}:{symbol}", -token_minor),
        Line(f"par:{creditor}:{currency}", claim_minor),
        Line(f"receivable:{creditor}:{currency}", -claim_minor),
        Line(f"payable:{debtor}:{currency}", claim_minor),
        Line(f"par:{debtor}:{currency}", -claim_minor),
        Line(f"par:{debtor}:{symbol}", token_minor),
        Line(f"wallet:{paid.debtor_wallet}:{symbol}", -token_minor),
        *release,
    )
    return Entry(
        "payment",
        source.log_key(log_index),
        lines,
        paid.invoice_id,
        paid.settlement_id,
        source.block_number,
        source.block_hash,
        source.tx_hash,
        value_date=source.value_date,
    )


def mint(
    holder: Side, *, token: str, symbol: str, minor: int, log_index: int, source: Source
) -> Entry:
    """New tokens: the issuer owes more."""
    lines = (
        Line(_holding(holder, symbol), minor),
        Line(accounts.liability(token, symbol), -minor),
    )
    return _from_log("mint", lines, log_index, source)


def burn(
    holder: Side, *, token: str, symbol: str, minor: int, log_index: int, source: Source
) -> Entry:
    """Tokens taken out of the world: the issuer owes less."""
    lines = (
        Line(_holding(holder, symbol), -minor),
        Line(accounts.liability(token, symbol), minor),
    )
    return _from_log("burn", lines, log_index, source)


def transfer(
    payer: Side, payee: Side, *, symbol: str, minor: int, log_index: int, source: Source
) -> Entry:
    """Tokens that moved without a settlement: kept in suspense until somebody says why."""
    lines = (
        Line(_holding(payer, symbol), -minor),
        Line(accounts.suspense(payer.participant_id or accounts.OUTSIDE, symbol), minor),
        Line(_holding(payee, symbol), minor),
        Line(accounts.suspense(payee.participant_id or accounts.OUTSIDE, symbol), -minor),
    )
    return _from_log("transfer", lines, log_index, source)


def gas(operator: str, wei: int, source: Source) -> Entry:
    """What a chain transaction of ours has cost."""
    lines = _coin_lines(wei, debit=accounts.gas(operator), credit=accounts.coin(operator))
    return _at_block("gas", source.gas_key(), lines, source)


def funding(operator: str, wei: int, source: Source, reason: str) -> Entry:
    """Gas money that an operator has received."""
    lines = _coin_lines(wei, debit=accounts.coin(operator), credit=accounts.funding(operator))
    key = f"funding:{operator}:{source.block_hash}"
    return _at_block("funding", key, lines, source)._replace(tx_hash=None, reason=reason)


def _holding(side: Side, symbol: str) -> str:
    if side.participant_id is None:
        return accounts.outside(symbol)
    return accounts.wallet(side.address, symbol)


def _coin_lines(wei: int, *, debit: str, credit: str) -> tuple[Line, ...]:
    """Return a pair of lines for each part of `wei` that one line can hold."""
    parts = [MINOR_MAX] * (wei // MINOR_MAX)
    if wei % MINOR_MAX:
        parts.append(wei % MINOR_MAX)
    return tuple(line for part in parts for line in (Line(debit, part), Line(credit, -part)))


def _from_log(kind: str, lines: tuple[Line, ...], log_index: int, source: Source) -> Entry:
    # A Transfer of nothing is seen and moves nothing: its entry has no lines.
    kept = tuple(line for line in lines if line.minor)
    return _at_block(kind, source.log_key(log_index), kept, source)


def _at_block(kind: str, key: str, lines: tuple[Line, ...], source: Source) -> Entry:
    return Entry(
        kind,
        key,
        lines,
        block_number=source.block_number,
        block_hash=source.block_hash,
        tx_hash=source.tx_hash,
        value_date=source.value_date,
    )
