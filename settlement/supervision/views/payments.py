"""Payments as the overseer sees them: what rules flagged, what was blocked, what was rejected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlmodel import Session

from settlement.clock import iso
from settlement.money import format_minor
from settlement.store.bulk import rows, rows_by_key
from settlement.supervision.periods import Span
from settlement.supervision.views.reading import Read, Row, View, bounds

_PARTIES = (
    "s.debtor_id, d.name, d.country, s.creditor_id, c.name, c.country, t.symbol, s.amount_minor,"
    " t.decimals"
)
_JOINS = (
    " JOIN participant d ON d.id = s.debtor_id JOIN participant c ON c.id = s.creditor_id"
    " JOIN token t ON t.address = s.token"
)
_PARTY_NAMES = (
    "debtor_id", "debtor_name", "debtor_country", "creditor_id", "creditor_name",
    "creditor_country", "asset", "amount",
)  # fmt: skip
# By when a rule told it: what is flagged days after it was instructed is in that day's report.
_FLAGGED = (
    "SELECT s.id, s.created_at, s.execution_date, s.state, s.invoice_id, s.end_to_end_id,"
    f" s.tx_hash, {_PARTIES} FROM settlement s{_JOINS}"
    " WHERE s.id IN (SELECT f.settlement_id FROM policy_flag f"
    " WHERE f.created_at >= ? AND f.created_at < ?) AND s.id > ? ORDER BY s.id LIMIT ?"
)
_FLAGS = (
    "SELECT settlement_id, rule_id, found FROM policy_flag WHERE settlement_id {keys}"
    " AND created_at >= ? AND created_at < ? ORDER BY settlement_id, rule_id"
)
_DECISION_OF = (
    "SELECT k.id, k.created_at, k.settlement_id, s.state, k.verdicts, k.policy_version,"
    f" {_PARTIES}, r.id, r.state, r.due_date, r.reference FROM clearance k"
    f" JOIN settlement s ON s.id = k.settlement_id{_JOINS}"
    " LEFT JOIN supervisor_report r ON r.subject = k.id"
)
_DECIDED = (
    # Word for word what the index of refusals holds: SQLite finds it by that.
    f"{_DECISION_OF} WHERE k.outcome IN ('REJECT', 'BLOCK') AND k.outcome = ?"
    " AND k.created_at >= ? AND k.created_at < ? AND k.id > ?"
    " ORDER BY k.id LIMIT ?"
)
_NAMED = _DECISION_OF + " WHERE k.id {keys} ORDER BY k.id"


def _flagged(session: Session, span: Span, after: str, most: int) -> list[Row]:
    found = rows(session, _FLAGGED, (*bounds(span), after, most))
    flags: dict[str, list[str]] = {}
    for key, rule, words in rows_by_key(session, _FLAGS, [row[0] for row in found], *bounds(span)):
        flags.setdefault(key, []).append(f"{rule}: {words}")
    return [
        (key, iso(at), *plain, *_money(tail), "; ".join(flags.get(key, ())))
        for key, at, *plain, tail in (_split(row, 7) for row in found)
    ]


def _decided(outcome: str) -> Read:
    def read(session: Session, span: Span, after: str, most: int) -> list[Row]:
        found = rows(session, _DECIDED, (outcome, *bounds(span), after, most))
        return [_decision(row) for row in found]

    return read


def decisions(session: Session, clearance_ids: Iterable[str]) -> dict[str, Row]:
    """Return the rows of these decisions, as BLOCKED and REJECTED have them."""
    return {row[0]: _decision(row) for row in rows_by_key(session, _NAMED, list(clearance_ids))}


def _decision(row: Row) -> Row:
    key, at, settlement, state, verdicts, policy = row[:6]
    told = (words_of(verdicts), policy, *row[15:])
    return (key, iso(at), settlement, state, *_money(row[6:15]), *told)


def words_of(verdicts: str) -> str:
    """Return in words what rules found, from a decision as it is stored."""
    return "; ".join(
        f"{each['rule']}: {each['found']}"
        for each in orjson.loads(verdicts)
        if each.get("found") and each["outcome"] not in ("ALLOW", "FLAG")
    )


def _split(row: Row, head: int) -> tuple[Any, ...]:
    return (*row[:head], row[head:])


def _money(tail: Row) -> Row:
    """Return parties and asset with the amount as a decimal string."""
    *parties, minor, decimals = tail
    return (*parties, format_minor(minor, decimals))


_DECISION = (
    "clearance_id", "decided_at", "settlement_id", "state", *_PARTY_NAMES, "found",
    "policy_version", "report_id", "report_state", "report_due_date", "report_reference",
)  # fmt: skip

TRANSACTIONS = View(
    "transactions",
    "Transactions that rules have flagged",
    (
        "settlement_id", "instructed_at", "execution_date", "state", "invoice_id", "end_to_end_id",
        "tx_hash", *_PARTY_NAMES, "flags",
    ),
    _flagged,
)  # fmt: skip
BLOCKED = View("blocked", "Payments that were blocked", _DECISION, _decided("BLOCK"))
REJECTED = View("rejected", "Payments that were rejected", _DECISION, _decided("REJECT"))
