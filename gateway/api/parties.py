"""Participants and tokens over HTTP. Read only: registering is the operator's, at the machine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import Response

from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import QueryRoute
from gateway.api.paging import Cursor, Limit
from settlement import participants
from settlement.clock import iso
from settlement.errors import NotFound
from settlement.participants.deployments import tokens
from settlement.participants.registry import Participant
from settlement.store import reading


class ParticipantAnswer(Shape):
    """A registered company."""

    id: str
    object: Literal["participant"]
    lei: str
    name: str
    country: str
    street: str
    post_code: str
    town: str
    vat_id: str | None
    state: str
    wallets: list[str]
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
) -> Response:
    """In order of their ids; a company sees itself."""
    with reading(gateway.engine) as session:
        if caller.party is not None:
            rows = [participants.participant(session, caller.party)]
        else:
            rows = participants.participants(
                session, after=starting_after or "", limit=limit + 1, search=search
            )
        wallets = _wallets(session)
    data = [_shown(row, wallets) for row in rows[:limit]]
    return json_answer({"object": "list", "has_more": len(rows) > limit, "data": data})


def get_participant(participant_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """One participant with its wallets."""
    if caller.party not in (None, participant_id):
        raise NotFound("participant", participant_id)
    with reading(gateway.engine) as session:
        row = participants.participant(session, participant_id)
        wallets = _wallets(session)
    return json_answer(_shown(row, wallets))


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


def _wallets(session: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for wallet in participants.wallets(session):
        found.setdefault(wallet.participant_id, []).append(participants.checksummed(wallet.address))
    return found


def _shown(row: Participant, wallets: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "participant",
        "lei": row.lei,
        "name": row.name,
        "country": row.country,
        "street": row.street,
        "post_code": row.post_code,
        "town": row.town,
        "vat_id": row.vat_id,
        "state": row.state,
        "wallets": wallets.get(row.id, []),
        "created_at": iso(row.created_at),
    }


_PARTICIPANT = {
    "id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "object": "participant",
    "lei": "529900HWMB7K2Q4T9D25",
    "name": "Hartwig Maschinenbau GmbH",
    "country": "DE",
    "street": "Industriestraße 14",
    "post_code": "73730",
    "town": "Esslingen",
    "vat_id": "DE129274202",
    "state": "active",
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
        {"object": "list", "has_more": False, "data": [_PARTICIPANT]},
        tag="parties",
    ),
    QueryRoute(
        "/v1/participants/{participant_id}",
        get_participant,
        "Read a participant",
        ParticipantAnswer,
        _PARTICIPANT,
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
