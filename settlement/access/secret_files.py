"""Secrets of an installation, each in a file of its own in `home`, its owner's alone.

Knows no use of them.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from settlement.errors import Fatal

SECRET_BYTES = 32


class PepperExposed(Fatal):
    """Others than its owner may read a secret of the installation."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} can be read by others: `chmod 600 {path}`, then issue new keys")


class PepperDamaged(Fatal):
    """A secret of the installation is not one that was made here: nothing it hashed is found."""

    def __init__(self, path: Path, length: int) -> None:
        super().__init__(
            f"{path} holds {length} bytes, not {SECRET_BYTES}: put it back from a copy of the home"
        )


def open_secret(path: Path) -> bytes:
    """Return the secret in a file, made at its first use with mode 0600.

    Raises:
        PepperExposed: others may read it.
        PepperDamaged: it has another length than was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PepperExposed(path) from None
        found = path.read_bytes()
        if len(found) != SECRET_BYTES:
            raise PepperDamaged(path, len(found)) from None
        return found
    secret = secrets.token_bytes(SECRET_BYTES)
    with os.fdopen(file, "wb") as stream:
        stream.write(secret)
        stream.flush()
        os.fsync(stream.fileno())
    return secret
