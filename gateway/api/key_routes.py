"""The routes of API keys, with an example of each."""

from __future__ import annotations

from gateway.api import keys
from gateway.api.operation import CommandRoute, QueryRoute, body_of

_KEY = {
    "object": "api_key",
    "prefix": "stk_9f86d081884c",
    "role": "treasury",
    "participant_id": None,
    "person_id": "per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "scopes": ["settlements", "read"],
    "label": "nightly report",
    "per_minute": None,
    "state": "in_force",
    "issued_by": "admin:per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e80",
    "rotated_from": None,
    "last_used_at": None,
    "expires_at": "2027-11-04T07:30:00.000000Z",
    "revoked_at": None,
    "created_at": "2026-11-04T07:30:00.000000Z",
}
_ISSUED = {**_KEY, "key": "stk_9f86d081884c_0h2Tq…"}
_PERSON = {"role": "treasury", "person_id": _KEY["person_id"], "scopes": ["settlements", "read"]}
_MACHINE = {
    "role": "exporter",
    "participant_id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "label": "accounting",
    "expires_at": "2027-06-30T00:00:00Z",
}

QUERIES = (
    QueryRoute(
        "/v1/keys",
        keys.list_keys,
        "List API keys",
        keys.ApiKeyList,
        {"object": "list", "has_more": False, "data": [_KEY]},
        tag="keys",
    ),
    QueryRoute(
        "/v1/keys/{prefix}", keys.get_key, "Get an API key", keys.ApiKeyAnswer, _KEY, tag="keys"
    ),
)
COMMANDS = (
    CommandRoute(
        "/v1/keys",
        keys.plan_issue,
        "Issue an API key",
        body_of(keys.IssueBody, {"of a person": _PERSON, "of a company's machine": _MACHINE}),
        keys.IssuedKey,
        _ISSUED,
        status=201,
        tag="keys",
    ),
    CommandRoute(
        "/v1/keys/{prefix}/rotate",
        keys.plan_rotate,
        "Replace an API key",
        body_of(keys.RotateBody, {"a day": {"overlap_seconds": 86_400}}, is_required=False),
        keys.IssuedKey,
        {**_ISSUED, "rotated_from": "stk_60303ae22b99"},
        status=201,
        tag="keys",
    ),
    CommandRoute(
        "/v1/keys/{prefix}/revoke",
        keys.plan_revoke,
        "Revoke an API key",
        body_of(keys.RevokeBody, {"now": {}}, is_required=False),
        keys.ApiKeyAnswer,
        {**_KEY, "state": "revoked", "revoked_at": "2026-11-05T07:30:00.000000Z"},
        tag="keys",
    ),
)
