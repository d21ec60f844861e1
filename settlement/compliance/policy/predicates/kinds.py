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
from settlement.compliance.policy.subject import FORMS
from settlement.compliance.policy.windows import Limit, Tables, Window
from settlement.documents.identifiers import COUNTRIES, minor_units

Options = Mapping[str, Any]

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,15})(\.[0-9]{1,9})?\Z", re.ASCII)
_PERIOD = re.compile(r"(day|month|[1-9][0-9]{0,2} days)\Z", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}\Z", re.ASCII)
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}\Z", re.ASCII)
_DAYS_MAX = 366
_WALLET_KINDS = ("custodial", "self_hosted")
WHOLE_BP = 10_000
"""Basis points of a whole."""


class OptionKind(Enum):
    """What an option's value may be, in words."""

    DECIMAL = "a decimal number, such as 1000.00"
    COUNT = "a whole number"
    TEXTS = "a list of texts"
    WALLETS = "a list of `custodial`, `self_hosted` and addresses of 40 hexadecimal digits"
    FORMS = f"a list out of {', '.join(FORMS)}"
    COUNTRIES = "a list of ISO 3166-1 alpha-2 codes"
    CURRENCY = "an ISO 4217 code"
    CURRENCIES = "a list of ISO 4217 codes"
    NAME = "the name of a list or register: lower-case letters, digits and _"
    NAMES = "a list of names of registers: lower-case letters, digits and _"
    GOODS = "the name of a list of goods: lower-case letters, digits and _"
    BASIS_POINTS = "a whole number from 1 to 10000"
    COMPARED = "`at_least` or `above`"
    DIRECTION = "`import` or `export`"
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
    if kind in _LISTS:
        if not isinstance(value, list) or not value or not all(_is_text(each) for each in value):
            raise ValueError(kind.value)
        if not all(_LISTS[kind](each) for each in value):
            raise ValueError(kind.value)
        # Addresses are stored in small letters, and compared as they are.
        return frozenset(each.lower() if _ADDRESS.match(each) else each for each in value)
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


def _is_currency(value: str) -> bool:
    return minor_units(value) is not None


def _is_name(value: str) -> bool:
    return bool(_NAME.match(value))


def _basis_points(value: str) -> int | None:
    return int(value) if re.fullmatch("[1-9][0-9]{0,4}", value) and int(value) <= WHOLE_BP else None


def _one_of(*values: str) -> Callable[[str], str | None]:
    return lambda value: value if value in values else None


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
    OptionKind.NAME: lambda value: value if _is_name(value) else None,
    OptionKind.GOODS: lambda value: value if _is_name(value) else None,
    OptionKind.BASIS_POINTS: _basis_points,
    OptionKind.COMPARED: _one_of("at_least", "above"),
    OptionKind.DIRECTION: _one_of("import", "export"),
    OptionKind.CURRENCY: lambda value: value if _is_currency(value) else None,
    OptionKind.PERIOD: _days,
    OptionKind.PER: _one_of("debtor", "creditor", "pair"),
}
_LISTS: Mapping[OptionKind, Callable[[str], bool]] = {
    OptionKind.TEXTS: _is_text,
    OptionKind.WALLETS: lambda value: value in _WALLET_KINDS or bool(_ADDRESS.match(value)),
    OptionKind.FORMS: FORMS.__contains__,
    OptionKind.COUNTRIES: COUNTRIES.__contains__,
    OptionKind.CURRENCIES: _is_currency,
    OptionKind.NAMES: _is_name,
}
