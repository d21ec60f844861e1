"""The queries of a trace: each reads one kind of step for all settlements or invoices at once.

Knows no key; returns steps grouped by what they belong to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlmodel import Session

from settlement.clock import from_micros
from settlement.documents.identifiers import minor_units
from settlement.money import Money, Unit
from settlement.trace.journey import (
    BreakStep,
    ClearanceStep,
    EntryStep,
    LineStep,
    LogStep,
    MatchStep,
    Move,
)

_NOUNS = ("invoice", "settlement", "chain_tx")

_LOGS = (
    "SELECT l.reference AS owner, l.name, l.block_number, l.block_hash, b.timestamp, b.canonical,"
    " l.tx_hash, l.log_index, l.pair_index, l.code, l.token, l.debtor, l.creditor, l.amount_minor,"
    " t.symbol, t.decimals FROM chain_log l JOIN block b ON b.hash = l.block_hash"
    " LEFT JOIN token t ON t.address = l.token"
)
_PAIRED_LOGS = _LOGS.replace("l.reference AS owner", "p.reference AS owner") + (
    " JOIN chain_log p ON p.block_hash = l.block_hash AND p.log_index = l.pair_index"
)
_ENTRIES = (
    "SELECT e.seq, e.settlement_id, e.invoice_id, e.kind, e.source_key, e.block_number, e.tx_hash,"
    " e.reverses_seq, r.seq AS reversed_by_seq, e.reason, e.value_date, e.booked_at, e.hash,"
    " p.phase, p.amount_minor, a.code, a.unit, t.decimals FROM journal_entry e"
    " LEFT JOIN journal_entry r ON r.reverses_seq = e.seq"
    " LEFT JOIN posting p ON p.entry_seq = e.seq LEFT JOIN account a ON a.id = p.account_id"
    " LEFT JOIN token t ON t.symbol = a.unit"
)


def rows_of(session: Session, statement: str, keys: Sequence[Any], **more: Any) -> Sequence[Any]:
    """Return the rows of a statement with `IN :keys`; none for no keys."""
    if not keys:
        return ()
    query = text(statement).bindparams(bindparam("keys", expanding=True))
    return session.connection().execute(query, {"keys": list(keys), **more}).all()


def moves(session: Session, noun: str, keys: Sequence[str]) -> dict[str, tuple[Move, ...]]:
    """Return the moves of invoices, settlements or chain transactions, oldest first."""
    assert noun in _NOUNS
    actor = "NULL" if noun == "chain_tx" else "actor"
    found: dict[str, list[Move]] = defaultdict(list)
    for key, move, state, at, who, reason in rows_of(
        session,
        f"SELECT {noun}_id, move, state, at, {actor}, reason FROM {noun}_event"
        f" WHERE {noun}_id IN :keys ORDER BY id",
        keys,
    ):
        found[key].append(Move(move, state, from_micros(at), who, reason))
    return _frozen(found)


def clearances(
    session: Session, keys: Sequence[str], *, with_verdicts: bool
) -> dict[str, tuple[ClearanceStep, ...]]:
    """Return the decisions on settlements, oldest first."""
    found: dict[str, list[ClearanceStep]] = defaultdict(list)
    for row in rows_of(
        session,
        "SELECT id, settlement_id, outcome, policy_version, verdicts, list_versions, created_at,"
        " expires_at, revoked_at FROM clearance WHERE settlement_id IN :keys"
        " ORDER BY created_at, id",
        keys,
    ):
        found[row.settlement_id].append(
            ClearanceStep(
                id=row.id,
                outcome=row.outcome,
                policy_version=row.policy_version,
                verdicts=row.verdicts if with_verdicts else None,
                list_versions=row.list_versions if with_verdicts else None,
                created_at=from_micros(row.created_at),
                expires_at=from_micros(row.expires_at),
                revoked_at=moment(row.revoked_at),
            )
        )
    return _frozen(found)


def logs(session: Session, references: Sequence[str]) -> dict[str, tuple[LogStep, ...]]:
    """Return, by reference, the rail's logs and their exact Transfers, orphaned ones too."""
    found: dict[str, list[LogStep]] = defaultdict(list)
    for statement, column in ((_LOGS, "l"), (_PAIRED_LOGS, "p")):
        where = f" WHERE {column}.reference IN :keys"
        for row in rows_of(session, statement + where, references):
            found[row.owner].append(_log(row))
    for steps in found.values():
        steps.sort(key=lambda step: (step.block_number, step.block_hash, step.log_index))
    return _frozen(found)


def logs_at(
    session: Session, hashes: Sequence[str], log_index: int | None = None
) -> tuple[LogStep, ...]:
    """Return the logs of a chain transaction or block by its hash, or one log of a block."""
    where = (
        " WHERE l.block_hash IN (SELECT block_hash FROM receipt WHERE tx_hash IN :keys"
        " UNION SELECT hash FROM block WHERE hash IN :keys)"
        " AND (l.tx_hash IN :keys OR l.block_hash IN :keys)"
    )
    if log_index is not None:
        where += " AND l.log_index = :log_index"
    order = " ORDER BY l.block_number, l.block_hash, l.log_index LIMIT 500"
    rows = rows_of(session, _LOGS + where + order, hashes, log_index=log_index)
    return tuple(_log(row) for row in rows)


def entries(session: Session, where: str, keys: Sequence[Any]) -> list[tuple[Any, EntryStep]]:
    """Return entries with their postings, in order; `where` has `IN :keys` of `journal_entry e`.

    Beside each entry its row, which says whose it is.
    """
    found: list[tuple[Any, EntryStep]] = []
    lines: list[LineStep] = []
    rows = rows_of(session, f"{_ENTRIES} WHERE {where} ORDER BY e.seq, p.line", keys)
    for place, row in enumerate(rows):
        if row.code is not None:
            unit = Unit(row.unit, unit_decimals(row.unit, row.decimals))
            lines.append(LineStep(row.code, row.phase, Money(row.amount_minor, unit)))
        if place + 1 == len(rows) or rows[place + 1].seq != row.seq:
            found.append((row, _entry(row, tuple(lines))))
            lines = []
    return found


def matches(session: Session, keys: Sequence[str]) -> dict[str, tuple[MatchStep, ...]]:
    """Return the matches of settlements, undone ones too."""
    found: dict[str, list[MatchStep]] = defaultdict(list)
    for row in rows_of(
        session,
        "SELECT id, settlement_id, block_hash, log_index, entry_seq, live, created_at, undone_at"
        " FROM settlement_match WHERE settlement_id IN :keys ORDER BY id",
        keys,
    ):
        found[row.settlement_id].append(
            MatchStep(
                id=row.id,
                log_key=f"log:{row.block_hash}:{row.log_index}",
                entry_seq=row.entry_seq,
                live=bool(row.live),
                created_at=from_micros(row.created_at),
                undone_at=moment(row.undone_at),
            )
        )
    return _frozen(found)


def breaks(
    session: Session, subjects: Sequence[str], break_id: str = ""
) -> dict[str, tuple[BreakStep, ...]]:
    """Return the breaks about these subjects, closed ones too, and the one with this id."""
    found: dict[str, list[BreakStep]] = defaultdict(list)
    for row in rows_of(
        session,
        "SELECT id, kind, subject, reason, opened_at, closed_at, closed_reason"
        " FROM settlement_break WHERE subject IN :keys OR id = :break_id ORDER BY opened_at, id",
        subjects or [""],
        break_id=break_id,
    ):
        found[row.subject].append(
            BreakStep(
                id=row.id,
                kind=row.kind,
                subject=row.subject,
                reason=row.reason,
                opened_at=from_micros(row.opened_at),
                closed_at=moment(row.closed_at),
                closed_reason=row.closed_reason,
            )
        )
    return _frozen(found)


def unit_decimals(code: str, token_decimals: int | None) -> int:
    """Return how many digits after the point amounts of a unit have; wei are counted whole."""
    if token_decimals is not None:
        return token_decimals
    return minor_units(code) or 0


def moment(micros: int | None) -> datetime | None:
    """Return the moment of an optional column."""
    return None if micros is None else from_micros(micros)


def _log(row: Any) -> LogStep:
    amount = None
    if row.amount_minor is not None and row.symbol is not None:
        amount = Money(row.amount_minor, Unit(row.symbol, row.decimals))
    return LogStep(
        name=row.name,
        block_number=row.block_number,
        block_hash=row.block_hash,
        block_time=datetime.fromtimestamp(row.timestamp, UTC),
        canonical=bool(row.canonical),
        tx_hash=row.tx_hash,
        log_index=row.log_index,
        pair_index=row.pair_index,
        code=row.code,
        token=row.token,
        sender=row.debtor,
        receiver=row.creditor,
        amount=amount,
    )


def _entry(row: Any, lines: tuple[LineStep, ...]) -> EntryStep:
    return EntryStep(
        seq=row.seq,
        kind=row.kind,
        source_key=row.source_key,
        block_number=row.block_number,
        tx_hash=row.tx_hash,
        reverses_seq=row.reverses_seq,
        reversed_by_seq=row.reversed_by_seq,
        reason=row.reason,
        value_date=row.value_date,
        booked_at=from_micros(row.booked_at),
        hash=row.hash,
        lines=lines,
    )


def _frozen(found: dict[str, list[Any]]) -> dict[str, tuple[Any, ...]]:
    return {key: tuple(steps) for key, steps in found.items()}
