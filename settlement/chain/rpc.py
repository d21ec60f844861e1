"""JSON-RPC over one kept-alive HTTP connection: batches, bounds, a deadline, one kind of failure.

Knows no method of any node and retries nothing: one call here is at most one request on the wire.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import orjson

from settlement.errors import ChainUnreachable, Invalid

MAX_RESPONSE_BYTES = 256 * 1024 * 1024
_BUFFER_BYTES = 64 * 1024
_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RpcError:
    """A node's own refusal of one call: it was understood and answered."""

    code: int
    message: str
    data: str = ""


class JsonRpc:
    """A node's address and the connection to it. Threads that ask at once take turns.

    `timeout_seconds` bounds a whole exchange, from the first byte sent to the last one read.
    """

    def __init__(
        self, url: str, timeout_seconds: float, max_response_bytes: int = MAX_RESPONSE_BYTES
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid("the node's address is no http:// or https:// address", field="rpc")
        if parts.username is not None:
            raise Invalid("a node's address with a user in it is not supported", field="rpc")
        # Providers put keys into the path, and what is called by this name ends up in logs.
        self.place = f"{parts.scheme}://{parts.netloc}"
        self._timeout_seconds = timeout_seconds
        self._max_response_bytes = max_response_bytes
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kind = _HttpsLine if parts.scheme == "https" else _HttpLine
        self._line = kind(parts.hostname, parts.port, timeout=timeout_seconds)
        self._next_id = 0
        self._turn = Lock()

    def call(self, method: str, *params: object) -> Any:
        """Return the result of one call.

        Raises:
            ChainUnreachable: no readable answer, or the node refused.
        """
        answer = self.answers([(method, params)])[0]
        if isinstance(answer, RpcError):
            raise ChainUnreachable(
                f"the node at {self.place} refused {method}: {answer.message} ({answer.code})"
            )
        return answer

    def answers(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Return per call its result or an `RpcError`, in the order of the calls; one request.

        Raises:
            ChainUnreachable: no readable answer, or not exactly one answer to each call.
        """
        if not calls:
            return []
        with self._turn:
            return self._answers(calls)

    def _answers(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        first_id = self._next_id
        self._next_id += len(calls)
        requests = [
            {"jsonrpc": "2.0", "id": first_id + place, "method": method, "params": params}
            for place, (method, params) in enumerate(calls)
        ]
        single = len(requests) == 1
        body = self._exchange(orjson.dumps(requests[0] if single else requests))
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise self._unreadable(f"no JSON ({error}): {_start_of(body)}") from error
        answers = found if isinstance(found, list) else [found]
        if not single and not isinstance(found, list):
            raise self._unreadable(f"one answer to {len(calls)} calls: {_start_of(body)}")
        return self._in_order(answers, first_id, len(calls))

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._line.close()

    def _in_order(self, answers: list[Any], first_id: int, count: int) -> list[Any]:
        results: list[Any] = [_MISSING] * count
        for answer in answers:
            place = answer.get("id") if isinstance(answer, dict) else None
            if not isinstance(place, int) or not first_id <= place < first_id + count:
                raise self._unreadable(f"an answer to a call that was not made (id {place!r})")
            if results[place - first_id] is not _MISSING:
                raise self._unreadable(f"two answers to the call {place}")
            results[place - first_id] = self._result(answer)
        if _MISSING in results:
            raise self._unreadable(f"no answer to {results.count(_MISSING)} of {count} calls")
        return results

    def _result(self, answer: dict[str, Any]) -> Any:
        error = answer.get("error")
        if error is not None:
            if not isinstance(error, dict):
                raise self._unreadable(f"an error of a wrong shape: {error!r:.200}")
            data = error.get("data")
            return RpcError(
                code=error["code"] if isinstance(error.get("code"), int) else 0,
                message=str(error.get("message", "")),
                data=data if isinstance(data, str) else "",
            )
        if "result" not in answer:
            raise self._unreadable("an answer with neither result nor error")
        return answer["result"]

    def _exchange(self, request: bytes) -> bytes:
        """Send one request, return its answer's body; leave no half-read connection behind."""
        try:
            body = self._line.exchange(
                self._path, request, self._timeout_seconds, self._max_response_bytes
            )
        except _BadStatusError as error:
            self._line.close()
            raise ChainUnreachable(f"the node at {self.place} {error}") from error
        except (OSError, http.client.HTTPException) as error:
            self._line.close()
            raise ChainUnreachable(
                f"the node at {self.place} did not answer: {type(error).__name__} {error}".rstrip()
            ) from error
        except BaseException:
            self._line.close()
            raise
        return body

    def _unreadable(self, what: str) -> ChainUnreachable:
        # The stream may be out of step with the calls, so the next call starts on a new one.
        self._line.close()
        return ChainUnreachable(f"the node at {self.place} gave {what}")


_MISSING = object()


class _BadStatusError(Exception):
    """The server answered, but not with a JSON-RPC answer."""


class _DeadlineSocket:
    """A socket whose every read gets only what is left of the exchange's time.

    A plain time-out starts anew with each byte, so that a server that drips would hold us for ever.
    """

    def __init__(self, inner: socket.socket) -> None:
        self.inner = inner
        self.deadline = 0.0
        self.sendall = inner.sendall
        self.close = inner.close

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self), _BUFFER_BYTES)


class _DeadlineReader(io.RawIOBase):
    def __init__(self, line: _DeadlineSocket) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._line.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole answer is over")
        self._line.inner.settimeout(left)
        return self._line.inner.recv_into(buffer)


class _LineMixin(http.client.HTTPConnection):
    sock: Any  # None, or a _DeadlineSocket

    def connect(self) -> None:
        super().connect()
        self.sock = _DeadlineSocket(self.sock)

    def exchange(self, path: str, request: bytes, seconds: float, max_bytes: int) -> bytes:
        if self.sock is not None and _is_readable(self.sock.inner):
            # While idle: the server has closed it, or says what nobody asked for.
            self.close()
        if self.sock is None:
            self.connect()
        self.sock.deadline = time.monotonic() + seconds
        self.sock.inner.settimeout(seconds)
        self.request("POST", path, request, _HEADERS)
        response = self.getresponse()
        body = _read_bounded(response, max_bytes)
        response.close()
        if response.status != 200:
            kind = _STATUS_WORDS.get(response.status, "an HTTP failure")
            raise _BadStatusError(f"answered {response.status}, {kind}: {_start_of(body)}")
        return body


class _HttpLine(_LineMixin):
    pass


class _HttpsLine(_LineMixin, http.client.HTTPSConnection):
    pass


_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_STATUS_WORDS = {401: "a key is needed", 403: "not allowed", 429: "a rate limit"}


def _is_readable(line: socket.socket) -> bool:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(0))


def _read_bounded(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    expected = response.length
    if expected is not None and expected > max_bytes:
        raise _BadStatusError(f"answered with {expected} bytes, more than {max_bytes}")
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(_READ_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise _BadStatusError(f"answered with more than {max_bytes} bytes")
    if expected is not None and size < expected:
        raise _BadStatusError(f"broke off its answer after {size} of {expected} bytes")
    return b"".join(chunks)


def _start_of(body: bytes) -> str:
    return repr(body[:120].decode("utf-8", "replace"))
