"""AUDIT: the trail of every act is one chain of hashes, with no event edited, gone or moved.

Also a command, `python -m settlement.verify.audit_chain`, which reads nothing else and can look for
a head that was noted elsewhere: a trail that was cut off at its end tells nothing of it by itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from settlement.verify.database import Database
from settlement.verify.findings import Finding
from settlement.verify.rpc import NotJudged

HOLDS, BROKEN, NOT_JUDGED = 0, 1, 2

_FIRST = "0" * 64
_EVENTS = (
    "SELECT seq, at, hand, role, key_prefix, act, subjects, origin, request_id, idempotency_key,"
    " body_hash, outcome, problem, repeated, changes, prev_hash, hash FROM audit_event ORDER BY seq"
)
_SUBJECTS = "SELECT seq, subject FROM audit_subject ORDER BY seq, subject"
_HEAD = "SELECT seq, hash FROM audit_head"


@dataclass(slots=True)
class Trail:
    """How far the chain holds."""

    events: int = 0
    head: str = _FIRST
    bad_event: int | None = None
    reason: str | None = None
    noted: int | None = None
    """Where the head that was noted elsewhere stands."""

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the trail."""
        return self.reason is None


def read(database: Database, noted_head: str | None = None) -> Trail:
    """Return the verdict on the whole trail; it ends at the first bad event.

    Raises:
        NotJudged: the database cannot be read.
    """
    trail = Trail()
    subjects = database.stream(_SUBJECTS)
    found = next(subjects, None)
    for seq, *fields, prev_hash, digest in database.stream(_EVENTS):
        of_event: list[str] = []
        while found is not None and found[0] <= seq:
            if found[0] == seq:
                of_event.append(found[1])
            else:
                of_event.append(f"of event {found[0]}, which is not there")
            found = next(subjects, None)
        fault = _fault(trail, (seq, *fields), prev_hash, digest, of_event)
        if fault is not None:
            trail.bad_event, trail.reason = trail.events + 1, fault
            return trail
        trail.events, trail.head = seq, digest
        if digest == noted_head:
            trail.noted = seq
    ((seq, digest),) = database.rows(_HEAD) or [(None, None)]
    if found is not None:
        trail.bad_event, trail.reason = found[0], "the event is missing that a subject stands for"
    elif (seq, digest) != (trail.events, trail.head):
        trail.bad_event = trail.events + 1
        trail.reason = f"the head is kept as event {seq}: what came after was cut off, or edited"
    elif noted_head is not None and trail.noted is None:
        trail.reason = f"no event has the hash {noted_head}: cut off at its end, or another trail"
    return trail


def audit(database: Database) -> Finding:
    """Return the check AUDIT."""
    finding = Finding("AUDIT", "every act stands in one chain of hashes")
    trail = read(database)
    finding.counts = {"events": trail.events, "head": trail.head}
    if trail.reason is not None:
        finding.against(f"event {trail.bad_event}: {trail.reason}")
    return finding


def _fault(
    before: Trail, hashed: tuple[Any, ...], prev_hash: str, digest: str, subjects: list[str]
) -> str | None:
    """Say what is wrong with an event; None for nothing. Pure."""
    seq = hashed[0]
    if seq != before.events + 1:
        return f"it is missing: after {before.events} comes {seq}"
    if prev_hash != before.head:
        return f"its prev_hash is not the hash of event {before.events}"
    text = json.dumps([prev_hash, *hashed], ensure_ascii=False, separators=(",", ":"))
    if sha256(text.encode()).hexdigest() != digest:
        return "its hash is not that of its fields: one of them was edited"
    if sorted(set(json.loads(hashed[6]))) != sorted(subjects):
        return "its subjects cannot be found by, as they are named in it"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Judge, print, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="settle audit verify", description="Check the whole trail of acts."
    )
    parser.add_argument("--database", required=True, help="sqlite:///file or postgresql://…")
    parser.add_argument("--head", help="the hash of an event that you noted: is it still there?")
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    asked = parser.parse_args(arguments)
    try:
        database = Database(asked.database)
        try:
            trail = read(database, asked.head)
        finally:
            database.close()
    except NotJudged as error:
        print(f"verify: not judged: {error}", file=sys.stderr)
        return NOT_JUDGED
    answer = {
        "holds": trail.holds,
        "events": trail.events,
        "head": trail.head,
        "bad_event": trail.bad_event,
        "reason": trail.reason,
        "noted": trail.noted,
    }
    if asked.json:
        print(json.dumps(answer))
    else:
        for name, value in answer.items():
            if value is not None:
                print(f"{name.replace('_', ' '):<10} {value}")
    return HOLDS if trail.holds else BROKEN


if __name__ == "__main__":
    sys.exit(main())
