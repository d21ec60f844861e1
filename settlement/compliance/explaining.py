"""Why a settlement came out as it did: every rule that was asked, what it looked at, its verdict.

Judges the stored facts once more under the version that decided. Changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import from_micros
from settlement.compliance import flags, policies
from settlement.compliance.flags import Flag
from settlement.compliance.policy import (
    NO_TRADE,
    Asset,
    Facts,
    Judge,
    Outcome,
    Pack,
    Pair,
    Party,
    Payment,
    Policy,
    Rule,
    Trade,
)
from settlement.compliance.policy.predicates.inputs import LOOKS_AT
from settlement.errors import NotFound

_VERSION = re.compile(r"v([0-9]+)#")
_NEWEST = text(
    "SELECT c.id, c.outcome, c.inputs_hash, c.policy_version, c.list_versions, c.inputs, i.body,"
    " c.expires_at, c.revoked_at, c.created_at FROM clearance c"
    " LEFT JOIN policy_inputs i ON i.sha256 = c.pair_sha256 WHERE c.settlement_id = :id"
    " ORDER BY c.created_at DESC, c.id DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule that was asked: where it comes from, what it looked at, what it said."""

    pack: str
    rule: str
    title: str
    source: str
    confidence: str
    status: str
    verdict: str
    """An outcome, `FLAG`, or `PASSED`."""
    found: str
    options: Mapping[str, Any]
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The newest decision about a settlement, rule by rule. Times are microseconds."""

    clearance_id: str
    settlement_id: str
    outcome: str
    policy_version: str
    list_versions: Mapping[str, str]
    inputs_hash: str
    expires_at: int
    revoked_at: int | None
    created_at: int
    is_same: bool | None
    """Whether the stored facts, judged once more, come out as stored; None: they are not kept."""
    rules: tuple[Explained, ...]
    flags: tuple[Flag, ...]


def why(session: Session, settlement_id: str) -> Explanation:
    """Explain the newest decision about a settlement.

    Raises:
        NotFound: there is no decision about it.
    """
    row = session.connection().execute(_NEWEST, {"id": settlement_id}).one_or_none()
    if row is None:
        raise NotFound("clearance of settlement", settlement_id)
    policy = _policy(session, row.policy_version)
    facts = facts_from(settlement_id, row.body, row.inputs)
    rules: tuple[Explained, ...] = ()
    is_same = None
    if policy is not None and facts is not None:
        judge = Judge(policy, from_micros(row.created_at))
        rules = tuple(_explained(judge, facts))
        is_same = judge.judge(facts)[0].name == row.outcome
    return Explanation(
        clearance_id=row.id,
        settlement_id=settlement_id,
        outcome=row.outcome,
        policy_version=row.policy_version,
        list_versions=orjson.loads(row.list_versions),
        inputs_hash=row.inputs_hash,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        created_at=row.created_at,
        is_same=is_same,
        rules=rules,
        flags=tuple(flags.listed(session, settlement_id=settlement_id)),
    )


def facts_from(settlement_id: str, pair: str | None, inputs: str | None) -> Facts | None:
    """Return facts as they were stored; None where a decision of an older version kept none."""
    if pair is None or inputs is None:
        return None
    sides = orjson.loads(pair)
    payment, trade = orjson.loads(inputs)
    return Facts(
        settlement_id,
        Pair(
            Party(**_tuples(sides["debtor"])),
            Party(**_tuples(sides["creditor"])),
            Asset(**_tuples(sides["asset"])),
        ),
        Payment(**_tuples(payment)),
        NO_TRADE if trade is None else Trade(**_tuples(trade)),
    )


def _policy(session: Session, version: str) -> Policy | None:
    known = _VERSION.match(version)
    if known is None:
        return None
    try:
        found = policies.parsed(session, int(known.group(1)))
    except NotFound:
        return None
    return found if found.version == version else None


def _explained(judge: Judge, facts: Facts) -> Iterator[Explained]:
    for pack, rules in judge.applicable(facts.pair):
        for rule in rules:
            yield _one(pack, rule, facts)


def _one(pack: Pack, rule: Rule, facts: Facts) -> Explained:
    if rule.pair_check is not None:
        found = rule.pair_check(facts.pair)
    else:
        assert rule.payment_check is not None
        found = rule.payment_check(facts)
    verdict = "PASSED" if not found else "FLAG" if rule.is_flag else Outcome(rule.outcome).name
    return Explained(
        pack=pack.id,
        rule=rule.id,
        title=rule.title,
        source=rule.source,
        confidence=rule.confidence.value,
        status=rule.status.value,
        verdict=verdict,
        found=found,
        options=rule.options,
        inputs=dict(_inputs(rule.predicate, facts)),
    )


def _inputs(predicate: str, facts: Facts) -> Iterator[tuple[str, Any]]:
    parts = {
        "debtor": facts.pair.debtor,
        "creditor": facts.pair.creditor,
        "asset": facts.pair.asset,
        "payment": facts.payment,
        "trade": facts.trade,
    }
    for path in LOOKS_AT[predicate]:
        part, _, name = path.partition(".")
        for side in ("debtor", "creditor") if part == "party" else (part,):
            yield f"{side}.{name}", _plain(getattr(parts[side], name))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def as_plain(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as values that JSON has."""
    return asdict(explanation)
