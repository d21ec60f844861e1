"""The second factor: codes that change with time, and recovery codes. Pure but for randomness.

Source: RFC 6238, SHA-1, six digits, 30 seconds, one step of clock skew either way.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime

import pyotp

from settlement.clock import to_micros

STEP_SECONDS = 30
SKEW_STEPS = 1
RECOVERY_CODES = 10
ISSUER = "settlement rail"

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_LENGTH = 16


def new_secret() -> str:
    """Return 160 random bits in base32, as authenticator applications take them."""
    return pyotp.random_base32(32)


def uri(secret: str, email: str) -> str:
    """Return the otpauth URI that an authenticator application reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step of which `code` is the code; None: of none that is near."""
    current = to_micros(now) // (STEP_SECONDS * 1_000_000)
    digits = code.replace(" ", "")
    found = None
    for step in range(current - SKEW_STEPS, current + SKEW_STEPS + 1):
        # All are compared, so that time does not tell which it was.
        if hmac.compare_digest(pyotp.HOTP(secret).at(step).encode(), digits.encode()):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Return codes of 79 random bits each, in groups of four."""
    return [
        "-".join(
            "".join(secrets.choice(_ALPHABET) for _ in range(4))
            for _ in range(_RECOVERY_LENGTH // 4)
        )
        for _ in range(RECOVERY_CODES)
    ]


def recovery_digest(pepper: bytes, person_id: str, code: str) -> str:
    """Return what is stored of a recovery code."""
    plain = f"recovery:{person_id}:{code.strip().lower()}"
    return hmac.new(pepper, plain.encode(), "sha256").hexdigest()
