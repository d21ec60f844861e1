"""Accounts at banks to which participants are paid out: IBAN, or number and clearing code.

Asks no bank. Statements of accounts are `settlement.bank`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from stdnum import bic as bics
from stdnum.us import rtn

from settlement.clock import Ids, to_micros
from settlement.documents.identifiers import iban_fault, minor_units
from settlement.errors import Conflict, NotFound
from settlement.participants import identity
from settlement.store.bulk import insert_rows, rows

CLEARING: Mapping[str, tuple[str, str]] = {
    "AUBSB": ("AU", r"[0-9]{6}"),
    "CACPA": ("CA", r"[0-9]{9}"),
    "CHBCC": ("CH", r"[0-9]{3,5}"),
    "CNAPS": ("CN", r"[0-9]{12}"),
    "GBDSC": ("GB", r"[0-9]{6}"),
    "HKNCC": ("HK", r"[0-9]{3}"),
    "INFSC": ("IN", r"[A-Z]{4}0[0-9A-Z]{6}"),
    "JPZGN": ("JP", r"[0-9]{7}"),
    "KRBOK": ("KR", r"[0-9]{7}"),
    "NZNCC": ("NZ", r"[0-9]{6}"),
    "RUCBC": ("RU", r"[0-9]{9}"),
    "SGIBG": ("SG", r"[0-9]{7}"),
    "THCBC": ("TH", r"[0-9]{3}"),
    "TWNCC": ("TW", r"[0-9]{7}"),
    "USABA": ("US", r"[0-9]{9}"),
    "ZANCC": ("ZA", r"[0-9]{6}"),
}
"""Country and shape of a bank's number. Source: ISO 20022
ExternalClearingSystemIdentification1Code."""

_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z./-]{0,33}\Z", re.ASCII)
_COLUMNS = (
    "id", "participant_id", "iban", "account_number", "clearing_system", "clearing_code", "bic",
    "currency", "country", "usable_from", "live", "created_at",
)  # fmt: skip
_END = text(
    "UPDATE participant_account SET live = false WHERE id = :id AND participant_id = :of AND live"
)


class PayeeAccountExists(Conflict):
    """An account belongs to one participant, once in each currency."""

    def __init__(self, shown: str) -> None:
        super().__init__(
            f"the account {shown} is registered already",
            field="iban",
            repair="check the number; an account of another participant is not taken",
        )


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account as a participant states it: an IBAN, or a number with its clearing code."""

    currency: str
    iban: str | None = None
    account_number: str | None = None
    clearing_system: str | None = None
    clearing_code: str | None = None
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class PayeeAccount:
    """A stored account; moments in microseconds."""

    id: str
    iban: str | None
    account_number: str | None
    clearing_system: str | None
    clearing_code: str | None
    bic: str | None
    currency: str
    country: str
    usable_from: int | None
    created_at: int


def checked(account: NewAccount) -> NewAccount:
    """Return an account without the spaces that people write, every number checked.

    Raises:
        Invalid: a field is wrong; it says which.
    """
    bare = NewAccount(
        currency=account.currency,
        iban=_compact(account.iban),
        account_number=_bare(account.account_number),
        clearing_system=account.clearing_system,
        clearing_code=_compact(account.clearing_code),
        bic=_compact(account.bic),
    )
    is_iban = bare.iban is not None
    identity.refuse(
        [
            ("currency", bare.currency,
             "" if minor_units(bare.currency) is not None else "no ISO 4217 currency"),
            ("iban", bare.iban, iban_fault(bare.iban) if bare.iban is not None else ""),
            ("iban", None,
             "" if is_iban != (bare.account_number is not None)
             else "send either an IBAN, or account_number with its clearing code"),
            ("account_number", bare.account_number,
             "" if bare.account_number is None or _NUMBER.match(bare.account_number)
             else "1 to 34 letters and digits"),
            ("clearing_system", bare.clearing_system, _system_fault(bare, is_iban)),
            ("clearing_code", bare.clearing_code, _code_fault(bare, is_iban)),
            ("bic", bare.bic, "" if bare.bic is None else _bic_fault(bare.bic)),
        ]
    )  # fmt: skip
    return bare


def put(
    session: Session,
    participant_id: str,
    account: NewAccount,
    *,
    usable_from: int | None,
    ids: Ids,
    now: datetime,
) -> str:
    """Store a checked account and return its id.

    Raises:
        PayeeAccountExists: somebody has it already.
    """
    key = ids("pac")
    row = (
        key, participant_id, account.iban, account.account_number, account.clearing_system,
        account.clearing_code, account.bic, account.currency, country_of(account), usable_from,
        True, to_micros(now),
    )  # fmt: skip
    try:
        with session.begin_nested():
            insert_rows(session, "participant_account", _COLUMNS, [row])
    except IntegrityError as error:
        raise PayeeAccountExists(shown(account)) from error
    return key


def require_new(session: Session, account: NewAccount) -> None:
    """Return quietly if nobody has the account yet.

    Raises:
        PayeeAccountExists: somebody has.
    """
    found = rows(
        session,
        "SELECT 1 FROM participant_account WHERE live AND currency = ? AND (iban = ?"
        " OR (clearing_system = ? AND clearing_code = ? AND account_number = ?))",
        (account.currency, account.iban, account.clearing_system, account.clearing_code,
         account.account_number),
    )  # fmt: skip
    if found:
        raise PayeeAccountExists(shown(account))


def end(session: Session, participant_id: str, account_id: str) -> None:
    """Let an account count no more; the row stays.

    Raises:
        NotFound: the participant has no such account.
    """
    if not session.connection().execute(_END, {"id": account_id, "of": participant_id}).rowcount:
        raise NotFound("bank account", account_id)


def accounts(session: Session, participant_id: str) -> list[PayeeAccount]:
    """Return a participant's accounts, oldest first."""
    found = rows(
        session,
        "SELECT id, iban, account_number, clearing_system, clearing_code, bic, currency, country,"
        " usable_from, created_at FROM participant_account WHERE participant_id = ? AND live"
        " ORDER BY id",
        (participant_id,),
    )
    return [PayeeAccount(*row) for row in found]


def country_of(account: NewAccount) -> str:
    """Return the country in which a checked account is kept."""
    if account.iban is not None:
        return account.iban[:2]
    return CLEARING[str(account.clearing_system)][0]


def shown(account: NewAccount) -> str:
    """Return an account as people name it, without all of its digits."""
    number = str(account.iban or account.account_number)
    return f"{number[:4]}…{number[-4:]} in {account.currency}"


def _system_fault(account: NewAccount, is_iban: bool) -> str:
    if is_iban:
        return "" if account.clearing_system is None else "an IBAN has no clearing code beside it"
    known = ", ".join(sorted(CLEARING))
    return "" if account.clearing_system in CLEARING else f"one of {known}"


def _code_fault(account: NewAccount, is_iban: bool) -> str:
    if is_iban:
        return "" if account.clearing_code is None else "an IBAN has no clearing code beside it"
    known = CLEARING.get(account.clearing_system or "")
    if known is None:
        return ""  # The system is told of first.
    _country, shape = known
    code = account.clearing_code or ""
    if not re.fullmatch(shape, code, re.ASCII):
        return f"{account.clearing_system} has the shape {shape}"
    if account.clearing_system == "USABA" and not rtn.is_valid(code):
        return "its check digit is wrong"
    return ""


def _bic_fault(value: str) -> str:
    is_valid = len(value) in (8, 11) and bics.is_valid(value)
    return "" if is_valid else "a BIC has 8 or 11 capitals and digits with a country in the middle"


def _compact(value: str | None) -> str | None:
    return None if value is None else "".join(value.split()).upper()


def _bare(value: str | None) -> str | None:
    return None if value is None else "".join(value.split())
