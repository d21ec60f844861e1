"""Participants' files over HTTP, read: owners, documents, wallets, accounts, changes, events.

Persons' fields are shown to staff and to the participant itself, and written to no log.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import Query
from sqlmodel import Session
from starlette.responses import Response

from gateway.api import participant_views as views
from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.paging import Cursor, Limit
from gateway.auth import Caller, Role
from settlement import participants
from settlement.clock import iso
from settlement.errors import NotFound
from settlement.participants import (
    accounts,
    activation,
    change_records,
    moves,
    papers,
    people,
    requirements,
)
from settlement.participants.profiles import wallets_of
from settlement.store import reading

_SEE_NAMES_ALONE = frozenset({Role.TREASURY, Role.APPROVER})
ChangeState = Literal["pending", "approved", "effective", "refused", "withdrawn"]


def get_file(participant_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """All that is known of a participant, and what it lacks to be activated."""
    _require_own(caller, participant_id)
    now = gateway.clock()
    with reading(gateway.engine) as session:
        found = participants.participant(session, participant_id)
        profile = participants.profiles(session, [participant_id], now)[participant_id]
        (names,) = participants.screenables(session, [participant_id])
        answer = {
            "object": "participant_file",
            "participant_id": participant_id,
            "state": profile.state.value,
            "known_by": found.known_by,
            "kyb_valid_until": views.moment(found.kyb_valid_until),
            "review_on": found.review_on,
            "lacks": activation.lacking(session, found, now),
            "aliases": list(names.names[1:]),
            "owners": [views.owner(each) for each in profile.owners],
            "persons": [
                views.person(each, whole=caller.role not in _SEE_NAMES_ALONE)
                for each in people.of_participant(session, participant_id)
            ],
            "documents": [
                views.document(each) for each in papers.documents(session, participant_id)
            ],
            "wallets": [views.wallet(each) for each in wallets_of(session, participant_id)],
            "accounts": [
                views.account(each) for each in accounts.accounts(session, participant_id)
            ],
            "changes": _open_changes(session, participant_id),
        }
    return json_answer(answer)


def list_changes(
    participant_id: str,
    gateway: TheGateway,
    caller: TheCaller,
    limit: Limit = 20,
    starting_after: Cursor = None,
    state: Annotated[ChangeState | None, Query()] = None,
) -> Response:
    """Changes of a participant, oldest first."""
    _require_own(caller, participant_id)
    with reading(gateway.engine) as session:
        participants.participant(session, participant_id)
        found = change_records.changes(
            session,
            participant_id,
            state=state or "",
            after=starting_after or "",
            limit=limit + 1,
        )
    data = [views.change(each) for each in found[:limit]]
    return json_answer({"object": "list", "has_more": len(found) > limit, "data": data})


def list_events(participant_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """What happened to a participant, oldest first: who, what, why, when."""
    _require_own(caller, participant_id)
    with reading(gateway.engine) as session:
        participants.participant(session, participant_id)
        found = moves.events(session, participant_id)
    data = [
        {
            "move": each.move,
            "state": each.state,
            "actor": each.actor,
            "reason": each.reason,
            "detail": orjson.loads(each.detail),
            "at": iso(each.at),
        }
        for each in found
    ]
    return json_answer({"object": "list", "has_more": False, "data": data})


def get_requirements() -> Response:
    """Which documents each legal form needs, and how long an undated one is good."""
    rules = requirements.load()
    kinds = {
        name: {
            "title": kind.title,
            "age_days": kind.age_days,
            "needs_expiry": kind.needs_expiry,
            "of_person": kind.of_person,
        }
        for name, kind in rules.kinds.items()
    }
    answer = {
        "object": "requirements",
        "version": rules.version,
        "review_days": rules.review_days,
        "kinds": kinds,
        "required": {form: list(names) for form, names in rules.required.items()},
    }
    return json_answer(answer)


def _open_changes(session: Session, participant_id: str) -> list[dict[str, Any]]:
    return [
        views.change(each)
        for state in ("pending", "approved")
        for each in change_records.changes(session, participant_id, state=state)
    ]


def _require_own(caller: Caller, participant_id: str) -> None:
    if caller.party not in (None, participant_id):
        raise NotFound("participant", participant_id)
