"""Signing in at an OpenID provider: authorization code with PKCE, and an ID token that is verified.

Decides who somebody is by what the provider has signed, and nothing of what they may do.
Source: OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 8725.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import stat
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

import orjson
from sqlalchemy import Engine, text
from sqlmodel import Session

from gateway.refusals import ProviderRefused, ProviderUnreachable
from settlement.access import PepperExposed, people
from settlement.clock import to_micros
from settlement.config import Settings
from settlement.store import transaction

ALGORITHMS = ("RS256", "PS256", "ES256")
"""What a provider may sign with: public keys only, so that no key of ours can be taken for one."""
_KEY_TYPES = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC"}
FLOW_LIFETIME = timedelta(minutes=10)
SKEW_SECONDS = 60
ANSWER_MAX_BYTES = 1_000_000
TIMEOUT_SECONDS = 10
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

_BEGIN = text(
    "INSERT INTO oidc_flow (state_hash, nonce, verifier, created_at)"
    " VALUES (:state, :nonce, :verifier, :at)"
)
_TAKE = text(
    "DELETE FROM oidc_flow WHERE state_hash = :state RETURNING nonce, verifier, created_at"
)
_SWEEP = text("DELETE FROM oidc_flow WHERE created_at < :before")


@dataclass(frozen=True, slots=True)
class Started:
    """Where the browser goes, and what it keeps in a cookie until it comes back."""

    url: str
    state: str


class _NoRedirects(HTTPRedirectHandler):
    """A provider answers itself; it sends us nowhere."""

    def redirect_request(self, *_arguments: Any) -> None:
        """See urllib: nowhere."""
        return


class Provider:
    """The OpenID provider that the settings name."""

    def __init__(self, engine: Engine, settings: Settings, *, pepper: bytes) -> None:
        self._engine = engine
        self._settings = settings
        self._pepper = pepper
        self._opener: OpenerDirector = build_opener(_NoRedirects)
        self._known: dict[str, Any] = {}

    @property
    def is_configured(self) -> bool:
        """Whether people sign in there at all."""
        return bool(self._settings.oidc_issuer and self._settings.oidc_client_id)

    def start(self, redirect_uri: str, now: datetime) -> Started:
        """Begin a sign-in: what is asked is remembered, once, for some minutes.

        Raises:
            ProviderUnreachable: the provider does not say where.
        """
        endpoint = self._metadata()["authorization_endpoint"]
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with transaction(self._engine) as session:
            before = {"before": to_micros(now - FLOW_LIFETIME)}
            session.connection().execute(_SWEEP, before)
            values = {
                "state": self._hash(state), "nonce": nonce, "verifier": verifier,
                "at": to_micros(now),
            }  # fmt: skip
            session.connection().execute(_BEGIN, values)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        asked = {
            "response_type": "code", "client_id": self._settings.oidc_client_id,
            "redirect_uri": redirect_uri, "scope": "openid email", "state": state, "nonce": nonce,
            "code_challenge": challenge.rstrip(b"=").decode(), "code_challenge_method": "S256",
        }  # fmt: skip
        return Started(f"{endpoint}?{urlencode(asked)}", state)

    def finish(self, *, state: str, kept: str, code: str, redirect_uri: str, now: datetime) -> str:
        """Return the id of the person who came back from the provider.

        Raises:
            ProviderRefused: another browser, another flow, a token that is not good, a stranger.
            ProviderUnreachable: the provider does not answer.
        """
        if not kept or not hmac.compare_digest(state.encode(), kept.encode()):
            raise ProviderRefused("the browser is not the one that began")
        with transaction(self._engine) as session:
            values = {"state": self._hash(state)}
            flow = session.connection().execute(_TAKE, values).one_or_none()
        if flow is None or flow.created_at < to_micros(now - FLOW_LIFETIME):
            raise ProviderRefused("the sign-in was finished before, or took too long")
        token = self._exchanged(code, flow.verifier, redirect_uri)
        claims = self.verified(token, nonce=flow.nonce, now=now)
        with transaction(self._engine) as session:
            return self._person(session, claims)

    def verified(self, token: str, *, nonce: str, now: datetime) -> dict[str, Any]:
        """Return the claims of an ID token that is for us, of now, and signed by the provider.

        Raises:
            ProviderRefused: it is not.
        """
        import jwt  # Takes 10 MB: only where people sign in by a provider.

        try:
            header = jwt.get_unverified_header(token)
            algorithm = str(header.get("alg"))
            if algorithm not in ALGORITHMS:
                raise ProviderRefused(f"the ID token is signed with {algorithm!r:.20}")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(str(header.get("kid", "")), algorithm),
                algorithms=[algorithm],
                audience=self._settings.oidc_client_id,
                issuer=self._settings.oidc_issuer,
                # Times are judged below, by the gateway's own clock.
                options={
                    "require": ["iss", "aud", "exp", "iat", "sub", "nonce"],
                    "verify_exp": False, "verify_iat": False, "verify_nbf": False,
                },
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise ProviderRefused(f"the ID token is not good: {error}") from error
        self._require_of_now(claims, now)
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise ProviderRefused("the ID token answers another sign-in")
        audience = claims["aud"]
        party = claims.get("azp", self._settings.oidc_client_id)
        is_of_many = isinstance(audience, list) and len(audience) > 1 and "azp" not in claims
        if is_of_many or party != self._settings.oidc_client_id:
            raise ProviderRefused("the ID token is for another party")
        return claims

    def _require_of_now(self, claims: dict[str, Any], now: datetime) -> None:
        seconds = to_micros(now) // 1_000_000
        moments = {name: claims.get(name) for name in ("exp", "iat", "nbf") if name in claims}
        if not all(isinstance(each, int) for each in moments.values()):
            raise ProviderRefused("the ID token's times are no whole seconds")
        if claims["exp"] + SKEW_SECONDS <= seconds:
            raise ProviderRefused("the ID token has expired")
        if max(claims["iat"], claims.get("nbf", 0)) > seconds + SKEW_SECONDS:
            raise ProviderRefused("the ID token is of the future")

    def _person(self, session: Session, claims: dict[str, Any]) -> str:
        """Return who it is: by the account bound before, or once by an address that is verified."""
        issuer, subject = str(claims["iss"]), str(claims["sub"])
        person = people.by_subject(session, issuer, subject)
        if person is None and claims.get("email_verified") is True and claims.get("email"):
            person = people.by_email(session, self._pepper, str(claims["email"]))
            if person is not None and person.oidc_subject is not None:
                person = None
            elif person is not None:
                people.bind(session, person.id, issuer=issuer, subject=subject)
        if person is None or person.state != "active":
            raise ProviderRefused("nobody here has that account")
        return person.id

    def _key(self, kid: str, algorithm: str) -> Any:
        """Return the provider's key of that name and kind, asking it once more for a new one."""
        import jwt

        for is_again in (False, True):
            for key in self._keys(is_again):
                is_ours = key.get("kid", "") == kid and key.get("kty") == _KEY_TYPES[algorithm]
                if is_ours and key.get("use", "sig") == "sig" and key.get("alg") in (
                    None, algorithm,
                ):  # fmt: skip
                    return jwt.PyJWK(key, algorithm).key
        raise ProviderRefused("the ID token names a key that the provider does not have")

    def _keys(self, is_again: bool) -> list[dict[str, Any]]:
        if is_again or "keys" not in self._known:
            found = self._json(self._metadata()["jwks_uri"]).get("keys")
            self._known["keys"] = found if isinstance(found, list) else []
        return [each for each in self._known["keys"] if isinstance(each, dict)]

    def _metadata(self) -> dict[str, str]:
        if "metadata" not in self._known:
            issuer = self._settings.oidc_issuer.rstrip("/")
            found = self._json(f"{issuer}/.well-known/openid-configuration")
            if found.get("issuer") != self._settings.oidc_issuer:
                raise ProviderUnreachable("it says that it is another issuer")
            for name in _ENDPOINTS:
                if not isinstance(found.get(name), str):
                    raise ProviderUnreachable(f"it does not say its {name}")
            self._known["metadata"] = {name: found[name] for name in _ENDPOINTS}
        return dict(self._known["metadata"])

    def _exchanged(self, code: str, verifier: str, redirect_uri: str) -> str:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "client_id": self._settings.oidc_client_id, "code_verifier": verifier,
        }  # fmt: skip
        secret = self._client_secret()
        if secret:
            form["client_secret"] = secret
        answer = self._json(self._metadata()["token_endpoint"], urlencode(form).encode())
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderRefused("the provider gave no ID token")
        return token

    def _client_secret(self) -> str:
        path = self._settings.oidc_client_secret_file
        if path is None:
            return ""
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PepperExposed(path)
        return path.read_text(encoding="utf-8").strip()

    def _json(self, url: str, form: bytes | None = None) -> dict[str, Any]:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ProviderUnreachable(f"{url} is not https")
        try:
            request = Request(url, data=form, headers={"Accept": "application/json"})
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                found = orjson.loads(answer.read(ANSWER_MAX_BYTES))
        except (URLError, OSError, HTTPException, ValueError) as error:
            # RFC 6749, 5.2: what is wrong with a code is said with 400.
            if form is not None and isinstance(error, HTTPError) and error.code == 400:
                raise ProviderRefused("the provider does not take the code") from error
            raise ProviderUnreachable(str(error)) from error
        if not isinstance(found, dict):
            raise ProviderUnreachable("it answers no JSON object")
        return found

    def _hash(self, state: str) -> str:
        return hmac.new(self._pepper, b"oidc:" + state.encode(), "sha256").hexdigest()


def callback_uri(settings: Settings, host: str) -> str:
    """Return where the provider sends the browser back to."""
    origin = settings.console_url.rstrip("/") or f"http://{host}"
    return f"{origin}/console/oidc/callback"
