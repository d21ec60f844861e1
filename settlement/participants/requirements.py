"""Which documents a participant needs, how long they are good, and what that makes of its state.

Pure but for `load`: the rules are in `requirements.yaml`; knows no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from settlement.clock import from_micros
from settlement.errors import Fatal
from settlement.states import ParticipantState

FILE = Path(__file__).with_name("requirements.yaml")
FORMS = ("legal_entity", "sole_proprietor", "individual")

_DAY_MICROS = 86_400 * 1_000_000


class RequirementsInvalid(Fatal):
    """Nobody is taken on under half of the rules."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"requirements.yaml: {fault}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document."""

    name: str
    title: str
    age_days: int | None = None
    """An undated one is good for so many days after it was issued; None: for good."""
    needs_expiry: bool = False
    of_person: bool = False
    """Its number is a person's."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """All kinds, and those that a legal form needs."""

    version: str
    review_days: int
    kinds: Mapping[str, Kind]
    required: Mapping[str, tuple[str, ...]]


class Validity(NamedTuple):
    """From when to when an accepted document is good, in microseconds; None: without an end."""

    kind: str
    valid_from: int
    valid_until: int | None


class Standing(NamedTuple):
    """What a participant's documents come to at a moment."""

    valid: tuple[str, ...]
    missing: tuple[str, ...]
    """Required, and never accepted."""
    expired: tuple[str, ...]
    """Required, and accepted once, but good no more."""


@lru_cache(maxsize=4)
def load(file: Path = FILE) -> Requirements:
    """Read the rules.

    Raises:
        RequirementsInvalid: unknown keys, forms or kinds.
    """
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(raw, dict) or set(raw.get("required", ())) != set(FORMS):
        raise RequirementsInvalid(f"`required` names {', '.join(FORMS)}")
    kinds = {name: _kind(name, said) for name, said in raw["kinds"].items()}
    for form, names in raw["required"].items():
        if not names or set(names) - set(kinds):
            raise RequirementsInvalid(f"{form} needs kinds that are known, at least one")
    required = {form: tuple(names) for form, names in raw["required"].items()}
    return Requirements(str(raw["version"]), int(raw["review_days"]), kinds, required)


def ends_at(kind: Kind, issued_on: date, expires_on: date | None) -> date | None:
    """Return the last day of a document: its own, and no later than its kind's age allows."""
    aged = None if kind.age_days is None else issued_on + timedelta(days=kind.age_days)
    known = [day for day in (expires_on, aged) if day is not None]
    return min(known, default=None)


def standing(required: Sequence[str], documents: Iterable[Validity], at: int) -> Standing:
    """Return which kinds are good at a moment, and which required ones are not."""
    valid, seen = set(), set()
    for each in documents:
        seen.add(each.kind)
        if each.valid_from <= at and (each.valid_until is None or at < each.valid_until):
            valid.add(each.kind)
    lacking = [kind for kind in required if kind not in valid]
    return Standing(
        tuple(sorted(valid)),
        tuple(kind for kind in lacking if kind not in seen),
        tuple(kind for kind in lacking if kind in seen),
    )


def valid_until(
    required: Sequence[str], documents: Iterable[Validity], review_on: date | None, at: int
) -> int | None:
    """Return the first moment from `at` on at which something required is good no more.

    `at` itself where something is missing or has ended; None where nothing ends.
    """
    spans: dict[str, list[Validity]] = {kind: [] for kind in required}
    for each in documents:
        if each.kind in spans:
            spans[each.kind].append(each)
    ends = [_covered_until(spans[kind], at) for kind in required]
    if review_on is not None:
        ends.append(end_of(review_on))
    known = [end for end in ends if end is not None]
    return max(min(known), at) if known else None


def end_of(day: date) -> int:
    """Return the first moment after a day (UTC), in microseconds."""
    return (day - date(1970, 1, 1)).days * _DAY_MICROS + _DAY_MICROS


def start_of(day: date) -> int:
    """Return the first moment of a day (UTC), in microseconds."""
    return end_of(day) - _DAY_MICROS


def effective(state: str, kyb_valid_until: int | None, at: int) -> ParticipantState:
    """Return the state that counts: an active one whose KYB has ended is expired at that moment."""
    stored = ParticipantState(state)
    ended = kyb_valid_until is not None and at >= kyb_valid_until
    return ParticipantState.EXPIRED if ended and stored == ParticipantState.ACTIVE else stored


def day_of(micros: int) -> date:
    """Return the UTC day of a moment."""
    moment: datetime = from_micros(micros)
    return moment.date()


def _covered_until(spans: list[Validity], at: int) -> int | None:
    """Return until when spans follow each other from `at` on without a gap; `at`: not at all."""
    end = at
    for each in sorted(spans, key=lambda span: span.valid_from):
        if each.valid_from > end:
            break
        if each.valid_until is None:
            return None
        end = max(end, each.valid_until)
    return end


def _kind(name: str, said: Any) -> Kind:
    known = {"title", "age_days", "expiry", "of_person"}
    if not isinstance(said, dict) or "title" not in said or set(said) - known:
        raise RequirementsInvalid(f"kind {name} has a title, and of {', '.join(sorted(known))}")
    if said.get("expiry", "required") != "required":
        raise RequirementsInvalid(f"kind {name}: expiry is `required` or left out")
    return Kind(
        name, said["title"], said.get("age_days"), "expiry" in said, bool(said.get("of_person"))
    )
