"""What is known of words: legal forms, titles, particles, weights, words that stand for others.

Reads `words.yaml` once; compares nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne

Phrase = tuple[str, ...]

_LONG = 6
_SHORT_FORM = 3

FILE = Path(__file__).parent / "words.yaml"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The file, made ready for looking up."""

    forms: Mapping[Phrase, str]
    """Legal form, word by word, to its class."""
    form_starts: Mapping[str, int]
    """What a legal form begins with, to the number of words of the longest that does."""
    titles: frozenset[str]
    vessel_prefixes: frozenset[str]
    particles: frozenset[str]
    same: Mapping[Phrase, str]
    same_starts: frozenset[str]
    weights: Mapping[str, int]
    """Thousandths of what any other word counts."""
    nicknames: Mapping[str, frozenset[int]]
    form_words: frozenset[str]
    form_words_near: Mapping[int, tuple[str, ...]]
    """By length the words of forms that are as long, or a letter longer or shorter."""

    def is_nearly_form(self, word: str) -> bool:
        """Whether a word is part of a legal form, written in full or nearly so."""
        if word in self.form_words:
            return True
        near = self.form_words_near.get(len(word), ())
        return len(word) >= _LONG and bool(
            extractOne(word, near, scorer=OSA.distance, processor=None, score_cutoff=1)
        )


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Return what the file says."""
    raw = yaml.load(FILE.read_bytes(), Loader=yaml.BaseLoader)  # Texts alone.
    forms = {
        tuple(each.replace("/", " ").split()): kind
        for kind, listed in raw["legal_forms"].items()
        for each in listed
    }
    same = {
        tuple(word.split()): group[0].replace(" ", "")
        for group in raw["same_words"]
        for word in group
        if word != group[0] or " " in word
    }
    nicknames: dict[str, set[int]] = {}
    for number, group in enumerate(raw["nicknames"]):
        for word in group:
            nicknames.setdefault(word.replace(" ", ""), set()).add(number)
    form_words = sorted({word for form in forms for word in form if len(word) > _SHORT_FORM})
    sizes = range(_LONG, max(map(len, form_words)) + 2)
    return Vocabulary(
        forms=forms,
        form_starts={form[0]: len(form) for form in sorted(forms, key=len)},
        titles=frozenset(raw["titles"]),
        vessel_prefixes=frozenset(raw["vessel_prefixes"]),
        particles=frozenset(raw["particles"]),
        same=same,
        same_starts=frozenset(phrase[0] for phrase in same),
        weights={
            word.replace(" ", ""): int(percent) * 10
            for percent, words in raw["weak_words"].items()
            for word in words
        },
        nicknames={word: frozenset(numbers) for word, numbers in nicknames.items()},
        form_words=frozenset(form_words),
        form_words_near={
            size: tuple(word for word in form_words if abs(len(word) - size) <= 1) for size in sizes
        },
    )
