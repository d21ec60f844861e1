"""The key files of an installation's signers: made at their first use, opened afterwards.

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

_LOCAL_WORK_FACTOR = 2**12


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
    """
    keys = home / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    keystore, kept = keys / f"{name}.json", keys / f"{name}.password"
    work_factor = None
    if password is None:
        # Scrypt's memory (256 MB) protects nothing where the password lies beside the key.
        work_factor = _LOCAL_WORK_FACTOR
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
