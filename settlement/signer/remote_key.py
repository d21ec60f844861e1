"""A key that a remote signer holds, asked over web3signer's `eth1` interface; implements KeyHolder.

The remote decides nothing: limits, clearances and slots are judged before it is asked. Repeats no
request by itself and follows no redirect. Source: web3signer, openapi-specs/eth1 (version 1.1.0).
"""

from __future__ import annotations

import contextlib
import http
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from settlement.chain.keccak import keccak
from settlement.chain.port import Address
from settlement.chain.signing import recovered
from settlement.errors import Invalid, Retryable
from settlement.signer.port import SignatureInvalid

TIMEOUT_SECONDS = 5.0
_ANSWER_MAX = 1 << 20
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_JSON = {"Content-Type": "application/json", "Accept": "*/*"}


class RemoteSignerUnreachable(Retryable):
    """The remote signer gave no signature: intents wait, nothing is lost."""


class RemoteKey:
    """One key of a remote signer, found by its address among those that it names."""

    def __init__(self, url: str, address: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Hold where to ask. Asks nothing yet.

        Raises:
            Invalid: not an https address; plain http is for this machine only.
        """
        self._remote = _Remote(url, timeout_seconds)
        self._address = Address(address.lower())
        self._identifier: str | None = None

    @property
    def address(self) -> Address:
        """The key's address."""
        return self._address

    def require(self) -> None:
        """Ask whether the remote is up and holds the key.

        Raises:
            RemoteSignerUnreachable: it does not answer, or does not hold it.
        """
        self._remote.ask("GET", "/upcheck")
        self._found()

    def sign(self, payload: bytes) -> bytes:
        """See `KeyHolder.sign`.

        Raises:
            RemoteSignerUnreachable: no answer in time, an error, or it does not hold the key.
            SignatureInvalid: another key's signature, or one that a node would not take.
        """
        told = self._remote.ask(
            "POST", f"/api/v1/eth1/sign/{self._found()}", {"data": "0x" + payload.hex()}
        )
        signature = _decoded(told)
        try:
            signer = recovered(payload, signature)
        except ValueError as error:
            raise SignatureInvalid(f"the remote signer's answer: {error}") from error
        if signer != self._address:
            raise SignatureInvalid(f"the remote signer signed as {signer}, not as {self._address}")
        return signature

    def _found(self) -> str:
        """Return the name that the remote has for the key: its public key."""
        if self._identifier is None:
            try:
                named = json.loads(self._remote.ask("GET", "/api/v1/eth1/publicKeys"))
                held = {_address(each): str(each) for each in named}
            except (ValueError, TypeError) as error:
                raise RemoteSignerUnreachable(
                    f"{self._remote.place} names its keys in a way that cannot be read"
                ) from error
            if self._address not in held:
                raise RemoteSignerUnreachable(
                    f"{self._remote.place} does not hold the key of {self._address},"
                    f" only of {_listed(sorted(held))}"
                )
            self._identifier = held[self._address]
        return self._identifier


class _Remote:
    """The one host that is ever asked; a connection of its own for each question."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        try:
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port = "", None
        if parts.scheme not in ("http", "https") or not host or parts.username or parts.query:
            raise Invalid(f"{url!r} is no address of a remote signer", field="remote-signer")
        if parts.scheme == "http" and host not in _LOOPBACK:
            raise Invalid(
                f"the remote signer {host} would be asked without encryption",
                field="remote-signer",
                repair="give an https address; plain http is for this machine only",
            )
        self._is_encrypted, self._host, self._port = parts.scheme == "https", host, port
        self._base, self._timeout_seconds = parts.path.rstrip("/"), timeout_seconds
        self.place = f"the remote signer at {host}{f':{port}' if port else ''}"

    def ask(self, method: str, path: str, content: dict[str, str] | None = None) -> bytes:
        """Return the answer's body.

        Raises:
            RemoteSignerUnreachable: none in time, or any status but 200.
        """
        connection = self._open()
        body = None if content is None else json.dumps(content)
        try:
            connection.connect()
            # The time-out is of one read; an answer that drips is cut off as a whole.
            end = threading.Timer(self._timeout_seconds, _cut, [connection.sock])
            end.start()
            try:
                connection.request(method, self._base + path, body, _JSON)
                answer = connection.getresponse()
                told = answer.read(_ANSWER_MAX)
                if answer.length or not end.is_alive():
                    raise TimeoutError("the answer broke off")
            finally:
                end.cancel()
        except (OSError, http.client.HTTPException) as error:
            raise RemoteSignerUnreachable(
                f"{self.place} does not answer ({type(error).__name__})"
            ) from error
        finally:
            connection.close()
        if answer.status == http.HTTPStatus.NOT_FOUND and content is not None:
            raise RemoteSignerUnreachable(f"{self.place} no longer holds the key (404)")
        if answer.status != http.HTTPStatus.OK:
            raise RemoteSignerUnreachable(f"{self.place} answers with status {answer.status}")
        return told

    def _open(self) -> http.client.HTTPConnection:
        if self._is_encrypted:
            return http.client.HTTPSConnection(
                self._host,
                self._port,
                timeout=self._timeout_seconds,
                context=ssl.create_default_context(),
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_seconds)


def _cut(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _decoded(told: bytes) -> bytes:
    """Return r, s and the parity from r, s and v; web3signer says 27 or 28 for 0 or 1.

    Raises:
        SignatureInvalid: not 65 bytes in hexadecimal.
    """
    try:
        signature = bytes.fromhex(told.decode("ascii").strip().strip('"').removeprefix("0x"))
    except ValueError:
        raise SignatureInvalid("the remote signer's answer is no signature") from None
    if len(signature) != 65:
        raise SignatureInvalid(f"the remote signer's signature has {len(signature)} bytes, not 65")
    parity = signature[64] - 27 if signature[64] >= 27 else signature[64]
    if parity not in (0, 1):
        raise SignatureInvalid(f"the remote signer's v is {signature[64]}")
    return signature[:64] + bytes([parity])


def _address(public_key: Any) -> Address:
    """Return the address of an uncompressed public key, with or without its prefix byte 04."""
    point = bytes.fromhex(str(public_key).removeprefix("0x"))
    if len(point) == 65 and point[0] == 4:
        point = point[1:]
    if len(point) != 64:
        raise ValueError("not an uncompressed public key")
    return Address("0x" + keccak(point)[12:].hex())


def _listed(addresses: Sequence[str]) -> str:
    return ", ".join(addresses[:5]) or "none"
