"""A real HTTP server that holds one key and speaks web3signer's `eth1` interface, faults included.

The other side of the port: it hashes and signs what it is sent and judges nothing.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import coincurve

from settlement.chain.keccak import keccak

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGN = "/api/v1/eth1/sign/"


@dataclass
class Web3Signer:
    """What the server holds, what it was asked, and how it misbehaves."""

    key: bytes
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    is_repeatable: bool = True
    """Whether the same content gives the same signature (RFC 6979) or another each time."""
    before: Callable[[], None] = lambda: None
    """Called before every signature."""
    change: Callable[[bytes], bytes] = lambda signature: signature
    """Applied to r, s and v before they are told."""
    answer: tuple[int, dict[str, str], bytes] | None = None
    """Told to whoever wants a signature, instead of one."""
    drip_seconds: float = 0.0
    """Pause after each byte of a signature."""
    hangs_up: bool = False
    """Signs, and then breaks the connection off."""
    keys: list[str] | None = None
    is_up: bool = True

    @property
    def identifier(self) -> str:
        """The public key, as web3signer names it: 64 bytes."""
        point = coincurve.PrivateKey(self.key).public_key.format(compressed=False)
        return "0x" + point[1:].hex()

    def sign(self, payload: bytes) -> bytes:
        """r, s and v: 27 or 28."""
        ffi = coincurve._libsecp256k1.ffi
        nonce = (ffi.NULL, ffi.NULL)
        if not self.is_repeatable:
            nonce = (ffi.NULL, ffi.new("unsigned char[32]", os.urandom(32)))
        signed = coincurve.PrivateKey(self.key).sign_recoverable(
            keccak(payload), hasher=None, custom_nonce=nonce
        )
        return bytes(signed[:64] + bytes([signed[64] + 27]))


def upper_s(signature: bytes) -> bytes:
    """The other valid signature: s in the upper half, the other parity."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@contextmanager
def a_web3signer(key: bytes, **changes: Any) -> Iterator[Web3Signer]:
    """A server on a free port of this machine, until left."""
    held = Web3Signer(key, **changes)

    class Call(_Call):
        signer = held

    server = ThreadingHTTPServer(("127.0.0.1", 0), Call)
    held.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Call(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # Head and body are two sends: 40 ms apart with it.
    signer: Web3Signer

    def do_GET(self) -> None:
        self.signer.asked.append(("GET", self.path))
        if self.path == "/upcheck":
            return self._tell(200 if self.signer.is_up else 503, b"OK")
        if self.path == "/api/v1/eth1/publicKeys":
            keys = self.signer.keys if self.signer.keys is not None else [self.signer.identifier]
            return self._tell(200, json.dumps(keys).encode())
        return self._tell(404, b"")

    def do_POST(self) -> None:
        self.signer.asked.append(("POST", self.path))
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.path.startswith(SIGN):
            return self._tell(404, b"")
        if self.path.removeprefix(SIGN).lower() != self.signer.identifier:
            return self._tell(404, b"")
        try:
            payload = bytes.fromhex(json.loads(content)["data"].removeprefix("0x"))
        except (ValueError, KeyError, TypeError):
            return self._tell(400, b"")
        if self.signer.answer is not None:
            status, headers, body = self.signer.answer
            return self._tell(status, body, headers)
        self.signer.before()
        self.signer.payloads.append(payload)
        signature = self.signer.change(self.signer.sign(payload))
        if self.signer.hangs_up:
            self.connection.close()
            return None
        return self._tell(200, f"0x{signature.hex()}".encode())

    def _tell(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in (headers or {"Content-Type": "text/plain; charset=utf-8"}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                if self.signer.drip_seconds and self.command == "POST":
                    time.sleep(self.signer.drip_seconds)
        except OSError:
            self.close_connection = True  # Whoever asked has gone.

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
