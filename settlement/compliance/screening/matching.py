"""A participant's parts against the lists: names by score, wallets and numbers exactly.

Pure: no database. What country and date of birth say moves a score within stated bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from settlement.compliance.screening.index import Found, Index, Listed
from settlement.compliance.screening.names import NameKind
from settlement.compliance.screening.scoring import THRESHOLD
from settlement.compliance.screening.subjects import Part, Subject

_LOWER_POINTS = 3
"""Evidence may raise a score to the threshold from so far below it."""
_SAME_COUNTRY = 3
_OTHER_COUNTRY = -4
_SAME_BIRTH = 5
_SAME_BIRTH_YEAR = 3
_OTHER_BIRTH = -12
_WEAK_ALIAS = -5
_NAME_ALONE = 95
"""From here on no other country and no weakness of an alias takes a hit away."""
_YEARS_APART_MAX = 2
_ANY_NUMBER = ("id", "other")
_OF_A_TAXPAYER = (
    "tax", "vat", "fiscal", "credit code", "fein", "nit", "inn", "rfc", "ruc", "rif", "rtn",
    "cuit", "cif", "registration", "regnumber", "registry", "company", "enterprise number",
    "business number", "cr no", "national id", "id card", "identification number",
)  # fmt: skip
"""Lists call it by its country's word; where a tax number is the register's, by the register's."""


@dataclass(frozen=True, slots=True)
class Match:
    """A part that may be a listed party."""

    part: Part
    listed: Listed
    entry_text: str
    points: int
    details: dict[str, Any]
    """What the score is made of, without any word of a person who is compared."""


def matches(subject: Subject, index: Index, threshold: int = THRESHOLD) -> list[Match]:
    """Return each listed party that a part of the participant may be, best first."""
    found: list[Match] = []
    for part in subject.parts:
        found += _exact(part, index) if part.is_exact else named(part, index, threshold)
    return found


def named(part: Part, index: Index, threshold: int = THRESHOLD) -> list[Match]:
    """Return the listed parties that a name may be."""
    found = []
    for hit in index.search(part.text, part.name_kind, threshold - _LOWER_POINTS):
        points, evidence = _with_evidence(part, hit)
        if points >= threshold:
            found.append(Match(part, hit.listed, hit.name, points, _details(part, hit, evidence)))
    return sorted(found, key=lambda each: (-each.points, each.listed.entry_key)) if found else found


def _exact(part: Part, index: Index) -> list[Match]:
    found = index.identified(part.text)
    if not found:
        return []
    word, _, value = part.key.partition(":")
    return [
        Match(part, listed, value or word, 100, {"exact": kind})
        for kind, listed in found
        if part.kind == "wallet" or _comparable(word, kind)
    ]


def _comparable(word: str, kind: str) -> bool:
    """Return whether a number of one kind may be one that a list gives under another name."""
    said = kind.replace(".", "")
    if word == "tax":
        return any(each in said for each in _OF_A_TAXPAYER) or said in _ANY_NUMBER
    return word == kind or (word == "lei" and said in _ANY_NUMBER)


def _with_evidence(part: Part, hit: Found) -> tuple[int, dict[str, int]]:
    points, listed = hit.score.points, hit.listed
    evidence: dict[str, int] = {}
    if part.country and listed.countries:
        same = part.country in listed.countries
        evidence["country"] = _SAME_COUNTRY if same else _OTHER_COUNTRY
    if part.birth_date and listed.birth_dates and listed.kind == NameKind.PERSON:
        evidence["birth"] = _birth(part.birth_date, listed)
    if hit.name_kind == "weak":
        evidence["weak alias"] = _WEAK_ALIAS
    total = min(100, points + sum(evidence.values()))
    if points >= _NAME_ALONE:
        born_other = evidence.get("birth", 0) < 0
        total = max(total, THRESHOLD if born_other else _NAME_ALONE - 5)
    return total, evidence


def _birth(born: str, listed: Listed) -> int:
    if born in listed.birth_dates:
        return _SAME_BIRTH
    years = {int(each[:4]) for each in listed.birth_dates}
    year = int(born[:4])
    if year in years:
        return _SAME_BIRTH_YEAR
    return _OTHER_BIRTH if min(abs(year - each) for each in years) > _YEARS_APART_MAX else 0


def _details(part: Part, hit: Found, evidence: dict[str, int]) -> dict[str, Any]:
    found = hit.score
    details: dict[str, Any] = {"name": found.points, "entry_name": hit.name_kind}
    if part.is_person:
        details["words"] = [[pair.other, pair.percent] for pair in found.pairs]
        details["only_ours"] = len(found.left)
    else:
        details["words"] = [[pair.one, pair.other, pair.percent] for pair in found.pairs]
        details["only_ours"] = list(found.left)
    details["only_listed"] = list(found.right)
    if evidence:
        details["evidence"] = evidence
    if found.notes:
        details["notes"] = list(found.notes)
    return details
