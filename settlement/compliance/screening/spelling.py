"""How alike two words are: spelled, sounded, by their consonants, or known to be one.

Knows words alone; what a name is made of is in `scoring`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

from settlement.compliance.screening.vocabulary import vocabulary

_HISSED = (
    ("shch", "sh"), ("tsch", "ch"), ("sch", "sh"), ("tch", "ch"), ("cz", "ch"), ("dzh", "j"),
    ("dj", "j"), ("zh", "j"), ("kh", "h"), ("gh", "g"), ("ph", "f"), ("th", "t"), ("dh", "d"),
    ("ck", "k"),
)  # fmt: skip
"""Each has an h, a c or a j: few words have."""
_PLAIN = str.maketrans({"x": "ks", "q": "k", "w": "v", "z": "s"})
_VOWELS_TOGETHER = re.compile("[aeiouy][aeiouy]|y")
_SUNG = (
    ("ou", "u"), ("oo", "u"), ("ee", "i"), ("ie", "i"), ("ei", "i"), ("ey", "i"), ("iy", "i"),
    ("yi", "i"), ("y", "i"), ("ai", "e"), ("ae", "e"), ("oe", "o"), ("ue", "u"),
)  # fmt: skip
_SOFT_C = re.compile("c(?=[eiy])")
_HARD_C = re.compile("c(?!h)")
_LAST_J = re.compile("(?<=[aeiou])j$")
_SHORT_U = re.compile("[ao]u(?=sk)|au$")
"""In Belarusian the v at a syllable's end is a short u."""
_FIRST_IN_GREEK = {"mp": "b", "nt": "d"}
_TWICE = re.compile(r"(.)(?=\1)")
"""All but the last of one letter's in a row."""
_FIRST = str.maketrans("dbgvzjcmq", "tpkfsssnk", "aeiouy")
_NO_VOWELS = str.maketrans("dbgvzjcmq", "tpkfsssnk", "aeiouyhw")

SAME = 1000
SAME_SOUND = 960
KNOWN_PAIR = 920
SAME_CONSONANTS = 880
SAME_BUT_VOWELS = 840
"""Thousandths, as everything here that says how alike words are."""

_NEAR = 600
_FAR = 300
_OTHER_FIRST = 100
_LEFT_BY_EDITS = (
    ((2, 500), (3, 760), (4, 820), (6, 870), (9, 900)),
    ((4, 400), (5, 600), (6, 680), (7, 720), (8, 770), (10, 820), (12, 860)),
    ((6, 300), (8, 450), (11, 600), (13, 700), (16, 780)),
)
"""For one, two and three edits: up to how many letters they leave how much."""
_LONGEST = 17
_LEFT = tuple(
    tuple(
        next((degree for length, degree in steps if longest <= length), SAME - 60 * edits)
        for longest in range(_LONGEST + 1)
    )
    for edits, steps in enumerate(_LEFT_BY_EDITS, start=1)
)
"""The same by the length itself; longer words are as those of `_LONGEST` letters."""
_FAR_UP_TO = 13
"""Words of so few letters that differ by more edits are far, however many more."""


@lru_cache(maxsize=131_072)
def sound(word: str) -> str:
    """Return a word as it sounds, as far as spellings of one sound go."""
    heard = _LAST_J.sub("i", word) if word[-1:] == "j" else word
    if "au" in heard or "ou" in heard:
        heard = _SHORT_U.sub("ov", heard)
    if heard[:2] in _FIRST_IN_GREEK:
        heard = _FIRST_IN_GREEK[heard[:2]] + heard[2:]
    if "h" in heard or "c" in heard or "j" in heard:
        for letters, plain in _HISSED:
            if letters in heard:
                heard = heard.replace(letters, plain)
    heard = heard.translate(_PLAIN)
    if _VOWELS_TOGETHER.search(heard):
        for letters, plain in _SUNG:
            if letters in heard:
                heard = heard.replace(letters, plain)
    if "c" in heard:
        heard = _HARD_C.sub("k", _SOFT_C.sub("s", heard))
    heard = _once(heard)
    return heard[:-1] if len(heard) > 2 and heard[-1] == "h" else heard


@lru_cache(maxsize=131_072)
def consonants(word: str) -> str:
    """Return the consonants of a word by class: what is left of it in scripts without vowels."""
    heard = sound(word)
    return _once(heard[:1].translate(_FIRST) + heard[1:].translate(_NO_VOWELS))


def bare_forms(word: str) -> set[str]:
    """Return the consonants of a word, a `w` inside it being one of them, and being a vowel.

    Without vowels `o` and `u` are written as that letter, where they are long or foreign.
    """
    return {consonants(word), consonants(word[:1] + word[1:].replace("w", ""))}


@lru_cache(maxsize=262_144)
def alike(one: str, other: str) -> int:
    """Return how alike two words are, from 0 to 1000."""
    if one == other:
        return SAME
    if len(one) == 1 or len(other) == 1 or one.isdigit() or other.isdigit():
        return 0
    known = vocabulary()
    names, weights = known.nicknames, known.weights
    if one in names and other in names and names[one] & names[other]:
        return KNOWN_PAIR
    heard, told = sound(one), sound(other)
    if heard == told:
        return SAME_SOUND
    if one in weights and other in weights:  # Two words that everybody knows are two.
        return 0
    degree = _edited(one, other)
    if heard != one or told != other:
        degree = max(degree, min(_edited(heard, told), SAME_SOUND))
    if degree < SAME_BUT_VOWELS and min(len(heard), len(told)) > 4 and degree >= _NEAR:
        return SAME_BUT_VOWELS if consonants(one) == consonants(other) else degree
    return degree


@lru_cache(maxsize=65_536)
def bare_alike(one: str, other: str) -> int:
    """Return how alike two words are where one of them is written without vowels."""
    bare, told = consonants(one), consonants(other)
    if not bare or not told:
        return 0
    if bare == told:
        return SAME_CONSONANTS
    if not bare_forms(one).isdisjoint(bare_forms(other)):
        return SAME_BUT_VOWELS
    is_near = min(len(bare), len(told)) > 3 and OSA.distance(bare, told) == 1
    return SAME_BUT_VOWELS if is_near else 0


@lru_cache(maxsize=1_024)
def edits_max(longest: int, degree: int) -> int:
    """Return by how many edits words may differ, the longer of so many letters, and be so alike."""
    few = sum(left[min(longest, _LONGEST)] >= degree for left in _LEFT)
    if longest <= _FAR_UP_TO or few < len(_LEFT):
        return few
    return max(few, (SAME - _FAR // 2 - degree + 1) * longest // SAME)


def _once(letters: str) -> str:
    """Return letters with each that comes several times in a row written once."""
    return _TWICE.sub("", letters)


def _edited(one: str, other: str) -> int:
    """Return what some letters more, less, changed or swapped leave of a likeness."""
    edits = OSA.distance(one, other, score_cutoff=3)
    if edits == 0:
        return SAME
    longest = max(len(one), len(other))
    if edits > len(_LEFT):
        if longest <= _FAR_UP_TO:
            return _FAR
        return max(_FAR, SAME - SAME * OSA.distance(one, other) // longest - _FAR // 2)
    degree = _LEFT[edits - 1][min(longest, _LONGEST)]
    # Who writes by ear or in haste gets the first letter right.
    return degree if edits == 1 or one[0] == other[0] else degree - _OTHER_FIRST
