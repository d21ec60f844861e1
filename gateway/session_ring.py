"""The sessions of one gateway: a cookie's token looked up in the database, remembered for a moment.

Decides whose request it is and whether it was meant; who may begin a session is `sign_in`'s affair.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Engine, event
from sqlmodel import Session

from gateway.auth import CACHE_SECONDS, Caller, Role
from gateway.last_use import LastUses
from gateway.refusals import CsrfRefused, SessionRefused
from settlement.access import sessions
from settlement.access.sessions import PersonSession, Stage
from settlement.clock import from_micros, to_micros
from settlement.config import Settings
from settlement.store import reading

SECURE_COOKIE = "__Host-settle"
"""Browsers take it only by TLS, for the whole host, from the host itself."""
PLAIN_COOKIE = "settle"
"""On this machine alone, where there is no TLS."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_CACHE_MAX = 10_000


class SessionRing:
    """Who is signed in."""

    def __init__(
        self,
        engine: Engine,
        pepper: bytes,
        settings: Settings,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._engine = engine
        self.pepper = pepper
        self.idle = timedelta(minutes=settings.session_idle_minutes)
        self._monotonic = monotonic
        self.uses = LastUses(engine, sessions.note_uses)
        self._verified: dict[str, tuple[float, PersonSession]] = {}
        self._seen: dict[str, datetime] = {}
        is_local = settings.host in _LOOPBACK and not settings.console_url
        self.is_secure = not is_local and not settings.console_url.startswith("http://")
        self.cookie = SECURE_COOKIE if self.is_secure else PLAIN_COOKIE

    def token_of(self, cookies: str) -> str | None:
        """Return the session's token among a request's cookies."""
        for part in cookies.split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.cookie and value:
                return value
        return None

    def session(self, token: str, now: datetime) -> PersonSession:
        """Return the session of a token, whatever stage it is in.

        Raises:
            SessionRefused: none, ended, too old or idle for too long.
        """
        known = self._verified.get(token)
        if known is not None and self._monotonic() - known[0] <= CACHE_SECONDS:
            found: PersonSession | None = known[1]
        else:
            with reading(self._engine) as session:
                found = sessions.find(session, self.pepper, token)
        if found is not None:
            # The database learns of uses by the minute; this process knows better.
            seen = self._seen.get(found.id, from_micros(found.last_seen_at))
            found = found._replace(last_seen_at=max(found.last_seen_at, to_micros(seen)))
        if found is None or not found.is_alive(now, self.idle):
            raise SessionRefused
        if len(self._verified) >= _CACHE_MAX:
            self.forget()
        self._verified[token] = (self._monotonic(), found)
        self._seen[found.id] = now
        self.uses.add(found.id, now)
        return found

    def caller(self, token: str, now: datetime, *, csrf: str | None) -> Caller:
        """Return who calls; `csrf` is what the request shows besides, None where it only reads.

        Raises:
            SessionRefused: no session that has come to its end of signing in.
            CsrfRefused: what the request shows is not the session's.
        """
        found = self.session(token, now)
        if found.stage != Stage.FULL:
            raise SessionRefused
        if csrf is not None:
            self.require_meant(token, csrf)
        return Caller(found.id, Role(found.role), found.participant_id, found.person_id)

    def csrf_token(self, token: str) -> str:
        """Return what a page sends with what changes something."""
        return sessions.csrf_token(self.pepper, token)

    def require_meant(self, token: str, csrf: str) -> None:
        """Return quietly if a request comes from a page of ours.

        Raises:
            CsrfRefused: it does not show what only our pages know.
        """
        if not hmac.compare_digest(self.csrf_token(token).encode(), csrf.encode()):
            raise CsrfRefused

    def forget(self) -> None:
        """Ask the database again from now on."""
        self._verified.clear()
        self._seen.clear()

    def forget_after(self, session: Session) -> None:
        """Ask the database again once `session` is committed: it ends sessions."""
        event.listen(session, "after_commit", lambda _session: self.forget())


def is_own_origin(origin: str, host: str, settings: Settings) -> bool:
    """Whether a form was sent by a page of this very gateway, by what the browser says of it."""
    if settings.console_url:
        ours = urlsplit(settings.console_url)
        return origin == f"{ours.scheme}://{ours.netloc}"
    scheme, _, rest = origin.partition("://")
    return scheme in ("http", "https") and rest == host and bool(host)
