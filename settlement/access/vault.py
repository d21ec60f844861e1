"""Personal fields, sealed under a key per natural person: deleting the key erases the fields.

Whatever is hashed over sealed bytes stays true after an erasure. Knows no table that holds them.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path

from Crypto.Cipher import AES
from sqlalchemy import text
from sqlmodel import Session

from settlement.access.secret_files import open_secret
from settlement.clock import to_micros
from settlement.errors import Conflict, StoreCorrupt

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_FIND = text("SELECT wrapped FROM personal_key WHERE subject = :subject")
_ADD = text(
    "INSERT INTO personal_key (subject, wrapped, created_at) VALUES (:subject, :wrapped, :at)"
    " ON CONFLICT (subject) DO NOTHING"
)
_ERASE = text(
    "UPDATE personal_key SET wrapped = NULL, erased_at = :at"
    " WHERE subject = :subject AND wrapped IS NOT NULL"
)


class PersonErased(Conflict):
    """The personal fields were erased for good; none are kept of this person any more."""

    def __init__(self, subject: str) -> None:
        super().__init__(
            f"the personal fields of {subject} were erased",
            repair="register the person anew if there is a ground to keep their fields again",
        )


class Vault:
    """Seals and opens fields with AES-256-GCM; `master` wraps the people's own keys.

    Source: NIST SP 800-38D; every sealing takes a new random nonce.
    """

    def __init__(self, master: bytes) -> None:
        assert len(master) == KEY_BYTES
        self._master = master
        AES.new(master, AES.MODE_GCM)  # Loads its parts now, not while the first payment waits.

    def seal(self, session: Session, subject: str, plain: str, now: datetime) -> bytes:
        """Return a field of `subject`, sealed; their key is made at the first one.

        Raises:
            PersonErased: they were erased.
        """
        key = self._key(session, subject)
        if key is None:
            made = secrets.token_bytes(KEY_BYTES)
            wrapped = _sealed(self._master, made, subject)
            values = {"subject": subject, "wrapped": wrapped, "at": to_micros(now)}
            session.connection().execute(_ADD, values)
            key = self._key(session, subject)  # Another's, where both came at once.
            assert key is not None
        return _sealed(key, plain.encode(), subject)

    def opened(self, session: Session, subject: str, sealed: bytes) -> str | None:
        """Return a field of `subject`; None: it was erased.

        Raises:
            StoreCorrupt: the bytes are not what was sealed for this person.
        """
        try:
            key = self._key(session, subject)
        except PersonErased:
            return None
        if key is None:
            raise StoreCorrupt(f"there is no key to the fields of {subject}")
        return _opened(key, sealed, subject).decode()

    def erase(self, session: Session, subject: str, now: datetime) -> None:
        """Delete the person's key: what is sealed under it can be read by nobody any more."""
        session.connection().execute(_ERASE, {"subject": subject, "at": to_micros(now)})

    def _key(self, session: Session, subject: str) -> bytes | None:
        found = session.connection().execute(_FIND, {"subject": subject}).one_or_none()
        if found is None:
            return None
        if found.wrapped is None:
            raise PersonErased(subject)
        return _opened(self._master, bytes(found.wrapped), subject)


def open_vault(home: Path) -> Vault:
    """Return the vault of an installation; its key is in `home`, its owner's alone.

    Raises:
        PepperExposed: others may read the key.
    """
    return Vault(open_secret(home / "personal-data.key"))


def _sealed(key: bytes, plain: bytes, subject: str) -> bytes:
    cipher = AES.new(key, AES.MODE_GCM, nonce=secrets.token_bytes(_NONCE_BYTES))
    cipher.update(subject.encode())
    content, tag = cipher.encrypt_and_digest(plain)
    return bytes(cipher.nonce) + tag + content


def _opened(key: bytes, sealed: bytes, subject: str) -> bytes:
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
    cipher.update(subject.encode())
    try:
        return cipher.decrypt_and_verify(rest[_TAG_BYTES:], rest[:_TAG_BYTES])
    except ValueError:
        raise StoreCorrupt(f"a field of {subject} is not what was sealed") from None
