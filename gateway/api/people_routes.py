"""The routes of people and of oneself, with an example of each."""

from __future__ import annotations

from gateway.api import people
from gateway.api.operation import CommandRoute, QueryRoute, body_of

_ID = "per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f"
_SESSION_ID = "ses_019a8f2e5a0b7c1d8e2f3a4b5c6d7e90"
_PERSON = {
    "object": "person",
    "id": _ID,
    "name": "Maria Keller",
    "email": "maria.keller@example.com",
    "role": "approver",
    "participant_id": None,
    "state": "active",
    "created_by": "admin:per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e80",
    "created_at": "2026-11-04T07:30:00.000000Z",
}
_ME = {
    "object": "caller",
    "hand": _ID,
    "role": "approver",
    "participant_id": None,
    "person_id": _ID,
    "scopes": [],
    "routes": ["GET /v1/invoices", "POST /v1/breaks/{break_id}/approve"],
    "csrf_token": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    "sessions": [
        {
            "object": "session",
            "id": _SESSION_ID,
            "method": "password",
            "address": "192.0.2.17",
            "agent": "Mozilla/5.0",
            "created_at": "2026-11-04T07:30:00.000000Z",
            "last_seen_at": "2026-11-04T09:15:00.000000Z",
            "expires_at": "2026-11-04T17:30:00.000000Z",
        }
    ],
}
_NOTHING = body_of(people.NothingBody, {"nothing": {}}, is_required=False)

QUERIES = (
    QueryRoute("/v1/me", people.get_me, "Who am I?", people.Me, _ME, tag="me"),
    QueryRoute(
        "/v1/people",
        people.list_people,
        "List people",
        people.PersonList,
        {"object": "list", "has_more": False, "data": [_PERSON]},
        tag="people",
    ),
    QueryRoute(
        "/v1/people/{person_id}",
        people.get_person,
        "Get a person",
        people.PersonAnswer,
        _PERSON,
        tag="people",
    ),
)
COMMANDS = (
    CommandRoute(
        "/v1/me/sessions/{session_id}/end",
        people.plan_end_session,
        "End one of your sessions",
        _NOTHING,
        people.Ended,
        {"object": "ended", "id": _SESSION_ID},
        tag="me",
    ),
    CommandRoute(
        "/v1/people",
        people.plan_add,
        "Register a person",
        body_of(
            people.PersonBody,
            {
                "of the staff": {
                    "name": "Maria Keller",
                    "email": "maria.keller@example.com",
                    "role": "approver",
                }
            },
        ),
        people.PersonAnswer,
        _PERSON,
        status=201,
        tag="people",
    ),
    CommandRoute(
        "/v1/people/{person_id}/disable",
        people.plan_disable,
        "Shut a person out",
        _NOTHING,
        people.PersonAnswer,
        {**_PERSON, "state": "disabled"},
        tag="people",
    ),
    CommandRoute(
        "/v1/people/{person_id}/enable",
        people.plan_enable,
        "Let a person in again",
        _NOTHING,
        people.PersonAnswer,
        _PERSON,
        tag="people",
    ),
    CommandRoute(
        "/v1/people/{person_id}/erase",
        people.plan_erase,
        "Erase what is personal of somebody",
        _NOTHING,
        people.PersonAnswer,
        {**_PERSON, "name": None, "email": None, "state": "erased"},
        tag="people",
    ),
)
