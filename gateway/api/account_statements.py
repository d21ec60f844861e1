"""The statement of one account over HTTP: opening balance, movements, closing balance."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from itertools import islice
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.units import amount, token_decimals
from settlement import ledger
from settlement.clock import iso
from settlement.errors import Invalid, NotFound
from settlement.ledger import Basis, listing
from settlement.store import reading

LINES_MAX = 1000

Bound = Annotated[str, Query(max_length=20, description="A day, or of basis block a number.")]


class AccountStatementLine(Shape):
    """A movement, with the balance after it."""

    seq: int
    kind: str
    source_key: str
    value_date: str
    booked_at: str
    amount: str
    balance: str
    invoice_id: str | None
    settlement_id: str | None
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    state: str = Field(description="posted, reversed, or reversal.")
    reverses_seq: int | None
    reversed_by_seq: int | None
    reason: str | None


class AccountStatement(Shape):
    """Opening balance and all movements are the closing balance; counted by the basis."""

    object: Literal["account_statement"]
    account: str
    unit: str
    basis: str = Field(description="value: value dates; booking: days of posting; block: blocks.")
    first: str
    last: str
    opening: str
    movements: str
    closing: str
    line_count: int
    has_more: bool
    data: list[AccountStatementLine]


def get_account_statement(
    gateway: TheGateway,
    caller: TheCaller,
    code: Annotated[str, Query(max_length=200, description="The account's code.")],
    first: Bound,
    last: Bound,
    basis: Basis = Basis.VALUE,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Lines to leave out.")] = 0,
    limit: Annotated[int, Query(ge=1, le=LINES_MAX, description="Lines a page.")] = 100,
) -> Response:
    """By value date, booking date (UTC) or block; lines in pages, the balances always of all."""
    bounds = (_bound(first, basis, "first"), _bound(last, basis, "last"))
    with reading(gateway.engine) as session:
        tokens = token_decimals(session)
        if caller.party is not None and listing.owner_of(session, code) != caller.party:
            raise NotFound("account", code)
        found = ledger.account_statement(
            session, code, first=bounds[0], last=bounds[1], basis=basis
        )
        unit = found.unit
        with closing(found.lines) as lines:
            page = list(islice(lines, offset, offset + limit))
        data = [
            {
                "seq": line.seq,
                "kind": line.kind,
                "source_key": line.source_key,
                "value_date": line.value_date,
                "booked_at": iso(line.booked_at),
                "amount": amount(line.minor, unit, tokens),
                "balance": amount(line.balance_minor, unit, tokens),
                "invoice_id": line.invoice_id,
                "settlement_id": line.settlement_id,
                "block_number": line.block_number,
                "block_hash": line.block_hash,
                "tx_hash": line.tx_hash,
                "state": line.state,
                "reverses_seq": line.reverses_seq,
                "reversed_by_seq": line.reversed_by_seq,
                "reason": line.reason,
            }
            for line in page
        ]
    return json_answer(
        {
            "object": "account_statement",
            "account": found.code,
            "unit": unit,
            "basis": found.basis.value,
            "first": found.first,
            "last": found.last,
            "opening": amount(found.opening_minor, unit, tokens),
            "movements": amount(found.closing_minor - found.opening_minor, unit, tokens),
            "closing": amount(found.closing_minor, unit, tokens),
            "line_count": found.line_count,
            "has_more": offset + len(data) < found.line_count,
            "data": data,
        }
    )


def _bound(given: str, basis: Basis, field: str) -> date | int:
    try:
        if basis is Basis.BLOCK:
            number = int(given) if given.isascii() and given.isdecimal() else -1
            if 0 <= number <= 2**62:
                return number
        elif len(given) == len("2026-10-01"):
            return date.fromisoformat(given)
    except ValueError:
        pass
    wanted = "a block number" if basis is Basis.BLOCK else "a day such as 2026-10-01"
    raise Invalid(f"{given!r} is no bound", field=field, repair=f"send {wanted}")
