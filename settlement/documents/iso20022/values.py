"""What every message says of parties, accounts, agents, amounts and times, as trees of elements.

Texts are cut to their element's length, controls refused. Amounts are decimal strings.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from settlement.documents.identifiers import iban_fault, minor_units, text_fault
from settlement.documents.iso20022.errors import MessageInvalid
from settlement.documents.iso20022.filling import Fixed
from settlement.money import format_minor

Tree = dict[str, Any]

NAME_MAX = 140
ID_MAX = 35
DIGITS_MAX = 18
"""Digits of an amount in all. Source: ISO 20022, ActiveOrHistoricCurrencyAndAmount."""

NOT_PROVIDED = "NOTPROVIDED"
"""The market's word where an element is required and there is nothing to say."""

ADDRESS_SCHEME = "EVM-BASE32"
"""Of an account identification: the 20 bytes of an address in base32, which fit 34 characters."""


@dataclass(frozen=True, slots=True)
class Party:
    """A company in a message. `country` and `town` belong together: both, or no address."""

    name: str
    lei: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2."""
    town: str | None = None
    street: str = ""
    post_code: str = ""


@dataclass(frozen=True, slots=True)
class CashAccount:
    """An account: by IBAN, by a chain's address, or by a number of whoever keeps it."""

    iban: str | None = None
    address: str | None = None
    """0x and 40 hexadecimal digits."""
    number: str | None = None
    alias: str | None = None
    """What people call it: its code in the ledger."""
    currency: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """A financial institution: by BIC, or by LEI and name."""

    bic: str | None = None
    lei: str | None = None
    name: str | None = None


def clean(value: str, most: int, *, field: str) -> str:
    """Return a text of at most `most` characters, without controls.

    Raises:
        MessageInvalid: it is empty, or holds a control character.
    """
    fault = text_fault(value) or ("it has a line break or tab" if _breaks(value) else "")
    if fault:
        raise MessageInvalid(f"{field} cannot be sent: {fault}", field=field, repair="correct it")
    kept = value.strip()[:most].rstrip()
    if not kept:
        raise MessageInvalid(f"{field} is empty", field=field, repair="give it")
    return kept


def identifier(value: str, *, field: str, most: int = ID_MAX) -> str:
    """Return an id as it is: an id that were cut would be another one.

    Raises:
        MessageInvalid: it is longer than `most`, empty, or holds a control character.
    """
    if len(value) > most:
        raise MessageInvalid(
            f"{field} {value!r} has more than {most} characters", field=field, repair="shorten it"
        )
    return clean(value, most, field=field)


def decimals_of(currency: str) -> int:
    """Return a currency's minor units.

    Raises:
        MessageInvalid: it is no currency.
    """
    found = minor_units(currency)
    if found is None:
        raise MessageInvalid(
            f"{currency!r} is no ISO 4217 currency, so no ISO 20022 message can carry it",
            field="currency",
            repair="ask for csv, xlsx or pdf",
        )
    return found


def amount_text(minor: int, currency: str) -> str:
    """Return the decimal string of minor units, with all of the currency's digits.

    Raises:
        MessageInvalid: it is negative, or has more than 18 digits.
    """
    text = format_minor(minor, decimals_of(currency))
    if minor < 0 or len(text.replace(".", "").lstrip("0")) > DIGITS_MAX:
        raise MessageInvalid(
            f"{text} {currency} does not fit an ISO 20022 amount: 0 to {DIGITS_MAX} digits",
            field="amount",
            repair="ask for csv, xlsx or pdf",
        )
    return text


def amount(minor: int, currency: str) -> Tree:
    """Return an amount with its currency. Raises as `amount_text`."""
    return {"": amount_text(minor, currency), "@Ccy": currency}


def moment(at: datetime) -> str:
    """Return an ISO 8601 moment in UTC, to the second."""
    assert at.tzinfo is not None, "only aware times are sent"
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


@lru_cache(maxsize=4096)
def party(who: Party) -> Tree:
    """Return a party: name, structured address, LEI."""
    return Fixed(
        {
            "Nm": clean(who.name, NAME_MAX, field="name"),
            "PstlAdr": _postal_address(who),
            "Id": {"OrgId": {"LEI": who.lei}} if who.lei else None,
        }
    )


@lru_cache(maxsize=4096)
def account(which: CashAccount) -> Tree:
    """Return an account with its identification.

    Raises:
        MessageInvalid: the IBAN is none.
    """
    if which.iban is not None and iban_fault(which.iban):
        raise MessageInvalid(
            f"{which.iban!r}: {iban_fault(which.iban)}", field="iban", repair="correct the IBAN"
        )
    alias = which.alias or which.address
    return Fixed(
        {
            "Id": _account_identification(which),
            "Ccy": which.currency,
            "Nm": clean(which.name, 70, field="account name") if which.name else None,
            "Prxy": {"Id": alias} if alias else None,
        }
    )


def agent(who: Agent | None) -> Tree:
    """Return an agent; one that nobody named says so."""
    if who is None:
        return {"FinInstnId": {"Othr": {"Id": NOT_PROVIDED}}}
    name = clean(who.name, NAME_MAX, field="agent's name") if who.name else None
    known = {"BICFI": who.bic, "LEI": who.lei, "Nm": name}
    if not any(known.values()):
        return {"FinInstnId": {"Othr": {"Id": NOT_PROVIDED}}}
    return {"FinInstnId": known}


def address_id(address: str) -> str:
    """Return the 32 characters of base32 that stand for a chain's address; nothing is lost."""
    return base64.b32encode(bytes.fromhex(address.removeprefix("0x"))).decode()


def _account_identification(which: CashAccount) -> Tree:
    if which.iban is not None:
        return {"IBAN": which.iban}
    if which.address is not None:
        scheme = {"Prtry": ADDRESS_SCHEME}
        return {"Othr": {"Id": address_id(which.address), "SchmeNm": scheme}}
    assert which.number is not None, "an account has an IBAN, an address or a number"
    return {"Othr": {"Id": identifier(which.number, field="account number", most=34)}}


def _postal_address(who: Party) -> Tree | None:
    if not who.country or not who.town:
        return None
    return {
        "StrtNm": clean(who.street, 70, field="street") if who.street else None,
        "PstCd": clean(who.post_code, 16, field="post code") if who.post_code else None,
        "TwnNm": clean(who.town, ID_MAX, field="town"),
        "Ctry": who.country,
    }


def _breaks(value: str) -> bool:
    return any(mark in value for mark in "\n\r\t")
