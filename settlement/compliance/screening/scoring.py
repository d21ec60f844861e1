"""The score of two names, 0 to 100, with the parts that it is made of.

A pure function of the two names and of `words.yaml`, in integers: thousandths inside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from rapidfuzz.distance import OSA

from settlement.compliance.screening.names import Name, NameKind, prepared
from settlement.compliance.screening.spelling import SAME, alike, bare_alike, sound
from settlement.compliance.screening.vocabulary import Phrase, vocabulary

THRESHOLD = 80
"""A score from which a hit goes to a person."""

INITIAL = 850
PAIR_MIN = 550
"""Words less alike than this are two words."""
CERTAIN = 800
DOUBT_PERCENT = 60
EXTRA_PERSON_PERCENT = 15
EXTRA_COMPANY_PERCENT = 60
EXTRA_COMPANY_MIN = 430
CONFLICT_PERCENT = 120
CONFLICT_MIN = 600
CONFLICT_NUMBERS = 300
WHOLE_MIN = 850
_FUSED_MIN = 900
_FORM_CONFLICT_POINTS = 6
_KIND_CONFLICT_POINTS = 10
_ONE_OF_MANY_POINTS = 74
_TURNED_MAX = 3
_WEIGHT_PERSON_MIN = 700
_WEIGHT_LETTER = 300
_WEIGHT_NOTHING = 100
_WEIGHT_TWO_LETTERS = 700
_NUMBERS = re.compile("[0-9]+")
_EASTERN_FORMS = re.compile(
    "股份有限公司|有限责任公司|有限公司|集团公司|公司|株式会社|有限会社|주식회사|유한회사"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two words that were taken for one."""

    one: str
    other: str
    percent: int


@dataclass(frozen=True, slots=True)
class Score:
    """How alike two names are, and why."""

    points: int
    pairs: tuple[Pair, ...] = ()
    left: Phrase = ()
    """Words of the first name alone."""
    right: Phrase = ()
    notes: tuple[str, ...] = ()
    """What else added or took away points."""


def compare(one: str, other: str, kind: NameKind) -> Score:
    """Return the score of two names of one kind, as they are written."""
    return score(prepared(one, kind), prepared(other, kind))


def score(one: Name, other: Name) -> Score:
    """Return how alike two names are."""
    if one.syllables and other.syllables:
        return _by_syllables(one, other)
    if not one.words or not other.words:
        return Score(0)
    found = _by_words(one, other)
    if found.points < 100:
        whole = _as_a_whole(one, other)
        if whole > found.points:
            found = Score(whole, notes=("compared as one word",))
    return _less_conflicts(one, other, found)


def _by_words(one: Name, other: Name) -> Score:
    person = NameKind.PERSON in (one.kind, other.kind)
    bare = one.no_vowels or other.no_vowels
    first, second = one.words, other.words
    pairs = _assigned(first, second, person, bare)
    if len(pairs) < max(len(first), len(second)):
        fused, told = _fused(first, second), _fused(second, first)
        if (fused, told) != (first, second):
            first, second = fused, told
            pairs = _assigned(first, second, person, bare)
    own, others = weights(first, person), weights(second, person)
    taken = {fellow for fellow, _ in pairs.values()}
    left = [place for place in range(len(first)) if place not in pairs]
    right = [place for place in range(len(second)) if place not in taken]
    reached = total = 0
    for place, (fellow, degree) in pairs.items():
        weight = (own[place] + others[fellow]) // 2
        reached += weight * _doubted(degree)
        total += weight
    total += _missing([first[at] for at in left], [second[at] for at in right], person)
    points = (reached + 5 * total) // (10 * total) if total else 0
    notes: tuple[str, ...] = ()
    if person and len(pairs) == 1 and (left or right) and points > _ONE_OF_MANY_POINTS:
        points, notes = _ONE_OF_MANY_POINTS, ("one word of several",)
    return Score(
        points,
        tuple(
            Pair(first[place], second[fellow], degree // 10)
            for place, (fellow, degree) in sorted(pairs.items())
        ),
        tuple(first[place] for place in left),
        tuple(second[place] for place in right),
        notes,
    )


def _missing(left: Sequence[str], right: Sequence[str], person: bool) -> int:
    """Return what the words that only one name has count for."""
    lacking = sorted(zip(weights(left, person), left, strict=True), reverse=True)
    adding = sorted(zip(weights(right, person), right, strict=True), reverse=True)
    shared = min(len(lacking), len(adding))
    apart = 0
    # Each has words that the other lacks: they are two names, not one and more of it.
    for (weight, word), (other, told) in zip(lacking, adding, strict=False):
        if word.isdigit() and told.isdigit():
            apart += CONFLICT_NUMBERS
        else:
            apart += max(CONFLICT_MIN, CONFLICT_PERCENT * max(weight, other) // 100)
    extra = [*lacking[shared:], *adding[shared:]]
    if person:
        return apart + EXTRA_PERSON_PERCENT * sum(weight for weight, _ in extra) // 100
    for weight, _ in extra:
        if weight > _WEIGHT_NOTHING:
            weight = max(weight, EXTRA_COMPANY_MIN)
        apart += EXTRA_COMPANY_PERCENT * weight // 100
    return apart


def _assigned(
    first: Phrase, second: Phrase, person: bool, bare: bool
) -> dict[int, tuple[int, int]]:
    """Return, per word of the first name, its fellow in the second and how alike they are."""
    ranked = sorted(
        (-degree, abs(place - fellow), place, fellow)
        for place, word in enumerate(first)
        for fellow, told in enumerate(second)
        if (degree := _degree(word, told, person, bare)) >= PAIR_MIN
    )
    pairs: dict[int, tuple[int, int]] = {}
    taken: set[int] = set()
    for degree, _, place, fellow in ranked:
        if place not in pairs and fellow not in taken:
            pairs[place] = (fellow, -degree)
            taken.add(fellow)
    return pairs


def _degree(word: str, told: str, person: bool, bare: bool) -> int:
    if word == told:
        return SAME
    if person and 1 in (len(word), len(told)):
        return INITIAL if word[0] == told[0] else 0
    degree = alike(word, told)
    return max(degree, bare_alike(word, told)) if bare else degree


def _doubted(degree: int) -> int:
    """Return how alike two words count as: below certainty, doubt weighs more than it measures."""
    return degree if degree >= CERTAIN else degree - (CERTAIN - degree) * DOUBT_PERCENT // 100


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


def _is_one_of(joined: str, words: set[str]) -> bool:
    if joined in words:
        return True
    near = (word for word in words if abs(len(joined) - len(word)) < 3)
    return len(joined) > 4 and any(alike(joined, word) >= _FUSED_MIN for word in near)


def weights(words: Sequence[str], person: bool) -> list[int]:
    """Return what each word of a name counts, in thousandths."""
    known = vocabulary()
    found = []
    for word in words:
        weight = known.weights.get(word, SAME)
        if person:
            weight = max(weight, _WEIGHT_PERSON_MIN)
        elif word not in known.weights and known.is_nearly_form(word):
            weight = _WEIGHT_NOTHING
        if len(word) < 3:
            weight = min(weight, _WEIGHT_LETTER if len(word) == 1 else _WEIGHT_TWO_LETTERS)
        found.append(weight)
    return found


def _as_a_whole(one: Name, other: Name) -> int:
    """Return the points of two names without their spaces: one more or less is no difference."""
    if min(len(one.joined), len(other.joined)) < 5 or len(one.words) == len(other.words) > 1:
        return 0
    if _NUMBERS.findall(one.joined) != _NUMBERS.findall(other.joined):
        return 0
    best = 0
    for turned in _turned(one):
        longest = max(len(turned), len(other.joined))
        if abs(len(turned) - len(other.joined)) * SAME > (SAME - WHOLE_MIN) * longest:
            continue
        heard, told = sound(turned), sound(other.joined)
        distance = min(OSA.distance(turned, other.joined), OSA.distance(heard, told))
        best = max(best, SAME - SAME * distance // longest)
    return best // 10 - 1 if best >= WHOLE_MIN else 0


def _turned(name: Name) -> list[str]:
    if 2 <= len(name.words) <= _TURNED_MAX and not name.particles:
        return ["".join(words) for words in permutations(name.words)]
    return [name.joined]


def _by_syllables(one: Name, other: Name) -> Score:
    first = _EASTERN_FORMS.sub("", one.syllables) or one.syllables
    second = _EASTERN_FORMS.sub("", other.syllables) or other.syllables
    longest = max(len(first), len(second))
    points = 100 - 100 * OSA.distance(first, second) // longest
    return Score(points, (Pair(first, second, points),), notes=("compared sign by sign",))


def _less_conflicts(one: Name, other: Name, found: Score) -> Score:
    points, notes = found.points, list(found.notes)
    if one.form and other.form and one.form != other.form:
        points -= _FORM_CONFLICT_POINTS
        notes.append(f"legal forms differ: {one.form}, {other.form}")
    kinds = {one.kind, other.kind}
    if len(kinds) == 2 and NameKind.UNKNOWN not in kinds:
        points -= _KIND_CONFLICT_POINTS
        notes.append(f"a {one.kind} and a {other.kind}")
    if points == found.points:
        return found
    return Score(max(points, 0), found.pairs, found.left, found.right, tuple(notes))
