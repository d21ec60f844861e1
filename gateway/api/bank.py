"""Bank accounts, statements and entries over HTTP: files come in whole and once, the rest is read.

Staff only: what banks say of a company's account is not shown to other companies.
"""

from __future__ import annotations

import asyncio
import io
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import orjson
from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api import bank_shapes
from gateway.api.answers import TheGateway, json_answer
from gateway.api.operation import Command
from gateway.api.paging import Limit
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement import bank
from settlement.clock import Ids
from settlement.store import reading

_TEXT = Annotated[str, Field(min_length=1, max_length=140)]
AccountId = Annotated[str | None, Query(pattern=r"^bka_[0-9a-f]{32}$", description="Of one only.")]
StatementId = Annotated[
    str | None, Query(pattern=r"^bst_[0-9a-f]{32}$", description="Of one only.")
]
EntryCursor = Annotated[
    str | None,
    Query(pattern=r"^bke_[1-9][0-9]{0,17}$", description="An entry, from a page before."),
]


class NewAccountBody(Body):
    """An account at a bank."""

    owner_id: _TEXT
    name: _TEXT
    iban: _TEXT
    servicer_bic: _TEXT
    currency: _TEXT
    role: Annotated[str, Field(pattern="^(payout|reserve|nostro)$")]
    reserve_of: Annotated[str | None, Field(max_length=42)] = None
    payout_days: Annotated[int, Field(ge=0, le=366)] = 0


class _New(NamedTuple):
    ids: Ids
    account: bank.NewBankAccount


class _Mapped(NamedTuple):
    account_id: str
    content: bytes
    actor: str


class _Stored(NamedTuple):
    ids: Ids
    found: bank.Imported | bank.Prepared


async def plan_account(gateway: Gateway, command: Command) -> Work:
    """Register an account at a bank."""
    body = json_body.read(command.content, NewAccountBody)
    return Work(_REGISTER, _New(gateway.ids, bank.NewBankAccount(**body.model_dump())))


async def plan_mapping(gateway: Gateway, command: Command) -> Work:
    """Save how an account's CSV files are read."""
    item = _Mapped(command.path["account_id"], command.content, command.caller.actor)
    return Work(_MAP, item)


async def plan_import(gateway: Gateway, command: Command) -> Work:
    """Read and judge a file, off the event loop; it is stored whole, or refused."""
    found = await asyncio.to_thread(_prepared, gateway, command)
    return Work(_STORE, _Stored(gateway.ids, found))


def _prepared(gateway: Gateway, command: Command) -> bank.Imported | bank.Prepared:
    source = bank.Source(
        io.BytesIO(command.content), "upload", account_id=command.path.get("account_id")
    )
    with reading(gateway.engine) as session:
        return bank.prepare(session, source, actor=command.caller.actor)


def _register(session: Session, item: _New, now: datetime) -> Reply:
    account_id = bank.register(session, item.account, ids=item.ids, now=now)
    shown = bank_shapes.account(bank.bank_account(session, account_id))
    return Reply(201, orjson.dumps(shown))


def _map(session: Session, item: _Mapped, now: datetime) -> Reply:
    saved = bank.set_mapping(session, item.account_id, item.content, actor=item.actor, now=now)
    return Reply(200, orjson.dumps(bank_shapes.mapping(item.account_id, saved)))


def _store(session: Session, item: _Stored, now: datetime) -> Reply:
    found = item.found
    result = found
    if isinstance(found, bank.Prepared):
        result = found.store(session, ids=item.ids, now=now)
    assert isinstance(result, bank.Imported)
    return Reply(201 if result.is_new else 200, orjson.dumps(bank_shapes.imported(result)))


_REGISTER, _MAP, _STORE = one_by_one(_register), one_by_one(_map), one_by_one(_store)


def list_accounts(
    gateway: TheGateway,
    limit: Limit = 20,
    starting_after: AccountId = None,
    owner_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """In order of their ids."""
    with reading(gateway.engine) as session:
        rows = bank.bank_accounts(
            session, owner_id=owner_id, after=starting_after or "", limit=limit + 1
        )
    return _page([bank_shapes.account(row) for row in rows], limit)


def get_mapping(account_id: str, gateway: TheGateway) -> Response:
    """How an account's CSV files are read."""
    with reading(gateway.engine) as session:
        saved = bank.mapping(session, account_id)
    return json_answer(bank_shapes.mapping(account_id, saved))


def list_statements(
    gateway: TheGateway,
    limit: Limit = 20,
    starting_after: StatementId = None,
    account_id: AccountId = None,
) -> Response:
    """Newest first."""
    with reading(gateway.engine) as session:
        rows = bank.statements(
            session, account_id=account_id, before=starting_after, limit=limit + 1
        )
    return _page([bank_shapes.statement(row) for row in rows], limit)


def list_entries(
    gateway: TheGateway,
    limit: Limit = 20,
    starting_after: EntryCursor = None,
    account_id: AccountId = None,
    statement_id: StatementId = None,
) -> Response:
    """In the order in which they were stored."""
    after = int(starting_after.removeprefix("bke_")) if starting_after else 0
    with reading(gateway.engine) as session:
        rows = bank.entries(
            session, account_id=account_id, statement_id=statement_id, after=after, limit=limit + 1
        )
    return _page([bank_shapes.entry(row) for row in rows], limit)


def list_gaps(gateway: TheGateway, account_id: AccountId = None) -> Response:
    """Where statements are missing between those that are there."""
    with reading(gateway.engine) as session:
        found = bank.statement_gaps(session, account_id)
    data = [bank_shapes.gap(each) for each in found]
    return json_answer({"object": "list", "has_more": False, "data": data})


def _page(data: list[dict[str, Any]], limit: int) -> Response:
    return json_answer({"object": "list", "has_more": len(data) > limit, "data": data[:limit]})
