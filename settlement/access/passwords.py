"""Passwords as argon2id hashes, and what a password has to be.

Slow on purpose: the doors run it in a bounded pool. Keeps none.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from settlement.errors import Invalid

MEMORY_KIB = 19_456
TIME_COST = 2
PARALLELISM = 1
"""Source: OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane."""
LENGTH_MIN = 12
LENGTH_MAX = 200

_HASHER = PasswordHasher(
    time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM, hash_len=32, salt_len=16
)
# Of a password that nobody knows: whoever asks for an unknown account waits as long.
_NOBODYS = (
    "$argon2id$v=19$m=19456,t=2,p=1$Hwn50hrIBJul7HQODh35lQ"
    "$SlZ084HS5Goe3Ll070t2FsPUuc4LN0tP6kpzQHbvKFQ"
)


class PasswordWeak(Invalid):
    """A password is long, and is not the person's own address."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"the password {fault}",
            field="password",
            repair=f"choose {LENGTH_MIN} to {LENGTH_MAX} characters: several words that only you"
            " would put together",
        )


def require_strong(password: str, email: str) -> None:
    """Return quietly if a password may be set. Source: NIST SP 800-63B: length, no composition.

    Raises:
        PasswordWeak: too short, too long, one character again and again, the address itself.
    """
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise PasswordWeak(f"has {len(password)} characters")
    if len(set(password)) < 5:
        raise PasswordWeak("is nearly the same character again and again")
    if email and password.lower() in (email.lower(), email.lower().partition("@")[0]):
        raise PasswordWeak("is the e-mail address")


def hashed(password: str) -> str:
    """Return what is stored of a password."""
    return _HASHER.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether a password is the stored one; takes as long where none is stored."""
    try:
        return _HASHER.verify(stored or _NOBODYS, password[:LENGTH_MAX]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
