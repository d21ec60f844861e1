"""Settlements as the API shows them, with their ISO 20022 status; addresses checksummed."""

from __future__ import annotations

from typing import Any, Literal

import orjson
from pydantic import Field

from gateway.api.invoice_shapes import Shape
from settlement.approvals import Approval
from settlement.clock import iso
from settlement.documents.identifiers import minor_units
from settlement.money import format_minor
from settlement.participants import checksummed
from settlement.settlements.records import (
    ClearanceRecord,
    SettlementEventRecord,
    SettlementRecord,
)
from settlement.states import SettlementState, iso_20022_status


class Settlement(Shape):
    """One payment of an invoice, or of a part of one."""

    id: str
    object: Literal["settlement"]
    invoice_id: str
    end_to_end_id: str = Field(description="ISO 20022 EndToEndId.")
    state: str
    iso_20022_status: str = Field(description="ACSC only once it is final on the chain.")
    reason: str | None
    approved_by: str | None = Field(
        description="`policy`, or the hands that approved it; null: it waits for an approver."
    )
    debtor_id: str
    creditor_id: str
    debtor_wallet: str
    creditor_wallet: str
    token: str
    token_symbol: str
    token_amount: str
    currency: str
    amount: str = Field(description="In the invoice's currency.", examples=["1190.00"])
    sequence: int = Field(description="With rail and debtor wallet: paid at most once.")
    reference: str
    execution_date: str
    outcome: str | None = Field(description="What the chain shows; provisional until final.")
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    log_index: int | None
    version: int
    created_at: str


class SettlementEvent(Shape):
    """One move of a settlement."""

    move: str
    state: str
    actor: str
    reason: str | None
    at: str


class ClearanceAnswer(Shape):
    """A decision about a settlement, with every rule's verdict."""

    id: str
    outcome: str
    policy_version: str
    verdicts: Any
    list_versions: Any
    inputs_hash: str
    expires_at: str
    revoked_at: str | None
    created_at: str


class ApprovalState(Shape):
    """A request for a second person, in short."""

    id: str
    state: str
    maker: str
    needed: int
    approvers: list[str]
    expires_at: str


class SettlementDetail(Settlement):
    """A settlement with its history and the decisions about it."""

    events: list[SettlementEvent]
    clearances: list[ClearanceAnswer]
    approvals: list[ApprovalState] = Field(description="Empty: the policy gave it.")


class SettlementList(Shape):
    """A page of settlements, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[Settlement]


class Instructed(Shape):
    """The settlements that were instructed, in the order of the instructions."""

    object: Literal["list"]
    data: list[Settlement]


def shown(settlement: SettlementRecord) -> dict[str, Any]:
    """Return a settlement as the API shows it."""
    claim_decimals = minor_units(settlement.currency)
    assert claim_decimals is not None, "a token's currency was checked when it was recorded"
    return {
        "id": settlement.id,
        "object": "settlement",
        "invoice_id": settlement.invoice_id,
        "end_to_end_id": settlement.end_to_end_id,
        "state": settlement.state,
        "iso_20022_status": iso_20022_status(
            SettlementState(settlement.state), is_approved=settlement.approved_by is not None
        ),
        "reason": settlement.reason,
        "approved_by": settlement.approved_by,
        "debtor_id": settlement.debtor_id,
        "creditor_id": settlement.creditor_id,
        "debtor_wallet": checksummed(settlement.debtor_wallet),
        "creditor_wallet": checksummed(settlement.creditor_wallet),
        "token": checksummed(settlement.token),
        "token_symbol": settlement.symbol,
        "token_amount": format_minor(settlement.amount_minor, settlement.decimals),
        "currency": settlement.currency,
        "amount": format_minor(settlement.claim_minor, claim_decimals),
        "sequence": settlement.sequence,
        "reference": settlement.reference,
        "execution_date": settlement.execution_date,
        "outcome": settlement.outcome,
        "block_number": settlement.block_number,
        "block_hash": settlement.block_hash,
        "tx_hash": settlement.tx_hash,
        "log_index": settlement.log_index,
        "version": settlement.version,
        "created_at": iso(settlement.created_at),
    }


def shown_event(event: SettlementEventRecord) -> dict[str, Any]:
    """Return a move as the API shows it."""
    return {
        "move": event.move,
        "state": event.state,
        "actor": event.actor,
        "reason": event.reason,
        "at": iso(event.at),
    }


def shown_approval(approval: Approval) -> dict[str, Any]:
    """Return a request for a second person, in short."""
    return {
        "id": approval.id,
        "state": approval.state,
        "maker": approval.maker,
        "needed": approval.needed,
        "approvers": list(approval.approvers),
        "expires_at": iso(approval.expires_at),
    }


def shown_clearance(clearance: ClearanceRecord) -> dict[str, Any]:
    """Return a decision as the API shows it."""
    return {
        "id": clearance.id,
        "outcome": clearance.outcome,
        "policy_version": clearance.policy_version,
        # A flag is the supervisor's: `GET /v1/settlements/{id}/clearance` has all.
        "verdicts": [
            each for each in orjson.loads(clearance.verdicts) if each["outcome"] != "FLAG"
        ],
        "list_versions": orjson.loads(clearance.list_versions),
        "inputs_hash": clearance.inputs_hash,
        "expires_at": iso(clearance.expires_at),
        "revoked_at": None if clearance.revoked_at is None else iso(clearance.revoked_at),
        "created_at": iso(clearance.created_at),
    }


SETTLEMENT = {
    "id": "stl_019a8f3b7d2e7a4c8f1b3c5d7e9f0a1b",
    "object": "settlement",
    "invoice_id": "inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
    "end_to_end_id": "E019a8f3b7d2e7a4c8f1b3c5d7e9f0a1b",
    "state": "INSTRUCTED",
    "iso_20022_status": "RCVD",
    "reason": None,
    "approved_by": "policy",
    "debtor_id": "par_019a8f2e5a0c7c1d8e2f3a4b5c6d7e90",
    "creditor_id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "debtor_wallet": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "creditor_wallet": "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "token": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    "token_symbol": "TEUR",
    "token_amount": "4320.000000",
    "currency": "EUR",
    "amount": "4320.00",
    "sequence": 17,
    "reference": "0x3b0c9a7e5f2d1c4b8a69788776655443322110ffeeddccbbaa99887766554433",
    "execution_date": "2026-11-04",
    "outcome": None,
    "block_number": None,
    "block_hash": None,
    "tx_hash": None,
    "log_index": None,
    "version": 1,
    "created_at": "2026-11-04T07:00:00.000000Z",
}
"""An example for the API's documentation."""

CLEARANCE: dict[str, Any] = {
    "id": "clr_019a8f3b7d307b1c9d2e4f5a6b7c8d9e",
    "outcome": "ALLOW",
    "policy_version": "2026-11-01",
    "verdicts": [{"rule": "parties_active", "outcome": "ALLOW"}],
    "list_versions": {},
    "inputs_hash": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
    "expires_at": "2026-11-04T08:00:00.000000Z",
    "revoked_at": None,
    "created_at": "2026-11-04T07:00:01.000000Z",
}
EVENT = {
    "move": "instruct",
    "state": "INSTRUCTED",
    "actor": "importer:stk_0a1b2c3d4e5f",
    "reason": None,
    "at": "2026-11-04T07:00:00.000000Z",
}
