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


def open_secret(path: Path) -> bytes:
    """Return the secret in a file, made at its first use with mode 0600.

    Raises:
        PepperExposed: others may read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PepperExposed(path) from None
        return path.read_bytes()
    secret = secrets.token_bytes(SECRET_BYTES)
    with os.fdopen(file, "wb") as stream:
        stream.write(secret)
        stream.flush()
        os.fsync(stream.fileno())
    return secret
