"""Clearances: the stored decision per settlement, bound to its terms, versions and time.

Decides by `policy`; moves no settlement and no money.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.compliance.policy import Facts, Outcome, Policy, Rule, Verdict, evaluate
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


_FACTS, _TERMS = attrgetter(*Facts.__slots__), attrgetter(*Terms.__slots__)
"""All fields in order: the preimage of `inputs_hash` holds every one of them."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A clearance as it was stored."""

    clearance_id: str
    settlement_id: str
    outcome: Outcome
    reason: str
    """Every finding in words; empty when allowed."""


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


def judge(policy: Policy, facts: Facts, terms: Terms) -> Judgement:
    """Evaluate all packs over one settlement. Pure."""
    return Judgement(facts, terms, *evaluate(policy, facts))


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
    passed = _verdicts(policy.rules, [])
    created, expires_at = to_micros(now), to_micros(expires)
    rows: list[dict[str, Any]] = []
    decisions = []
    for judgement in judgements:
        facts, terms = judgement.facts, judgement.terms
        outcome, findings = judgement.outcome, judgement.findings
        inputs = basis + repr((_FACTS(facts), _TERMS(terms))).encode()
        row = {
            "id": ids("clr"),
            "settlement_id": facts.settlement_id,
            "outcome": outcome.name,
            "inputs_hash": hashlib.sha256(inputs).hexdigest(),
            "verdicts": _verdicts(policy.rules, findings) if findings else passed,
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
        reason = "; ".join(f"{each.rule_id}: {each.found}" for each in findings)
        decisions.append(Decision(str(row["id"]), facts.settlement_id, outcome, reason))
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


def _verdicts(rules: Sequence[Rule], findings: Sequence[Verdict]) -> str:
    found = {each.rule_id: {"outcome": each.outcome.name, "found": each.found} for each in findings}
    return orjson.dumps(
        [{"rule": rule.id, **found.get(rule.id, {"outcome": "ALLOW"})} for rule in rules]
    ).decode()
