"""The console's routes: each page and each act, by its path.

They are not of the API: they need a browser, a session and its forms.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from gateway.console import acts, pages
from gateway.console.visit import Endpoint, opened

PAGES: dict[str, Endpoint] = {
    "/console": pages.me,
    "/console/sign-in": pages.sign_in,
    "/console/code": pages.code,
    "/console/enrol": pages.enrol,
    "/console/password": pages.password,
    "/console/oidc/callback": acts.from_provider,
    "/console/static/{name}": pages.static_file,
    "/console/{rest:path}": pages.nowhere,
}
ACTS: dict[str, Endpoint] = {
    "/console/sign-in": acts.sign_in,
    "/console/code": acts.code,
    "/console/enrol": acts.enrol,
    "/console/password": acts.password,
    "/console/recovery-codes": acts.recovery_codes,
    "/console/sessions/end": acts.end_session,
    "/console/sign-out": acts.sign_out,
    "/console/oidc/start": acts.to_provider,
}


def routes() -> list[Route]:
    """Return every route of the console."""
    shown = [
        Route(path, opened(page, f"GET {path}"), methods=["GET"]) for path, page in PAGES.items()
    ]
    done = [
        Route(path, opened(act, f"POST {path}"), methods=["POST"]) for path, act in ACTS.items()
    ]
    return [Route("/", _to_the_console, methods=["GET"]), *shown, *done]


async def _to_the_console(_request: Request) -> RedirectResponse:
    """Show people who type the address alone where they sign in."""
    return RedirectResponse("/console", 303)
