"""An act as the trail keeps it, and the text that is hashed. Pure.

The hash of an event is SHA-256, as 64 lower-case hexadecimal digits, over the UTF-8 bytes of one
JSON array without white space, non-ASCII characters as themselves, null for what is absent:

    [prev_hash, seq, at, hand, role, key_prefix, act, subjects, origin, request_id,
     idempotency_key, body_hash, outcome, problem, repeated, changes]

`prev_hash` is the hash of the event with `seq - 1`, and 64 zeros for seq 1. `subjects` and
`changes` are the stored texts, whole. `at` is microseconds since 1970 UTC. This text is a promise:
checkers recompute it with code of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

FIRST_PREV_HASH = "0" * 64
SUBJECTS_MAX = 2_000

Changes = Mapping[str, Mapping[str, tuple[Any, Any]]]
"""Subject, field, (before, after)."""


class Act(NamedTuple):
    """Who did what, about which ids, from where, and how it ended."""

    hand: str
    """The person, or the machine's key; `os:…` for whoever stands at the machine."""
    role: str
    act: str
    subjects: tuple[str, ...] = ()
    outcome: str = "done"
    key_prefix: str = ""
    origin: str = ""
    """The client's address, of a person sealed: `sealed(…)`."""
    request_id: str | None = None
    idempotency_key: str | None = None
    body_hash: str | None = None
    problem: str | None = None
    repeated: int = 1
    changes: Changes | None = None


def sealed(value: bytes) -> str:
    """Return how a value that was sealed under a person's key stands in the trail."""
    return f"sealed:{value.hex()}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ, each with what it was and what it is."""
    return {
        name: (before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def row_of(act: Act, *, seq: int, at: int, prev_hash: str) -> tuple[Any, ...]:
    """Return the event's row with its hash, in the order of the columns."""
    changes = None
    if act.changes:
        changes = orjson.dumps(act.changes, option=orjson.OPT_SORT_KEYS, default=str).decode()
    hashed = (
        seq, at, act.hand, act.role, act.key_prefix, act.act,
        orjson.dumps(act.subjects[:SUBJECTS_MAX]).decode(), act.origin, act.request_id,
        act.idempotency_key, act.body_hash, act.outcome, act.problem, act.repeated, changes,
    )  # fmt: skip
    digest = sha256(orjson.dumps((prev_hash, *hashed))).hexdigest()
    return (*hashed, prev_hash, digest)
