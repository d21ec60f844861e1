"""Values in a bank's file: amounts, days, signs, statuses; from text to integers, never a float.

Knows where a value stands only as it is told.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from settlement.documents.identifiers import minor_units
from settlement.documents.iso20022.reading_model import StatementInvalid
from settlement.money import MINOR_MAX

_AMOUNT = re.compile(r"(\d{1,18})(?:\.(\d{0,17}))?\Z", re.ASCII)
_STATUSES = {"BOOK": "BOOK", "PDNG": "PDNG", "INFO": "INFO", "FUTR": "INFO"}
_SIGNS = {"CRDT": 1, "DBIT": -1}
_PLAIN_DIGITS = 18
YEARS = range(1970, 3000)
"""Of days. What stands for no day, such as 9999-12-31, would be booked for good."""
IDENTIFICATION_MAX = 500
"""Characters of an identification; the standard's longest has 140. An index holds no more."""
NOT_PROVIDED = frozenset({"NOTPROVIDED", "NOTAVAILABLE", "NONREF"})


class Misfit(ValueError):
    """A value is not what it must be; the reader says where."""

    def __init__(self, message: str, repair: str) -> None:
        super().__init__(message)
        self.message, self.repair = message, repair

    def at(self, line: int | None, path: str) -> StatementInvalid:
        """Return the refusal, with the place."""
        return StatementInvalid(self.message, line=line, path=path, repair=self.repair)


@lru_cache(maxsize=256)
def decimals_of(currency: str | None) -> int:
    """Return the decimals of a currency. Source: ISO 4217.

    Raises:
        Misfit: it is none.
    """
    decimals = minor_units(currency or "")
    if decimals is None:
        raise Misfit(f"{(currency or '')[:10]!r} is no currency", "state an ISO 4217 code")
    return decimals


def minor(text: str | None, decimals: int) -> int:
    """Return the minor units of an unsigned decimal such as `1200.5`.

    Raises:
        Misfit: no plain number, too many digits, or too large.
    """
    text = text or ""
    # Nearly all have all their decimals, and need no pattern.
    if len(text) <= _PLAIN_DIGITS and text[-decimals - 1 : -decimals] == "." and decimals:
        plain = text.replace(".", "", 1)
        if len(plain) > decimals and plain.isascii() and plain.isdigit():
            return int(plain)
    found = _AMOUNT.match(text)
    if found is None:
        raise Misfit(f"{text[:40]!r} is no amount", "digits and one point; the sign is CdtDbtInd's")
    whole, fraction = found.groups("")
    if len(fraction) > decimals:
        if fraction[decimals:].strip("0"):
            raise Misfit(
                f"{text} has more than {decimals} decimals", "amounts are whole minor units"
            )
        fraction = fraction[:decimals]
    value = int(whole + fraction.ljust(decimals, "0"))
    if value > MINOR_MAX:
        raise Misfit(f"{text} is too large", "amounts fit 63 bits of minor units")
    return value


def sign(indicator: str | None) -> int:
    """Return +1 of a credit, -1 of a debit. Source: ISO 20022, CreditDebitCode.

    Raises:
        Misfit: neither.
    """
    found = _SIGNS.get(indicator or "")
    if found is None:
        raise Misfit(f"{(indicator or '')[:10]!r} is no CdtDbtInd", "state CRDT or DBIT")
    return found


def status(code: str | None) -> str:
    """Return BOOK, PDNG or INFO; what is booked in the future is told of only.

    Raises:
        Misfit: another code.
    """
    found = _STATUSES.get(code or "")
    if found is None:
        raise Misfit(f"{(code or '')[:20]!r} is no entry status", "state BOOK, PDNG, INFO or FUTR")
    return found


@lru_cache(maxsize=4096)
def day(text: str) -> str:
    """Return the day of an ISO 8601 date or date and time, as the bank wrote it.

    Raises:
        Misfit: there is no such day, or no entry is of it.
    """
    shown = text[:10]
    try:
        if len(shown) == 10 and shown[4] == shown[7] == "-":
            found = date.fromisoformat(shown)
            if found.year in YEARS:
                return found.isoformat()
    except ValueError:
        pass
    raise Misfit(f"{text[:30]!r} is no day", "write it as YYYY-MM-DD, a day since 1970")


def identification(text: str | None) -> str | None:
    """Return an identification as it is written.

    Raises:
        Misfit: it is too long to be one.
    """
    if text and len(text) > IDENTIFICATION_MAX:
        raise Misfit(
            f"{text[:40]!r} and what follows is no identification: it has {len(text)} characters",
            f"an identification has up to {IDENTIFICATION_MAX}",
        )
    return text


def provided(text: str | None) -> str | None:
    """Return an identification, or None where the bank says that there is none.

    Raises:
        Misfit: it is too long to be one.
    """
    return None if not text or text.upper() in NOT_PROVIDED else identification(text)
