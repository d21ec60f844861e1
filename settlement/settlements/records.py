"""Reading settlements: one, a page of them, their events, the decision that cleared one.

Changes nothing. A `party` sees only what it pays or is paid: another's does not exist for it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.errors import NotFound


@dataclass(frozen=True, slots=True)
class SettlementRecord:
    """A settlement as stored, with its token's symbol and decimals and its invoice's currency."""

    id: str
    invoice_id: str
    end_to_end_id: str
    rail: str
    token: str
    debtor_id: str
    creditor_id: str
    debtor_wallet: str
    creditor_wallet: str
    sequence: int
    amount_minor: int
    claim_minor: int
    reference: str
    execution_date: str
    state: str
    reason: str | None
    approved_by: str | None
    clearance_id: str | None
    chain_tx_id: str | None
    outcome: str | None
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    log_index: int | None
    version: int
    created_at: int
    symbol: str
    decimals: int
    currency: str


@dataclass(frozen=True, slots=True)
class SettlementEventRecord:
    """One move of a settlement; `at` in microseconds."""

    move: str
    state: str
    actor: str
    reason: str | None
    at: int


@dataclass(frozen=True, slots=True)
class ClearanceRecord:
    """A stored decision; `verdicts` and `list_versions` are JSON text, times microseconds."""

    id: str
    outcome: str
    policy_version: str
    verdicts: str
    list_versions: str
    inputs_hash: str
    expires_at: int
    revoked_at: int | None
    created_at: int


@dataclass(frozen=True, slots=True)
class SettlementFilter:
    """Which settlements to list; None does not restrict."""

    invoice_id: str | None = None
    state: str | None = None
    symbol: str | None = None
    end_to_end_id: str | None = None
    tx_hash: str | None = None
    participant_id: str | None = None
    """Debtor or creditor."""
    executed_from: str | None = None
    """ISO 8601 requested execution date, itself included; so is `executed_to`."""
    executed_to: str | None = None


_JOINED = {"symbol": "t.symbol", "decimals": "t.decimals", "currency": "t.currency"}
_COLUMNS = ", ".join(
    _JOINED.get(field.name, f"s.{field.name}") for field in fields(SettlementRecord)
)
_FROM = "settlement s JOIN token t ON t.address = s.token"
_SELECT = f"SELECT {_COLUMNS} FROM {_FROM}"
_NOTHING = "''"
_EQUAL = {
    "invoice_id": "s.invoice_id",
    "state": "s.state",
    "symbol": "t.symbol",
    "end_to_end_id": "s.end_to_end_id",
    "tx_hash": "s.tx_hash",
}
_EVENTS = text(
    "SELECT move, state, actor, reason, at FROM settlement_event"
    " WHERE settlement_id = :id ORDER BY id"
)
_CLEARANCES = text(
    "SELECT id, outcome, policy_version, verdicts, list_versions, inputs_hash, expires_at,"
    " revoked_at, created_at FROM clearance WHERE settlement_id = :id ORDER BY id"
)


def find(session: Session, settlement_id: str, *, party: str | None = None) -> SettlementRecord:
    """Return one settlement.

    Raises:
        NotFound: there is none, or it is not the party's.
    """
    statement = text(f"{_SELECT} WHERE s.id = :id")
    row = session.connection().execute(statement, {"id": settlement_id}).one_or_none()
    if row is None or (party is not None and party not in (row.debtor_id, row.creditor_id)):
        raise NotFound("settlement", settlement_id)
    return SettlementRecord(*row)


def page(
    session: Session,
    wanted: SettlementFilter,
    *,
    limit: int,
    party: str | None = None,
    before_id: str | None = None,
    after_id: str | None = None,
) -> list[SettlementRecord]:
    """Return up to `limit` settlements, newest first.

    They are older than `before_id`, or the ones that are next newer than `after_id`.
    """
    params: dict[str, Any] = {"limit": limit}
    conditions = ["1 = 1"]
    for name, column in _EQUAL.items():
        if getattr(wanted, name) is not None:
            # Most have ended there: their index would lead through all of them.
            plain = (name, getattr(wanted, name)) != ("state", "SETTLED")
            conditions.append(f"{column if plain else f'({column} || {_NOTHING})'} = :{name}")
            params[name] = getattr(wanted, name)
    named = {"party": party, "participant_id": wanted.participant_id}
    parties = {name: value for name, value in named.items() if value is not None}
    params |= parties
    # Few are in any other state: its own index finds them, whoever's they are.
    by_side = next(iter(parties), None) if wanted.state in (None, "SETTLED") else None
    for name in parties.keys() - {by_side}:
        conditions.append(f"(s.debtor_id = :{name} OR s.creditor_id = :{name})")
    for name, comparison in (("executed_from", ">="), ("executed_to", "<=")):
        if getattr(wanted, name) is not None:
            conditions.append(f"s.execution_date {comparison} :{name}")
            params[name] = getattr(wanted, name)
    for name, value, comparison in (("before", before_id, "<"), ("after", after_id, ">")):
        if value is not None:
            conditions.append(f"s.id {comparison} :{name}")
            params[name] = value
    order = "ASC" if after_id is not None else "DESC"
    where = f"{' AND '.join(conditions)} ORDER BY s.id {order} LIMIT :limit"
    if by_side is not None:
        # Each side by its own index: their newest are among the newest of both.
        sides = " UNION ".join(
            f"SELECT * FROM (SELECT s.id FROM {_FROM}"
            f" WHERE s.{side}_id = :{by_side} AND {where}) AS as_{side}"
            for side in ("debtor", "creditor")
        )
        where = f"s.id IN ({sides}) ORDER BY s.id {order} LIMIT :limit"
    found = session.connection().execute(text(f"{_SELECT} WHERE {where}"), params)
    rows = [SettlementRecord(*row) for row in found]
    return rows[::-1] if after_id is not None else rows


def events(session: Session, settlement_id: str) -> list[SettlementEventRecord]:
    """Return every move of a settlement, oldest first."""
    rows = session.connection().execute(_EVENTS, {"id": settlement_id})
    return [SettlementEventRecord(*row) for row in rows]


def clearances(session: Session, settlement_id: str) -> list[ClearanceRecord]:
    """Return every decision about a settlement, oldest first."""
    rows = session.connection().execute(_CLEARANCES, {"id": settlement_id})
    return [ClearanceRecord(*row) for row in rows]
