"""A node on loopback that lies, stalls and breaks off as a test tells it to."""

from __future__ import annotations

from typing import Any

import orjson

from tests.builders.wire import Answer, Wire, chunked, http


class FaultyNode(Wire):
    """A server on loopback whose answers a test writes; keeps what reaches it.

    By default it answers each call with its own parameters.
    """

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.paths: list[str] = []
        super().__init__(lambda request: http(fair(request)))

    def _read(self, reader: Any) -> Any:
        request = super()._read(reader)
        if request is not None:
            self.requests.append(request)
        return request

    def _on_path(self, path: str) -> None:
        self.paths.append(path)


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
