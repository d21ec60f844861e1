"""Accounts at banks: registering them, and finding them again.

Knows whose an account is and what it is for; asks no bank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session
from stdnum import bic

from settlement.clock import Ids, to_micros
from settlement.documents.identifiers import iban_fault, minor_units, text_fault
from settlement.errors import Conflict, Invalid, NotFound
from settlement.store import outbox
from settlement.store.outbox import OutboxEvent

ROLES = ("payout", "reserve", "nostro")
NAME_MAX = 140
"""Characters of an account's name. Source: ISO 20022, Max140Text."""
PAYOUT_DAYS_MAX = 366

_INSERT = text(
    "INSERT INTO bank_account (id, owner_id, name, iban, servicer_bic, currency, role, reserve_of,"
    " payout_days, created_at) VALUES (:id, :owner_id, :name, :iban, :servicer_bic, :currency,"
    " :role, :reserve_of, :payout_days, :at)"
)
_TWIN = text(
    "SELECT id FROM bank_account WHERE (iban = :iban AND currency = :currency)"
    " OR reserve_of = :reserve_of"
)
_OWNER = text("SELECT id FROM participant WHERE id = :owner_id")
_TOKEN = text("SELECT currency FROM token WHERE address = :reserve_of")


class BankAccountExists(Conflict):
    """One IBAN and currency is one account, and a token has one reserve."""

    def __init__(self, iban: str, currency: str, existing_id: str) -> None:
        super().__init__(
            f"{iban} in {currency}, or the same token's reserve, is registered as {existing_id}",
            field="iban",
            repair=f"use {existing_id}, or check IBAN, currency and token",
        )
        self.existing_id = existing_id


@dataclass(frozen=True, slots=True)
class NewBankAccount:
    """An account as its owner states it."""

    owner_id: str
    """A participant's id."""
    name: str
    iban: str
    """With or without spaces."""
    servicer_bic: str
    currency: str
    role: str
    reserve_of: str | None = None
    """Address of the token that a reserve backs."""
    payout_days: int = 0


@dataclass(frozen=True, slots=True)
class BankAccount:
    """A registered account; `created_at` in microseconds."""

    id: str
    owner_id: str
    name: str
    iban: str
    servicer_bic: str
    currency: str
    role: str
    reserve_of: str | None
    payout_days: int
    created_at: int


_COLUMNS = ", ".join(BankAccount.__slots__)


def register(session: Session, account: NewBankAccount, *, ids: Ids, now: datetime) -> str:
    """Register an account and return its id.

    Raises:
        Invalid: a field is wrong; it says which.
        BankAccountExists: IBAN and currency, or the token's reserve, are registered.
    """
    iban = _compact(account.iban)
    servicer_bic = _compact(account.servicer_bic)
    reserve_of = account.reserve_of.strip().lower() if account.reserve_of else None
    _check(account, iban, servicer_bic)
    row: dict[str, Any] = {
        "id": ids("bka"),
        "owner_id": account.owner_id,
        "name": account.name.strip(),
        "iban": iban,
        "servicer_bic": servicer_bic,
        "currency": account.currency,
        "role": account.role,
        "reserve_of": reserve_of,
        "payout_days": account.payout_days,
        "at": to_micros(now),
    }
    _check_stored(session, row)
    session.execute(_INSERT, row)
    body = orjson.dumps({"role": account.role, "currency": account.currency}).decode()
    outbox.record(session, [OutboxEvent("bank_account.registered", row["id"], body)], now)
    return str(row["id"])


def bank_account(session: Session, account_id: str) -> BankAccount:
    """Return an account by its id, or by its IBAN where that has one currency.

    Raises:
        NotFound: there is none.
    """
    rows = session.execute(
        text(f"SELECT {_COLUMNS} FROM bank_account WHERE id = :id OR iban = :iban"),
        {"id": account_id, "iban": _compact(account_id)},
    ).all()
    if len(rows) != 1:
        raise NotFound("bank account", account_id[:64])
    return BankAccount(*rows[0])


def bank_accounts(
    session: Session, *, owner_id: str | None = None, after: str = "", limit: int = 100
) -> list[BankAccount]:
    """Return up to `limit` accounts with an id above `after`, in order of their ids."""
    statement = text(
        f"SELECT {_COLUMNS} FROM bank_account WHERE id > :after"
        " AND (:owner = '' OR owner_id = :owner) ORDER BY id LIMIT :limit"
    )
    values = {"after": after, "owner": owner_id or "", "limit": limit}
    return [BankAccount(*row) for row in session.execute(statement, values)]


def accounts_of_iban(session: Session, iban: str) -> Sequence[BankAccount]:
    """Return every account of an IBAN: one for each currency."""
    rows = session.execute(
        text(f"SELECT {_COLUMNS} FROM bank_account WHERE iban = :iban ORDER BY currency"),
        {"iban": _compact(iban)},
    )
    return [BankAccount(*row) for row in rows]


def _check(account: NewBankAccount, iban: str, servicer_bic: str) -> None:
    """Return quietly if every field is what its standard says."""
    faults = (
        ("name", account.name, _name_fault(account.name)),
        ("iban", iban, iban_fault(iban)),
        ("servicer_bic", servicer_bic, _bic_fault(servicer_bic)),
        ("currency", account.currency,
         "" if minor_units(account.currency) is not None else "no ISO 4217 currency"),
        ("role", account.role, "" if account.role in ROLES else f"one of {', '.join(ROLES)}"),
        ("reserve_of", account.reserve_of, _reserve_fault(account)),
        ("payout_days", account.payout_days,
         "" if 0 <= account.payout_days <= PAYOUT_DAYS_MAX else f"0 to {PAYOUT_DAYS_MAX} days"),
    )  # fmt: skip
    for field, value, fault in faults:
        if fault:
            said = field if value is None else f"{field} {str(value)[:64]!r}"
            raise Invalid(f"{said}: {fault}", field=field, repair="correct it")


def _check_stored(session: Session, row: dict[str, Any]) -> None:
    """Refuse an unknown owner or token, another currency than the token's, and a twin."""
    if session.execute(_OWNER, row).scalar() is None:
        raise Invalid(
            f"there is no participant {row['owner_id']}",
            field="owner_id",
            repair="register the participant first",
        )
    if row["reserve_of"] is not None:
        currency = session.execute(_TOKEN, row).scalar()
        if currency != row["currency"]:
            told = "is not listed" if currency is None else f"stands for {currency}"
            raise Invalid(
                f"the token {row['reserve_of']} {told}",
                field="reserve_of",
                repair="name a listed token of the account's currency",
            )
    twin = session.execute(_TWIN, row).scalar()
    if twin is not None:
        raise BankAccountExists(row["iban"], row["currency"], str(twin))


def _name_fault(name: str) -> str:
    if not name.strip() or len(name) > NAME_MAX:
        return f"a name has 1 to {NAME_MAX} characters"
    return text_fault(name)


def _bic_fault(value: str) -> str:
    is_valid = len(value) in (8, 11) and bic.is_valid(value)
    return "" if is_valid else "a BIC has 8 or 11 capitals and digits with a country in the middle"


def _reserve_fault(account: NewBankAccount) -> str:
    if (account.role == "reserve") == (account.reserve_of is not None):
        return ""
    return "a reserve names its token, and only a reserve does"


def _compact(value: str) -> str:
    return "".join(value.split()).upper()
