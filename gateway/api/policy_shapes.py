"""What the API shows of policies, decisions, flags, registers and trades."""

from __future__ import annotations

from typing import Any, Literal

import orjson
from pydantic import Field

from gateway.api.invoice_shapes import Shape
from settlement.clock import iso
from settlement.compliance.flags import Flag
from settlement.compliance.policies import StoredPolicy
from settlement.compliance.policy import FLAG, Pack, Rule


class PolicyVersion(Shape):
    """A version of the policy."""

    object: Literal["policy"]
    version: int
    sha256: str = Field(description="Over its files and the version in force it was made on.")
    state: str = Field(description="draft or published.")
    is_in_force: bool
    note: str
    author: str
    created_at: str
    published_by: str | None
    in_force_from: str | None
    tried: dict[str, Any] | None = Field(description="What the last trial on history came to.")


class PolicyRule(Shape):
    """A rule of a pack."""

    id: str
    title: str
    predicate: str
    outcome: str
    options: dict[str, Any]
    status: str
    confidence: str
    source: str
    valid_from: str | None
    valid_until: str | None


class PolicyPack(Shape):
    """A file of rules."""

    id: str
    version: str
    title: str
    status: str
    source: str
    as_of: str
    confidence: str
    valid_from: str | None
    valid_until: str | None
    sha256: str
    rules: list[PolicyRule]


class PolicyDetail(PolicyVersion):
    """A version with its packs and files."""

    packs: list[PolicyPack]
    files: dict[str, str]


class PolicyList(Shape):
    """A page of versions, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[PolicyVersion]


class PolicyDiff(Shape):
    """A unified diff of two versions' files."""

    object: Literal["policy_diff"]
    version: int
    against: int
    lines: list[str]


class PolicyTrial(Shape):
    """What a version would have changed."""

    object: Literal["policy_trial"]
    version: int
    against: int
    looked_at: int
    same: int
    stricter: int
    milder: int
    by_rule: dict[str, int]
    changed: list[dict[str, Any]]


class PolicyRequest(Shape):
    """What was asked for; nothing has changed before somebody else approves it."""

    object: Literal["policy_request"]
    version: int
    approval_id: str
    state: str
    what_hash: str
    terms: dict[str, Any]
    needed: int
    approver_roles: list[str]
    expires_at: str


class PolicyFlag(Shape):
    """Something that a rule told the supervisor."""

    object: Literal["policy_flag"]
    rule: str
    subject: str
    day: str
    settlement_id: str
    clearance_id: str
    found: str
    at: str
    at_micros: int


class PolicyFlagList(Shape):
    """A page of flags, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[PolicyFlag]


class ExplainedClearance(Shape):
    """The newest decision about a settlement, rule by rule."""

    object: Literal["clearance"]
    clearance_id: str
    settlement_id: str
    outcome: str
    policy_version: str
    list_versions: dict[str, str]
    inputs_hash: str
    expires_at: str
    revoked_at: str | None
    created_at: str
    is_same: bool | None = Field(description="Whether the stored facts come out as stored.")
    rules: list[dict[str, Any]]
    flags: list[PolicyFlag]


def version(stored: StoredPolicy, current: int | None) -> dict[str, Any]:
    """Return a version as the API shows it."""
    return {
        "object": "policy",
        "version": stored.version,
        "sha256": stored.sha256,
        "state": stored.state,
        "is_in_force": stored.version == current,
        "note": stored.note,
        "author": stored.author,
        "created_at": iso(stored.created_at),
        "published_by": stored.published_by,
        "in_force_from": None if stored.in_force_from is None else iso(stored.in_force_from),
        "tried": None if stored.tried is None else orjson.loads(stored.tried),
    }


def pack(one: Pack) -> dict[str, Any]:
    """Return a pack as the API shows it."""
    return {
        "id": one.id,
        "version": one.version,
        "title": one.title,
        "status": one.status.value,
        "source": one.source,
        "as_of": one.as_of.isoformat(),
        "confidence": one.confidence.value,
        **_span(one),
        "sha256": one.sha256,
        "rules": [_rule(rule) for rule in one.rules],
    }


def flag(one: Flag) -> dict[str, Any]:
    """Return a flag as the API shows it."""
    return {
        "object": "policy_flag",
        "rule": one.rule_id,
        "subject": one.subject,
        "day": one.day,
        "settlement_id": one.settlement_id,
        "clearance_id": one.clearance_id,
        "found": one.found,
        "at": iso(one.created_at),
        "at_micros": one.created_at,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "predicate": rule.predicate,
        "outcome": FLAG if rule.is_flag else rule.outcome.name,
        "options": dict(rule.options),
        "status": rule.status.value,
        "confidence": rule.confidence.value,
        "source": rule.source,
        **_span(rule),
    }


def _span(one: Pack | Rule) -> dict[str, Any]:
    first, last = one.span.first, one.span.last
    return {
        "valid_from": None if first is None else first.isoformat(),
        "valid_until": None if last is None else last.isoformat(),
    }
