"""Listed names by their words: which of them a name could be, found without comparing them all.

Holds one state of all lists in memory; which state, and what a hit means, others know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import orjson

from settlement.compliance.screening.apart import near_enough
from settlement.compliance.screening.look_up import ALIKE_MIN, Spellings, turned
from settlement.compliance.screening.names import Name, NameKind, readings
from settlement.compliance.screening.pairing import INITIAL
from settlement.compliance.screening.scoring import THRESHOLD, Score, doubted, scored_from, weights
from settlement.compliance.screening.spelling import consonants

_DOMINANT_PERCENT = 45
_BOUND_SLACK = 3
_SYLLABLES_SHARED_PERCENT = 60
_BIC_OF_BANK = 8
_CACHED_WORDS_MAX = 200_000
_NOWHERE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed party as it is compared: its names and what else tells one from another."""

    party_id: str
    list_name: str
    entry_key: str
    kind: NameKind
    names: tuple[tuple[str, str], ...]
    """Name and its kind: main, strong or weak."""
    countries: frozenset[str] = frozenset()
    birth_dates: frozenset[str] = frozenset()
    """ISO dates, or years."""
    identifiers: tuple[tuple[str, str], ...] = ()
    """Kind and value as compared."""

    @property
    def hash(self) -> str:
        """SHA-256 over what is compared of it: a new remark alone is no other party."""
        said = [
            self.list_name, self.entry_key, self.kind, sorted(self.names), sorted(self.countries),
            sorted(self.birth_dates), sorted(self.identifiers),
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(said)).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """A listed name that a name may be."""

    listed: Listed
    name: str
    name_kind: str
    score: Score


class Index:
    """All listed names, ready to be searched. Changed by one at a time, read by any number."""

    def __init__(self, parties: Iterable[Listed] = ()) -> None:
        self._parties: list[Listed] = []
        self._gone: set[int] = set()
        self._places: dict[str, int] = {}
        self._numbers: dict[str, list[tuple[str, int]]] = {}
        self._names: list[tuple[int, str, str, Name]] = []
        self._sizes: list[int] = []
        self._by_word: dict[str, list[int]] = {}
        self._dominant: dict[str, set[int]] = {}
        self._spellings = Spellings()
        self._by_joined: dict[str, list[int]] = {}
        self._by_syllable: dict[str, list[int]] = {}
        self._near: dict[tuple[str, bool, bool], dict[int, int]] = {}
        for party in parties:
            self._add(party)

    @property
    def parties(self) -> int:
        """How many parties it holds."""
        return len(self._parties) - len(self._gone)

    @property
    def names(self) -> int:
        """How many names they have, those taken out among them."""
        return sum(len(each.names) for each in self._parties)

    def change(self, *, added: Iterable[Listed], removed: Iterable[str]) -> None:
        """Take parties in and out; `removed` are ids."""
        for party_id in removed:
            self._gone.add(self._places.pop(party_id))
        for party in added:
            self._add(party)
        self._near.clear()

    def identified(self, value: str) -> list[tuple[str, Listed]]:
        """Return each party that has exactly this number or wallet, with the number's kind."""
        known = self._numbers.get(value)
        if known is None:
            return []
        return [(kind, self._parties[place]) for kind, place in known if place not in self._gone]

    def search(self, text: str, kind: NameKind, threshold: int = THRESHOLD) -> list[Found]:
        """Return each listed party that has a name scoring `threshold` or more, best first."""
        best: dict[int, Found] = {}
        for name in readings(text, kind):
            self._take_best(name, threshold, best)
        return sorted(
            best.values(),
            key=lambda each: (-each.score.points, each.listed.list_name, each.listed.entry_key),
        )

    def _take_best(self, name: Name, threshold: int, best: dict[int, Found]) -> None:
        """Keep the best score of each party, by its place."""
        candidates = self._candidates(name, threshold)
        if not candidates:
            return
        for number in near_enough(name, candidates, self._names, threshold):
            place, shown, name_kind, listed_name = self._names[number]
            if place in self._gone:
                continue
            found = scored_from(threshold, name, listed_name)
            if found is None:
                continue
            known = best.get(place)
            if known is None or found.points > known.score.points:
                best[place] = Found(self._parties[place], shown, name_kind, found)

    def _add(self, party: Listed) -> None:
        place = len(self._parties)
        self._parties.append(party)
        self._places[party.party_id] = place
        for number_kind, value in party.identifiers:
            if number_kind == "bic":
                value = value[:_BIC_OF_BANK]  # All branches of a listed bank.
            self._numbers.setdefault(value, []).append((number_kind, place))
        for text, name_kind in party.names:
            for name in readings(text, party.kind):
                self._add_name(place, text, name_kind, name)

    def _add_name(self, place: int, text: str, name_kind: str, name: Name) -> None:
        number = len(self._names)
        self._names.append((place, text, name_kind, name))
        self._sizes.append(len(name.words))
        person = name.kind == NameKind.PERSON
        weighed = weights(name.words, person)
        least = sum(weighed) * _DOMINANT_PERCENT
        for word, weight in zip(name.words, weighed, strict=True):
            if word not in self._by_word:
                self._by_word[word] = []
                self._spellings.add(word, False)
            if name.no_vowels:
                self._spellings.add(word, True)
            self._by_word[word].append(number)
            if weight * 100 >= least and (not person or len(name.words) == 1):
                self._dominant.setdefault(word, set()).add(number)
        for joined in turned(name):
            self._by_joined.setdefault(consonants(joined), []).append(number)
        for sign in set(name.syllables):
            self._by_syllable.setdefault(sign, []).append(number)

    def _candidates(self, name: Name, threshold: int) -> set[int]:
        """Return the numbers of the names that could reach the threshold."""
        found: set[int] = set()
        words = tuple(dict.fromkeys(name.words))
        person = name.kind == NameKind.PERSON
        near = [self._near_words(word, name.no_vowels, person) for word in words]
        if any(near):
            for one, other in combinations(near, 2):
                found.update(one.keys() & other.keys())
            weighed, least = weights(words, person), threshold - _BOUND_SLACK
            found = {
                each for each in found if _bound(each, near, weighed, self._sizes[each]) >= least
            }
            if not person or len(words) == 1:
                found |= self._dominated(words, weighed, name.no_vowels)
            found |= self._with_initials(words, near, person)
        for joined in {name.joined, "".join(name.words)}:
            found.update(self._by_joined.get(consonants(joined), ()))
        found |= self._with_fused(name, near)
        if name.syllables:
            found |= self._by_signs(name.syllables)
        return found

    def _dominated(self, words: tuple[str, ...], weighed: Sequence[int], bare: bool) -> set[int]:
        """Return the names that are little more than a word that the name, too, is mostly."""
        least = sum(weighed) * _DOMINANT_PERCENT
        alike = self._spellings.bare_alike if bare else self._spellings.alike
        found: set[int] = set()
        for word, weight in zip(words, weighed, strict=True):
            if weight * 100 >= least:
                for told in alike(word):
                    found |= self._dominant.get(told, _NOWHERE)
        return found

    def _with_fused(self, name: Name, near: list[dict[int, int]]) -> set[int]:
        """Return the names that write two of the name's words as one."""
        found: set[int] = set()
        for first, second in zip(name.words, name.words[1:], strict=False):
            for told in self._spellings.same(first + second):
                found.update(self._by_word[told])
        if found and len(near) > 2:
            found = {number for number in found if any(number in each for each in near)}
        return found

    def _with_initials(
        self, words: tuple[str, ...], near: list[dict[int, int]], person: bool
    ) -> set[int]:
        """Return the names whose words the name's single letters may stand for."""
        if not person:
            return set()
        letters = {letter for word in words if len(word) < 3 for letter in word}
        whole = [numbers for word, numbers in zip(words, near, strict=True) if len(word) > 2]
        if not letters or len(whole) != 1:
            return set()
        return {
            number
            for number in whole[0]
            if any(word[0] in letters for word in self._names[number][3].words)
        }

    def _near_words(self, word: str, bare: bool, person: bool) -> dict[int, int]:
        """Return, per listed name that has a word like `word`, how alike the nearest is."""
        known = self._near.get((word, bare, person))
        if known is not None:
            return known
        found: dict[int, int] = {}
        if person and len(word) > 1:  # The list may say no more than the first letter.
            found = dict.fromkeys(self._by_word.get(word[0], ()), INITIAL)
        alike = self._spellings.bare_alike if bare else self._spellings.alike
        for told, degree in alike(word).items():
            for number in self._by_word[told]:
                if found.get(number, 0) < degree:
                    found[number] = degree
        if len(self._near) >= _CACHED_WORDS_MAX:
            self._near.clear()
        self._near[word, bare, person] = found
        return found

    def _by_signs(self, syllables: str) -> set[int]:
        shared: dict[int, int] = {}
        for sign in set(syllables):
            for number in self._by_syllable.get(sign, ()):
                shared[number] = shared.get(number, 0) + 1
        least = len(set(syllables)) * _SYLLABLES_SHARED_PERCENT
        return {number for number, count in shared.items() if count * 100 >= least}


def _bound(number: int, near: list[dict[int, int]], weighed: Sequence[int], size: int) -> int:
    """Return points that the score of a name is hardly above."""
    reached = total = left = matched = 0
    for numbers, weight in zip(near, weighed, strict=True):
        degree = numbers.get(number)
        if degree is None:
            left += weight
        else:
            reached += weight * degree
            total += weight
            matched += 1
    # What both have more may be alike still, by less than is looked up; of one alone it is little.
    if size > matched:
        reached += left * doubted(ALIKE_MIN)
        total += left
    else:
        total += left // 8
    return reached // (10 * total) if total else 0
