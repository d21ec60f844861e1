"""What each source gives to be matched: one statement a source, from its table to the records.

Knows the tables that it reads; how far it has read is `records`' to say.
"""

from __future__ import annotations

from sqlmodel import Session

from settlement.reconciliation.engine.dialect import day, log_index, normal

_INTO = (
    "INSERT INTO recon_record (source, origin, owner, account, currency, amount_micro, unit,"
    " end_to_end_id, reference, counterparty, value_day, due_day, first_day, last_day, low_micro,"
    " high_micro, settlement_id, invoice_id, state, fresh, created_at) "
)
_NEW = "'open', true, :at"
_ONCE = " ON CONFLICT (origin, source) DO NOTHING"
# A reorg undone, a claim that is open again: the same record comes back, to be looked at anew.
_AGAIN = (
    " ON CONFLICT (origin, source) DO UPDATE SET state = 'open', fresh = true"
    " WHERE recon_record.state = 'withdrawn'"
)
LARGEST_MICRO = 4_000_000_000_000_000_000
_MICRO_DECIMALS = 6
_WHOLE: tuple[str, ...] = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
)
_WHOLE += ("VND", "VUV", "XAF", "XOF", "XPF")
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_FINER = ("CLF", "UYW")
"""Currencies that have no cents, that have mils, and that have four digits. Source: ISO 4217, list
one."""


def _by_digits(currency: str, whole: int, mils: int, finer: int, cents: int) -> str:
    """One of the numbers, by how many digits a currency has."""
    return (
        f"CASE WHEN {currency} IN ({_listed(_WHOLE)}) THEN {whole}"
        f" WHEN {currency} IN ({_listed(_THOUSANDTHS)}) THEN {mils}"
        f" WHEN {currency} IN ({_listed(_FINER)}) THEN {finer} ELSE {cents} END"
    )


def _listed(codes: tuple[str, ...]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


def _cents(amount: str, currency: str) -> str:
    """Millionths of one unit, of an amount in the currency's own minor units."""
    return f"({amount} * {_by_digits(currency, 10**6, 10**3, 10**2, 10**4)})"


def _token(amount: str, decimals: str) -> str:
    """Millionths of one unit, of a token's amount; what is finer than that is left off."""
    finer = " ".join(f"WHEN {n} THEN {10 ** (n - _MICRO_DECIMALS)}" for n in (7, 8, 9))
    coarser = " ".join(f"WHEN {n} THEN {10 ** (_MICRO_DECIMALS - n)}" for n in range(6))
    return f"({amount} * CASE {decimals} {coarser} ELSE 1 END / CASE {decimals} {finer} ELSE 1 END)"


def _fits(amount: str, currency: str) -> str:
    """Whether the amount stays in range in millionths; else it would wrap or round."""
    most = _by_digits(currency, *(LARGEST_MICRO // 10**n for n in (6, 3, 2, 4)))
    return f"ABS({amount}) <= {most}"


def _fits_token(amount: str, decimals: str) -> str:
    scaled = " ".join(
        f"WHEN {n} THEN {LARGEST_MICRO // 10 ** (_MICRO_DECIMALS - n)}" for n in range(6)
    )
    return f"{amount} <= CASE {decimals} {scaled} ELSE {LARGEST_MICRO} END"


def _counts(amount: str, decimals: str) -> str:
    """Whether a token's amount fits and is a millionth at least; what does not fit is not scaled.

    PostgreSQL fails where a product overflows, whatever else is asked beside it.
    """
    small = f"{_token(amount, decimals)} > 0"
    return f"CASE WHEN {_fits_token(amount, decimals)} THEN {small} ELSE false END"


def payments(session: Session) -> str:
    """What a creditor was paid on the rail, where one expects it to arrive at a bank."""
    return (
        _INTO + f"SELECT 'payment', 'match_' || m.id, s.creditor_id, a.account, t.currency,"
        f" {_token('s.amount_minor', 't.decimals')}, t.symbol, s.end_to_end_id,"
        f" {normal(session, 'i.number')}, s.debtor_id, b.timestamp / 86400,"
        f" b.timestamp / 86400 + a.payout_days, NULL, NULL, NULL, NULL, s.id, s.invoice_id, {_NEW}"
        # In this order: the new matches are few, the settlements of a creditor all there are.
        " FROM settlement_match m CROSS JOIN settlement s CROSS JOIN token t CROSS JOIN block b"
        " CROSS JOIN invoice i"
        # Of several accounts in one currency nobody knows which one will be paid.
        " CROSS JOIN (SELECT owner_id, currency, CASE WHEN COUNT(*) = 1 THEN MIN(id) ELSE '' END"
        " AS account, MAX(payout_days) AS payout_days FROM bank_account WHERE role = 'payout'"
        " GROUP BY owner_id, currency) a"
        " WHERE s.id = m.settlement_id AND t.address = s.token AND b.hash = m.block_hash"
        " AND i.id = s.invoice_id AND a.owner_id = s.creditor_id AND a.currency = t.currency"
        " AND m.id > :after AND m.id <= :through AND m.live"
        f" AND {_counts('s.amount_minor', 't.decimals')}" + _ONCE
    )


def bank(session: Session) -> str:
    """What a bank has booked; what it only told of, or told twice, is no record."""
    party = ", ".join(
        normal(session, f"e.{name}") for name in ("counterparty_account", "counterparty_name")
    )
    return (
        _INTO + "SELECT 'bank', 'bank:' || e.id, a.owner_id, a.id, e.currency,"
        f" {_cents('e.amount_minor', 'e.currency')}, e.currency,"
        # What banks write where they were told nothing is no id.
        f" NULLIF(NULLIF(TRIM(e.end_to_end_id), ''), 'NOTPROVIDED'),"
        f" {normal(session, 'e.creditor_reference')},"
        f" COALESCE(c.owner_id, {party}), {day(session, 'e.value_date')},"
        f" {day(session, 'e.booking_date')}, NULL, NULL, NULL, NULL, NULL, NULL, {_NEW}"
        " FROM bank_entry e JOIN bank_account a ON a.id = e.account_id"
        " LEFT JOIN bank_account c ON c.iban = e.counterparty_account AND c.currency = e.currency"
        " WHERE e.id > :after AND e.id <= :through AND e.status = 'BOOK'"
        f" AND e.duplicate_of IS NULL AND e.amount_minor <> 0"
        f" AND {_fits('e.amount_minor', 'e.currency')}" + _ONCE
    )


def _log(session: Session) -> str:
    """The Transfer behind an entry, found by its place: a block may hold thousands of them."""
    return (
        " JOIN chain_log l ON l.block_hash = e.block_hash"
        f" AND l.log_index = {log_index(session, 'e.source_key')} AND l.tx_hash = e.tx_hash"
        " AND l.name = 'Transfer' AND l.amount_minor > 0"
        " JOIN token t ON t.address = l.address JOIN block b ON b.hash = l.block_hash"
    )


_STANDING = " AND NOT EXISTS (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq)"


def transfers(session: Session) -> tuple[str, ...]:
    """Tokens that came to or left a wallet of ours without a settlement."""
    made = []
    for source, sign, own, other in (
        ("deposit", "", "creditor", "debtor"),
        ("withdrawal", "-", "debtor", "creditor"),
    ):
        made.append(
            _INTO + f"SELECT '{source}', e.source_key, w.participant_id, l.{own}, t.currency,"
            f" {sign}{_token('l.amount_minor', 't.decimals')}, t.symbol, NULL, NULL,"
            f" COALESCE(o.participant_id, l.{other}), b.timestamp / 86400, b.timestamp / 86400,"
            f" NULL, NULL, NULL, NULL, NULL, NULL, {_NEW} FROM journal_entry e"
            + _log(session)
            + f" JOIN wallet w ON w.address = l.{own} LEFT JOIN wallet o ON o.address = l.{other}"
            " WHERE e.seq > :after AND e.seq <= :through AND e.kind = 'transfer'"
            f" AND {_counts('l.amount_minor', 't.decimals')}" + _STANDING + _ONCE
        )
    return tuple(made)


def supply(session: Session) -> tuple[str, ...]:
    """Tokens made and taken out of the world, where an account at a bank backs them."""
    made = []
    for source, sign, holder in (("mint", "", "creditor"), ("burn", "-", "debtor")):
        made.append(
            _INTO + f"SELECT '{source}', e.source_key, a.owner_id, a.id, t.currency,"
            f" {sign}{_token('l.amount_minor', 't.decimals')}, t.symbol, NULL, NULL,"
            f" COALESCE(w.participant_id, l.{holder}), b.timestamp / 86400,"
            " b.timestamp / 86400 + a.payout_days, NULL, NULL, NULL, NULL, NULL, NULL,"
            f" {_NEW} FROM journal_entry e"
            + _log(session)
            + " JOIN bank_account a ON a.reserve_of = t.address AND a.role = 'reserve'"
            f" LEFT JOIN wallet w ON w.address = l.{holder}"
            f" WHERE e.seq > :after AND e.seq <= :through AND e.kind = '{source}'"
            f" AND {_counts('l.amount_minor', 't.decimals')}" + _STANDING + _ONCE
        )
    return tuple(made)


_CLAIM = (
    "(i.payable_minor - i.credited_minor - i.settled_minor - i.in_flight_minor + i.returned_minor)"
)
_IS_OPEN = f"i.state IN ('ACCEPTED', 'PARTLY_PAID') AND {_CLAIM} > 0"


def invoices(session: Session) -> str:
    """Open claims of sellers who may be paid past the rail: at a bank, or by a bare transfer."""
    due = day(session, "i.due_date")
    return (
        _INTO + f"SELECT 'invoice', i.id || ':' || {_CLAIM}, i.seller_id, '', i.currency,"
        f" {_cents(_CLAIM, 'i.currency')}, i.currency, NULL, {normal(session, 'i.number')},"
        f" i.buyer_id, {day(session, 'i.issue_date')}, {due}, NULL, NULL, NULL, NULL, NULL,"
        f" i.id, {_NEW} FROM invoice i WHERE {_IS_OPEN} AND {_fits(_CLAIM, 'i.currency')}"
        " AND i.seller_id IN (SELECT owner_id FROM bank_account WHERE role <> 'reserve'"
        " UNION SELECT owner FROM recon_record WHERE source = 'deposit' AND state = 'open')"
        " AND NOT EXISTS (SELECT 1 FROM recon_record r WHERE r.source = 'invoice'"
        f" AND r.origin = i.id || ':' || {_CLAIM} AND r.state <> 'withdrawn')" + _AGAIN
    )


def expected(session: Session) -> str:
    """What somebody says will come or go. The largest amount stands for the bounds."""
    low, high = (_cents(f"x.{name}_minor", "x.currency") for name in ("low", "high"))
    sign = "CASE WHEN x.direction = 'credit' THEN 1 ELSE -1 END"
    bounds = (
        f"CASE WHEN x.direction = 'credit' THEN {low} ELSE -{high} END,"
        f" CASE WHEN x.direction = 'credit' THEN {high} ELSE -{low} END"
    )
    first, last = day(session, "x.first_day"), day(session, "x.last_day")
    return (
        _INTO + "SELECT 'expected', 'exp_' || x.id, x.owner_id, x.account, x.currency,"
        f" {high} * {sign}, x.currency, x.end_to_end_id, {normal(session, 'x.reference')},"
        f" {normal(session, 'x.counterparty')}, {first}, {last}, {first}, {last}, {bounds}, NULL,"
        f" NULL, {_NEW} FROM expected_payment x WHERE x.id > :after AND x.id <= :through"
        f" AND x.cancelled_at IS NULL AND {_fits('x.high_minor', 'x.currency')}" + _ONCE
    )


_WITHDRAW = "UPDATE recon_record SET state = 'withdrawn', fresh = false WHERE state <> 'withdrawn'"
UNDONE_PAYMENTS = (
    f"{_WITHDRAW} AND source = 'payment' AND origin IN"
    " (SELECT 'match_' || id FROM settlement_match WHERE NOT live)"
)
"""A reorg threw the payment out, or stage one undid its match."""
REVERSED_LOGS = (
    f"{_WITHDRAW} AND source IN ('deposit', 'withdrawal', 'mint', 'burn') AND origin IN"
    " (SELECT o.source_key FROM journal_entry r JOIN journal_entry o ON o.seq = r.reverses_seq"
    " WHERE r.seq > :after AND r.seq <= :through AND r.kind = 'reversal')"
)
CLOSED_CLAIMS = (
    f"{_WITHDRAW} AND state = 'open' AND source = 'invoice' AND NOT EXISTS"
    " (SELECT 1 FROM invoice i WHERE i.id = recon_record.invoice_id"
    f" AND recon_record.origin = i.id || ':' || {_CLAIM} AND {_IS_OPEN})"
)
"""The claim has another amount by now, or none. What paid it keeps its match."""
GONE_INVOICES = (
    f"{_WITHDRAW} AND source = 'invoice' AND state IN ('matched', 'explained') AND invoice_id IN"
    " (SELECT id FROM invoice WHERE state IN ('CANCELLED', 'REJECTED'))"
)
CANCELLED_EXPECTATIONS = (
    f"{_WITHDRAW} AND source = 'expected' AND origin IN"
    " (SELECT 'exp_' || id FROM expected_payment WHERE cancelled_at IS NOT NULL)"
)
