"""Values out of an XML tree: text, amounts, days and their places; own rules judged on the way.

Knows how a value is written, not what it means. Amounts go from text to integers, never through a
float. A misfit is gathered in `failures`, a check digit that the official rules leave alone in
`warnings`.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from lxml import etree

from settlement.documents import checks
from settlement.documents.errors import RuleFailure
from settlement.documents.model import RuleWarning
from settlement.documents.rulebook import NAMESPACES
from settlement.documents.xml_source import location
from settlement.money import MINOR_MAX

NAME_MAX = 1_000
NOTE_MAX = 10_000

_DECIMAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?\Z", re.ASCII)
_DIGITS_MAX = 60
_STEP = re.compile(r"([a-z]+):([A-Za-z]+)")


class Reading:
    """One pass over one tree. `currency` and `decimals` are set once the currency is known."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.failures: list[RuleFailure] = []
        self.warnings: list[RuleWarning] = []
        self.currency, self.decimals = "", 0

    def text(self, node: etree._Element, path: str, limit: int = NAME_MAX) -> str:
        """Return the text at a path, or "" where there is none."""
        found = node.find(_clark(path))
        return "" if found is None else self.text_of(found, limit)

    def text_of(self, element: etree._Element, limit: int = NAME_MAX) -> str:
        """Return the element's own text without the spaces around it."""
        value = (element.text or "").strip()
        if not (len(value) <= limit and value.isascii() and value.isprintable()):
            self.note(checks.text(value, location(element), limit))
        return value

    def attribute(self, node: etree._Element, path: str, name: str) -> str:
        """Return an attribute of the element at a path, or ""."""
        found = node.find(_clark(path))
        return "" if found is None else found.get(name, "")

    def minor(self, node: etree._Element, path: str) -> int:
        """Return the amount at a path in minor units of the document's currency; 0 where none."""
        found = node.find(_clark(path))
        return 0 if found is None else self.minor_of(found)

    def minor_of(self, element: etree._Element) -> int:
        """Return an amount in minor units; what cannot be one is gathered, and 0."""
        value = (element.text or "").strip()
        match = _DECIMAL.match(value)
        currency = element.get("currencyID", self.currency)
        if self.currency and currency != self.currency:
            repair = f"State the amount in the document's currency, {self.currency}."
            self.note(
                RuleFailure("SR-CURRENCY", location(element), currency, "other currency", repair)
            )
        if match is None or not value.strip("+-.") or len(value) > _DIGITS_MAX:
            repair = "Write the amount as a plain decimal number."
            self.note(RuleFailure("SR-AMOUNT", location(element), value[:60], "no amount", repair))
            return 0
        fraction = (match.group(3) or "").rstrip("0")
        if self.currency and len(fraction) > self.decimals:
            self.note(checks.decimals_of(value, self.decimals, location(element)))
            return 0
        minor = int((match.group(2) or "0") + fraction.ljust(self.decimals, "0"))
        if minor > MINOR_MAX:
            self.note(checks.range_of(minor, self.decimals, location(element)))
        return -minor if match.group(1) == "-" else minor

    def day(self, node: etree._Element, path: str) -> date | None:
        """Return the day at a path: 2026-03-02, or 20260302 in CII. A time zone is left out."""
        found = node.find(_clark(path))
        if found is None or not (found.text or "").strip():
            return None
        value = found.text.strip()
        digits = value[:10].replace("-", "")
        try:
            if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
                raise ValueError(value)
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            repair = "Write the day as YYYY-MM-DD (UBL) or YYYYMMDD with format 102 (CII)."
            self.note(RuleFailure("SR-DATE", location(found), value[:60], "no day", repair))
            return None

    def place(self, path: str) -> str:
        """Return the readable location of a path from the root, also where nothing stands there."""
        found = self.root.find(_clark(path))
        return f"{location(self.root)}/{path}" if found is None else location(found)

    def note(self, failure: RuleFailure | None) -> None:
        """Gather a failure, if it is one."""
        if failure is not None:
            self.failures.append(failure)

    def warn(self, failure: RuleFailure | None) -> None:
        """Gather a failure that the official rules leave alone as a warning."""
        if failure is not None:
            warning = RuleWarning(failure.rule_id, failure.location, failure.message)
            self.warnings.append(warning)


def all_at(node: etree._Element, path: str) -> list[etree._Element]:
    """Return every element at a path."""
    return node.findall(_clark(path))


def selected(node: etree._Element, xpath: str) -> list[etree._Element]:
    """Return every element that an XPath with conditions selects."""
    found: list[etree._Element] = _compiled(xpath)(node)
    return found


@lru_cache(maxsize=512)
def _clark(path: str) -> str:
    """Return a path with namespaces written out: the form that is found fastest."""
    return _STEP.sub(lambda step: f"{{{NAMESPACES[step[1]]}}}{step[2]}", path)


@lru_cache(maxsize=64)
def _compiled(xpath: str) -> etree.XPath:
    return etree.XPath(xpath, namespaces=NAMESPACES)
