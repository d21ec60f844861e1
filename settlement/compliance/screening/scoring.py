"""The score of two names, 0 to 100, with the parts that it is made of.

A pure function of the two names and of `words.yaml`, in integers: thousandths inside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import OSA

from settlement.compliance.screening.names import Name, NameKind, prepared
from settlement.compliance.screening.pairing import Pairs, pairing
from settlement.compliance.screening.spelling import SAME, sound
from settlement.compliance.screening.vocabulary import Phrase, vocabulary

THRESHOLD = 80
"""A score from which a hit goes to a person."""

CERTAIN = 800
DOUBT_PERCENT = 60
EXTRA_PERSON_PERCENT = 15
EXTRA_COMPANY_PERCENT = 60
EXTRA_COMPANY_MIN = 430
CONFLICT_PERCENT = 120
CONFLICT_MIN = 600
CONFLICT_NUMBERS = 300
WHOLE_MIN = 850
_TAKEN = (0, "")
_FORM_CONFLICT_POINTS = 6
_KIND_CONFLICT_POINTS = 10
_ONE_OF_MANY_POINTS = 74
_OTHER_NUMBER_POINTS = 79
"""More no company and no ship has beside one of the same name and another number."""
_OTHER_SIGN_POINTS = 15
"""What a name loses of which every sign is another one that sounds the same."""
_TURNED_MAX = 3
_WEIGHT_PERSON_MIN = 700
_WEIGHT_LETTER = 300
_WEIGHT_NOTHING = 100
_WEIGHT_TWO_LETTERS = 700
_NUMBERS = re.compile("[0-9]+")
_EASTERN_FORMS = re.compile(
    "股份有限公司|有限责任公司|有限責任公司|有限公司|集团公司|集團公司|公司|株式会社|有限会社|주식회사|유한회사"
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
    return scored_from(0, one, other) or Score(0)


def scored_from(least: int, one: Name, other: Name) -> Score | None:
    """Return how alike two names are; None where that is less than `least`.

    What comes to less is most of what is asked: of that no more is worked out than shows it.
    """
    if one.syllables and other.syllables:
        found = _less_conflicts(one, other, _by_syllables(one, other))
        return found if found.points >= least else None
    if not one.words or not other.words:
        return None
    person = NameKind.PERSON in (one.kind, other.kind)
    bare = one.no_vowels or other.no_vowels
    paired = _Paired(*pairing(one.words, other.words, person=person, bare=bare), person)
    points, notes = paired.points() if paired.points_max() >= least else (0, ())
    whole = as_a_whole(one, other) if points < 100 else 0
    if max(points, whole) < least:  # What else they differ in only takes away.
        return None
    if whole > points:
        found = Score(whole, notes=("compared as one word",))
    else:
        found = paired.told(points, notes)
    found = _less_conflicts(one, other, found)
    return found if found.points >= least else None


def points_apart(words: Phrase, odd: str) -> int:
    """Return points that a company's name cannot exceed with one that has all but `odd` of it.

    The other has another word instead, for which `odd` is not taken.
    """
    shared = sum(weights(words, False)) - weights((odd,), False)[0]
    return _points(shared * SAME, shared + (CONFLICT_NUMBERS if odd.isdigit() else CONFLICT_MIN))


class _Paired(NamedTuple):
    """The words of two names, and which of the first was taken for which of the second."""

    first: Phrase
    second: Phrase
    pairs: Pairs
    person: bool

    def points_max(self) -> int:
        """Return points that cannot be exceeded, by the words that were paired alone.

        One weighty word that two names share brings no hit where each has another one.
        """
        own, others = weights(self.first, self.person), weights(self.second, self.person)
        weight = 0
        for place, (fellow, _) in self.pairs.items():
            weight += (own[place] + others[fellow]) // 2
        conflicts = min(len(own), len(others)) - len(self.pairs)
        least = CONFLICT_MIN
        if conflicts and any(map(str.isdigit, self.first)):
            least = CONFLICT_NUMBERS
        return _points(weight * SAME, weight + conflicts * least)

    def points(self) -> tuple[int, tuple[str, ...]]:
        """Return what the words come to, and what to note of it."""
        own, others = weights(self.first, self.person), weights(self.second, self.person)
        left = list(zip(own, self.first, strict=True))
        right = list(zip(others, self.second, strict=True))
        reached = total = 0
        for place, (fellow, degree) in self.pairs.items():
            weight = (own[place] + others[fellow]) // 2
            reached += weight * doubted(degree)
            total += weight
            left[place] = right[fellow] = _TAKEN
        left, right = ([each for each in side if each is not _TAKEN] for side in (left, right))
        total += _missing(left, right, self.person)
        points = _points(reached, total)
        is_one = self.person and len(self.pairs) == 1 and (left or right)
        if is_one and points > _ONE_OF_MANY_POINTS:
            return _ONE_OF_MANY_POINTS, ("one word of several",)
        if points > _OTHER_NUMBER_POINTS and _has_number(left) and _has_number(right):
            return _OTHER_NUMBER_POINTS, ("another number",)
        return points, ()

    def told(self, points: int, notes: tuple[str, ...]) -> Score:
        """Return it in words."""
        taken = {fellow for fellow, _ in self.pairs.values()}
        return Score(
            points,
            tuple(
                Pair(self.first[place], self.second[fellow], degree // 10)
                for place, (fellow, degree) in sorted(self.pairs.items())
            ),
            tuple(word for place, word in enumerate(self.first) if place not in self.pairs),
            tuple(word for place, word in enumerate(self.second) if place not in taken),
            notes,
        )


def _points(reached: int, total: int) -> int:
    return (reached + 5 * total) // (10 * total) if total else 0


def _missing(left: list[tuple[int, str]], right: list[tuple[int, str]], person: bool) -> int:
    """Return what the words that only one name has count for, each given with its weight."""
    lacking, adding = sorted(left, reverse=True), sorted(right, reverse=True)
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


def _has_number(words: list[tuple[int, str]]) -> bool:
    return any(word.isdigit() for _, word in words)


def doubted(degree: int) -> int:
    """Return how alike two words count as: below certainty, doubt weighs more than it measures."""
    return degree if degree >= CERTAIN else degree - (CERTAIN - degree) * DOUBT_PERCENT // 100


@lru_cache(maxsize=131_072)
def weights(words: Phrase, person: bool) -> tuple[int, ...]:
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
    return tuple(found)


def as_a_whole(one: Name, other: Name) -> int:
    """Return the points of two names without their spaces: one more or less is no difference."""
    size, told_size = len(one.joined), len(other.joined)
    if min(size, told_size) < 5:
        return 0
    if len(one.words) == len(other.words) > 1 and len(one.particles) == len(other.particles):
        return 0
    if _are_far(size, told_size) and _are_far(sum(map(len, one.words)), told_size):
        return 0
    if _NUMBERS.findall(one.joined) != _NUMBERS.findall(other.joined):
        return 0
    best = 0
    for turned in _turned(one):
        longest = max(len(turned), told_size)
        if _are_far(len(turned), told_size):
            continue
        heard, told = sound(turned), sound(other.joined)
        distance = min(OSA.distance(turned, other.joined), OSA.distance(heard, told))
        best = max(best, SAME - SAME * distance // longest)
    return best // 10 - 1 if best >= WHOLE_MIN else 0


def _are_far(size: int, told_size: int) -> bool:
    """Whether two names without spaces differ in length by more than they may in all."""
    return abs(size - told_size) * SAME > (SAME - WHOLE_MIN) * max(size, told_size)


def _turned(name: Name) -> list[str]:
    if 2 <= len(name.words) <= _TURNED_MAX and not name.particles:
        return ["".join(words) for words in permutations(name.words)]
    return [name.joined]


def _by_syllables(one: Name, other: Name) -> Score:
    first = _EASTERN_FORMS.sub("", one.syllables) or one.syllables
    second = _EASTERN_FORMS.sub("", other.syllables) or other.syllables
    longest = max(len(first), len(second))
    heard, others = second, 0
    if len(first) == len(second):
        heard = "".join(map(_heard_as, second, first))
        others = OSA.distance(heard, second)
    points = 100 - 100 * OSA.distance(first, heard) // longest
    points -= _OTHER_SIGN_POINTS * others // longest
    return Score(points, (Pair(first, second, points),), notes=("compared sign by sign",))


def _heard_as(sign: str, other: str) -> str:
    """Return the other sign where it sounds the same: simplified and traditional ones do."""
    return other if sign != other and anyascii(sign) == anyascii(other) else sign


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
