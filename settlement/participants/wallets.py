"""Wallets: the addresses that a participant pays from and is paid to.

Holds no key: whoever owns an address signs elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.port import Address
from settlement.clock import to_micros
from settlement.errors import Conflict
from settlement.participants.addresses import parse_address

_INSERT = text(
    "INSERT INTO wallet (address, participant_id, created_at) VALUES (:address, :owner, :at)"
    " ON CONFLICT (address) DO NOTHING RETURNING address"
)
_OURS = text(
    "SELECT 'the rail itself' FROM deployment WHERE rail = :address"
    " UNION ALL SELECT 'the token ' || symbol FROM token WHERE address = :address"
    " UNION ALL SELECT 'an operator of the rail' FROM lane WHERE signer = :address"
)


class WalletRefused(Conflict):
    """The address is somebody else's, or none that money can be paid to."""

    def __init__(self, address: str, reason: str, field: str | None) -> None:
        super().__init__(
            f"{address} cannot be a wallet: it is {reason}",
            field=field,
            repair="send an address that only this participant holds",
        )
        self.address = address


@dataclass(frozen=True, slots=True)
class Wallet:
    """An address and the participant that owns it."""

    address: Address
    participant_id: str


def add_wallet(
    session: Session,
    participant_id: str,
    address_text: str,
    *,
    now: datetime,
    field: str | None = "address",
) -> Address:
    """Register an address for a participant; a second time is a no-op.

    Raises:
        AddressInvalid: no address.
        WalletRefused: another participant's, a token, the rail or an operator.
    """
    address = parse_address(address_text, field=field)
    taken = session.execute(_OURS, {"address": address}).scalar()
    if taken is not None:
        raise WalletRefused(address, str(taken), field)
    row = {"address": address, "owner": participant_id, "at": to_micros(now)}
    if session.execute(_INSERT, row).scalar() is None:
        owner = wallet_owner(session, address)
        if owner != participant_id:
            raise WalletRefused(address, f"a wallet of {owner}", field)
    return address


def wallet_owner(session: Session, address: str) -> str | None:
    """Return the id of the participant that an address belongs to, None for an outside address."""
    found: str | None = session.execute(
        text("SELECT participant_id FROM wallet WHERE address = :address"), {"address": address}
    ).scalar()
    return found


def wallets(session: Session, participant_id: str | None = None) -> list[Wallet]:
    """Return all wallets, or one participant's, in order of their addresses."""
    where = "" if participant_id is None else " WHERE participant_id = :owner"
    rows = session.execute(
        text(f"SELECT address, participant_id FROM wallet{where} ORDER BY address"),
        {} if participant_id is None else {"owner": participant_id},
    )
    return [Wallet(*row) for row in rows]
