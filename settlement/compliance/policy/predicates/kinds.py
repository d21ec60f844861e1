"""What a predicate is made of: a check, what it looks at, and the options that a pack may give.

Knows no predicate; `__init__` has the table of them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Any

from settlement.compliance.policy.model import PairCheck, PaymentCheck
from settlement.compliance.policy.windows import Limit, Tables, Window

Options = Mapping[str, Any]

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,15})(\.[0-9]{1,9})?\Z", re.ASCII)
_PERIOD = re.compile(r"(day|month|[1-9][0-9]{0,2} days)\Z", re.ASCII)
_DAYS_MAX = 366


class OptionKind(Enum):
    """What an option's value may be, in words."""

    DECIMAL = "a decimal number, such as 1000.00"
    COUNT = "a whole number"
    TEXT = "text"
    TEXTS = "a list of texts"
    COUNTRIES = "a list of ISO 3166-1 alpha-2 codes"
    CURRENCY = "an ISO 4217 code"
    PERIOD = "`day`, `month` or `N days`"
    PER = "`debtor`, `creditor` or `pair`"


@dataclass(frozen=True, slots=True)
class PairKind:
    """A predicate over the parties and the asset: judged once for all payments between them."""

    make: Callable[[Options, Tables], PairCheck]
    needs: Mapping[str, OptionKind] = field(default_factory=dict)
    may: Mapping[str, OptionKind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaymentKind:
    """A predicate over one payment."""

    make: Callable[[Options, Tables], PaymentCheck]
    needs: Mapping[str, OptionKind] = field(default_factory=dict)
    may: Mapping[str, OptionKind] = field(default_factory=dict)
    windows: Callable[[Options], tuple[Window, ...]] = lambda _options: ()


def read_option(kind: OptionKind, value: Any) -> Any:
    """Return an option's value as the predicates take it; text and lists of text come in.

    Raises:
        ValueError: it is none of its kind.
    """
    if kind in (OptionKind.TEXTS, OptionKind.COUNTRIES):
        if not isinstance(value, list) or not value or not all(_is_text(each) for each in value):
            raise ValueError(kind.value)
        if kind is OptionKind.COUNTRIES and not all(_is_country(each) for each in value):
            raise ValueError(kind.value)
        return frozenset(value)
    if not _is_text(value):
        raise ValueError(kind.value)
    found = _SCALARS[kind](value)
    if found is None:
        raise ValueError(kind.value)
    return found


def limit(options: Options) -> Limit:
    """Return the options `units` and `currency` as one."""
    return Limit(options["units"], options["currency"])


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_country(value: str) -> bool:
    return len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()


def _is_currency(value: str) -> bool:
    return len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()


def _days(value: str) -> int | None:
    """Return rolling days of a period; 0 for the calendar month."""
    if not _PERIOD.match(value):
        return None
    if value in ("day", "month"):
        return 1 if value == "day" else 0
    days = int(value.split()[0])
    return days if days <= _DAYS_MAX else None


_SCALARS: Mapping[OptionKind, Callable[[str], Any]] = {
    OptionKind.DECIMAL: lambda value: Fraction(value) if _DECIMAL.match(value) else None,
    OptionKind.COUNT: lambda value: int(value) if re.fullmatch("[0-9]{1,12}", value) else None,
    OptionKind.TEXT: lambda value: value,
    OptionKind.CURRENCY: lambda value: value if _is_currency(value) else None,
    OptionKind.PERIOD: _days,
    OptionKind.PER: lambda value: value if value in ("debtor", "creditor", "pair") else None,
}
