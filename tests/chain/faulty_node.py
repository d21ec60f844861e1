"""A node on loopback that lies, stalls and breaks off as a test tells it to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import orjson

Answer = Callable[[Any], bytes | None]


class FaultyNode:
    """A server on loopback whose answers a test writes; counts what reaches it.

    `answer` gets a request's JSON and returns the bytes to put on the wire; None closes at once.
    """

    def __init__(self) -> None:
        self.answer: Answer = lambda request: http(fair(request))
        self.requests: list[Any] = []
        self.paths: list[str] = []
        self.connections = 0
        self.keeps_alive = True
        self.drip_seconds = 0.0
        self.hung_up = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self._open:
            line.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(line)
            self.connections += 1
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        self._answer_all(line)
        self.hung_up.set()

    def _answer_all(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as reader:
            try:
                while (request := self._read(reader)) is not None:
                    self.requests.append(request)
                    answer = self.answer(request)
                    if answer is None:
                        return
                    keeps_alive = self.keeps_alive
                    self._write(line, answer)
                    if not keeps_alive:
                        return
            except OSError:
                return

    def _read(self, reader: Any) -> Any:
        length = 0
        first = reader.readline()
        if not first:
            return None
        self.paths.append(first.split()[1].decode())
        while (header := reader.readline().strip()) != b"":
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return orjson.loads(reader.read(length))

    def _write(self, line: socket.socket, answer: bytes) -> None:
        if not self.drip_seconds:
            line.sendall(answer)
            return
        for byte in answer:
            line.sendall(bytes((byte,)))
            time.sleep(self.drip_seconds)


def http(body: bytes, *, status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


def chunked(body: bytes) -> bytes:
    """Put a body on the wire in two chunks, without its length."""
    coded = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded + b"0\r\n\r\n"


def fair(request: Any) -> bytes:
    """Answer each call with its own parameters."""
    if isinstance(request, list):
        return orjson.dumps([{"id": each["id"], "result": each["params"]} for each in request])
    return orjson.dumps({"id": request["id"], "result": request["params"]})


def _other_id(request: Any) -> bytes:
    return http(orjson.dumps({"id": request["id"] + 1, "result": "0x1"}))


def one(**fields: Any) -> Answer:
    return lambda request: http(orjson.dumps({"id": request["id"], **fields}))


FAULTS: dict[str, Answer] = {
    "closes without a word": lambda request: None,
    "a server failure": lambda request: http(b"oops", status="502 Bad Gateway"),
    "a page for people": lambda request: http(b"<html><body>hello</body></html>"),
    "a rate limit": lambda request: http(b"slow down", status="429 Too Many Requests"),
    "JSON cut short": lambda request: http(fair(request)[:-3]),
    "less than announced": lambda request: http(fair(request), length=9_000),
    "nothing": lambda request: http(b""),
    "another call's id": _other_id,
    "no id": lambda request: http(b'{"result": 1}'),
    "an id that is text": lambda request: http(b'{"id": "0", "result": 1}'),
    "no result": one(),
    "an error that is text": one(error="no"),
    "a refusal": one(error={"code": -32005, "message": "limit exceeded"}),
    "a list of nothing": lambda request: http(b"[]"),
    "a number": lambda request: http(b"1"),
    "more than is read": lambda request: http(fair(request) + b" " * 60_000),
    "more than is read, unannounced": lambda request: chunked(fair(request) + b" " * 60_000),
    "no HTTP": lambda request: b"220 mail.example ESMTP\r\n\r\n",
}
