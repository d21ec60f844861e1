"""What people do in the console: sign in and out, end sessions, change how they sign in.

Every form shows that a page of ours has sent it.
"""

from __future__ import annotations

import asyncio

from starlette.responses import RedirectResponse, Response

from gateway import oidc
from gateway.console.pages import enrolment
from gateway.console.visit import SAFETY, Visit, text_of
from gateway.refusals import CodeRefused, SignInRefused
from settlement.access import sessions
from settlement.access.passwords import PasswordWeak
from settlement.access.sessions import Stage
from settlement.store import transaction

OIDC_COOKIE = "settle-oidc"


async def sign_in(visit: Visit) -> Response:
    """Take address and password."""
    form = await visit.form(is_signed_in=False)
    visit.gateway.limits.spend("sign-ins", visit.origin.address)
    email, password = text_of(form, "email"), text_of(form, "password")
    try:
        begun = await visit.gateway.sign_in.with_password(email, password, visit.origin)
    except SignInRefused as refusal:
        return visit.page(
            "sign_in.html", 401, error=str(refusal), repair=refusal.repair, email="",
            provider=visit.gateway.provider.is_configured,
        )  # fmt: skip
    return visit.go_on(begun)


async def code(visit: Visit) -> Response:
    """Take the second factor."""
    found = visit.session(Stage.CODE)
    form = await visit.form()
    visit.gateway.limits.spend("sign-ins", visit.origin.address)
    try:
        begun = await visit.gateway.sign_in.with_code(found, text_of(form, "code"), visit.origin)
    except CodeRefused as refusal:
        return visit.page("code.html", 401, error=str(refusal))
    visit.gateway.sessions.forget()
    return visit.go_on(begun)


async def enrol(visit: Visit) -> Response:
    """Take the first code of a new second factor, and show the recovery codes, once."""
    found = visit.session(Stage.ENROL)
    form = await visit.form()
    visit.gateway.limits.spend("sign-ins", visit.origin.address)
    try:
        begun = await visit.gateway.sign_in.enrol(found, text_of(form, "code"), visit.origin)
    except CodeRefused as refusal:
        return enrolment(visit, found, str(refusal))
    visit.gateway.sessions.forget()
    answer = visit.page("recovery_codes.html", codes=begun.recovery_codes)
    visit.set_cookie(answer, begun.token)
    return answer


async def password(visit: Visit) -> Response:
    """Take another password; all other sessions end."""
    found = visit.session(Stage.PASSWORD, Stage.FULL)
    form = await visit.form()
    new = text_of(form, "new")
    try:
        if new != text_of(form, "again"):
            raise PasswordWeak("is not the same both times")
        begun = await visit.gateway.sign_in.change_password(
            found, text_of(form, "current"), new, visit.origin
        )
    except (PasswordWeak, SignInRefused) as refusal:
        status, words = 422, str(refusal)
        if isinstance(refusal, SignInRefused):
            status, words = 401, "the present password is not accepted"
        return visit.page("password.html", status, error=words, signed_in=found.stage == Stage.FULL)
    visit.gateway.sessions.forget()
    return visit.go_on(begun)


async def recovery_codes(visit: Visit) -> Response:
    """Make new recovery codes; the old ones are worth nothing any more."""
    found = visit.session(Stage.FULL)
    await visit.form()
    gateway = visit.gateway
    with transaction(gateway.engine) as session:
        codes = gateway.sign_in.new_recovery_codes(session, found.person_id, gateway.clock())
    return visit.page("recovery_codes.html", codes=codes, signed_in=True)


async def end_session(visit: Visit) -> Response:
    """End one of one's sessions, or all others."""
    found = visit.session(Stage.FULL)
    form = await visit.form()
    gateway, now, wanted = visit.gateway, visit.gateway.clock(), text_of(form, "session")
    with transaction(gateway.engine) as session:
        if wanted == "others":
            sessions.end_others(session, found.id, found.person_id, now)
        else:
            sessions.end(session, wanted, found.person_id, now)
    gateway.sessions.forget()
    return RedirectResponse("/console", 303, headers=SAFETY)


async def sign_out(visit: Visit) -> Response:
    """End this session."""
    found = visit.session(*Stage)
    await visit.form()
    gateway = visit.gateway
    with transaction(gateway.engine) as session:
        sessions.end(session, found.id, found.person_id, gateway.clock())
    gateway.sessions.forget()
    return visit.ended("/console/sign-in")


async def to_provider(visit: Visit) -> Response:
    """Send the browser to the OpenID provider."""
    await visit.form(is_signed_in=False)
    gateway = visit.gateway
    gateway.limits.spend("sign-ins", visit.origin.address)
    if not gateway.provider.is_configured:
        raise SignInRefused
    host = visit.request.headers.get("host", "")
    back = oidc.callback_uri(gateway.settings, host)
    started = await asyncio.to_thread(gateway.provider.start, back, gateway.clock())
    # Not a redirect: a page's form may send to ourselves alone.
    answer = visit.page("to_provider.html", url=started.url)
    answer.set_cookie(
        OIDC_COOKIE, started.state, path="/console/oidc", httponly=True, samesite="lax",
        secure=gateway.sessions.is_secure, max_age=600,
    )  # fmt: skip
    return answer


async def from_provider(visit: Visit) -> Response:
    """Take the browser back from the OpenID provider."""
    gateway, asked = visit.gateway, visit.request.query_params
    gateway.limits.spend("sign-ins", visit.origin.address)
    if not gateway.provider.is_configured:
        raise SignInRefused
    host = visit.request.headers.get("host", "")
    person_id = await asyncio.to_thread(
        lambda: gateway.provider.finish(
            state=asked.get("state", ""),
            kept=visit.request.cookies.get(OIDC_COOKIE, ""),
            code=asked.get("code", ""),
            redirect_uri=oidc.callback_uri(gateway.settings, host),
            now=gateway.clock(),
        )
    )
    begun = await gateway.sign_in.with_provider(person_id, visit.origin)
    # A page and not a redirect: coming from elsewhere, the browser would not show a strict cookie.
    answer = visit.page("from_provider.html")
    visit.set_cookie(answer, begun.token)
    answer.delete_cookie(OIDC_COOKIE, path="/console/oidc")
    return answer
