"""What the routes of the matching engine answer and take."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from gateway.api.invoice_shapes import Shape
from gateway.json_body import Body
from settlement.clock import iso
from settlement.money import format_minor
from settlement.reconciliation.engine.listing import MatchRow, RecordRow, RunRow
from settlement.reconciliation.engine.rule_sets import StoredRuleSet
from settlement.reconciliation.engine.trying import Diff, TriedMatch

DECIMALS = 6
_EPOCH = date(1970, 1, 1)


class Record(Shape):
    """Something to be matched. Amounts are signed: + the owner received, - the owner paid."""

    object: Literal["record"]
    id: int
    source: str
    origin: str = Field(description="Where it comes from: match_…, log:…, bank:…, exp_…, inv_…:….")
    owner: str
    account: str
    currency: str
    amount: str
    unit: str
    end_to_end_id: str | None
    reference: str | None
    counterparty: str | None
    value_date: str
    due_date: str | None = Field(description="From when its absence elsewhere is a break.")
    settlement_id: str | None
    invoice_id: str | None
    parent_id: int | None
    state: str
    match_id: int | None


class RecordList(Shape):
    """A page of records, oldest first."""

    object: Literal["list"]
    has_more: bool
    data: list[Record]


class Match(Shape):
    """Records that are the same money, and why. Undone, it stays."""

    object: Literal["match"]
    id: int
    rule_set: int | None
    rule: str
    score: int
    reasons: dict[str, Any]
    kind: str
    live: bool
    records: list[int]
    created_at: str
    created_by: str
    undone_at: str | None
    undone_by: str | None
    undone_reason: str | None


class MatchList(Shape):
    """A page of matches, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[Match]


class Run(Shape):
    """A run of the engine and what it did."""

    object: Literal["run"]
    id: int
    rule_set: int
    state: str
    counts: dict[str, Any]
    started_at: str
    finished_at: str | None


class RunList(Shape):
    """The newest runs."""

    object: Literal["list"]
    has_more: bool
    data: list[Run]


class RuleSet(Shape):
    """A version of the rules."""

    object: Literal["rule_set"]
    version: int
    sha256: str
    state: str = Field(description="draft or approved; of the approved, the newest is in force.")
    author: str
    created_at: str
    approved_by: str | None
    in_force_from: str | None
    tried: dict[str, Any] = Field(description="What its dry run would have changed, in numbers.")
    rules: dict[str, Any]


class RuleSetList(Shape):
    """Every version, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[RuleSet]


class Tried(Shape):
    """A match that would come, go or change."""

    rule: str
    origins: list[str]
    instead_of: int | None


class DryRun(Shape):
    """What a rule set would change. Counts are of all; up to 200 of each kind are told."""

    object: Literal["dry_run"]
    kept: int
    gained: int
    lost: int
    changed: int
    too_much_work: list[str] = Field(description="Rules that left some records alone for it.")
    new: list[Tried]
    gone: list[Tried]
    other: list[Tried]


class Parts(Shape):
    """The records that a record was split into."""

    object: Literal["parts"]
    records: list[int]


Reason = Annotated[str, Field(max_length=500)]


class MatchBody(Body):
    """Records that a person says are the same money."""

    records: Annotated[list[int], Field(min_length=2, max_length=1_000)]
    reason: Reason | None = Field(None, description="Needed where the two sides differ.")


class UnmatchBody(Body):
    """Why a match is undone."""

    reason: Reason


class SplitBody(Body):
    """Amounts of one sign that sum to the record's."""

    amounts: Annotated[list[str], Field(min_length=2, max_length=100)]


class RulesBody(Body):
    """A rule set as it is written: YAML or JSON, in one text."""

    content: Annotated[str, Field(min_length=1, max_length=65_536)]


class ApproveRulesBody(Body):
    """The version that goes in force, with the hash that was read."""

    version: int
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class NoBody(Body):
    """Nothing to say."""


def record_shown(row: RecordRow) -> dict[str, Any]:
    """Return a record as it is answered."""
    return {
        "object": "record",
        "id": row.id,
        "source": row.source,
        "origin": row.origin,
        "owner": row.owner,
        "account": row.account,
        "currency": row.currency,
        "amount": format_minor(row.amount_micro, DECIMALS),
        "unit": row.unit,
        "end_to_end_id": row.end_to_end_id,
        "reference": row.reference,
        "counterparty": row.counterparty,
        "value_date": _date(row.value_day),
        "due_date": _date(row.due_day),
        "settlement_id": row.settlement_id,
        "invoice_id": row.invoice_id,
        "parent_id": row.parent_id,
        "state": row.state,
        "match_id": row.match_id,
    }


def match_shown(row: MatchRow) -> dict[str, Any]:
    """Return a match as it is answered."""
    return {
        "object": "match",
        "id": row.id,
        "rule_set": row.rule_set_version,
        "rule": row.rule_id,
        "score": row.score,
        "reasons": orjson.loads(row.reasons),
        "kind": row.kind,
        "live": row.live,
        "records": list(row.record_ids),
        "created_at": iso(row.created_at),
        "created_by": row.created_by,
        "undone_at": _moment(row.undone_at),
        "undone_by": row.undone_by,
        "undone_reason": row.undone_reason,
    }


def run_shown(row: RunRow) -> dict[str, Any]:
    """Return a run as it is answered."""
    return {
        "object": "run",
        "id": row.id,
        "rule_set": row.rule_set_version,
        "state": row.state,
        "counts": orjson.loads(row.counts),
        "started_at": iso(row.started_at),
        "finished_at": _moment(row.finished_at),
    }


def rule_set_shown(row: StoredRuleSet) -> dict[str, Any]:
    """Return a rule set as it is answered."""
    return {
        "object": "rule_set",
        "version": row.version,
        "sha256": row.sha256,
        "state": row.state,
        "author": row.author,
        "created_at": iso(row.created_at),
        "approved_by": row.approved_by,
        "in_force_from": _moment(row.in_force_from),
        "tried": orjson.loads(row.tried or "{}"),
        "rules": orjson.loads(row.body),
    }


def dry_run_shown(found: Diff) -> dict[str, Any]:
    """Return a dry run as it is answered."""
    counts = {name: getattr(found, name) for name in ("kept", "gained", "lost", "changed")}
    told = {name: [_tried(each) for each in getattr(found, name)] for name in _TOLD}
    return {"object": "dry_run", **counts, "too_much_work": list(found.cut), **told}


_TOLD = ("new", "gone", "other")


def _tried(each: TriedMatch) -> dict[str, Any]:
    return {"rule": each.rule_id, "origins": list(each.origins), "instead_of": each.instead_of}


def _date(day: int | None) -> str | None:
    return None if day is None else (_EPOCH + timedelta(days=day)).isoformat()


def _moment(micros: int | None) -> str | None:
    return None if micros is None else iso(micros)
