"""What a key is, by its shape: each kind of thing on the way has a shape of its own.

Looks nothing up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class KeyKind(StrEnum):
    """The things that a journey can be found by."""

    INVOICE = "invoice"
    SETTLEMENT = "settlement"
    CLEARANCE = "clearance"
    CHAIN_TX = "chain_tx"
    BREAK = "break"
    ENTRY = "entry"
    MATCH = "match"
    LOG = "log"
    HASH = "hash"
    """A reference, the hash of any attempt or mined chain transaction, or of a block."""
    DOCUMENT = "document"
    WORDS = "words"
    """An end-to-end id or an invoice's number."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key taken apart; `text` is what is looked up, `number` the counted part of it."""

    kind: KeyKind
    text: str
    number: int = 0


_PREFIXES = {
    "inv": KeyKind.INVOICE,
    "stl": KeyKind.SETTLEMENT,
    "clr": KeyKind.CLEARANCE,
    "ctx": KeyKind.CHAIN_TX,
    "brk": KeyKind.BREAK,
}
_ID = re.compile(r"(inv|stl|clr|ctx|brk)_[0-9a-f]{32}\Z")
_COUNTED = re.compile(r"(je|match)_([1-9][0-9]{0,17})\Z")
_LOG = re.compile(r"(?:log:)?(0x[0-9a-f]{64}):([0-9]{1,9})(?::[0-9]+)?\Z")
_HASH = re.compile(r"0x[0-9a-f]{64}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def parse_key(text: str) -> Key:
    """Return what `text` is. Hexadecimal may come in capitals; anything else is taken as words.

    `log:<block hash>:<log index>` and `<block hash>:<log index>` name a log, `je_12` a journal
    entry, `match_12` a match, 64 digits without 0x a document's SHA-256.
    """
    plain = text.strip()
    folded = plain.lower()
    if _ID.match(folded):
        return Key(_PREFIXES[folded[:3]], folded)
    if found := _COUNTED.match(folded):
        kind = KeyKind.ENTRY if found.group(1) == "je" else KeyKind.MATCH
        return Key(kind, folded, int(found.group(2)))
    if found := _LOG.match(folded):
        return Key(KeyKind.LOG, found.group(1), int(found.group(2)))
    if _HASH.match(folded):
        return Key(KeyKind.HASH, folded)
    if _DIGEST.match(folded):
        return Key(KeyKind.DOCUMENT, folded)
    return Key(KeyKind.WORDS, plain)
