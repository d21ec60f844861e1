"""Account codes and units as plain-text accounting tools take them, and the way back. Pure.

An account's name is `Root:Kind:Owner:UNIT`; the owner's first letter becomes a capital, `_` becomes
`--`, and any other character than letters and digits `-` and its bytes in hexadecimal.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from settlement.errors import Invalid
from settlement.ledger.accounts import OUTSIDE

KIND_NAMES = {
    "adjustment": "Equity:Adjustment",
    "clearing": "Assets:Clearing",
    "coin": "Assets:Coin",
    "fees": "Expenses:Fees",
    "funding": "Equity:Funding",
    "fx_difference": "Expenses:FxDifference",
    "gas": "Expenses:Gas",
    "liability": "Liabilities:Issued",
    "nostro": "Assets:Nostro",
    "outside": "Equity:Outside",
    "par": "Equity:Par",
    "payable": "Liabilities:Payable",
    "purchases": "Expenses:Purchases",
    "receivable": "Assets:Receivable",
    "reserve": "Liabilities:Reserve",
    "rounding": "Expenses:Rounding",
    "sales": "Income:Sales",
    "suspense": "Liabilities:Suspense",
    "wallet": "Assets:Wallet",
    "write_off": "Expenses:WriteOff",
}
"""Root and second part of the name of each kind of account."""

_KINDS = {name: kind for kind, name in KIND_NAMES.items()}
_PLAIN_UNIT = re.compile(r"[A-Z][A-Z0-9]{0,22}\Z", re.ASCII)
_UNIT_MAX = 24
_ESCAPED_UNIT = "X0"
_ESCAPED_OWNER = "X"
_ESCAPE = re.compile(r"-(-|[0-9A-F]{2})|([A-Za-z0-9]+)", re.ASCII)


class NotExported(Invalid):
    """A name that no export of ours writes, or that the tools cannot take."""


class Unit(NamedTuple):
    """A commodity: its name for the tools, and the digits that all its amounts have."""

    name: str
    decimals: int


def account_name(code: str) -> str:
    """Return the name of an account.

    Raises:
        NotExported: the unit is too long for the tools.
    """
    kind, _, rest = code.partition(":")
    owner, _, unit = rest.rpartition(":")
    parts = [KIND_NAMES[kind], *([_owner_name(owner)] if owner else []), unit_name(unit)]
    return ":".join(parts)


def account_code(name: str) -> str:
    """Return the code of an account, from its name.

    Raises:
        NotExported: it is no name of ours.
    """
    root, second, *owner, unit = name.split(":") if name.count(":") in (2, 3) else ("", "", "")
    kind = _KINDS.get(f"{root}:{second}")
    if kind is None or (not owner and kind != OUTSIDE):
        raise NotExported(f"{name[:80]!r} is no account of an export")
    code = ":".join([kind, *(_owner_of(each) for each in owner), unit_of_name(unit)])
    if account_name(code) != name:
        raise NotExported(f"{name[:80]!r} is no account of an export")
    return code


def unit_name(unit: str) -> str:
    """Return the commodity of a unit: capitals and digits as they are, all else in hexadecimal.

    Raises:
        NotExported: it becomes longer than the tools take.
    """
    if _PLAIN_UNIT.match(unit) and not unit.startswith(_ESCAPED_UNIT):
        return unit
    name = _ESCAPED_UNIT + unit.encode().hex().upper()
    if len(name) > _UNIT_MAX:
        raise NotExported(
            f"the unit {unit[:40]!r} is too long", repair="export the other units as CSV"
        )
    return name


def unit_of_name(name: str) -> str:
    """Return the unit of a commodity.

    Raises:
        NotExported: it is no name of ours.
    """
    try:
        hexadecimal = name.removeprefix(_ESCAPED_UNIT)
        unit = name if hexadecimal == name else bytes.fromhex(hexadecimal).decode()
    except ValueError:
        unit = ""
    if not unit or unit_name(unit) != name:
        raise NotExported(f"{name[:40]!r} is no commodity of an export")
    return unit


def _owner_name(owner: str) -> str:
    escaped = "".join(
        character if character.isascii() and character.isalnum() else _escape(character)
        for character in owner
    )
    first = owner[0]
    if first.isascii() and first.isdigit():
        return escaped
    if first.isascii() and first.islower() and first != _ESCAPED_OWNER.lower():
        return first.upper() + escaped[1:]
    return _ESCAPED_OWNER + escaped


def _escape(character: str) -> str:
    if character == "_":
        return "--"
    return "".join(f"-{byte:02X}" for byte in character.encode())


def _owner_of(name: str) -> str:
    first = "" if name.startswith(_ESCAPED_OWNER) else name[:1].lower()
    name = first + name[1:]
    content = bytearray()
    at = 0
    while at < len(name):
        found = _ESCAPE.match(name, at)
        if found is None:
            raise NotExported(f"{name[:80]!r} is no owner of an export")
        escape, plain = found.groups()
        if plain:
            content += plain.encode()
        else:
            content += b"_" if escape == "-" else bytes.fromhex(escape)
        at = found.end()
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise NotExported(f"{name[:80]!r} is no owner of an export") from None
