"""Clearances: the stored decision per settlement, bound to its terms, versions and time.

Decides by `policy`; moves no settlement and no money.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.compliance.policy import (
    FLAG,
    Facts,
    Judge,
    Outcome,
    Pair,
    Policy,
    Verdict,
)
from settlement.store.bulk import insert_rows, rows_by_key

PAYABLE = (Outcome.ALLOW.name, Outcome.ALLOW_WITH_DATA.name)
"""Outcomes under which a settlement may be paid."""

_REVOKE = text(
    "UPDATE clearance SET revoked_at = :at WHERE settlement_id = :id AND revoked_at IS NULL"
    " AND expires_at > :at"
)

_OF_WALLETS = (
    "SELECT id FROM settlement WHERE {side} {{keys}}"
    # What is mined may be orphaned, and would be sent again.
    " AND state IN ('CLEARED', 'CLAIMED', 'SUBMITTED', 'CONFIRMING', 'BOOKED')"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a clearance covers: exactly this payment."""

    debtor_wallet: str
    creditor_wallet: str
    token: str
    amount_minor: int
    reference: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A clearance as it was stored."""

    clearance_id: str
    settlement_id: str
    outcome: Outcome
    reason: str
    """Every finding in words that is no flag; empty when allowed."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the policy says of one settlement, before it is stored."""

    facts: Facts
    terms: Terms
    outcome: Outcome
    findings: list[Verdict]

    @property
    def payable(self) -> bool:
        """Whether it may be paid."""
        return self.outcome <= Outcome.ALLOW_WITH_DATA


def judge(judge: Judge, facts: Facts, terms: Terms) -> Judgement:
    """Evaluate all packs over one settlement. Pure."""
    return Judgement(facts, terms, *judge.judge(facts))


def decide(
    session: Session,
    policy: Policy,
    judgements: Sequence[Judgement],
    *,
    list_versions: Mapping[str, str],
    expires: datetime,
    ids: Ids,
    now: datetime,
) -> list[Decision]:
    """Store one clearance per judgement, in order, alive until `expires`; one insert for all."""
    versions = orjson.dumps(dict(list_versions), option=orjson.OPT_SORT_KEYS).decode()
    basis = f"{policy.version}|{versions}|".encode()
    created, expires_at = to_micros(now), to_micros(expires)
    pairs = _PairHashes()
    rows: list[dict[str, Any]] = []
    decisions = []
    for judgement in judgements:
        facts, terms = judgement.facts, judgement.terms
        own = orjson.dumps((facts.settlement_id, facts.payment, facts.trade, terms))
        row = {
            "id": ids("clr"),
            "settlement_id": facts.settlement_id,
            "outcome": judgement.outcome.name,
            "inputs_hash": hashlib.sha256(basis + pairs.of(facts.pair) + own).hexdigest(),
            "verdicts": _verdicts(judgement.findings),
            "policy_version": policy.version,
            "list_versions": versions,
            "debtor_wallet": terms.debtor_wallet,
            "creditor_wallet": terms.creditor_wallet,
            "token": terms.token,
            "amount_minor": terms.amount_minor,
            "reference": terms.reference,
            "expires_at": expires_at,
            "created_at": created,
        }
        rows.append(row)
        decisions.append(
            Decision(
                str(row["id"]), facts.settlement_id, judgement.outcome, _reason(judgement.findings)
            )
        )
    columns = tuple(rows[0]) if rows else ()
    insert_rows(session, "clearance", columns, [tuple(row.values()) for row in rows])
    return decisions


def revoke(session: Session, settlement_ids: Sequence[str], now: datetime) -> None:
    """End every clearance of these settlements at once: nothing more is signed under them."""
    if settlement_ids:
        at = to_micros(now)
        session.connection().execute(_REVOKE, [{"id": key, "at": at} for key in settlement_ids])


def revoke_wallets(
    session: Session, wallets: Sequence[str], now: datetime, *, token: str | None = None
) -> None:
    """End the clearances under way from and to these wallets; of one token alone if it is given."""
    for side in ("debtor_wallet", "creditor_wallet"):
        of_token, more = (" AND token = ?", (token,)) if token is not None else ("", ())
        found = rows_by_key(session, _OF_WALLETS.format(side=side) + of_token, wallets, *more)
        revoke(session, [key for (key,) in found], now)


class _PairHashes:
    """Hashes of what many payments share, each made once."""

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}

    def of(self, pair: Pair) -> bytes:
        """Return the SHA-256 of all that is known of a pair, as text."""
        known = self._known.get(id(pair))
        if known is None:
            known = hashlib.sha256(orjson.dumps(pair)).hexdigest().encode()
            self._known[id(pair)] = known
        return known


def _reason(findings: Sequence[Verdict]) -> str:
    return "; ".join(f"{each.rule_id}: {each.found}" for each in findings if not each.is_flag)


def _verdicts(findings: Sequence[Verdict]) -> str:
    """Return what rules found, as JSON: all that the policy asks and is not here has passed."""
    if not findings:
        return "[]"
    return orjson.dumps(
        [
            {
                "rule": each.rule_id,
                "outcome": FLAG if each.is_flag else each.outcome.name,
                "found": each.found,
            }
            for each in findings
        ]
    ).decode()
