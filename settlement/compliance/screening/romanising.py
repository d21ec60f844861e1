"""A text in lower-case ASCII, whatever its script: what its letters are in Latin, and look like.

Knows scripts; which of its words count is in `names`.
"""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

SYLLABLES = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_ARABIC_ARTICLE = re.compile("\\bال(?=\\w{3})")
_IN_ARABIC = (
    (re.compile("\\bعبد ?(?=ال\\w{3})"), "abd "),
    (re.compile("\\bعبد\\b"), "abd"),
    (re.compile("\\b[أا]ب[ويا]\\b"), "abu"),
    (re.compile("ظ"), "z"),
)
"""What a name's parts and letters are in Latin, where letter by letter they would be others."""
_PERSIAN = re.compile("[پچژگکی]")
_GREEK = re.compile("[\u0370-\u03ff]")
_IN_GREEK = (
    (re.compile("ου"), "ou"), (re.compile("[αε]υ(?!\u0308)"), ""), (re.compile("γγ"), "ng"),
    (re.compile("\\bμπ"), "b"), (re.compile("\\bντ"), "d"),
)  # fmt: skip
"""Two letters that are one sound. The second is the vowel alone with a v."""
_MIXED = re.compile("\\b(?=\\w*[a-zA-Z])\\w*[\u0370-\u052f]\\w*")
_OTHER_LETTERS = re.compile("[\u0370-\u052f]")
_LOOKS_LIKE = str.maketrans(
    "аеорсхукіјѕвмнтԛԝАВЕКМНОРСТХУІЈЅαοριυνκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcxykijsbmhtqwABEKMHOPCTXYIJSaopiuvkABEZHIKMNOPTYX",
)
"""Letters of other alphabets inside a Latin word. Source: Unicode UTS #39, confusables."""
_HUMP = re.compile("(?<=[a-z])(?=[A-Z])")


def romanised(text: str) -> str:
    """Return a text in lower-case ASCII, whatever its script."""
    if text.isascii():
        return text.lower()
    text = _MIXED.sub(_as_it_looks, text)
    syllables = bool(SYLLABLES.search(text))
    if _PERSIAN.search(text):
        text = text.replace("ض", "z").replace("ذ", "z")
    for arabic, latin in _IN_ARABIC:
        text = arabic.sub(latin, text)
    if _GREEK.search(text):
        text = _from_greek(text)
    plain = anyascii(_ARABIC_ARTICLE.sub("al ", text))
    return (_HUMP.sub(" ", plain) if syllables else plain).lower()


def _from_greek(text: str) -> str:
    text = unicodedata.normalize("NFD", text.lower()).replace("\u0301", "")
    for greek, latin in _IN_GREEK:
        text = greek.sub(latin or (lambda vowels: f"{vowels[0][0]}v"), text)
    return unicodedata.normalize("NFC", text)


def _as_it_looks(word: re.Match[str]) -> str:
    """Return a Latin word with letters of other alphabets, if all look as Latin ones do."""
    latin = word.group().translate(_LOOKS_LIKE)
    return word.group() if _OTHER_LETTERS.search(latin) else latin
