"""The texts of an entry that was cut out of a file: by a pattern for each shape that is frequent.

A pattern is the shape's markup, letter by letter, with a place for each text. What no pattern
fits is read as a tree, which also makes the next pattern. Knows nothing of files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from lxml import etree

from settlement.documents.iso20022.reading_cut import NotPlain
from settlement.documents.iso20022.reading_plan import (
    SHAPES_MAX,
    EntryPlan,
    Shapes,
    Texts,
    texts_of,
)

PATTERNS_MAX = 16
PATTERN_TEXT_MAX = 16_384
"""A longer entry (a batch of many) is read as a tree: hardly two are alike."""
_LEAF = re.compile(r"(<([^<>/!?\s]+)(?:\s[^<>]*[^<>/])?>)([^<]+)(?=</\2>)")
_REFERENCE = re.compile(r"&(?:#([0-9]+)|#x([0-9A-Fa-f]+)|(\w+));")
_DIGITS_MAX = 8
_CHARACTERS = (range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))
"""Source: XML 1.0, production 2, without the three that break lines or set tabs."""
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}

Meet = Callable[[str], None]


class _Pattern(NamedTuple):
    fits: re.Pattern[str]
    plan: EntryPlan


class Patterns:
    """The patterns of a file's shapes; `meet` is given the first entry of each."""

    def __init__(self, namespace: str, meet: Meet) -> None:
        self._opening = f'<Document xmlns="{namespace}">'
        self._meet = meet
        self._frequent: list[_Pattern] = []
        self._shapes = Shapes()
        self._seen: set[str] = set()

    def read(self, text: str) -> tuple[EntryPlan, Texts]:
        """Return an entry's plan, and its texts with None as the last.

        Raises:
            NotPlain: it can only be read with all that stands around it.
        """
        frequent = self._frequent
        for place, pattern in enumerate(frequent):
            found = pattern.fits.fullmatch(text)
            if found is not None:
                if place:
                    # The most frequent ones come to stand first.
                    frequent[place - 1], frequent[place] = pattern, frequent[place - 1]
                texts: Texts = (*found.groups(), None)
                if "&" in text:
                    texts = [plain(each) if each and "&" in each else each for each in texts]
                return pattern.plan, texts
        return self._as_tree(text)

    def _as_tree(self, text: str) -> tuple[EntryPlan, Texts]:
        if "<!" in text or "<?" in text:
            raise NotPlain
        element = self._element(text)
        plan, texts = self._shapes.read(element, lambda _element: self._meet(text))
        if len(text) <= PATTERN_TEXT_MAX:
            markup = _LEAF.sub(r"\1<", text)
            if markup in self._seen:
                self._add(text, element, plan)
            elif len(self._seen) < SHAPES_MAX:
                self._seen.add(markup)
        return plan, texts

    def _add(self, text: str, element: etree._Element, plan: EntryPlan) -> None:
        """Keep the pattern of a shape that has come twice."""
        parts, end = [], 0
        for leaf in _LEAF.finditer(text):
            parts += [re.escape(text[end : leaf.end(1)]), "([^<]+)"]
            end = leaf.end()
        pattern = re.compile("".join(parts) + re.escape(text[end:]))
        found = pattern.fullmatch(text)
        if found is None or [plain(each) for each in found.groups()] != texts_of(element):
            return  # Text beside elements, or markup that is not what it seems.
        self._frequent = [*self._frequent[: PATTERNS_MAX - 1], _Pattern(pattern, plan)]

    def _element(self, text: str) -> etree._Element:
        try:
            document = etree.fromstring(f"{self._opening}{text}</Ntry></Document>", _PARSER)
        except etree.XMLSyntaxError as error:
            raise NotPlain from error
        return document[0]


def plain(text: str) -> str:
    """Return a text with its references replaced.

    Raises:
        NotPlain: one names nothing that XML knows by itself.
    """
    return _REFERENCE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name:
        if name not in _NAMED:
            raise NotPlain
        return _NAMED[name]
    digits, base = (decimal, 10) if decimal else (hexadecimal, 16)
    number = int(digits, base) if len(digits) <= _DIGITS_MAX else 0
    if not any(number in span for span in _CHARACTERS):
        raise NotPlain
    return chr(number)


_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False,
    remove_blank_text=True, remove_comments=True, remove_pis=True,
)  # fmt: skip
