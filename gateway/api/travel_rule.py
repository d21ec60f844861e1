"""Travel-rule data over HTTP: what goes with a payment, whether it was handed over, erasing it.

Compliance and the overseer see all of it; a company its own side; others nothing of who it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import Command, CommandRoute, QueryRoute, body_of
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.access import Role
from settlement.clock import iso
from settlement.compliance.travel_rule import Keeper, keeper_of, opening
from settlement.store import reading

_SEE_ALL = frozenset({Role.COMPLIANCE, Role.OVERSEER})


class TravelRuleData(Shape):
    """What goes with a payment by the travel rule, as the caller may see it."""

    object: Literal["travel_rule"]
    settlement_id: str
    clearance_id: str = Field(description="The newest decision that asked for it.")
    state: str = Field(description="ready, sent, received or refused by the other side.")
    sha256: str = Field(description="Over the canonical plaintext; stays when it is erased.")
    is_intact: bool | None = Field(description="Null: a side was erased.")
    created_at: str
    payload: dict[str, Any] = Field(description="IVMS 101, version 101.2023.")


class TravelRuleErased(Shape):
    """That a party's data are gone."""

    object: Literal["travel_rule_erasure"]
    participant_id: str


class ToldBody(Body):
    """What happened to the data: told by a person, sent by nobody here."""

    state: Literal["sent", "received", "refused"]


class EraseBody(Body):
    """Whose data are erased; the participant is closed."""

    participant_id: Annotated[str, Field(max_length=60)]


@dataclass(frozen=True, slots=True)
class Told:
    """Who tells what of which payment, or erases whose data."""

    caller: Caller
    keeper: Keeper
    body: Any
    settlement_id: str = ""


def get_travel_rule(settlement_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """The data of a payment; 404 where no rule asked for them."""
    keeper = keeper_of(gateway.settings.home)
    with reading(gateway.engine) as session:
        found = opening.opened(
            session, keeper, settlement_id, party=caller.party, sees_all=caller.role in _SEE_ALL
        )
    answer = {"object": "travel_rule", **found._asdict(), "created_at": iso(found.created_at)}
    return json_answer(answer)


async def plan_tell(gateway: Gateway, command: Command) -> Work:
    """Say that the data were sent to the other side's provider, received or refused there."""
    body = json_body.read(command.content, ToldBody)
    keeper = keeper_of(gateway.settings.home)
    return Work(_TELL, Told(command.caller, keeper, body, command.path["settlement_id"]))


async def plan_erase(gateway: Gateway, command: Command) -> Work:
    """Erase a closed participant's side of all data for good; their hashes stay."""
    body = json_body.read(command.content, EraseBody)
    return Work(_ERASE, Told(command.caller, keeper_of(gateway.settings.home), body))


def _tell(session: Session, told: Told, now: datetime) -> Reply:
    key = told.settlement_id
    opening.tell(session, key, told.body.state, actor=told.caller.actor, now=now)
    found = opening.opened(session, told.keeper, key, party=None, sees_all=True)
    answer = {"object": "travel_rule", **found._asdict(), "created_at": iso(found.created_at)}
    return Reply(200, orjson.dumps({**answer, "payload": opening.redacted(found.payload)}))


def _erase(session: Session, told: Told, now: datetime) -> Reply:
    participant_id = told.body.participant_id
    opening.erase(session, told.keeper, participant_id, now)
    answer = {"object": "travel_rule_erasure", "participant_id": participant_id}
    return Reply(200, orjson.dumps(answer))


_TELL = one_by_one(_tell)
_ERASE = one_by_one(_erase)

_PARTY = "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f"
_EXAMPLE: dict[str, Any] = {
    "object": "travel_rule",
    "settlement_id": "stl_019a8f2e6c1f7d3e9b6a2d4c5e6f7082",
    "clearance_id": "clr_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
    "state": "ready",
    "sha256": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    "is_intact": True,
    "created_at": "2026-11-30T09:30:00.000000Z",
    "payload": {
        "originator": {
            "originatorPerson": [
                {
                    "legalPerson": {
                        "name": {
                            "nameIdentifier": [
                                {
                                    "legalPersonName": "Al Noor Trading LLC",
                                    "legalPersonNameIdentifierType": "LEGL",
                                }
                            ]
                        },
                        "countryOfRegistration": "AE",
                    },
                    "accountNumber": ["0x70997970c51812dc3a010c7d01b50e0d17dc79c8"],
                }
            ]
        },
        "payloadMetadata": {"payloadVersion": "101.2023"},
    },
}
_PATH = "/v1/settlements/{settlement_id}/travel-rule"

COMMANDS = (
    CommandRoute(
        _PATH,
        plan_tell,
        "Say what happened to a payment's travel-rule data",
        body_of(ToldBody, {"sent": {"state": "sent"}}),
        TravelRuleData,
        {**_EXAMPLE, "state": "sent"},
        tag="travel-rule",
    ),
    CommandRoute(
        "/v1/travel-rule/erase",
        plan_erase,
        "Erase a closed participant's travel-rule data",
        body_of(EraseBody, {"erase": {"participant_id": _PARTY}}),
        TravelRuleErased,
        {"object": "travel_rule_erasure", "participant_id": _PARTY},
        tag="travel-rule",
    ),
)
QUERIES = (
    QueryRoute(
        _PATH,
        get_travel_rule,
        "Show what goes with a payment by the travel rule",
        TravelRuleData,
        _EXAMPLE,
        tag="travel-rule",
    ),
)
