"""The process that judges XML and PDF documents: one rulebook, one document at a time.

Reads frames from standard input and answers on standard output: four bytes of length, then content.
Holds no queue and no clock; `rules_engine` starts it, feeds it and ends it.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO

import orjson

from settlement.documents.errors import (
    DocumentRejected,
    DocumentTooLarge,
    DocumentUnreadable,
    RuleFailure,
    UnknownDocumentType,
)
from settlement.documents.model import InvoiceDocument, from_json

LENGTH = struct.Struct(">I")

_REFUSALS = {
    kind.__name__: kind
    for kind in (DocumentRejected, DocumentTooLarge, DocumentUnreadable, UnknownDocumentType)
}


def main(memory_mb: int) -> None:
    """Open the rulebook, say so with an empty frame, answer until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Private writable memory: a bomb ends this process, not the machine.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))
    from settlement.documents.official import read_official
    from settlement.documents.rulebook import Rulebook

    source, target = sys.stdin.buffer, sys.stdout.buffer
    rulebook = Rulebook()
    # Saxon reports to standard error what we take from its exception; Python keeps the real one.
    sys.stderr = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    _write(target, b"")
    while True:
        header = source.read(LENGTH.size)
        if len(header) < LENGTH.size:
            return
        content = source.read(LENGTH.unpack(header)[0])
        answer: dict[str, Any]
        try:
            answer = {"document": read_official(content, rulebook)}
        except DocumentRejected as refusal:
            answer = {"refused": type(refusal).__name__, "failures": refusal.failures}
        _write(target, orjson.dumps(answer))


def outcome_of(frame: bytes) -> InvoiceDocument | DocumentRejected:
    """Return what a worker's answer says: the record, or the refusal."""
    answer: dict[str, Any] = orjson.loads(frame)
    if "document" in answer:
        return from_json(answer["document"])
    failures = [RuleFailure(**failure) for failure in answer["failures"]]
    return _REFUSALS[answer["refused"]](failures)


def _write(target: BinaryIO, frame: bytes) -> None:
    target.write(LENGTH.pack(len(frame)) + frame)
    target.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
