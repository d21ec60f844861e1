"""Breaks as the API shows them: with amounts as decimal strings and times in ISO 8601."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import orjson
from pydantic import Field

from gateway.api.invoice_shapes import Shape
from gateway.api.units import amount
from settlement.clock import iso
from settlement.reconciliation.listing import Aged, BreakRecord
from settlement.reconciliation.workbench.reading import (
    Opened,
    Part,
    StoredEffect,
    StoredProposal,
)

_DAY_MICROS = 86_400 * 1_000_000


class Break(Shape):
    """Something that does not agree, with its reason."""

    object: Literal["break"]
    id: str
    kind: str
    severity: str
    subject: str
    reason: str
    detail: Any = Field(description="`differs` lists fields as {field, ours, theirs}.")
    proposed: str = Field(description="What is proposed to be done.")
    party: str | None
    amount: str | None = Field(description="In question; below zero where money went out.")
    unit: str | None
    owner: str | None = Field(description="Who works on it.")
    comment_count: int
    reopened_count: int
    version: int = Field(description="Send it with an act: a change in between refuses it.")
    age_days: int
    opened_at: str
    due_at: str
    is_overdue: bool
    closed_at: str | None
    closed_reason: str | None
    closed_by: str | None = Field(description="`rail`: it has healed by itself.")


class BreakList(Shape):
    """A page of breaks, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[Break]


class BreakEvent(Shape):
    """One thing that happened to a break."""

    move: str
    actor: str
    reason: str | None
    detail: Any
    at: str


class BreakPart(Shape):
    """A part of a split break."""

    part: int
    amount: str
    effect: str | None = Field(description="The act that has used it.")


class BreakEffect(Shape):
    """What an act has changed; undone, it stays to be seen."""

    id: str
    act: str
    amount: str | None
    part: int | None
    invoice_id: str | None
    claim: str | None = Field(description="What was counted as settled of the invoice.")
    entry: str | None = Field(description="The journal entry it posted.")
    match_id: int | None
    settlement_id: str | None
    live: bool
    created_at: str
    created_by: str
    undone_at: str | None
    undone_by: str | None
    undone_reason: str | None


class BreakProposal(Shape):
    """An act that needs a second person."""

    id: str
    act: str
    terms: Any
    amount: str
    unit: str
    needed: int = Field(description="Approvers needed.")
    approvals: int
    state: str
    reason: str
    proposed_by: str
    decided_by: str | None
    created_at: str
    ended_at: str | None


class BreakLink(Shape):
    """Something that the break is about."""

    noun: str
    id: str


class BreakDetail(Break):
    """A break with all that belongs to it."""

    acts: list[str] = Field(description="What makes sense for a break of its kind.")
    history: list[BreakEvent]
    parts: list[BreakPart]
    effects: list[BreakEffect]
    proposals: list[BreakProposal]
    links: list[BreakLink]


class AgedBreaks(Shape):
    """Open breaks of a kind and unit in a bucket of age."""

    kind: str
    unit: str | None
    currency: str | None
    from_days: int = Field(description="0, 30, 60, or 90 and more.")
    count: int
    amount: str | None


class BreakAging(Shape):
    """How old what is open has become."""

    object: Literal["break_aging"]
    as_of: str
    count: int
    data: list[AgedBreaks]


class BulkOutcome(Shape):
    """What became of a row."""

    line: int
    break_id: str
    action: str
    outcome: Literal["applied", "already", "refused"]
    message: str | None
    repair: str | None


class BulkAnswer(Shape):
    """What became of a sheet."""

    object: Literal["break_bulk"]
    is_dry_run: bool
    applied: int
    already: int
    refused: int
    data: list[BulkOutcome]


def shown(record: BreakRecord, tokens: Mapping[str, int], now: int) -> dict[str, Any]:
    """Return a break; `now` is microseconds."""
    until = record.closed_at or now
    return {
        "object": "break",
        "id": record.id,
        "kind": record.kind,
        "severity": record.severity,
        "subject": record.subject,
        "reason": record.reason,
        "detail": orjson.loads(record.detail),
        "proposed": record.proposed,
        "party": record.party,
        "amount": _amount(record.amount_minor, record.unit, tokens),
        "unit": record.unit,
        "owner": record.owner,
        "comment_count": record.comment_count,
        "reopened_count": record.reopened_count,
        "version": record.version,
        "age_days": max(0, until - record.opened_at) // _DAY_MICROS,
        "opened_at": iso(record.opened_at),
        "due_at": iso(record.due_at),
        "is_overdue": record.closed_at is None and record.due_at < now,
        "closed_at": _moment(record.closed_at),
        "closed_reason": record.closed_reason,
        "closed_by": record.closed_by,
    }


def shown_whole(found: Opened, tokens: Mapping[str, int], now: int) -> dict[str, Any]:
    """Return a break with all that belongs to it."""
    unit = found.record.unit
    return {
        **shown(found.record, tokens, now),
        "acts": list(found.acts),
        "history": [
            {
                "move": each.move,
                "actor": each.actor,
                "reason": each.reason,
                "detail": orjson.loads(each.detail),
                "at": iso(each.at),
            }
            for each in found.events
        ],
        "parts": [_part(each, unit, tokens) for each in found.parts],
        "effects": [_effect(each, unit, tokens) for each in found.effects],
        "proposals": [_proposal(each, tokens) for each in found.proposals],
        "links": [each._asdict() for each in found.links],
    }


def shown_age(row: Aged, tokens: Mapping[str, int]) -> dict[str, Any]:
    """Return one line of the aging summary."""
    return {
        "kind": row.kind,
        "unit": row.unit,
        "currency": row.currency,
        "from_days": row.from_days,
        "count": row.count,
        "amount": _amount(row.amount_minor, row.unit, tokens),
    }


def _part(part: Part, unit: str | None, tokens: Mapping[str, int]) -> dict[str, Any]:
    return {
        "part": part.part,
        "amount": _amount(part.amount_minor, unit, tokens),
        "effect": part.effect,
    }


def _effect(effect: StoredEffect, unit: str | None, tokens: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": effect.id,
        "act": effect.act,
        "amount": _amount(effect.amount_minor, unit, tokens),
        "part": effect.part,
        "invoice_id": effect.invoice_id,
        "claim": _amount(effect.claim_minor, effect.currency, tokens),
        "entry": None if effect.entry_seq is None else f"je_{effect.entry_seq}",
        "match_id": effect.match_id,
        "settlement_id": effect.settlement_id,
        "live": effect.live,
        "created_at": iso(effect.created_at),
        "created_by": effect.created_by,
        "undone_at": _moment(effect.undone_at),
        "undone_by": effect.undone_by,
        "undone_reason": effect.undone_reason,
    }


def _proposal(proposal: StoredProposal, tokens: Mapping[str, int]) -> dict[str, Any]:
    shown_fields = proposal._asdict()
    del shown_fields["amount_minor"]
    return {
        **shown_fields,
        "terms": orjson.loads(proposal.terms),
        "amount": amount(proposal.amount_minor, proposal.unit, tokens),
        "created_at": iso(proposal.created_at),
        "ended_at": _moment(proposal.ended_at),
    }


def _amount(minor: int | None, unit: str | None, tokens: Mapping[str, int]) -> str | None:
    return None if minor is None or unit is None else amount(minor, unit, tokens)


def _moment(at: int | None) -> str | None:
    return None if at is None else iso(at)
