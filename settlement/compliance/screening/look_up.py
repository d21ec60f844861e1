"""By what words and names are looked up: what two spellings of one word have in common.

Scores no name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import combinations

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from settlement.compliance.screening.names import Name
from settlement.compliance.screening.spelling import (
    SAME_CONSONANTS,
    alike,
    bare_forms,
    consonants,
    sound,
)
from settlement.compliance.screening.vocabulary import vocabulary

ALIKE_MIN = 660
"""Words less alike than this bring no candidate."""
_LONG_WORD = 7
_PREFIX = 4
_TURNED_MAX = 4
_CACHED_WORDS_MAX = 200_000
_NONE: Mapping[str, str] = {}
_NOTHING: Mapping[str, int] = {}


class Spellings:
    """Listed words, found by other spellings of them. What is asked again costs nothing."""

    def __init__(self) -> None:
        self._by_key: dict[str, dict[str, str]] = {}
        """By what is shared the words that share it, each with its sound."""
        self._alike: dict[str, Mapping[str, int]] = {}
        self._is_open = False
        """Whether a listed word is written without vowels."""

    def add(self, word: str, no_vowels: bool) -> None:
        """Take a listed word in; `no_vowels`: as its script writes it."""
        heard = sound(word)
        self._is_open = self._is_open or no_vowels
        kin = [f"#{number}" for number in vocabulary().nicknames.get(word, ())]
        bare = [f"-{left}" for left in bare_forms(word)]
        open_to = [f"~{left}" for left in bare_forms(word)] if no_vowels else []
        for key in {*keys(word), *kin, *bare, *open_to}:
            self._by_key.setdefault(key, {})[word] = heard
        self._alike.clear()

    def same(self, word: str) -> set[str]:
        """Return the listed words that are this one, or known to stand for it."""
        found = set(self._by_key.get(f"={word}", _NONE))
        return found.union(self._kin(word)) if word in vocabulary().nicknames else found

    def alike(self, word: str) -> Mapping[str, int]:
        """Return the listed words that may be another spelling, each with how alike it is."""
        known = self._alike.get(word)
        if known is None:
            if len(self._alike) >= _CACHED_WORDS_MAX:
                self._alike.clear()
            known = self._found(word)
            if self._is_open:
                known = self._with_bare(word, known, "~")
            self._alike[word] = known
        return known

    def bare_alike(self, word: str) -> Mapping[str, int]:
        """Return the same where `word` or the listed one is written without vowels."""
        return self._with_bare(word, self.alike(word), "-")

    def _with_bare(self, word: str, found: Mapping[str, int], mark: str) -> Mapping[str, int]:
        """Add the words that have the same consonants: all (`-`), or those without vowels (`~`)."""
        marked = [f"{mark}{left}" for left in bare_forms(word)]
        more = [each for key in marked for each in self._by_key.get(key, _NONE)]
        if not more:
            return found
        return {**found, **{each: max(found.get(each, 0), SAME_CONSONANTS) for each in more}}

    def _found(self, word: str) -> Mapping[str, int]:
        sounds: dict[str, str] = {}
        for key in keys(word):
            if key in self._by_key:
                sounds.update(self._by_key[key])
        spelled = set(self._kin(word))
        if sounds:
            edits = 3 if len(word) > _LONG_WORD else 2
            near = extract(
                sound(word), sounds, scorer=OSA.distance, score_cutoff=edits, limit=None,
                processor=None,
            )  # fmt: skip
            spelled.update([told for _, _, told in near])
        if not spelled:
            return _NOTHING
        degrees = {told: alike(word, told) for told in spelled}
        return {told: degree for told, degree in degrees.items() if degree >= ALIKE_MIN}

    def _kin(self, word: str) -> Iterable[str]:
        for number in vocabulary().nicknames.get(word, ()):
            yield from self._by_key.get(f"#{number}", _NONE)


@lru_cache(maxsize=16_384)
def keys(word: str) -> tuple[str, ...]:
    """Return what two spellings of one word share at least one of; some may be said twice."""
    keys = [f"={word}"]
    if len(word) == 1 or word.isdigit():
        return tuple(keys)
    heard = sound(word)
    for spelled in (word, heard) if heard != word else (word,):
        keys.append(spelled)
        if len(spelled) > _PREFIX:
            keys.append(f"<{spelled[:_PREFIX]}")
        if len(spelled) > 2:
            keys += _one_letter_less(spelled)
    left = consonants(word)
    if len(left) > 2:
        keys.append(f"+{left}")
    if len(word) >= _LONG_WORD and len(left) > 3:
        keys += [f"+{less}" for less in _one_letter_less(left)]
    return tuple(keys)


def _one_letter_less(letters: str) -> Iterator[str]:
    return map("".join, combinations(letters, len(letters) - 1))


def turned(name: Name) -> set[str]:
    """Return a name without spaces, from each of its words on."""
    if not name.words:
        return set()
    words = name.words
    turns = range(len(words)) if len(words) <= _TURNED_MAX else (0,)
    return {"".join(words[at:] + words[:at]) for at in turns} | {name.joined}
