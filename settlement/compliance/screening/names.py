"""Names made ready to be compared: any script as a-z, legal forms and titles taken off, in words.

Compares nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from settlement.compliance.screening.romanising import SYLLABLES, romanised
from settlement.compliance.screening.vocabulary import Phrase, vocabulary

LENGTH_MAX = 300
"""Characters of a name that are looked at."""
_WORDS_MAX = 24

_CONSONANTS_ONLY = re.compile("[\u0590-\u06ff\u0750-\u077f\u08a0-\u08ff]")
_DOTTED = re.compile(r"\b(?:[a-z]\.[ ]?){1,}[a-z]\b\.?")
_QUOTES = ("'", "`", '"')
"""In ASCII, as all the others are by then."""
_NUMBER_SIGN = re.compile(r"\b(?:no|nr|num|number)[. ]*(?=[0-9])")
_DIGIT = re.compile("[0-9]")
_WORD = re.compile("[a-z0-9]+")
_SERVANT_WORDS = frozenset(
    ("abd", "abdul", "abdel", "abdal", "abdol", "abdoul", "abdur", "abdu", "abdi", "abdil")
)
_ARTICLES = frozenset(("al", "el", "ul"))
_OF_GOD = frozenset(("allah", "llh"))
_FAITH = frozenset(("din", "deen", "dine", "dyn", "eddin", "eddine", "uddin", "aldin"))
_OF_THE_FAITH = re.compile("(.{3,}?)[aeiou]dd(?:in|een|ine)")
_SERVANT = re.compile("abd(?:ou|[aeiou])(?:l|([rsn])(?=\\1))(.{4,})")
# Alone these are words of another language too: a form only at the beginning or the end.
_SHORT = 2


class NameKind(StrEnum):
    """What bears a name: it decides what of it counts."""

    PERSON = "person"
    ORGANIZATION = "organization"
    VESSEL = "vessel"
    AIRCRAFT = "aircraft"
    UNKNOWN = "unknown"


class Name(NamedTuple):
    """A name as it is compared."""

    kind: NameKind
    words: Phrase
    """Without particles, titles and legal form, in order; with them where there is little else."""
    particles: Phrase
    form: str
    """The class of its legal form; empty where it names none."""
    joined: str
    """All words without spaces."""
    syllables: str
    """The name itself where its script writes syllables, such as Chinese and Korean."""
    no_vowels: bool
    """Whether its script leaves vowels out, such as Arabic and Hebrew."""


@lru_cache(maxsize=65_536)
def prepared(text: str, kind: NameKind) -> Name:
    """Return a name ready to be compared."""
    text = text[:LENGTH_MAX]
    is_latin = text.isascii()
    if not is_latin:
        text = unicodedata.normalize("NFKC", text)
    plain = romanised(text)
    words = _words(plain, kind)
    form = ""
    if kind in (NameKind.ORGANIZATION, NameKind.UNKNOWN, NameKind.PERSON):
        words, form = _without_form(words, kind)
    no_vowels = not is_latin and bool(_CONSONANTS_ONLY.search(text))
    if not no_vowels:  # There a name may be left with the letters of a title: Omar with `mr`.
        words = _without_titles(words, kind)
    words = _servants(words) if kind == NameKind.PERSON else _one_spelling(words)
    known, kept = vocabulary().particles, words
    particles: Phrase = ()
    if not known.isdisjoint(words):
        kept = tuple([word for word in words if word not in known])
        if kind == NameKind.PERSON and len(kept) < 2:
            kept = words
        else:
            particles = tuple([word for word in words if word in known])
    syllables = ""
    if not is_latin and SYLLABLES.search(text):
        syllables = "".join(each for each in text if each.isalnum())
    return Name(
        kind=kind,
        words=kept or words,
        particles=particles,
        form=form,
        joined="".join(words),
        syllables=syllables,
        no_vowels=no_vowels,
    )


def readings(text: str, kind: NameKind) -> list[Name]:
    """Return a name as it may be meant: one, or each kind's where its own is not known."""
    if kind != NameKind.UNKNOWN:
        return [prepared(text, kind)]
    kinds = (NameKind.VESSEL, NameKind.PERSON, kind)
    return list({name.words: name for name in (prepared(text, each) for each in kinds)}.values())


def _words(plain: str, kind: NameKind) -> Phrase:
    for quote in _QUOTES:
        plain = plain.replace(quote, "")
    plain = plain.replace("&", " and ")
    if kind != NameKind.PERSON and "." in plain:
        plain = _DOTTED.sub(lambda each: re.sub("[. ]", "", each.group()) + " ", plain)
    if kind != NameKind.PERSON and _DIGIT.search(plain):
        plain = _NUMBER_SIGN.sub("", plain)
    return tuple(_WORD.findall(plain)[:_WORDS_MAX])


def _without_form(words: Phrase, kind: NameKind) -> tuple[Phrase, str]:
    """Take the legal forms out of the words; return what is left and the class of the last one."""
    known = vocabulary()
    if known.form_starts.keys().isdisjoint(words):
        return words, ""
    kept: list[str] = []
    form, at = "", 0
    while at < len(words):
        size = _form_at(words, at, kind) if words[at] in known.form_starts else 0
        if size:
            form = known.forms[words[at : at + size]] if not form or size > 1 else form
            at += size
        else:
            kept.append(words[at])
            at += 1
    return (tuple(kept), form) if kept else (words, "")


def _form_at(words: Phrase, at: int, kind: NameKind) -> int:
    """Return how many words from `at` are a legal form: 0 for none."""
    known = vocabulary().forms
    for size in range(vocabulary().form_starts[words[at]], 0, -1):
        phrase = words[at : at + size]
        if len(phrase) < size or phrase not in known:
            continue
        alone = size == 1 and len(phrase[0]) <= _SHORT
        at_an_end = at == 0 or all((each,) in known for each in words[at:])
        if alone and not at_an_end:
            continue
        if kind == NameKind.PERSON and (at == 0 or len("".join(phrase)) <= _SHORT):
            continue
        return size
    return 0


def _without_titles(words: Phrase, kind: NameKind) -> Phrase:
    known = vocabulary()
    if kind == NameKind.PERSON and not known.titles.isdisjoint(words):
        kept = tuple([word for word in words if word not in known.titles])
        if _says_enough(kept):
            return kept
        # With an article it is a family's name, where little else is left: Ali al-Sayed.
        before = ("", *words)
        kept = tuple(
            [
                word
                for word, last in zip(words, before, strict=False)
                if word not in known.titles or last in _ARTICLES
            ]
        )
        return kept if _says_enough(kept) else words
    if kind == NameKind.VESSEL:
        for size in (2, 1):
            if len(words) > size and " ".join(words[:size]) in known.vessel_prefixes:
                return words[size:]
    return words


def _says_enough(words: Phrase) -> bool:
    """Whether there are two words besides particles."""
    return sum(word not in vocabulary().particles for word in words) > 1


def _servants(words: Phrase) -> Phrase:
    """Write `Abd al-Rahman`, `Abdul Rahman` and `Abdurrahman` in one way, as one word.

    So are `Nasr Allah`, `Nur al-Din`, and `Rahman, Abdul`: what that ends with belongs to what it
    begins with.
    """
    known = vocabulary().particles
    found: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word in _SERVANT_WORDS:
            while at < len(words) - 1 and words[at] in known:
                at += 1
            if _ARTICLES.issuperset(words[at:]):
                word, at = _before(word, found, known), len(words)
            elif len(words[at]) > 1:
                word = f"abd{words[at]}"
                at += 1
        elif word in _OF_GOD and found and len(found[-1]) > 1 and found[-1] not in known:
            word = found.pop() + word
        elif word in _FAITH and any(each not in known for each in found):
            word = _of_the_faith(found, known)
        elif "dd" in word and (inside := _OF_THE_FAITH.fullmatch(word)):
            word = f"{inside.group(1)}din"
        elif inside := _SERVANT.fullmatch(word):
            word = f"abd{inside.group(2)}"
        found.append(word)
    return tuple(found)


def _before(word: str, found: list[str], particles: Container[str]) -> str:
    """Return the last word of a name that gives its family name first, that name taken in."""
    start = 0
    while start < len(found) - 1 and found[start] in particles:
        start += 1
    if not found or len(found[start]) < 2 or found[start] in _SERVANT_WORDS:
        return word
    word = f"abd{found[start]}"
    del found[: start + 1]
    return word


def _of_the_faith(found: list[str], particles: Container[str]) -> str:
    """Return `Nur al-Din` as one word, its parts taken out of what was found."""
    while found[-1] in particles:
        found.pop()
    return f"{found.pop()}din"


def _one_spelling(words: Phrase) -> Phrase:
    """Write what is one word in several spellings and languages in one way."""
    known = vocabulary()
    if known.same_starts.isdisjoint(words):
        return words
    found: list[str] = []
    at = 0
    while at < len(words):
        size = 1
        word = words[at]
        if word in known.same_starts:
            for length in (2, 1):
                phrase = words[at : at + length]
                # A letter is a number only after a name.
                if phrase in known.same and (at or len("".join(phrase)) > _SHORT):
                    word, size = known.same[phrase], length
                    break
        found.append(word)
        at += size
    return tuple(found)
