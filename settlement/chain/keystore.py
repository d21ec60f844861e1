"""A signer's key in a file: keystore version 3 (scrypt), readable by its owner alone.

Opening one takes about a second of work, on purpose: do it once, at the start. Holds no key itself.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import orjson

from settlement.chain.signing import KeyPair
from settlement.errors import Conflict, Invalid, NotFound, Refused

_MAX_BYTES = 64 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyFileExposed(Refused):
    """Others than its owner may use the key file."""

    def __init__(self, path: Path, mode: int) -> None:
        super().__init__(
            f"the key file {path} has mode {mode:04o}: others may read or change it",
            field="keystore",
            repair=f"chmod 600 {path}",
        )


class KeyFileLocked(Refused):
    """The password does not open the key file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the password does not open the key file {path}",
            field="password",
            repair="give the password with which the key file was made",
        )


def open_key(path: Path, password: str) -> KeyPair:
    """Return the key pair in a key file.

    Raises:
        NotFound: there is no such file.
        KeyFileExposed: others than its owner may read or write it.
        KeyFileLocked: the password is wrong.
        Invalid: the file is no keystore of version 3, or its address is not its key's.
    """
    from eth_account import Account

    content = _content(path)
    try:
        fields = orjson.loads(content)
        if not isinstance(fields, dict) or fields.get("version") != 3:
            raise ValueError("not of version 3")
        key = bytes(Account.decrypt(fields, password))
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        # The library says only by its words which of the two it was.
        if "MAC mismatch" in str(error):
            raise KeyFileLocked(path) from None
        raise Invalid(f"the key file {path} cannot be read: {error}", field="keystore") from error
    pair = KeyPair.of(key)
    named = str(fields.get("address", pair.address)).lower().removeprefix("0x")
    if named != pair.address[2:]:
        raise Invalid(f"the key file {path} holds another key than it says", field="keystore")
    return pair


def save_key(path: Path, key: bytes, password: str, *, work_factor: int | None = None) -> KeyPair:
    """Write a key into a new file that only its owner may read; return its pair.

    `work_factor` is scrypt's n, for tests that cannot wait; None takes the library's.

    Raises:
        Invalid: no password.
        Conflict: the file is there already; a key is never overwritten.
    """
    from eth_account import Account

    if not password:
        raise Invalid("a key file needs a password", field="password")
    fields = Account.encrypt(key, password, kdf="scrypt", iterations=work_factor)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict(f"the key file {path} is there already", field="keystore") from error
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps(fields))
        file.flush()
        os.fsync(file.fileno())
    return KeyPair.of(key)


def _content(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError as error:
        raise NotFound("key file", str(path)) from error
    # Asked of the file that was opened, so that it cannot be exchanged in between.
    with os.fdopen(handle, "rb") as file:
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        if mode & _OTHERS:
            raise KeyFileExposed(path, mode)
        return file.read(_MAX_BYTES)
