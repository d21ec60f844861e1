"""What is known of one settlement on three sides: itself, the chain's logs, the ledger's entries.

`explain` is the rule that says what does not agree; it is pure. The rest reads, in bulk.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from sqlmodel import Session

from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.store.bulk import rows_by_key

_SETTLEMENTS = (
    "SELECT s.id, s.state, s.token, s.debtor_wallet, s.creditor_wallet, s.sequence,"
    " s.amount_minor, t.symbol, m.id FROM settlement s JOIN token t ON t.address = s.token"
    " LEFT JOIN settlement_match m ON m.settlement_id = s.id AND m.live WHERE s.id {keys}"
)
_LOGS = (
    "SELECT s.id, l.block_hash, l.log_index, l.block_number, l.pair_index, l.token, l.debtor,"
    " l.creditor, l.sequence, l.amount_minor, r.books"
    " FROM settlement s JOIN chain_log l ON l.reference = s.reference AND l.address = s.rail"
    " AND l.name = 'Settled' JOIN block b ON b.hash = l.block_hash AND b.canonical"
    " JOIN receipt r ON r.block_hash = l.block_hash AND r.tx_index = l.tx_index"
    " WHERE s.id {keys} ORDER BY l.block_number, l.log_index"
)
_ENTRIES = (
    "SELECT e.settlement_id, e.seq, e.source_key, a.code, p.amount_minor"
    # In this order: the entries of a settlement are few, a wallet's postings all there are.
    " FROM journal_entry e CROSS JOIN posting p CROSS JOIN account a"
    " WHERE e.settlement_id {keys} AND e.kind = 'payment'"
    " AND p.entry_seq = e.seq AND p.phase = 'posted'"
    " AND a.id = p.account_id AND a.kind = 'wallet'"
    " AND NOT EXISTS (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq)"
    " ORDER BY e.seq, p.line"
)


class Terms(NamedTuple):
    """What a settlement, a log or an entry says was to be paid."""

    token: str
    debtor: str
    creditor: str
    sequence: int | None
    amount_minor: int | None


class SettledLog(NamedTuple):
    """A canonical Settled log under a settlement's reference. `is_posted`: booking passed it."""

    block_hash: str
    log_index: int
    block_number: int
    pair_index: int | None
    terms: Terms
    is_posted: bool


class PaymentEntry(NamedTuple):
    """A payment entry that was not reversed, with its wallet lines as (code, amount)."""

    seq: int
    source_key: str
    wallet_lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one settlement."""

    settlement_id: str
    state: str
    terms: Terms
    symbol: str
    is_matched: bool
    logs: tuple[SettledLog, ...]
    entries: tuple[PaymentEntry, ...]


def gather(session: Session, settlement_ids: Collection[str]) -> list[Evidence]:
    """Return what is known of each settlement."""
    logs: dict[str, list[SettledLog]] = {}
    for key, block_hash, log_index, number, pair_index, *terms, books in rows_by_key(
        session, _LOGS, settlement_ids
    ):
        log = SettledLog(
            block_hash, log_index, number, pair_index, Terms(*terms), books == "posted"
        )
        logs.setdefault(key, []).append(log)
    entries: dict[str, dict[int, PaymentEntry]] = {}
    for key, seq, source_key, code, minor in rows_by_key(session, _ENTRIES, settlement_ids):
        of_settlement = entries.setdefault(key, {})
        lines = of_settlement[seq].wallet_lines if seq in of_settlement else ()
        of_settlement[seq] = PaymentEntry(seq, source_key, (*lines, (code, minor)))
    return [
        Evidence(
            settlement_id=key,
            state=state,
            terms=Terms(*terms),
            symbol=symbol,
            is_matched=match_id is not None,
            logs=tuple(logs.get(key, ())),
            entries=tuple(entries.get(key, {}).values()),
        )
        for key, state, *terms, symbol, match_id in rows_by_key(
            session, _SETTLEMENTS, settlement_ids
        )
    ]


def explain(known: Evidence, through: int) -> Finding | None:
    """Say why a settlement has no match, None where nothing is wrong or due yet. Pure.

    `through` is the newest final block that booking has passed.
    """
    if known.is_matched:
        return None
    is_booked = known.state in ("BOOKED", "SETTLED")
    if len(known.logs) > 1 or len(known.entries) > 1:
        places = ", ".join(f"log:{log.block_hash}:{log.log_index}" for log in known.logs)
        seqs = ", ".join(str(entry.seq) for entry in known.entries)
        return _finding(BreakKind.DUPLICATE, known, f"paid by {places}; booked by entries {seqs}")
    if not known.logs:
        if not is_booked and not known.entries:
            return None
        return _finding(
            BreakKind.MISSING_ON_CHAIN,
            known,
            f"{known.state}, {len(known.entries)} entries, and no canonical Settled log has its"
            f" reference",
        )
    log = known.logs[0]
    if not is_booked and log.block_number > through:
        return None
    if log.pair_index is None:
        return _finding(BreakKind.UNPAIRED, known, "the Settled log has no exact Transfer", log)
    return (
        _differing(known, log.terms, "the Settled log", log)
        or _entry_fault(known, log)
        or _out_of_place(known, log, is_booked)
    )


def _entry_fault(known: Evidence, log: SettledLog) -> Finding | None:
    if not known.entries:
        books = "was booked without an entry for it" if log.is_posted else "is not booked"
        reason = f"paid in block {log.block_number}, whose chain transaction {books}"
        return _finding(BreakKind.MISSING_IN_LEDGER, known, reason, log)
    entry = known.entries[0]
    key = f"log:{log.block_hash}:{log.pair_index}"
    if entry.source_key != key and not entry.source_key.startswith(f"{key}:"):
        reason = f"entry {entry.seq} was made from {entry.source_key}, not from {key}"
        return _finding(BreakKind.MISSING_IN_LEDGER, known, reason, log)
    wallets = {code.split(":")[1]: minor for code, minor in entry.wallet_lines}
    units = {code.rpartition(":")[2] for code, _minor in entry.wallet_lines}
    creditor = next((address for address, moved in wallets.items() if moved > 0), "")
    debtor = next((address for address, moved in wallets.items() if moved < 0), "")
    token = known.terms.token if units == {known.symbol} else ", ".join(sorted(units))
    booked = Terms(token, debtor, creditor, known.terms.sequence, wallets.get(creditor, 0))
    if len(wallets) != 2 or sum(wallets.values()) != 0:
        reason = f"entry {entry.seq} does not move one amount from one wallet to another"
        return _finding(BreakKind.AMOUNT, known, reason, log)
    return _differing(known, booked, f"entry {entry.seq}", log)


def _out_of_place(known: Evidence, log: SettledLog, is_booked: bool) -> Finding | None:
    if not is_booked:
        reason = f"paid for good in block {log.block_number}, and the settlement is {known.state}"
        return _finding(BreakKind.NOT_BOOKED, known, reason, log)
    reason = "settlement, log and entry agree in what is compared here, yet were not matched"
    return _finding(BreakKind.UNMATCHED, known, reason, log)


def _differing(known: Evidence, other: Terms, where: str, log: SettledLog) -> Finding | None:
    differing = [
        name
        for name, ours, theirs in zip(Terms._fields, known.terms, other, strict=True)
        if ours != theirs
    ]
    if not differing:
        return None
    kind = BreakKind.AMOUNT if differing == ["amount_minor"] else BreakKind.PAYEE
    said = "; ".join(
        f"{name} is {getattr(other, name)}, instructed was {getattr(known.terms, name)}"
        for name in differing
    )
    return _finding(kind, known, f"in {where} {said}", log)


def _finding(
    kind: BreakKind, known: Evidence, reason: str, log: SettledLog | None = None
) -> Finding:
    detail: dict[str, str | int | None] = {"state": known.state}
    if log is not None:
        detail |= {"log": f"log:{log.block_hash}:{log.log_index}", "block": log.block_number}
    if known.entries:
        detail["entry"] = known.entries[0].seq
    return Finding(kind, known.settlement_id, reason, detail)
