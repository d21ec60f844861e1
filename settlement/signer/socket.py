"""The signer as its own process: intents over a Unix socket that only its user can open.

One JSON object a line, each way. The server asks its own clock; it believes no time from outside.
"""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from settlement.chain.port import Address, Hash
from settlement.errors import Retryable
from settlement.signer.port import Refusal, Signature, Signer, SigningRequest

_LINE_MAX = 64 * 1024 * 1024
_TIMEOUT_SECONDS = 10
_NAME_BYTES_MAX = 100


class SignerUnreachable(Retryable):
    """The signer's process did not answer: intents wait, nothing is lost."""


class SocketSigner:
    """Implements `Signer` by asking the process behind a socket; one connection per call."""

    def __init__(self, path: Path, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._path, self._timeout_seconds = path, timeout_seconds
        self._address: Address | None = None

    @property
    def address(self) -> Address:
        """The address that the process signs for; asked once."""
        if self._address is None:
            self._address = Address(self._ask({"ask": "address"})["address"])
        return self._address

    def signed_through(self) -> int | None:
        """See `Signer.signed_through`.

        Raises:
            SignerUnreachable: no answer.
        """
        found: int | None = self._ask({"ask": "signed"}).get("signed")
        return found

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        """Ask the process to sign; `now` stays here, it has a clock of its own.

        Raises:
            SignerUnreachable: no answer; whether it signed does not matter, nothing was sent.
        """
        wanted = [
            [each.chain_tx_id, each.max_fee_wei, each.priority_fee_wei, each.as_cancel]
            for each in requests
        ]
        answers = self._ask({"ask": "sign", "requests": wanted}).get("answers", [])
        if len(answers) != len(requests):
            raise SignerUnreachable("the signer's answer is not complete")
        try:
            return [_answer(each) for each in answers]
        except (KeyError, TypeError, ValueError) as error:
            raise SignerUnreachable("the signer's answer cannot be read") from error

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout_seconds)
                with near(self._path) as path:
                    connection.connect(path)
                connection.sendall(orjson.dumps(message) + b"\n")
                with connection.makefile("rb") as stream:
                    line = stream.readline(_LINE_MAX)
            found = orjson.loads(line)
        except (OSError, orjson.JSONDecodeError) as error:
            raise SignerUnreachable(f"the signer at {self._path} does not answer") from error
        if not isinstance(found, dict) or "error" in found:
            said = found["error"] if isinstance(found, dict) else repr(found)
            raise SignerUnreachable(f"the signer says: {str(said)[:300]}")
        return found


def serve(signer: Signer, path: Path, clock: Callable[[], datetime]) -> socketserver.BaseServer:
    """Return a server on a fresh socket at `path`, ready for `serve_forever`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    mask = os.umask(0o177)  # Only this user may ask.
    try:
        with near(path) as name:
            return _Server(name, signer, clock)
    finally:
        os.umask(mask)


@contextlib.contextmanager
def near(path: Path) -> Iterator[str]:
    """Yield a name for a socket's file that the system takes: it knows none of over 107 bytes.

    Raises:
        OSError: the folder is not there, or the system has no other name for it.
    """
    if len(os.fsencode(path)) <= _NAME_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Listens to every caller, so that a silent one blocks nobody; signs for one at a time."""

    daemon_threads = True
    request_queue_size = 128  # Five callers at once would be too many for the usual queue.

    def __init__(self, path: str, signer: Signer, clock: Callable[[], datetime]) -> None:
        self.signer, self.clock = signer, clock
        self.signing = threading.Lock()  # One key, one memory of slots.
        super().__init__(path, _Call)


class _Call(socketserver.StreamRequestHandler):
    """One request, one answer."""

    timeout = _TIMEOUT_SECONDS
    server: _Server

    def handle(self) -> None:
        try:
            message = orjson.loads(self.rfile.readline(_LINE_MAX))
            answer = self._answer(message)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            answer = {"error": "not a request that this signer knows"}
        except TimeoutError:
            return  # A caller that asked nothing.
        except Retryable as error:
            answer = {"error": str(error)}
        with contextlib.suppress(OSError):  # The caller may be gone; it will ask again.
            self.wfile.write(orjson.dumps(answer) + b"\n")

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["ask"] == "address":
            return {"address": self.server.signer.address}
        if message["ask"] == "signed":
            with self.server.signing:
                return {"signed": self.server.signer.signed_through()}
        requests = [SigningRequest(str(r[0]), int(r[1]), int(r[2]), bool(r[3]))
                    for r in message["requests"]]  # fmt: skip
        with self.server.signing:
            answers = self.server.signer.sign(requests, self.server.clock())
        return {
            "answers": [
                {"id": each.chain_tx_id, "refused": each.reason, "ended": each.ended}
                if isinstance(each, Refusal)
                else {
                    "id": each.chain_tx_id,
                    "hash": each.hash,
                    "raw": each.raw.hex(),
                    "fees": [each.max_fee_wei, each.priority_fee_wei],
                }
                for each in answers
            ]
        }


def _answer(found: dict[str, Any]) -> Signature | Refusal:
    if "refused" in found:
        return Refusal(found["id"], found["refused"], bool(found.get("ended")))
    max_fee_wei, priority_fee_wei = found.get("fees", (None, None))
    return Signature(
        found["id"], Hash(found["hash"]), bytes.fromhex(found["raw"]), max_fee_wei, priority_fee_wei
    )
