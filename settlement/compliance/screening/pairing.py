"""Which words of two names are taken for one another, and what one of them writes as one word.

Knows words alone; what they weigh and what a name scores is in `scoring`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TypeAlias

from settlement.compliance.screening.spelling import SAME, alike, bare_alike
from settlement.compliance.screening.vocabulary import Phrase

INITIAL = 850
"""How alike a letter and a word are that begins with it."""
PAIR_MIN = 550
"""Words less alike than this are two words."""
_FUSED_MIN = 900
_FUSED_LONGER_MAX = 2
"""Letters by which neighbours and the one word that they are written as may differ in length."""

Pairs: TypeAlias = Mapping[int, tuple[int, int]]
"""By place in the first name the place in the second, and how alike the words are."""


def pairing(
    first: Phrase, second: Phrase, *, person: bool, bare: bool
) -> tuple[Phrase, Phrase, Pairs]:
    """Return the words of two names, neighbours joined that the other writes as one, and the pairs.

    `bare`: one of them is written without vowels.
    """
    same = _identical(first, second)
    pairs = _assigned(first, second, same, person, bare)
    # Only neighbours that the other name lacks are joined.
    lacking = max(len(first), len(second)) - len(same)
    if len(pairs) < len(same) + lacking and lacking > 1 and may_fuse(first, second):
        fused, told = _fused(first, second), _fused(second, first)
        if (fused, told) != (first, second):
            same = _identical(fused, told)
            return fused, told, _assigned(fused, told, same, person, bare)
    return first, second, pairs


def _assigned(
    first: Phrase,
    second: Phrase,
    same: Mapping[int, tuple[int, int]],
    person: bool,
    bare: bool,
) -> Pairs:
    """Pair the words that are left beside the `same`, what is most alike first."""
    pairs = dict(same)
    if len(pairs) == len(first) or len(pairs) == len(second):
        return pairs
    plain = not person and not bare
    ranked = []
    for place, word in enumerate(first):
        if place in pairs:
            continue
        for fellow, told in enumerate(second):
            if same and told in first:
                continue
            degree = alike(word, told) if plain else _degree(word, told, person, bare)
            if degree >= PAIR_MIN:
                ranked.append((-degree, abs(place - fellow), place, fellow))
    if ranked:
        ranked.sort()
        taken: set[int] = set()
        for degree, _, place, fellow in ranked:
            if place not in pairs and fellow not in taken:
                pairs[place] = (fellow, -degree)
                taken.add(fellow)
    return pairs


def _identical(first: Phrase, second: Phrase) -> dict[int, tuple[int, int]]:
    """Return the pairs of equal words, which go before all others; none where one comes twice.

    Then it is by their places which of them go together.
    """
    pairs = {}
    for place, word in enumerate(first):
        if word in second:
            if first.count(word) > 1 or second.count(word) > 1:
                return {}
            pairs[place] = (second.index(word), SAME)
    return pairs


def _degree(word: str, told: str, person: bool, bare: bool) -> int:
    if word == told:
        return SAME
    if person and 1 in (len(word), len(told)):
        return INITIAL if word[0] == told[0] else 0
    degree = alike(word, told)
    return max(degree, bare_alike(word, told)) if bare else degree


def may_fuse(first: Phrase, second: Phrase) -> bool:
    """Whether one name writes some neighbours of the other as one word: seldom."""
    for words, others in ((first, second), (second, first)):
        longest = max(map(len, others), default=0) + _FUSED_LONGER_MAX
        for joint in _joints(words):
            size = len(joint)
            if size > longest:
                break
            for word in others:
                if abs(size - len(word)) <= _FUSED_LONGER_MAX and _is_one(joint, word):
                    return True
    return False


@lru_cache(maxsize=131_072)
def _joints(words: Phrase) -> tuple[str, ...]:
    """Return what two or three neighbours of a name are as one word, the shortest first."""
    joints = [
        "".join(words[at : at + length])
        for length in (3, 2)
        for at in range(len(words) - length + 1)
        if all(len(each) > 1 and not each.isdigit() for each in words[at : at + length])
    ]
    return tuple(sorted(joints, key=len))


def _fused(words: Phrase, others: Phrase) -> Phrase:
    """Join neighbours that the other name writes as one word."""
    single = set(others)
    fused: list[str] = []
    at = 0
    while at < len(words):
        size = 1
        for length in (3, 2):
            parts = words[at : at + length]
            if (
                len(parts) == length
                and all(len(each) > 1 and not each.isdigit() for each in parts)
                and not single.intersection(parts)
                and _is_one_of("".join(parts), single)
            ):
                size = length
                break
        fused.append("".join(words[at : at + size]))
        at += size
    return tuple(fused)


def _is_one_of(joint: str, words: Collection[str]) -> bool:
    size = len(joint)
    return any(
        abs(size - len(word)) <= _FUSED_LONGER_MAX and _is_one(joint, word) for word in words
    )


def _is_one(joint: str, word: str) -> bool:
    return joint == word or (len(joint) > 4 and alike(joint, word) >= _FUSED_MIN)
