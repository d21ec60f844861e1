"""A listed party as a file describes it, whatever the file's format.

Knows no format and no database.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from settlement.errors import Invalid

KINDS = ("person", "organization", "vessel", "aircraft", "unknown")
NAME_MAX = 500
TEXT_MAX = 20_000
_EVM = re.compile(r"0[xX][0-9a-fA-F]{40}(?![0-9a-fA-F])")
_CURRENCY_ADDRESS = re.compile(
    r"Digital Currency Address\s*-?\s*(?P<coin>[A-Z0-9]{2,10})?\s*[:\s]\s*"
    r"(?P<address>[0-9A-Za-z]{20,120})"
)
_IMO = re.compile(r"\bIMO(?:\s+number)?\)?:?\s*(?P<imo>\d{7})\b", re.IGNORECASE)
_BIC = re.compile(r"SWIFT/BIC:?\s*(?P<bic>[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b")
_SEPARATORS = re.compile(r"[\s.,\-/]")
_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_YEARS = re.compile(r"\b(?P<first>\d{4}) ?(?:to|and|-) ?(?P<last>\d{4})\b")
_YEARS_MAX = 40
"""A longer span is two years: it tells nobody from anybody else."""
_PAGE_SIGN = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});", re.IGNORECASE)


class ListUnreadable(Invalid):
    """A list file is not in a form that is read; the version in force stays."""

    def __init__(self, name: str, fault: str, repair: str = "", line: int | None = None) -> None:
        where = f" (line {line})" if line else ""
        super().__init__(
            f"list {name} cannot be read: {fault}{where}",
            field="file",
            repair=repair
            or "give the publisher's file whole, as it was downloaded: see the manual"
            " for the formats that are read",
        )


class FileFault(Exception):
    """What is wrong with a file, before it is known for which list it was given."""

    def __init__(self, fault: str, *, line: int | None = None, repair: str = "") -> None:
        super().__init__(fault)
        self.fault, self.line, self.repair = fault, line, repair


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """What a list says of a party and another one."""

    relation: str
    other: str
    """The other's key in the list, or its name."""
    share_bp: int | None = None


@dataclass(slots=True)
class Party:
    """A listed party, gathered line by line. `key` is the list's own number of it."""

    key: str
    kind: str = "unknown"
    names: dict[str, str] = field(default_factory=dict)
    """Name to main, strong or weak; the first main one is shown."""
    addresses: dict[tuple[str, str | None], None] = field(default_factory=dict)
    identifiers: dict[tuple[str, str], None] = field(default_factory=dict)
    links: dict[Link, None] = field(default_factory=dict)
    countries: dict[str, None] = field(default_factory=dict)
    birth_dates: dict[str, None] = field(default_factory=dict)
    programs: dict[str, None] = field(default_factory=dict)
    remarks: str = ""

    @property
    def name(self) -> str:
        """Its main name."""
        return next((name for name, kind in self.names.items() if kind == "main"), "") or next(
            iter(self.names), ""
        )

    def called(self, name: str | None, kind: str) -> None:
        """Take a name in; the strongest that a list says of it counts."""
        plain = _PAGE_SIGN.sub(lambda sign: html.unescape(sign[0]), name or "")
        text = " ".join(plain.split())[:NAME_MAX]
        ranks = ("main", "strong", "weak")
        if text and ranks.index(kind) < ranks.index(self.names.get(text, "weak")) + 1:
            self.names[text] = kind

    def identified(self, kind: str, value: str | None) -> None:
        """Take a number or code in; an address is a wallet, whatever a list calls it."""
        if value and _EVM.fullmatch(value.strip()):
            kind = "wallet"
        if value and kind == "imo":
            value = value.strip().removeprefix("IMO")
        if value and (plain := plain_identifier(kind, value)):
            self.identifiers[kind, plain] = None

    def born(self, words: str | None) -> None:
        """Take a date of birth in: the whole of it where it is ISO, else all years it may be."""
        text = (words or "").strip()
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            self.birth_dates[text] = None
            return
        for span in _YEARS.finditer(text):
            first, last = int(span["first"]), int(span["last"])
            if last - first <= _YEARS_MAX:
                self.birth_dates.update(dict.fromkeys(map(str, range(first, last + 1))))
        self.birth_dates.update(dict.fromkeys(_YEAR.findall(text)))

    def remarked(self, words: str | None) -> None:
        """Take free text in, with the wallets, ships and banks that it names."""
        text = (words or "").strip()[:TEXT_MAX]
        if not text:
            return
        self.remarks = f"{self.remarks} {text}".strip()[:TEXT_MAX]
        for found in _CURRENCY_ADDRESS.finditer(text):
            self.identified("wallet", found["address"])
        for address in _EVM.findall(text):
            self.identified("wallet", address)
        for found in _IMO.finditer(text):
            self.identified("imo", found["imo"])
        for found in _BIC.finditer(text):
            self.identified("bic", found["bic"])

    @property
    def content_hash(self) -> str:
        """SHA-256 over all that the list says of it, in no order of the file's own."""
        said = [
            self.key, self.kind, sorted(self.names.items()),
            sorted((text, country or "") for text, country in self.addresses),
            sorted(self.identifiers),
            sorted((each.relation, each.other, each.share_bp or 0) for each in self.links),
            sorted(self.countries), sorted(self.birth_dates), sorted(self.programs), self.remarks,
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(said)).hexdigest()


def plain_identifier(kind: str, value: str) -> str:
    """Return a number or code as it is compared."""
    if kind == "wallet":
        text = value.strip()
        return text.lower() if _EVM.fullmatch(text) else text
    return _SEPARATORS.sub("", value).upper()[:120]


def whole(parties: Iterable[Party]) -> list[Party]:
    """Return the parties that have a name or an identifier, or raise what is wrong.

    Raises:
        FileFault: a party without a name; no party at all.
    """
    listed = list(parties)
    for party in listed:
        if not party.names and not party.identifiers:
            raise FileFault(f"entry {party.key} has no name")
    if not listed:
        raise FileFault("it holds no entry")
    return listed
