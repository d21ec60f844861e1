"""Structured logs: one JSON object a line on standard error, with the request's id.

Never holds a key, a body or a header; paths are shown as templates.
"""

from __future__ import annotations

import asyncio
import errno
import sys
from collections.abc import Callable
from datetime import datetime
from typing import IO, Any, AnyStr, BinaryIO, Generic, TextIO, cast

import orjson
import structlog

GATHER_SECONDS = 0.2

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

Log = structlog.typing.FilteringBoundLogger


class Unfailing(Generic[AnyStr]):
    """A stream whose lines are lost where the disk takes none: nobody's work ends for a log."""

    def __init__(self, stream: IO[AnyStr]) -> None:
        self._stream: IO[AnyStr] = stream

    def write(self, words: AnyStr) -> None:
        """Write, if there is room."""
        self._or_lose(lambda: self._stream.write(words))

    def flush(self) -> None:
        """Write what is gathered, if there is room."""
        self._or_lose(self._stream.flush)

    def _or_lose(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise


def log_in_words() -> None:
    """Let everything that logs without more write words for people to standard output."""
    stream = cast(TextIO, Unfailing(sys.stdout))
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(stream))


def open_log(stream: BinaryIO | None = None) -> Log:
    """Return a logger that writes to `stream` (default: standard error)."""
    log: Log = structlog.wrap_logger(
        structlog.BytesLogger(cast(BinaryIO, Unfailing(stream or sys.stderr.buffer))),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without local variables: among them are headers with keys, and bodies.
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        cache_logger_on_first_use=True,
    )
    return log


class RequestLog:
    """A line for each answered request, as `open_log` writes them; gathered for a moment.

    Made by hand: there are thousands a second, and the logger's steps would cost a tenth of each.
    """

    def __init__(self, stream: BinaryIO | None, clock: Callable[[], datetime]) -> None:
        self._stream = Unfailing(stream or sys.stderr.buffer)
        self._clock = clock
        self._lines: list[bytes] = []
        self._flush: asyncio.TimerHandle | None = None

    def add(self, **fields: str | int | float | None) -> None:
        """Note a request; its line is written within `GATHER_SECONDS`."""
        entry = {**fields, "event": "request", "level": "info", "timestamp": self._clock()}
        self._lines.append(orjson.dumps(entry, option=orjson.OPT_UTC_Z))
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what was gathered."""
        self._flush = None
        if self._lines:
            self._stream.write(b"\n".join(self._lines) + b"\n")
            self._stream.flush()
            self._lines.clear()


def _json(entry: dict[str, Any], **_options: Any) -> bytes:
    return orjson.dumps(entry, default=repr)
