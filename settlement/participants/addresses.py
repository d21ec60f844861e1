"""Addresses at the doors: what a person types becomes lower-case text inside, and back.

Knows no party and asks no node.
"""

from __future__ import annotations

import re

from settlement.chain.keccak import keccak
from settlement.chain.port import Address
from settlement.errors import Invalid

ZERO = Address("0x" + "0" * 40)

_SHAPE = re.compile(r"0x[0-9a-fA-F]{40}\Z", re.ASCII)


class AddressInvalid(Invalid):
    """Not an address, or one whose capital letters do not check."""


def parse_address(text: object, *, field: str | None = None) -> Address:
    """Return the lower-case address that `text` names.

    Letters of one case carry no checksum and pass; mixed ones have to be right.

    Raises:
        AddressInvalid: another shape, a wrong checksum, or the zero address.

    Source: EIP-55.
    """
    if not isinstance(text, str) or not _SHAPE.match(text):
        raise AddressInvalid(
            f"{str(text)[:64]!r} is no address", field=field, repair="send 0x and 40 hex digits"
        )
    address = Address(text.lower())
    digits = text[2:]
    is_mixed = digits != digits.lower() and digits != digits.upper()
    if is_mixed and text != checksummed(address):
        raise AddressInvalid(
            f"the capital letters of {text} do not check: a digit is wrong",
            field=field,
            repair="copy the address again from its source",
        )
    if address == ZERO:
        raise AddressInvalid(
            "the zero address belongs to nobody", field=field, repair="send the party's own address"
        )
    return address


def checksummed(address: str) -> str:
    """Return an address with the capital letters that people's wallets show. Source: EIP-55."""
    digits = address[2:].lower()
    digest = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit
        for digit, nibble in zip(digits, digest, strict=False)
    )
