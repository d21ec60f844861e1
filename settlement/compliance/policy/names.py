"""How names are compared. Knows no list."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile("[a-z0-9]+")


@lru_cache(maxsize=16_384)
def fold(name: str) -> str:
    """Return a name as it is compared: case, accents, white space and punctuation do not count."""
    return fold_once(name)


def fold_once(name: str) -> str:
    """Return the same without keeping it in mind: for whole lists, longer than what is kept."""
    if name.isascii():
        return " ".join(_WORD.findall(name.lower()))
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = (letter for letter in letters if not unicodedata.combining(letter))
    return " ".join("".join(each if each.isalnum() else " " for each in plain).split())
