"""What wallets are to be on the chain and what they are, over HTTP; freezing and freeing them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api.answers import TheGateway, json_answer
from gateway.api.operation import Command
from gateway.api.paging import Limit
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.clock import Ids, iso
from settlement.participants import checksummed, parse_address
from settlement.registry import freezing
from settlement.registry.listing import Listed, listed
from settlement.store import reading

LISTED_MAX = 1_000
"""Wallets on contracts of one participant that an answer to a command shows."""

Symbols = Annotated[
    list[Annotated[str, Field(max_length=20)]],
    Field(max_length=50, description="Symbols of tokens; none: every listed one."),
]
Why = Annotated[str, Field(min_length=1, max_length=freezing.REASON_MAX)]
Place = Annotated[
    str | None,
    Query(
        pattern=r"^0x[0-9a-fA-F]{40}:0x[0-9a-fA-F]{40}$",
        description="`wallet:contract` of an item, from a page before.",
    ),
]
WalletAddress = Annotated[str | None, Query(pattern=r"^0x[0-9a-fA-F]{40}$")]


class FreezeBody(Body):
    """Which tokens, and why."""

    tokens: Symbols = []
    reason: Why


@dataclass(frozen=True, slots=True)
class Act:
    """Who wants what of whose wallets."""

    caller: Caller
    ids: Ids
    participant_id: str
    body: FreezeBody


def list_registry(
    gateway: TheGateway,
    limit: Limit = 20,
    starting_after: Place = None,
    participant_id: Annotated[str | None, Query(max_length=60)] = None,
    wallet: WalletAddress = None,
    differs: bool = False,
) -> Response:
    """Each wallet on the rail and on tokens: what it is to be, by whom, and what the chain says."""
    at, _, contract = (starting_after or ":").lower().partition(":")
    with reading(gateway.engine) as session:
        found = listed(
            session, after=(at, contract), limit=limit + 1, participant_id=participant_id,
            wallet=None if wallet is None else parse_address(wallet, field="wallet"),
            only_differing=differs,
        )  # fmt: skip
    data = [shown(each) for each in found[:limit]]
    return json_answer({"object": "list", "has_more": len(found) > limit, "data": data})


async def plan_freeze(gateway: Gateway, command: Command) -> Work:
    """Freeze a participant's wallets on tokens, at once."""
    return Work(_FREEZE, _act(gateway, command))


async def plan_unfreeze(gateway: Gateway, command: Command) -> Work:
    """Ask for a second person who frees a participant's wallets on tokens."""
    return Work(_UNFREEZE, _act(gateway, command))


def shown(each: Listed) -> dict[str, Any]:
    """Return a wallet on a contract as it is answered."""
    return {
        "object": "registry_standing",
        "wallet": checksummed(each.wallet),
        "contract": checksummed(each.contract),
        "token": each.symbol,
        "participant_id": each.participant_id,
        "wanted": each.wanted,
        "actual": each.actual,
        "since": iso(each.since),
        "differs_from_block": each.differs_from_block,
        "wishes": [
            {
                "source": wish.source,
                "wanted": wish.wanted,
                "reason": wish.reason,
                "actor": wish.actor,
                "since": iso(wish.since),
            }
            for wish in each.wishes
        ],
        "under_way": [
            {
                "chain_tx_id": change.chain_tx_id,
                "effect": change.effect,
                "state": change.state,
                "cancelling": change.cancelling,
            }
            for change in each.under_way
        ],
    }


def _act(gateway: Gateway, command: Command) -> Act:
    body = json_body.read(command.content, FreezeBody)
    return Act(command.caller, gateway.ids, command.path["participant_id"], body)


def _freeze(session: Session, act: Act, now: datetime) -> Reply:
    freezing.freeze(
        session, act.participant_id, act.body.tokens,
        reason=act.body.reason, actor=act.caller.actor, now=now,
    )  # fmt: skip
    found = listed(session, limit=LISTED_MAX, participant_id=act.participant_id)
    data = [shown(each) for each in found]
    return Reply(200, orjson.dumps({"object": "list", "has_more": False, "data": data}))


def _unfreeze(session: Session, act: Act, now: datetime) -> Reply:
    asked = freezing.ask_unfreeze(
        session, act.participant_id, act.body.tokens, reason=act.body.reason,
        hand=act.caller.hand, role=act.caller.role.value, ids=act.ids, now=now,
    )  # fmt: skip
    answer = {
        "object": "unfreeze_request",
        "participant_id": act.participant_id,
        "approval_id": asked.id,
        "state": asked.state,
        "wallets": list(asked.terms["wallets"]),
    }
    return Reply(202, orjson.dumps(answer))


_FREEZE = one_by_one(_freeze)
_UNFREEZE = one_by_one(_unfreeze)
