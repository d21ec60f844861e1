"""Participants and tokens over HTTP, read.

Acts about participants are in `participant_acts`, their files in `participant_files`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import QueryRoute
from gateway.api.paging import Cursor, Limit
from settlement import participants
from settlement.clock import iso, to_micros
from settlement.errors import NotFound
from settlement.participants.deployments import tokens
from settlement.participants.registry import Participant
from settlement.participants.requirements import effective
from settlement.participants.wallets import open_wallets
from settlement.states import ParticipantState
from settlement.store import reading


class ParticipantAnswer(Shape):
    """Who is registered."""

    id: str
    object: Literal["participant"]
    legal_form: str = Field(description="legal_entity, sole_proprietor or individual.")
    lei: str | None
    name: str
    country: str
    subdivision: str
    street: str
    building_number: str
    post_code: str
    town: str
    vat_id: str | None
    tax_id: str | None
    state: str = Field(
        description="applied, active, suspended, expired or closed: the one that counts now."
    )
    known_by: str = Field(
        description="documents, operator or migration: what its being active rests on."
    )
    kyb_valid_until: str | None = Field(description="From then on it is expired by itself.")
    wallets: list[str] = Field(description="Those that it has not given up.")
    created_at: str


class ParticipantList(Shape):
    """A page of participants, in order of their ids."""

    object: Literal["list"]
    has_more: bool
    data: list[ParticipantAnswer]


class TokenAnswer(Shape):
    """A currency's money on the chain."""

    object: Literal["token"]
    address: str
    symbol: str
    currency: str
    decimals: int


class TokenList(Shape):
    """Every token that is listed on the rail."""

    object: Literal["list"]
    has_more: bool
    data: list[TokenAnswer]


def list_participants(
    gateway: TheGateway,
    caller: TheCaller,
    limit: Limit = 20,
    starting_after: Cursor = None,
    search: Annotated[
        str, Query(max_length=100, description="Part of a name, LEI or VAT id.")
    ] = "",
    state: Annotated[ParticipantState | None, Query(description="The one that counts now.")] = None,
) -> Response:
    """In order of their ids; a company sees itself."""
    now = gateway.clock()
    with reading(gateway.engine) as session:
        if caller.party is not None:
            rows = [participants.participant(session, caller.party)]
        else:
            rows = participants.participants(
                session,
                after=starting_after or "",
                limit=limit + 1,
                search=search,
                state=state or "",
                now=now,
            )
        wallets = _wallets(session)
    data = [_shown(row, wallets, now) for row in rows[:limit]]
    return json_answer({"object": "list", "has_more": len(rows) > limit, "data": data})


def get_participant(participant_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """One participant with its wallets."""
    if caller.party not in (None, participant_id):
        raise NotFound("participant", participant_id)
    with reading(gateway.engine) as session:
        return json_answer(shown(session, participant_id, gateway.clock()))


def shown(session: Session, participant_id: str, now: datetime) -> dict[str, Any]:
    """Return a participant as it is answered.

    Raises:
        NotFound: there is none of this id.
    """
    row = participants.participant(session, participant_id)
    return _shown(row, _wallets(session, participant_id), now)


def list_tokens(gateway: TheGateway) -> Response:
    """Every listed token: an invoice can be paid in its currency."""
    with reading(gateway.engine) as session:
        rows = tokens(session)
    data = [
        {
            "object": "token",
            "address": participants.checksummed(row.address),
            "symbol": row.symbol,
            "currency": row.currency,
            "decimals": row.decimals,
        }
        for row in rows
    ]
    return json_answer({"object": "list", "has_more": False, "data": data})


def _wallets(session: Session, participant_id: str | None = None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for wallet in open_wallets(session, participant_id):
        found.setdefault(wallet.participant_id, []).append(participants.checksummed(wallet.address))
    return found


def _shown(row: Participant, wallets: dict[str, list[str]], now: datetime) -> dict[str, Any]:
    names = (
        "legal_form", "lei", "name", "country", "subdivision", "street", "building_number",
        "post_code", "town", "vat_id", "tax_id", "known_by",
    )  # fmt: skip
    until = row.kyb_valid_until
    return {
        "id": row.id,
        "object": "participant",
        **{name: getattr(row, name) for name in names},
        "state": effective(row.state, until, to_micros(now)).value,
        "kyb_valid_until": None if until is None else iso(until),
        "wallets": wallets.get(row.id, []),
        "created_at": iso(row.created_at),
    }


EXAMPLE = {
    "id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "object": "participant",
    "legal_form": "legal_entity",
    "lei": "529900HWMB7K2Q4T9D25",
    "name": "Hartwig Maschinenbau GmbH",
    "country": "DE",
    "subdivision": "Baden-Württemberg",
    "street": "Industriestraße",
    "building_number": "14",
    "post_code": "73730",
    "town": "Esslingen",
    "vat_id": "DE129274202",
    "tax_id": None,
    "state": "active",
    "known_by": "documents",
    "kyb_valid_until": "2027-09-30T00:00:00Z",
    "wallets": ["0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"],
    "created_at": "2026-10-01T08:00:00.000000Z",
}
_TOKEN = {
    "object": "token",
    "address": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    "symbol": "TEUR",
    "currency": "EUR",
    "decimals": 6,
}

QUERIES = (
    QueryRoute(
        "/v1/participants",
        list_participants,
        "List participants",
        ParticipantList,
        {"object": "list", "has_more": False, "data": [EXAMPLE]},
        tag="parties",
    ),
    QueryRoute(
        "/v1/participants/{participant_id}",
        get_participant,
        "Read a participant",
        ParticipantAnswer,
        EXAMPLE,
        tag="parties",
    ),
    QueryRoute(
        "/v1/tokens",
        list_tokens,
        "List tokens",
        TokenList,
        {"object": "list", "has_more": False, "data": [_TOKEN]},
        tag="parties",
    ),
)
