"""An expected payment as a person says it, and what is refused of it: bounds, days, names.

Pure; keeping and listing them is `expected`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from settlement.documents.identifiers import minor_units
from settlement.errors import Invalid
from settlement.money import format_minor, parse_minor
from settlement.reconciliation.engine.sources import LARGEST_MICRO

TEXT_MAX = 140
_MICRO_DECIMALS = 6
_NAMES_NOTHING = "NOTPROVIDED"
"""What banks write for no end-to-end id. Source: ISO 20022 payments, usage of EndToEndId."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected, as a person says it; amounts are decimal strings of the currency."""

    owner_id: str
    direction: str
    """credit: the owner will receive; debit: the owner will pay."""
    currency: str
    amount_low: str
    amount_high: str
    """The same as the low one where the amount is known."""
    first_day: str
    last_day: str
    """ISO 8601: later than the last, its absence is a break."""
    end_to_end_id: str | None = None
    reference: str | None = None
    counterparty: str | None = None
    """A participant's id, or a name, IBAN or address as it will be told."""
    description: str = ""


def judged(said: Expectation) -> dict[str, int | str | None]:
    """Return the values that are kept. Pure.

    Raises:
        Invalid: the direction, the currency or a day is none; bounds are crossed or too large; or
            nothing names it: no end-to-end id, no reference, no counterparty.
        AmountInvalid: a bound is no decimal string of the currency.
    """
    if said.direction not in ("credit", "debit"):
        raise Invalid(
            f"{said.direction[:40]!r} is no direction",
            field="direction",
            repair="credit where the owner will receive, debit where the owner will pay",
        )
    plain = {"direction": said.direction, "currency": said.currency}
    return {**plain, **_amounts(said), **_days(said), **_names(said)}


def _amounts(said: Expectation) -> dict[str, int]:
    decimals = minor_units(said.currency)
    if decimals is None:
        raise Invalid(
            f"{said.currency[:40]!r} is no currency",
            field="currency",
            repair="send a code of ISO 4217, such as EUR",
        )
    low = parse_minor(said.amount_low, decimals, field="amount_low")
    high = parse_minor(said.amount_high, decimals, field="amount_high")
    if low > high:
        raise Invalid(
            f"the bounds are crossed: {said.amount_low} is more than {said.amount_high}",
            field="amount_high",
            repair="send a lower bound that is not above the upper one",
        )
    most = LARGEST_MICRO // 10 ** (_MICRO_DECIMALS - decimals)
    if high > most:
        raise Invalid(
            f"{said.amount_high} is too large",
            field="amount_high",
            repair=f"send at most {format_minor(most, decimals)}",
        )
    return {"low": low, "high": high}


def _days(said: Expectation) -> dict[str, str]:
    first, last = _day(said.first_day, "first_day"), _day(said.last_day, "last_day")
    if first > last:
        raise Invalid(
            f"the days are crossed: {first} is after {last}",
            field="last_day",
            repair="send a first day that is not after the last one",
        )
    return {"first": first.isoformat(), "last": last.isoformat()}


def _day(said: str, field: str) -> date:
    try:
        day = date.fromisoformat(said)
    except ValueError as error:
        raise Invalid(
            f"{said[:40]!r} is no day", field=field, repair="send a date such as 2026-11-30"
        ) from error
    if not 1970 <= day.year <= 9999:
        raise Invalid(f"{said[:40]!r} is too early", field=field, repair="send a day since 1970")
    return day


def _names(said: Expectation) -> dict[str, str | None]:
    named = {
        name: _line(getattr(said, name), name)
        for name in ("end_to_end_id", "reference", "counterparty")
    }
    if named["end_to_end_id"] == _NAMES_NOTHING:
        named["end_to_end_id"] = None
    if not any(named.values()):
        raise Invalid(
            "nothing names the payment: no rule could ever match it",
            field="reference",
            repair="send its end-to-end id, its reference or the counterparty",
        )
    return {**named, "description": _line(said.description, "description") or ""}


def _line(said: str | None, field: str) -> str | None:
    line = (said or "").strip()
    if len(line) > TEXT_MAX or not line.isprintable():
        raise Invalid(
            f"{line[:40]!r} is not one line of text",
            field=field,
            repair=f"send up to {TEXT_MAX} printable characters",
        )
    return line or None
