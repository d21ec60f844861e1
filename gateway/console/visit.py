"""A browser's visit: whose session, whether a form is ours, and how a page goes out.

Knows no page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.commands import client_address
from gateway.context import Gateway
from gateway.problems import status_of
from gateway.refusals import CsrfRefused, SessionRefused, TooManyRequests
from gateway.session_ring import is_own_origin
from gateway.sign_in import Begun, From
from settlement.access.sessions import PersonSession, Stage
from settlement.errors import RailError

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
FORM_FIELDS_MAX = 20
PLACES = {
    Stage.CODE: "/console/code",
    Stage.ENROL: "/console/enrol",
    Stage.PASSWORD: "/console/password",
    Stage.FULL: "/console",
}
"""Where a session of each stage goes on."""
SAFETY = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}

Endpoint = Callable[["Visit"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser."""

    request: Request
    gateway: Gateway

    @property
    def token(self) -> str | None:
        """The session's token, if the browser shows one."""
        return self.gateway.sessions.token_of(self.request.headers.get("cookie", ""))

    @property
    def origin(self) -> From:
        """Where it comes from; no header changes the address."""
        agent = self.request.headers.get("user-agent", "")
        return From(client_address(self.request.scope), agent)

    def session(self, *stages: Stage) -> PersonSession:
        """Return the session, which is in one of the stages.

        Raises:
            SessionRefused: none, or in another.
        """
        if self.token is None:
            raise SessionRefused
        found = self.gateway.sessions.session(self.token, self.gateway.clock())
        if found.stage not in stages:
            raise SessionRefused
        return found

    async def form(self, *, is_signed_in: bool = True) -> FormData:
        """Return what a form of ours has sent.

        Raises:
            CsrfRefused: it comes from elsewhere.
        """
        own = is_own_origin(
            self.request.headers.get("origin", ""),
            self.request.headers.get("host", ""),
            self.gateway.settings,
        )
        if not own:
            raise CsrfRefused
        form = await self.request.form(max_fields=FORM_FIELDS_MAX, max_files=0)
        if is_signed_in:
            if self.token is None:
                raise SessionRefused
            self.gateway.sessions.require_meant(self.token, _text(form, "csrf"))
        return form

    def page(self, template: str, status: int = 200, /, **values: Any) -> Response:
        """Return a page."""
        csrf = "" if self.token is None else self.gateway.sessions.csrf_token(self.token)
        shown = {"csrf": csrf, "signed_in": False, "error": None, **values}
        text = _environment().get_template(template).render(shown)
        return HTMLResponse(text, status, headers=SAFETY)

    def go_on(self, begun: Begun) -> Response:
        """Return the way to the next page, with the new session's cookie."""
        answer = RedirectResponse(PLACES[begun.stage], 303, headers=SAFETY)
        self.set_cookie(answer, begun.token)
        return answer

    def set_cookie(self, answer: Response, token: str) -> None:
        """Give the browser a session; an empty token takes it away."""
        ring = self.gateway.sessions
        answer.set_cookie(
            ring.cookie, token, path="/", httponly=True, samesite="strict",
            secure=ring.is_secure, max_age=None if token else 0,
        )  # fmt: skip

    def ended(self, place: str) -> Response:
        """Return the way to a page, without the cookie."""
        answer = RedirectResponse(place, 303, headers=SAFETY)
        self.set_cookie(answer, "")
        return answer


def opened(endpoint: Endpoint, name: str) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint for the router: what the rail refuses becomes a page."""

    async def visited(request: Request) -> Response:
        gateway: Gateway = request.app.state.gateway
        request.scope["route_name"] = name
        visit = Visit(request, gateway)
        try:
            gateway.limits.spend("open", client_address(request.scope))
            return await endpoint(visit)
        except SessionRefused:
            return _where_it_goes_on(visit)
        except RailError as error:
            return refused(visit, error)

    return visited


def _where_it_goes_on(visit: Visit) -> Response:
    """Return the way to where the visit's session has come; without one, to signing in.

    A browser's way back leads over pages of signing in: nobody is signed out by that.
    """
    try:
        place = PLACES[Stage(visit.session(*Stage).stage)]
    except SessionRefused:
        return visit.ended("/console/sign-in")
    if place == visit.request.url.path:
        return visit.ended("/console/sign-in")
    return RedirectResponse(place, 303, headers=SAFETY)


def refused(visit: Visit, error: RailError) -> Response:
    """Return the page of a refusal."""
    status = status_of(error)
    words = str(error) if status != 500 else "the gateway cannot go on; its log says why"
    answer = visit.page(
        "refused.html", status, words=words, repair=getattr(error, "repair", None), status=status
    )
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(error.retry_seconds)
    return answer


def text_of(form: Mapping[str, Any], name: str) -> str:
    """Return a field's text, as sent; empty where there is none."""
    return _text(form, name)


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # 5 MB: for a browser alone.

    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
