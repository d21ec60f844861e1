"""An account as its statement needs it: whose it is, in what unit, in which currency.

Changes nothing. A party sees its own accounts: another's does not exist for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.documents.identifiers import minor_units
from settlement.documents.iso20022.values import CashAccount, Party
from settlement.errors import NotFound
from settlement.money import Unit
from settlement.participants.addresses import checksummed

_FIND = text(
    "SELECT a.id, a.code, a.kind, a.owner, a.unit, t.currency, t.decimals, b.iban, b.owner_id"
    " FROM account a LEFT JOIN token t ON t.symbol = a.unit"
    " LEFT JOIN bank_account b ON a.kind = 'nostro' AND b.id = :named WHERE a.code = :code"
)
_PARTY = text("SELECT name, lei, country, town, street, post_code FROM participant WHERE id = :id")
_COIN_DECIMALS = 18


@dataclass(frozen=True, slots=True)
class StatedAccount:
    """A ledger account; `currency` is None where its unit is no currency's (a chain's coin)."""

    id: int
    code: str
    kind: str
    owner_id: str
    owner: Party
    unit: Unit
    currency: str | None
    in_messages: CashAccount


def find_account(session: Session, code: str, *, party: str | None = None) -> StatedAccount:
    """Return an account by its code.

    Raises:
        NotFound: there is none, or it is not the party's.
    """
    # `nostro:<bank account>:<currency>` names it.
    values = {"code": code, "named": code.partition(":")[2].rpartition(":")[0]}
    row = session.connection().execute(_FIND, values).one_or_none()
    if row is None:
        raise NotFound("account", code)
    owner_id: str = row.owner_id or row.owner
    if party is not None and party != owner_id:
        raise NotFound("account", code)
    unit = Unit(row.unit, _decimals(row))
    currency = row.currency or (row.unit if minor_units(row.unit) is not None else None)
    return StatedAccount(
        id=row.id,
        code=row.code,
        kind=row.kind,
        owner_id=owner_id,
        owner=find_party(session, owner_id) or Party(name=owner_id),
        unit=unit,
        currency=currency,
        in_messages=_in_messages(row, currency),
    )


def find_party(session: Session, participant_id: str) -> Party | None:
    """Return a participant as messages name it; None where it is none."""
    row = session.connection().execute(_PARTY, {"id": participant_id}).one_or_none()
    return None if row is None else Party(*row)


def wallet_account(address: str, currency: str | None = None) -> CashAccount:
    """Return a wallet as messages name it."""
    return CashAccount(address=address, alias=checksummed(address), currency=currency)


def _decimals(row: Any) -> int:
    if row.decimals is not None:
        return int(row.decimals)
    found = minor_units(row.unit)
    return _COIN_DECIMALS if found is None else found


def _in_messages(row: Any, currency: str | None) -> CashAccount:
    if row.iban is not None:
        return CashAccount(iban=row.iban, alias=row.code, currency=currency)
    if row.kind == "wallet":
        return wallet_account(row.code.split(":")[1], currency)
    return CashAccount(number=str(row.id), alias=row.code, currency=currency)
