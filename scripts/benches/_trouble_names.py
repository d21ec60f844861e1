"""Names in a world of trouble: participants, wallets, accounts at banks, statements.

The same name for the same number, whatever the seed.
"""

from __future__ import annotations

from datetime import date

CURRENCIES = ("USD", "EUR")
SYMBOLS = ("TUSD", "TEUR")


def seller_id(number: int) -> str:
    return f"par_s{number:05d}"


def buyer_id(number: int) -> str:
    return f"par_b{number:05d}"


def seller_wallet(number: int) -> str:
    return f"0x5e11{number:036x}"


def buyer_wallet(number: int) -> str:
    return f"0xb0e1{number:036x}"


def stranger(number: int) -> str:
    """An address that nobody registered."""
    return f"0x57a6{number:036x}"


ISSUER = "par_issuer"
ISSUER_RESERVES = ("issuer:0", "issuer:1")


def seller_account(number: int, unit: int) -> str:
    """The name of a seller's account in one currency; the store makes an id and an IBAN of it."""
    return f"s{number:05d}:{unit}"


def buyer_account(number: int) -> str:
    return f"b{number:05d}:0"


def account_id(account: str) -> str:
    name, _, unit = account.partition(":")
    return f"bka_{name}_{CURRENCIES[int(unit)]}"


def iban(account: str) -> str:
    """A German IBAN with the right check digits. Source: ISO 13616."""
    name, _, unit = account.partition(":")
    place = {"s": 1, "b": 2, "i": 3}[name[0]]
    digits = "".join(letter for letter in name if letter.isdigit()).zfill(8)
    bban = f"37040044{place}{int(unit)}{digits}"
    return f"DE{98 - int(bban + '131400') % 97:02d}{bban}"


def name_of(participant: str) -> str:
    """A company's name, as it is registered and as a bank writes it."""
    if participant == ISSUER:
        return "Issuer of Test Money AG"
    role = "Export House" if participant[4] == "s" else "Import House"
    return f"{role} {int(participant[5:])} Ltd"


def statement_id(account: str, day: date) -> str:
    return f"{account_id(account)}-{day.isoformat()}"
