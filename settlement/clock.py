"""Time and ids as values: aware UTC time stored as microseconds, time-ordered ids with a prefix.

Reads no clock on its own; `gateway` owns the system's clock and hands in `now` and `Ids`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NewType

import uuid_utils

Micros = NewType("Micros", int)
"""Microseconds since 1970-01-01T00:00:00Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Ids = Callable[[str], str]
"""Gives a new id for a prefix: `ids("inv")` is `inv_` and 32 hexadecimal digits, by time."""


def to_micros(moment: datetime) -> int:
    """Return microseconds since the epoch of an aware moment."""
    assert moment.tzinfo is not None, "only aware times are stored"
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC moment of `micros`."""
    return _EPOCH + micros * _MICROSECOND


def iso(micros: int) -> str:
    """Return ISO 8601 with `Z`, as shown at the doors."""
    return from_micros(micros).isoformat().replace("+00:00", "Z")


def new_id(prefix: str) -> str:
    """Return a new time-ordered id (UUID version 7). Source: RFC 9562, 5.7."""
    return f"{prefix}_{uuid_utils.uuid7().hex}"


def uuid_bytes(identifier: str) -> bytes:
    """Return the 16 bytes behind an id such as `stl_0192…`."""
    return bytes.fromhex(identifier.rpartition("_")[2])


def counted_ids(start: int = 1) -> Ids:
    """Return ids that count upward: the same in every run, for tests and simulation."""
    numbers: Iterator[int] = iter(range(start, 2**62))
    return lambda prefix: f"{prefix}_{next(numbers):032x}"
