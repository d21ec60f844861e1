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
from settlement.compliance import flags
from settlement.compliance.policy import (
    FLAG,
    NO_TRADE,
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


_COLUMNS = (
    "id", "settlement_id", "outcome", "inputs_hash", "verdicts", "policy_version",
    "list_versions", "pair_sha256", "inputs", "debtor_wallet", "creditor_wallet", "token",
    "amount_minor", "reference", "expires_at", "created_at",
)  # fmt: skip


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
    """What keeps it back, in words, the strictest first; empty when it may be paid."""


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
    versions = as_text(list_versions)
    basis = f"{policy.version}|{versions}|".encode()
    created, expires_at = to_micros(now), to_micros(expires)
    pairs = _Pairs()
    rows: list[tuple[Any, ...]] = []
    decisions = []
    for judgement in judgements:
        facts, terms, findings = judgement.facts, judgement.terms, judgement.findings
        pair_sha256 = pairs.sha256(facts.pair)
        trade = None if facts.trade is NO_TRADE else facts.trade
        inputs = orjson.dumps((facts.payment, trade))
        own = orjson.dumps((facts.settlement_id, terms))
        hashed = hashlib.sha256(basis + pair_sha256.encode() + inputs + own).hexdigest()
        key = ids("clr")
        rows.append((
            key, facts.settlement_id, judgement.outcome.name, hashed, _verdicts(findings),
            policy.version, versions, pair_sha256, inputs.decode(), terms.debtor_wallet,
            terms.creditor_wallet, terms.token, terms.amount_minor, terms.reference, expires_at,
            created,
        ))  # fmt: skip
        reason = _reason(findings) if findings else ""
        decisions.append(Decision(key, facts.settlement_id, judgement.outcome, reason))
    pairs.store(session)
    insert_rows(session, "clearance", _COLUMNS, rows)
    told = [
        (row[0], judgement.facts, judgement.findings)
        for row, judgement in zip(rows, judgements, strict=True)
        if judgement.findings
    ]
    flags.raise_all(session, policy, told, now)
    return decisions


def as_text(list_versions: Mapping[str, str]) -> str:
    """Return versions of lists and registers as a clearance keeps them."""
    return orjson.dumps(dict(list_versions), option=orjson.OPT_SORT_KEYS).decode()


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


class _Pairs:
    """What many payments share: written as JSON, hashed and stored once."""

    def __init__(self) -> None:
        self._hashes: dict[int, str] = {}
        self._bodies: dict[str, str] = {}

    def sha256(self, pair: Pair) -> str:
        """Return the SHA-256 over all that is known of a pair."""
        known = self._hashes.get(id(pair))
        if known is None:
            body = orjson.dumps(pair)
            known = self._hashes[id(pair)] = hashlib.sha256(body).hexdigest()
            self._bodies[known] = body.decode()
        return known

    def store(self, session: Session) -> None:
        """Keep what is not kept yet."""
        insert_rows(
            session, "policy_inputs", ("sha256", "body"), list(self._bodies.items()),
            "ON CONFLICT (sha256) DO NOTHING",
        )  # fmt: skip


def _reason(findings: Sequence[Verdict]) -> str:
    """Return what keeps a payment back, the strictest first."""
    against = [e for e in findings if e.outcome > Outcome.ALLOW_WITH_DATA and not e.is_flag]
    against.sort(key=lambda each: -each.outcome)
    return "; ".join(f"{each.rule_id}: {each.found}" for each in against)


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
