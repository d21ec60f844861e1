"""Account codes, and the accounts behind them: a code says kind, owner and unit.

Knows no amounts. An account is made when it is first posted to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlmodel import Session

from settlement.errors import StoreCorrupt
from settlement.store.bulk import insert_rows, rows_by_key

WEI = "WEI"
OUTSIDE = "outside"

KINDS = frozenset(
    {
        "adjustment",
        "clearing",
        "coin",
        "fees",
        "funding",
        "fx_difference",
        "gas",
        "liability",
        "nostro",
        "outside",
        "par",
        "payable",
        "purchases",
        "receivable",
        "reserve",
        "rounding",
        "sales",
        "suspense",
        "wallet",
        "write_off",
    }
)


_HOLDERS = (
    ({"wallet"}, "SELECT address, participant_id FROM wallet WHERE address {keys}"),
    ({"nostro", "clearing"}, "SELECT id, owner_id FROM bank_account WHERE id {keys}"),
)
"""Kinds of account that name an address or a bank account, and who it belongs to."""
_HELD = frozenset().union(*(kinds for kinds, _sql in _HOLDERS))


class AccountRef(NamedTuple):
    """What a posting needs of an account."""

    id: int
    unit: str


class CodeUnknown(StoreCorrupt):
    """A code that names no kind of account: only a bug writes one."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code!r} is no account code: it is kind:owner:unit")


def wallet(address: str, symbol: str) -> str:
    """Tokens that an address of a participant holds: mirrors the chain, so never below zero."""
    return f"wallet:{address}:{symbol}"


def receivable(participant: str, currency: str) -> str:
    """What buyers owe a seller (+)."""
    return f"receivable:{participant}:{currency}"


def payable(participant: str, currency: str) -> str:
    """What a buyer owes (-)."""
    return f"payable:{participant}:{currency}"


def sales(participant: str, currency: str) -> str:
    """What a seller has invoiced (-)."""
    return f"sales:{participant}:{currency}"


def purchases(participant: str, currency: str) -> str:
    """What a buyer has accepted (+)."""
    return f"purchases:{participant}:{currency}"


def par(participant: str, unit: str) -> str:
    """One of the pair through which a claim in a currency meets its token."""
    return f"par:{participant}:{unit}"


def liability(token: str, symbol: str) -> str:
    """The issuer's debt to all holders (-): minus the total supply."""
    return f"liability:{token}:{symbol}"


def outside(symbol: str) -> str:
    """What addresses that nobody registered hold in sum."""
    return f"outside:{symbol}"


def suspense(owner: str, symbol: str) -> str:
    """Tokens that moved without a settlement: - when `owner` received, + when it paid."""
    return f"suspense:{owner}:{symbol}"


def coin(operator: str) -> str:
    """The chain's own money of an operator: mirrors its balance."""
    return f"coin:{operator}:{WEI}"


def gas(operator: str) -> str:
    """What an operator has paid for gas (+)."""
    return f"gas:{operator}:{WEI}"


def funding(operator: str) -> str:
    """Where an operator's gas money came from (-)."""
    return f"funding:{operator}:{WEI}"


def nostro(bank_account_id: str, currency: str) -> str:
    """Money at a bank: mirrors what its statements say is booked."""
    return f"nostro:{bank_account_id}:{currency}"


def clearing(bank_account_id: str, currency: str) -> str:
    """Bank entries that nobody has explained yet: - what came in, + what went out."""
    return f"clearing:{bank_account_id}:{currency}"


def reserve(token: str, currency: str) -> str:
    """Money taken in against a token (-): what its supply has to be covered by."""
    return f"reserve:{token}:{currency}"


def fees(owner: str, unit: str) -> str:
    """What banks and networks have kept (+)."""
    return f"fees:{owner}:{unit}"


def fx_difference(owner: str, unit: str) -> str:
    """What another rate than the agreed one has cost (+) or brought (-)."""
    return f"fx_difference:{owner}:{unit}"


def rounding(owner: str, unit: str) -> str:
    """What rounding has cost (+) or brought (-)."""
    return f"rounding:{owner}:{unit}"


def write_off(owner: str, unit: str) -> str:
    """What somebody has let go (+), or was let off (-)."""
    return f"write_off:{owner}:{unit}"


def adjustment(owner: str, unit: str) -> str:
    """Corrections of a cause that no other account has a name for: + lost, - gained."""
    return f"adjustment:{owner}:{unit}"


def unit_of(code: str) -> str:
    """Return the unit that a code ends with."""
    return code.rpartition(":")[2]


def refs(session: Session, codes: Iterable[str]) -> dict[str, AccountRef]:
    """Return id and unit of each account, making those that are not there yet."""
    wanted = set(codes)
    found = _stored(session, wanted)
    missing = wanted - found.keys()
    if missing:
        _open(session, sorted(missing))
        found |= _stored(session, missing)
    return found


def _stored(session: Session, codes: Iterable[str]) -> dict[str, AccountRef]:
    rows = rows_by_key(session, "SELECT code, id, unit FROM account WHERE code {keys}", codes)
    return {code: AccountRef(identifier, unit) for code, identifier, unit in rows}


def _open(session: Session, codes: list[str]) -> None:
    parts = [_parts(code) for code in codes]
    holders: dict[str, str] = {}
    for kinds, sql in _HOLDERS:
        held = [owner for kind, owner, _unit in parts if kind in kinds]
        holders |= {str(key): str(holder) for key, holder in rows_by_key(session, sql, held)}
    rows = [
        (code, kind, holders.get(owner, owner) if kind in _HELD else owner, unit)
        for code, (kind, owner, unit) in zip(codes, parts, strict=True)
    ]
    # Another writer may open the same account at this moment.
    insert_rows(
        session,
        "account",
        ("code", "kind", "owner", "unit"),
        rows,
        "ON CONFLICT (code) DO NOTHING",
    )


def _parts(code: str) -> tuple[str, str, str]:
    """Split a code into kind, owner and unit; what is outside has no owner but itself."""
    kind, _, rest = code.partition(":")
    owner, _, unit = rest.rpartition(":")
    if kind == OUTSIDE and not owner:
        owner = OUTSIDE
    if kind not in KINDS or not owner or not unit:
        raise CodeUnknown(code)
    return kind, owner, unit
