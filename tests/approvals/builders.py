"""Requests for a second person, with defaults."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine

from settlement import approvals
from settlement.approvals import Approval
from settlement.clock import Ids
from settlement.money import Unit
from settlement.store import reading, transaction

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
EUR = Unit("EUR", 2)
TERMS = {"to": "0xabc", "amount": "300000.00 EUR", "version": 1}

_numbers: Iterator[int] = count(1)


def ids() -> Ids:
    return lambda prefix: f"{prefix}_{next(_numbers):032x}"


def an_approval(engine: Engine, **changes: Any) -> Approval:
    """Ask as anna of the treasury, for 300,000 EUR: one approver is needed."""
    fields: dict[str, Any] = {
        "kind": "settlement",
        "subject": "stl_1",
        "terms": TERMS,
        "amount_minor": 300_000_00,
        "unit": EUR,
        "maker": "per_anna",
        "role": "treasury",
        "reason": "the invoice is due",
        "ids": ids(),
        "now": NOW,
    }
    with transaction(engine) as session:
        return approvals.ask(session, **{**fields, **changes})


def decided(engine: Engine, approval: Approval, **changes: Any) -> Approval:
    """Approve as ben the approver, an hour later, what was shown."""
    fields: dict[str, Any] = {
        "verdict": "approve",
        "seen_hash": approval.what_hash,
        "checker": "per_ben",
        "role": "approver",
        "reason": "agrees with the contract",
        "now": NOW + timedelta(hours=1),
    }
    with transaction(engine) as session:
        return approvals.decide(session, approval.id, **{**fields, **changes})


def stored(engine: Engine, approval: Approval) -> Approval:
    """Read it again."""
    with reading(engine) as session:
        return approvals.find(session, approval.id)
