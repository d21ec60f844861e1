"""What the console shows: signing in, setting up the second factor, and who one is here.

Changes nothing.
"""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse, RedirectResponse, Response

from gateway import access
from gateway.console.visit import PLACES, SAFETY, Visit
from gateway.refusals import NoSuchRoute, SessionRefused
from settlement.access import Role, credentials, one_time_codes, people, sessions
from settlement.access.sessions import PersonSession, Stage
from settlement.clock import iso
from settlement.store import reading

STATIC = Path(__file__).parent / "static"
_FILES = {"console.css": "text/css; charset=utf-8"}


async def sign_in(visit: Visit) -> Response:
    """The way in; who is in already goes on."""
    try:
        found = visit.session(*Stage)
    except SessionRefused:
        return visit.page("sign_in.html", provider=visit.gateway.provider.is_configured, email="")
    return RedirectResponse(PLACES[Stage(found.stage)], 303, headers=SAFETY)


async def code(visit: Visit) -> Response:
    """The second factor is asked for."""
    visit.session(Stage.CODE)
    return visit.page("code.html")


async def enrol(visit: Visit) -> Response:
    """The second factor is set up."""
    return enrolment(visit, visit.session(Stage.ENROL))


def enrolment(visit: Visit, found: PersonSession, error: str | None = None) -> Response:
    """Return the page with the secret that an authenticator application takes."""
    vault = visit.gateway.sign_in.vault
    with reading(visit.gateway.engine) as session:
        secret = credentials.secret(session, vault, found.person_id)
        email = people.one(session, found.person_id).email(session, vault)
    if secret is None:
        raise SessionRefused
    uri = one_time_codes.uri(secret, email or found.person_id)
    groups = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    status = 401 if error else 200
    return visit.page("enrol.html", status, uri=uri, secret=groups, error=error)


async def password(visit: Visit) -> Response:
    """Another password is chosen."""
    found = visit.session(Stage.PASSWORD, Stage.FULL)
    return visit.page("password.html", signed_in=found.stage == Stage.FULL)


async def me(visit: Visit) -> Response:
    """Who one is here, what one may do, and where else one is signed in."""
    found = visit.session(Stage.FULL)
    gateway, now = visit.gateway, visit.gateway.clock()
    vault = gateway.sign_in.vault
    with reading(gateway.engine) as session:
        person = people.one(session, found.person_id)
        name, email = person.name(session, vault), person.email(session, vault)
        alive = sessions.alive(session, found.person_id, now, gateway.sessions.idle)
        codes_left = credentials.recovery_codes_left(session, found.person_id)
    return visit.page(
        "me.html",
        signed_in=True,
        name=name,
        email=email,
        person=person,
        has_password=found.method == "password",
        codes_left=codes_left,
        groups=_may(found),
        sessions=[_shown(each, found) for each in alive],
    )


async def static_file(visit: Visit) -> Response:
    """A file that the pages need."""
    name = visit.request.path_params["name"]
    if name not in _FILES:
        raise NoSuchRoute(f"/console/static/{name}")
    return FileResponse(STATIC / name, media_type=_FILES[name], headers=SAFETY)


async def nowhere(visit: Visit) -> Response:
    """There is no such page."""
    raise NoSuchRoute(visit.request.url.path)


def _may(found: PersonSession) -> dict[str, list[str]]:
    """Return the routes that a person may use, by group."""
    allowed = access.allowed(Role(found.role), "")
    groups: dict[str, list[str]] = {}
    for route, row in access.table().items():
        if route in allowed:
            groups.setdefault(row.group, []).append(route)
    return groups


def _shown(each: PersonSession, own: PersonSession) -> dict[str, object]:
    return {
        "id": each.id,
        "is_own": each.id == own.id,
        "since": iso(each.created_at)[:16].replace("T", " "),
        "seen": iso(each.last_seen_at)[:16].replace("T", " "),
        "address": each.address,
        "agent": each.agent,
        "method": each.method,
    }
