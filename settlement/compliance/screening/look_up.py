"""By what words and names are looked up: what two spellings of one word have in common.

Compares nothing.
"""

from __future__ import annotations

from settlement.compliance.screening.names import Name
from settlement.compliance.screening.spelling import consonants, sound
from settlement.compliance.screening.vocabulary import vocabulary

LONG_WORD = 7
_PREFIX = 4
_TURNED_MAX = 4


def keys(word: str) -> set[str]:
    """Return what two spellings of one word share at least one of."""
    keys = {f"={word}"}
    if len(word) == 1 or word.isdigit():
        return keys
    for heard in {word, sound(word)}:
        keys.add(heard)
        if len(heard) > _PREFIX:
            keys.add(f"<{heard[:_PREFIX]}")
        if len(heard) > 2:
            keys.update([heard[:at] + heard[at + 1 :] for at in range(len(heard))])
    left = consonants(word)
    if len(left) > 2:
        keys.add(f"+{left}")
    if len(word) >= LONG_WORD and len(left) > 3:
        keys.update([f"+{left[:at]}{left[at + 1 :]}" for at in range(len(left))])
    return keys


def listed_keys(word: str) -> set[str]:
    """Return what a listed word is found by: also by what it is known to stand for."""
    kin = vocabulary().nicknames.get(word, ())
    return keys(word) | {f"#{number}" for number in kin} | {f"-{consonants(word)}"}


def turned(name: Name) -> set[str]:
    """Return a name without spaces, from each of its words on."""
    if not name.words:
        return set()
    words = name.words
    turns = range(len(words)) if len(words) <= _TURNED_MAX else (0,)
    return {"".join(words[at:] + words[:at]) for at in turns} | {name.joined}
