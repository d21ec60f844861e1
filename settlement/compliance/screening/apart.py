"""Names with one word that a listed one lacks, and is like no other of it: they need no score.

What two trading companies share is often the trade alone. Leaves out only what scores less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from settlement.compliance.screening.names import Name, NameKind
from settlement.compliance.screening.pairing import PAIR_MIN, may_fuse
from settlement.compliance.screening.scoring import as_a_whole, points_apart
from settlement.compliance.screening.spelling import edits_max, sound
from settlement.compliance.screening.vocabulary import vocabulary

Listed = Sequence[tuple[int, str, str, Name]]


def near_enough(name: Name, numbers: Iterable[int], listed: Listed, least: int) -> list[int]:
    """Return the numbers of the listed names, in order, that may score `least` points."""
    words = name.words
    if _is_special(name) or name.syllables or len({*words}) < len(words):
        return sorted(numbers)
    kept: list[int] = []
    odd: dict[str, list[tuple[str, int]]] = {}
    for number in numbers:
        told = listed[number][3]
        own = [word for word in words if word not in told.words]
        if len(own) != 1 or _is_special(told):
            kept.append(number)
            continue
        theirs = [word for word in told.words if word not in words]
        one_each = len(told.words) == len(words) > 1 and len(theirs) == 1
        if not theirs:
            kept.append(number)
        elif one_each or (as_a_whole(name, told) < least and not may_fuse(words, told.words)):
            odd.setdefault(own[0], []).extend([(word, number) for word in theirs])
        else:
            kept.append(number)
    for word, others in odd.items():
        if points_apart(words, word) >= least or word in vocabulary().nicknames:
            kept += [number for _, number in others]
        else:
            kept += _not_far(word, others)
    return sorted({*kept})


def _is_special(name: Name) -> bool:
    return name.kind == NameKind.PERSON or name.no_vowels


def _not_far(word: str, others: Sequence[tuple[str, int]]) -> list[int]:
    """Return the numbers beside the words that `word` may be taken for."""
    found: list[int] = []
    spelled = [other for other, _ in others]
    for one, told in ((word, spelled), (sound(word), [sound(other) for other in spelled])):
        most = edits_max(max(len(one), *map(len, told)), PAIR_MIN)
        near = extract(
            one, told, scorer=OSA.distance, score_cutoff=most, limit=None, processor=None
        )
        found += [
            others[place][1]
            for other, edits, place in near
            if edits <= edits_max(max(len(one), len(other)), PAIR_MIN)
        ]
    return found
