"""What the doors themselves refuse, before the rail is asked: keys, roles, bodies, routes.

Knows no status: `problems` does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from pydantic_core import ErrorDetails
from sqlalchemy.exc import OperationalError, TimeoutError

from settlement.documents.json_failures import in_json_words
from settlement.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Retryable

FAULTS_MAX = 100
"""More faults than this help nobody."""

_SHOWN_MAX = 80


class KeyRefused(Refused):
    """No API key, or one that is unknown, revoked or expired; which of them is not said."""

    def __init__(self) -> None:
        super().__init__(
            "the request carries no valid API key",
            field="Authorization",
            repair="send `Authorization: Bearer stk_…` with a key that is in force",
        )


class SessionRefused(Refused):
    """No session, or one that has ended; which of them is not said."""

    def __init__(self) -> None:
        super().__init__(
            "the session has ended, or never began",
            field="Cookie",
            repair="sign in at /console/sign-in",
        )


class CsrfRefused(Forbidden):
    """What changes something by a session shows that a page of ours has sent it."""

    def __init__(self) -> None:
        super().__init__(
            "the request does not show that it was meant",
            field="X-CSRF-Token",
            repair="send the token that GET /v1/me shows, or load the page again",
        )


class TwoCredentials(Refused):
    """A request comes by an API key or by a session, never by both."""

    def __init__(self) -> None:
        super().__init__(
            "the request has an API key and a session's cookie",
            field="Authorization",
            repair="send one of the two",
        )


class SignInRefused(Refused):
    """The sign-in is not accepted; whether there is such an account is not said."""

    def __init__(self) -> None:
        super().__init__(
            "that sign-in is not accepted",
            repair="check address and password; after several failures wait for some minutes",
        )


class CodeRefused(Refused):
    """The code is another, was used already, or came too late."""

    def __init__(self) -> None:
        super().__init__(
            "that code is not accepted",
            field="code",
            repair="wait for the next one: each is taken once; after several failures wait longer",
        )


class TooManyRequests(Refused):
    """More requests came than are taken in a minute; Retry-After says when to come again."""

    def __init__(self, per_minute: int, retry_seconds: int) -> None:
        super().__init__(
            f"more than {per_minute} requests a minute",
            repair=f"try again in {retry_seconds} seconds",
        )
        self.retry_seconds = retry_seconds


class ProviderRefused(Refused):
    """What came back from the OpenID provider is not a sign-in of somebody here."""

    def __init__(self, fault: str) -> None:
        super().__init__("that sign-in is not accepted", repair="begin again at /console/sign-in")
        self.fault = fault


class ProviderUnreachable(Retryable):
    """The OpenID provider does not answer as it should."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"the OpenID provider does not answer: {fault}")


class SignInBusy(Retryable):
    """More people sign in at once than passwords can be looked at."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} sign-ins wait already: try again")


class RoleNotAllowed(Forbidden):
    """The key's role may not use this route."""

    def __init__(self, role: str, route: str) -> None:
        super().__init__(
            f"role {role} may not use {route}",
            field="Authorization",
            repair="use the key of somebody who may: docs/api.md has the table",
        )


class OwnKey(Forbidden):
    """Nobody gives a role to themselves."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"an admin does not issue a key for role {role} to themselves",
            field="person_id",
            repair="ask another admin: a second person has to know of it",
        )


class NoSuchRoute(NotFound):
    """The gateway has no such path."""

    def __init__(self, path: str) -> None:
        super().__init__("path", path)
        self.repair = "see /docs for all paths"


class ParametersUnknown(Invalid):
    """The query says something that the route does not know, so that it would do something else."""

    def __init__(self, unknown: Sequence[str], known: Sequence[str]) -> None:
        named = ", ".join(each[:_SHOWN_MAX] for each in unknown[:FAULTS_MAX])
        super().__init__(
            f"the query says what is not known here: {named}",
            field=unknown[0][:_SHOWN_MAX],
            repair=f"leave it out; this path knows {', '.join(known) or 'no parameter'}",
        )


class MethodNotAllowed(Refused):
    """The path exists, but not with this method."""

    def __init__(self, method: str, path: str, methods: Sequence[str]) -> None:
        self.allowed = ", ".join(methods)
        super().__init__(f"{path} has no {method}", repair=f"use one of {self.allowed}")


class BodyTooLarge(Refused):
    """The request's body is larger than is accepted."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"the body is larger than {limit_bytes} bytes",
            field="body",
            repair="send fewer documents at once, or leave embedded attachments out",
        )


class BodyUnreadable(Refused):
    """The request's body is not JSON, or was cut short."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"the body cannot be read: {fault}",
            field="body",
            repair="send one complete JSON value in UTF-8, each key once, no NaN, no Infinity",
        )


class BodyInvalid(Invalid):
    """Fields of the request are missing, unknown or wrong; every one of them is told."""

    def __init__(self, found: Sequence[ErrorDetails]) -> None:
        self.faults = [_fault(each) for each in found[:FAULTS_MAX]]
        names = ", ".join(str(fault["field"]) for fault in self.faults[:12])
        super().__init__(f"the request is not accepted: {names}")


class IdempotencyKeyInvalid(Refused):
    """An Idempotency-Key has 1 to 255 visible ASCII characters."""

    def __init__(self) -> None:
        super().__init__(
            "the Idempotency-Key is empty, too long, or holds other than visible ASCII",
            field="Idempotency-Key",
            repair="send 1 to 255 visible ASCII characters, for instance a UUID",
        )


class TotalsDiffer(Conflict):
    """What was seen of many requests does not add up to what they are now."""

    def __init__(self, totals: Mapping[str, str]) -> None:
        found = ", ".join(f"{amount} {unit}" for unit, amount in totals.items()) or "no amount"
        super().__init__(
            f"the requests add up to {found}",
            field="totals",
            repair="read them again, and approve what they are now",
        )


class DatabaseAway(Retryable):
    """The database does not answer, is busy, or its disk is full."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "the database cannot be used at this moment: it is away or busy, or its disk is full"
            " (the gateway's log says which). Send the same request again in a moment, with the"
            " same Idempotency-Key"
        )
        self.cause = cause

    @classmethod
    def of(cls, error: Exception) -> DatabaseAway | None:
        """Say whether an exception of SQLAlchemy's means that; None where it is a bug of ours."""
        if isinstance(error, TimeoutError):
            return cls("no connection became free")
        if not isinstance(error, OperationalError):
            return None
        # SQLite's general error is what it says of SQL that it does not understand.
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            return None
        return cls(" ".join(str(error.orig).split())[:300])


class NotReady(Retryable):
    """Something that work needs is missing; it is told by the name of the check."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = dict(faults)


class WriterBusy(Retryable):
    """More requests wait for the database than are accepted."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} requests wait for the database already: try again")


def one_fault(field: str, message: str, found: object, kind: str = "value_error") -> ErrorDetails:
    """Return a fault of one place, as pydantic would report it."""
    return {"type": kind, "loc": (field,), "msg": message, "input": found}


def _fault(found: ErrorDetails) -> dict[str, str | None]:
    place = [str(part) for part in found["loc"]]
    if place and place[0] in ("query", "path", "header", "body"):
        place = place[1:] or place
    is_missing, asks_object = found["type"] == "missing", found["type"] in _OBJECTS
    return {
        "field": "/".join(place) or "body",
        "found": "nothing" if is_missing else in_json_words(found.get("input"))[:_SHOWN_MAX],
        "message": "Input should be an object" if asks_object else found["msg"],
        "repair": _REPAIRS.get(found["type"], "correct it: /docs has the shape of every field"),
    }


_OBJECTS = ("model_type", "model_attributes_type", "dict_type", "dataclass_type")
_REPAIRS = {
    "missing": "send the field",
    "batch_size": "send 1 to 1000 documents in a batch",
    "extra_forbidden": "leave the field out: it is not known here",
    "string_type": 'send a JSON string; amounts too: "1200.50"',
    "string_pattern_mismatch": "send a value of the shape that /docs gives",
    "string_too_short": "send a longer value, or leave the field out if it may be left out",
    "string_too_long": "send a shorter value",
    "literal_error": "send one of the values that are named",
    "enum": "send one of the values that are named",
    "date_from_datetime_parsing": "send a day that there is, as YYYY-MM-DD",
    "date_parsing": "send a day that there is, as YYYY-MM-DD",
}
