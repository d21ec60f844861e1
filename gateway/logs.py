"""Structured logs: one JSON object a line on standard error, with the request's id.

Never holds a key, a body or a header; paths are shown as templates.
"""

from __future__ import annotations

import sys
from typing import Any, BinaryIO

import orjson
import structlog

Log = structlog.typing.FilteringBoundLogger


def open_log(stream: BinaryIO | None = None) -> Log:
    """Return a logger that writes to `stream` (default: standard error)."""
    log: Log = structlog.wrap_logger(
        structlog.BytesLogger(stream or sys.stderr.buffer),
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


def _json(entry: dict[str, Any], **_options: Any) -> bytes:
    return orjson.dumps(entry, default=repr)
