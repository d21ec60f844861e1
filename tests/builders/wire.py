"""A JSON-RPC server on loopback whose answers are bytes on the wire, written by one function.

Knows no method of any node; stops all that it started when it is closed.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import orjson

Answer = Callable[[Any], bytes | None]

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Dripping(bytes):
    """An answer of which a byte goes out every so many `seconds`."""

    seconds: float


class Wire:
    """Answers each request by `answer`, which gets its JSON and returns what goes on the wire.

    None closes the connection at once; a `ConnectionResetError` out of `answer` resets it.
    """

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self.answer = answer
        self.connections = 0
        self.keeps_alive = True
        self.drip_seconds = 0.0
        """Between one byte of an answer and the next."""
        self.hung_up = threading.Event()
        """Set when a client has gone."""
        self._listener = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._is_closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_closed = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in tuple(self._open):
            _shut(line)
        self._thread.join(5)

    def __enter__(self) -> Any:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _on_path(self, path: str) -> None:
        """See the path of a request before it is answered."""

    def _on_hang_up(self) -> None:
        """Let go of what belongs to one client's connection, in its thread."""

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(line)
            if self._is_closed:
                line.close()
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        try:
            with line, line.makefile("rb") as reader:
                self._answer_all(line, reader)
        except OSError:
            pass
        finally:
            self._open.discard(line)
            self._on_hang_up()
            self.hung_up.set()

    def _answer_all(self, line: socket.socket, reader: Any) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (request := self._read(reader)) is not None:
            try:
                answer = self.answer(request)
            except ConnectionResetError:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                return
            if answer is None:
                return
            keeps_alive = self.keeps_alive
            self._write(line, answer)
            if not keeps_alive:
                return

    def _read(self, reader: Any) -> Any:
        length = 0
        first = reader.readline()
        if not first:
            return None
        self._on_path(first.split()[1].decode())
        while (header := reader.readline().strip()) != b"":
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = reader.read(length)
        # A client that was killed in the middle of its request has asked nothing.
        return orjson.loads(body) if length and len(body) == length else None

    def _write(self, line: socket.socket, answer: bytes) -> None:
        drip_seconds = answer.seconds if isinstance(answer, Dripping) else self.drip_seconds
        if not drip_seconds:
            line.sendall(answer)
            return
        for byte in answer:
            line.sendall(bytes((byte,)))
            time.sleep(drip_seconds)


def http(
    body: bytes, *, status: str = "200 OK", length: int | None = None, headers: str = ""
) -> bytes:
    """Put a body on the wire with the length that it has, or with another."""
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n"
    return head.encode() + headers.encode() + b"\r\n" + body


def chunked(body: bytes) -> bytes:
    """Put a body on the wire in two chunks, without its length."""
    coded = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded + b"0\r\n\r\n"


def _shut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # It may have gone already.
        line.shutdown(socket.SHUT_RDWR)
