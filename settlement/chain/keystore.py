"""A signer's key in a file: keystore version 3 (scrypt), readable by its owner alone.

Opening one takes about a second of work, on purpose: do it once, at the start. Holds no key itself.
Source: Web3 Secret Storage Definition, version 3.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from settlement.chain.keccak import keccak
from settlement.chain.signing import KeyPair
from settlement.errors import Conflict, Invalid, NotFound, Refused

_MAX_BYTES = 64 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WORK_FACTOR = 2**18
"""scrypt's n of a new file; with r = 8 it takes 256 MB for a second."""
_WORK_FACTOR_MAX = 2**20
_ROUNDS_MAX = 10_000_000
_KEY_NAMES = ("PRIVATE_KEY", "SECRET_KEY", "SIGNER_KEY", "OPERATOR_KEY", "PASSWORD", "PASSPHRASE",
              "MNEMONIC")  # fmt: skip


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
            f"the password does not open the key file {path}, or the file was changed",
            field="password",
            repair="give the password with which the key file was made, or a copy of the file",
        )


class KeyInEnvironment(Refused):
    """A key or its password is in the environment, where other processes see it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the environment variable {name} holds what only a key file or a pipe may hold",
            field=name,
            repair=f"unset {name}; give --keystore a key file, and --password-fd a descriptor",
        )


def open_key(path: Path, password: str) -> KeyPair:
    """Return the key pair in a key file.

    Raises:
        NotFound: there is no such file.
        KeyFileExposed: others than its owner may read or write it.
        KeyFileLocked: the password is wrong, or what it protects was changed.
        Invalid: the file is no keystore of version 3, or its address is not its key's.
    """
    content = _content(path)
    try:
        fields = orjson.loads(content)
        if not isinstance(fields, dict) or fields.get("version") != 3:
            raise ValueError("not of version 3")
        crypto = fields["crypto"]
        ciphertext = bytes.fromhex(crypto["ciphertext"])
        derived = _derived(crypto, password.encode())
        mac = keccak(derived[16:32] + ciphertext)
        if not hmac.compare_digest(mac, bytes.fromhex(crypto["mac"])):
            raise KeyFileLocked(path)
        if crypto["cipher"] != "aes-128-ctr" or len(ciphertext) != 32:
            raise ValueError("not 32 bytes under aes-128-ctr")
        key = _aes(derived[:16], bytes.fromhex(crypto["cipherparams"]["iv"]), ciphertext)
        pair = KeyPair.of(key)
        named = str(fields.get("address", pair.address)).lower().removeprefix("0x")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        # Not its words: what a library says of a key it cannot use may hold the key.
        raise Invalid(
            f"the key file {path} cannot be read ({type(error).__name__})", field="keystore"
        ) from None
    if named != pair.address[2:]:
        raise Invalid(f"the key file {path} holds another key than it says", field="keystore")
    return pair


def save_key(path: Path, key: bytes, password: str, *, work_factor: int | None = None) -> KeyPair:
    """Write a key into a new file that only its owner may read; return its pair.

    `work_factor` is scrypt's n, for tests that cannot wait; None takes the usual.

    Raises:
        Invalid: no password.
        Conflict: the file is there already; a key is never overwritten.
    """
    if not password:
        raise Invalid("a key file needs a password", field="password")
    pair = KeyPair.of(key)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict(f"the key file {path} is there already", field="keystore") from error
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps(_sealed(pair, password.encode(), work_factor or _WORK_FACTOR)))
        file.flush()
        os.fsync(file.fileno())
    return pair


def require_not_in_environment(
    environment: Mapping[str, str], key: bytes = b"", password: str = ""
) -> None:
    """Refuse an environment that holds a key, or is named as if it did.

    Raises:
        KeyInEnvironment: names the variable, not what is in it.
    """
    for name, content in environment.items():
        if name.startswith("SETTLE_") and name.endswith(_KEY_NAMES):
            raise KeyInEnvironment(name)
        if (key and key.hex() in content.lower()) or (password and content == password):
            raise KeyInEnvironment(name)


def _sealed(pair: KeyPair, password: bytes, work_factor: int) -> dict[str, Any]:
    salt, iv = secrets.token_bytes(32), secrets.token_bytes(16)
    parameters = {"dklen": 32, "n": work_factor, "p": 1, "r": 8, "salt": salt.hex()}
    derived = _derived({"kdf": "scrypt", "kdfparams": parameters}, password)
    ciphertext = _aes(derived[:16], iv, pair.key)
    return {
        "address": pair.address[2:],
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": parameters,
            "mac": keccak(derived[16:32] + ciphertext).hex(),
        },
        "id": str(uuid.uuid4()),
        "version": 3,
    }


def _derived(crypto: Mapping[str, Any], password: bytes) -> bytes:
    """Return the 32 bytes that a password gives; bounded, so that a changed file costs no day."""
    parameters = crypto["kdfparams"]
    salt = bytes.fromhex(parameters["salt"])
    if parameters["dklen"] != 32:
        raise ValueError("another length than 32")
    if crypto["kdf"] == "pbkdf2":
        rounds = int(parameters["c"])
        if parameters["prf"] != "hmac-sha256" or not 0 < rounds <= _ROUNDS_MAX:
            raise ValueError("pbkdf2 with unusual parameters")
        return hashlib.pbkdf2_hmac("sha256", password, salt, rounds, 32)
    n, r, p = (int(parameters[name]) for name in ("n", "r", "p"))
    if crypto["kdf"] != "scrypt" or not (1 < n <= _WORK_FACTOR_MAX and 0 < r <= 16 and 0 < p <= 16):
        raise ValueError("scrypt with unusual parameters")
    memory = 128 * r * (n + p + 2)
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, dklen=32, maxmem=memory + (1 << 20))


def _aes(key: bytes, iv: bytes, content: bytes) -> bytes:
    """Encrypt, or decrypt, in counter mode: the same thing."""
    from Crypto.Cipher import AES

    if len(iv) != 16:
        raise ValueError("not an iv of 16 bytes")
    cipher = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv)
    return bytes(cipher.encrypt(content))


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
