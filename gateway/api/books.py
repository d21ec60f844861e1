"""The books over HTTP: accounts, journal, tie-out. Read only."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.paging import Limit
from gateway.api.units import amount, token_decimals
from settlement import reconciliation
from settlement.clock import iso
from settlement.errors import ChainUnreachable, Invalid
from settlement.ledger import listing
from settlement.ledger.accounts import KINDS
from settlement.ledger.stored import StoredEntry
from settlement.store import reading


class Account(Shape):
    """An account with its balance, in the unit that its code names."""

    object: Literal["account"]
    code: str
    kind: str
    owner: str
    unit: str
    posted: str
    reserved: str = Field(description="Of it, set aside for cleared settlements; as of now.")
    expected: str = Field(description="What others have set aside for it; as of now.")


class AccountList(Shape):
    """A page of accounts in order of their codes."""

    object: Literal["list"]
    basis: str = Field(description="What counts: now, block or value, with its bound.")
    has_more: bool
    data: list[Account]


class JournalLine(Shape):
    """A posting."""

    account: str
    unit: str
    phase: str
    amount: str


class JournalEntry(Shape):
    """A journal entry; its hash covers all of it and the entry before."""

    object: Literal["journal_entry"]
    seq: int
    kind: str
    source_key: str
    invoice_id: str | None
    settlement_id: str | None
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    reverses_seq: int | None
    reason: str | None
    value_date: str | None
    booked_at: str
    prev_hash: str
    hash: str
    lines: list[JournalLine]


class JournalList(Shape):
    """A page of journal entries, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[JournalEntry]


class TieOutLine(Shape):
    """One balance on every side that knows it; a side that does not is null."""

    subject: str
    unit: str
    block: int
    ledger: str
    chain: str | None
    logs_in: str | None = Field(description="Sum of all that came in; of a supply, was minted.")
    logs_out: str | None = Field(description="Sum of all that went out; of a supply, was burnt.")
    bank: str | None = Field(description="The bank's closing balance, of what a bank knows.")
    difference: str | None = Field(description="Null where the chain gave no answer.")
    ties: bool


class TieOut(Shape):
    """Every balance at one final block; no lines before there is one."""

    object: Literal["tie_out"]
    block_number: int | None
    block_hash: str | None
    ties: bool
    data: list[TieOutLine]


def list_accounts(
    gateway: TheGateway,
    caller: TheCaller,
    limit: Limit = 100,
    starting_after: Annotated[str, Query(max_length=200, description="An account's code.")] = "",
    code: Annotated[str | None, Query(max_length=200, description="This one alone.")] = None,
    owner: Annotated[str | None, Query(max_length=100)] = None,
    kind: Annotated[str | None, Query(max_length=20)] = None,
    at_block: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    on: Annotated[date | None, Query(description="Value date; with what was posted later.")] = None,
) -> Response:
    """Balances now, at a past block (only what has a block counts), or by value date."""
    if kind is not None and kind not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise Invalid(f"{kind!r} is no kind of account", field="kind", repair=f"use one of {known}")
    with reading(gateway.engine) as session:
        tokens = token_decimals(session)
        rows = listing.accounts_page(
            session,
            after=starting_after,
            limit=limit + 1,
            owner=caller.party or owner,
            kind=kind,
            code=code,
            at_block=at_block,
            on=on,
        )
    data = [
        {
            "object": "account",
            "code": row.code,
            "kind": row.kind,
            "owner": row.owner,
            "unit": row.unit,
            "posted": amount(row.posted_minor, row.unit, tokens),
            "reserved": amount(row.reserved_minor, row.unit, tokens),
            "expected": amount(row.expected_minor, row.unit, tokens),
        }
        for row in rows[:limit]
    ]
    basis = (
        "now"
        if at_block is None and on is None
        else ", ".join(
            f"{name} {bound}"
            for name, bound in (("block", at_block), ("value", on))
            if bound is not None
        )
    )
    more = len(rows) > limit
    return json_answer({"object": "list", "basis": basis, "has_more": more, "data": data})


def list_journal(
    gateway: TheGateway,
    limit: Limit = 20,
    starting_after: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    kind: Annotated[str | None, Query(max_length=20)] = None,
    invoice_id: Annotated[str | None, Query(max_length=64)] = None,
    settlement_id: Annotated[str | None, Query(max_length=64)] = None,
    tx_hash: Annotated[str | None, Query(pattern="^0x[0-9a-f]{64}$")] = None,
) -> Response:
    """Newest first; the cursor is an entry's seq."""
    wanted = listing.EntryFilter(kind, invoice_id, settlement_id, tx_hash)
    with reading(gateway.engine) as session:
        tokens = token_decimals(session)
        rows = listing.entries_page(session, wanted, before=starting_after, limit=limit + 1)
    data = [_entry(row, tokens) for row in rows[:limit]]
    return json_answer({"object": "list", "has_more": len(rows) > limit, "data": data})


def get_tie_out(
    gateway: TheGateway,
    block: Annotated[int | None, Query(ge=0, le=2**62, description="A final block.")] = None,
) -> Response:
    """The ledger against the chain, at a final block that booking has passed: the newest."""
    if gateway.chain is None:
        raise ChainUnreachable("this gateway was started without a chain")
    with reading(gateway.engine) as session:
        tokens = token_decimals(session)
        at = reconciliation.newest_settled_block(session) if block is None else block
    if at is None:
        found = reconciliation.TieOut(None, None, ())
    else:
        found = reconciliation.tie_out(gateway.engine, gateway.chain, gateway.clock(), at)
    data = [_tie_out_line(row, tokens) for row in found.rows]
    return json_answer(
        {
            "object": "tie_out",
            "block_number": found.block_number,
            "block_hash": found.block_hash,
            "ties": found.ties,
            "data": data,
        }
    )


def _tie_out_line(row: reconciliation.TieOutRow, tokens: dict[str, int]) -> dict[str, Any]:
    sides = {
        "ledger": row.ledger_minor,
        "chain": row.chain_minor,
        "logs_in": row.received_minor,
        "logs_out": row.paid_minor,
        "bank": row.bank_minor,
        "difference": row.difference_minor,
    }
    shown = {
        name: None if minor is None else amount(minor, row.unit, tokens)
        for name, minor in sides.items()
    }
    return {"subject": row.subject, "unit": row.unit, "block": row.block_number, **shown,
            "ties": row.ties}  # fmt: skip


def _entry(row: StoredEntry, tokens: dict[str, int]) -> dict[str, Any]:
    entry = row.entry
    return {
        "object": "journal_entry",
        "seq": row.seq,
        "kind": entry.kind,
        "source_key": entry.source_key,
        "invoice_id": entry.invoice_id,
        "settlement_id": entry.settlement_id,
        "block_number": entry.block_number,
        "block_hash": entry.block_hash,
        "tx_hash": entry.tx_hash,
        "reverses_seq": entry.reverses_seq,
        "reason": entry.reason,
        "value_date": entry.value_date,
        "booked_at": iso(row.booked_at),
        "prev_hash": row.prev_hash,
        "hash": row.hash,
        "lines": [
            {
                "account": line.code,
                "unit": line.unit,
                "phase": line.phase,
                "amount": amount(line.minor, line.unit, tokens),
            }
            for line in row.lines
        ],
    }
