"""Money as integers in minor units, with the unit beside the number.

Knows no rate and no account: converting one currency into another is somebody else's decision.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from settlement.errors import Invalid

MINOR_MAX = 2**63 - 1
"""The largest amount that is accepted anywhere: the database and the chain have 64 bits for it."""

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,18})(?:\.([0-9]{1,18}))?\Z", re.ASCII)


class AmountInvalid(Invalid):
    """An amount is no plain decimal string of the unit's precision, above zero and below 2^63."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A currency (ISO 4217 `code`) or a token (its symbol), with `decimals` after the point."""

    code: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` whole units of `unit`: cents of EUR, millionths of TUSD."""

    minor: int
    unit: Unit

    def __str__(self) -> str:
        return f"{format_minor(self.minor, self.unit.decimals)} {self.unit.code}"


def parse_minor(text: object, decimals: int, *, field: str | None = None) -> int:
    """Return the minor units of a decimal string such as `"1200.50"`.

    Raises:
        AmountInvalid: not a string, a sign, an exponent, too many digits after the point, zero, or
            too large.
    """
    if not isinstance(text, str):
        raise _invalid(text, 'an amount is a JSON string such as "1200.50"', field)
    found = _DECIMAL.match(text)
    if found is None:
        raise _invalid(text, "digits, one point, no sign, no exponent, no leading zeros", field)
    whole, fraction = found.group(1), found.group(2) or ""
    if len(fraction) > decimals:
        raise _invalid(text, f"at most {decimals} digits after the point", field)
    minor = int(whole) * 10**decimals + int(fraction.ljust(decimals, "0") or "0")
    if minor <= 0:
        raise _invalid(text, "more than zero", field)
    if minor > MINOR_MAX:
        raise _invalid(text, f"at most {format_minor(MINOR_MAX, decimals)}", field)
    return minor


def format_minor(minor: int, decimals: int) -> str:
    """Return the decimal string of `minor`, always with all `decimals` digits."""
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(decimals + 1, "0")
    if decimals == 0:
        return sign + digits
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def rescale_exact(minor: int, *, from_decimals: int, to_decimals: int) -> int:
    """Return `minor` in another precision of its currency; exact multiples only, never rounded.

    Raises:
        AmountInvalid: it has digits that the coarser precision cannot hold, or becomes too large.
    """
    if to_decimals >= from_decimals:
        scaled = minor * 10 ** (to_decimals - from_decimals)
    else:
        scaled, rest = divmod(minor, 10 ** (from_decimals - to_decimals))
        if rest:
            raise _invalid(
                format_minor(minor, from_decimals), f"at most {to_decimals} digits", None
            )
    if abs(scaled) > MINOR_MAX:
        raise _invalid(format_minor(minor, from_decimals), "a smaller amount", None)
    return scaled


def _invalid(found: object, wanted: str, field: str | None) -> AmountInvalid:
    return AmountInvalid(
        f"amount {str(found)[:64]!r} is not accepted", field=field, repair=f"send {wanted}"
    )
