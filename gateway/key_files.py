"""The key files of an installation: signers' keys are made at their first use, opened afterwards.

Starts nothing; what signs with them is a process of its own.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from gateway import wiring
from settlement.chain.keystore import open_key, save_key
from settlement.chain.port import Address
from settlement.errors import Refused

_LOCAL_WORK_FACTOR = 2**12


class KeyFileLost(Refused):
    """A key that was made here is gone, and its password is still there."""

    def __init__(self, keystore: Path, kept: Path) -> None:
        super().__init__(
            f"{keystore} is gone: {kept}, which opens it, is still there",
            repair=f"put it back from a copy of the home; without one, move {kept} away: a new key"
            " with a lane of its own is made, and what the old one has under way stays with it",
        )


class OtherPepper(Refused):
    """The kept keys are in the records under another secret: every one would be refused."""

    def __init__(self, pepper: Path, kept: Path) -> None:
        super().__init__(
            f"the keys in {kept} were not issued under the secret in {pepper}",
            repair=f"put {pepper} back from a copy of the home: no key works without it",
        )


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """A signer's key file and what opens it; the password is not shown."""

    keystore: Path
    address: Address
    password: str = field(repr=False)


def operator_key(home: Path, password: str | None, place: int = 1) -> OperatorKey:
    """Return an operator's key file, made at its first use; `place` counts them from 1.

    Raises as `signing_key`.
    """
    return signing_key(home, password, f"operator{wiring.numbered(place)}")


def signing_key(home: Path, password: str | None, name: str) -> OperatorKey:
    """Return a signer's key file by its name, made at its first use.

    Without a password one is made up and kept beside it, mode 0600: for local chains only.

    Raises:
        KeyFileLocked, KeyFileExposed: the file is there and cannot be opened.
        KeyFileLost: it is not there, and was.
    """
    keys = home / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    keystore, kept = keys / f"{name}.json", keys / f"{name}.password"
    work_factor = None
    if password is None:
        # Scrypt's memory (256 MB) protects nothing where the password lies beside the key.
        work_factor = _LOCAL_WORK_FACTOR
        if kept.exists() and not keystore.exists():
            raise KeyFileLost(keystore, kept)
        if not kept.exists():
            write_private(kept, secrets.token_urlsafe(24))
        password = kept.read_text().strip()
    if keystore.exists():
        address = str(json.loads(keystore.read_text()).get("address", ""))
        if not address:
            return OperatorKey(keystore, open_key(keystore, password).address, password)
        return OperatorKey(keystore, Address("0x" + address.lower().removeprefix("0x")), password)
    pair = save_key(keystore, secrets.token_bytes(32), password, work_factor=work_factor)
    return OperatorKey(keystore, pair.address, password)


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(content)
