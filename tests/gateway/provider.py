"""A small OpenID provider on loopback: it signs ID tokens, honestly or as a test says."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

CLIENT = "settle-console"


@dataclass
class OpenIdProvider:
    """What it has signed and what it was asked for."""

    issuer: str
    clock: Callable[[], datetime]
    rsa_key: Any = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    ec_key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    claims: dict[str, Any] = field(default_factory=dict)
    """What a token says besides, or instead of, the usual."""
    algorithm: str = "RS256"
    kid: str = "rsa-1"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    spoilt: dict[str, bytes] = field(default_factory=dict)
    """By path what is sent instead of an answer, as it goes over the wire."""

    def public_key(self) -> bytes:
        """The RSA key, as anybody can read it: what key confusion signs with."""
        jwk = RSAAlgorithm.to_jwk(self.rsa_key.public_key())
        return jwk.encode() if isinstance(jwk, str) else json.dumps(jwk).encode()

    def authorize(self, url: str) -> dict[str, str]:
        """Let the person agree; return what the browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = hashlib.sha256(asked["state"].encode()).hexdigest()
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def id_token(self, nonce: str) -> str:
        """Return a token as it is signed now."""
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "subject-1", "iat": now, "exp": now + 300,
            "nonce": nonce, "email": "maria@example.com", "email_verified": True, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            return jwt.encode(claims, None, algorithm="none", headers={"kid": self.kid})
        if self.algorithm == "HS256":
            return _hmac_signed(claims, self.public_key(), self.kid)
        key = self.ec_key if self.algorithm == "ES256" else self.rsa_key
        return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": self.kid})

    def keys(self) -> dict[str, Any]:
        """Return its JWKS."""
        rsa_jwk = RSAAlgorithm.to_jwk(self.rsa_key.public_key(), as_dict=True)
        ec_jwk = ECAlgorithm.to_jwk(self.ec_key.public_key(), as_dict=True)
        return {
            "keys": [
                {**rsa_jwk, "kid": "rsa-1", "use": "sig"},
                {**ec_jwk, "kid": "ec-1", "use": "sig"},
            ]
        }

    def exchange(self, form: dict[str, str]) -> dict[str, str]:
        """Return the answer of the token endpoint; a code works once, with its verifier."""
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return {"error": "invalid_grant"}
        return {"id_token": self.id_token(asked["nonce"]), "token_type": "Bearer"}


@contextmanager
def a_provider(clock: Callable[[], datetime]) -> Iterator[OpenIdProvider]:
    """Serve a provider until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    found = OpenIdProvider(f"http://127.0.0.1:{server.server_address[1]}", clock)
    server.provider = found  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


class _Answers(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # Head and body are two sends: 40 ms apart with it.

    def do_GET(self) -> None:
        provider = self.server.provider  # type: ignore[attr-defined]
        if self._is_spoilt():
            return
        if self.path == "/.well-known/openid-configuration":
            self._json(
                {
                    "issuer": provider.issuer,
                    "authorization_endpoint": f"{provider.issuer}/authorize",
                    "token_endpoint": f"{provider.issuer}/token",
                    "jwks_uri": f"{provider.issuer}/keys",
                }
            )
        else:
            self._json(provider.keys())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if self._is_spoilt():
            return
        self._json(self.server.provider.exchange(form))  # type: ignore[attr-defined]

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""

    def _is_spoilt(self) -> bool:
        raw = self.server.provider.spoilt.get(self.path)  # type: ignore[attr-defined]
        if raw is not None:
            self.wfile.write(raw)
            self.close_connection = True
        return raw is not None

    def _json(self, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _hmac_signed(claims: dict[str, Any], secret: bytes, kid: str) -> str:
    """Sign with a public key as if it were a secret: libraries refuse to, attackers do not."""
    import hmac

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT", "kid": kid}) + b"." + part(claims)
    mac = hmac.new(secret, signed, "sha256").digest()
    return (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()
