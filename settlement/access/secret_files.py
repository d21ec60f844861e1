"""Secrets of an installation, each in a file of its own in `home`, its owner's alone.

Knows no use of them.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

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
    if not path.exists():
        _make(path)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PepperExposed(path)
    found = path.read_bytes()
    if len(found) != SECRET_BYTES:
        raise PepperDamaged(path, len(found))
    return found


def _make(path: Path) -> None:
    """Write a new secret whole or not at all, once whoever else does; its mode is 0600."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
