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
from settlement.errors import Conflict, NotFound
from settlement.participants import listing
from settlement.participants.addresses import parse_address

_INSERT = text(
    "INSERT INTO wallet (address, participant_id, kind, provider, proved_by, usable_from,"
    " created_at) VALUES (:address, :owner, :kind, :provider, :proved_by, :usable_from, :at)"
    # One that was given up comes back as it is proved now.
    " ON CONFLICT (address) DO UPDATE SET kind = excluded.kind, provider = excluded.provider,"
    " proved_by = excluded.proved_by, usable_from = excluded.usable_from, retired_at = NULL"
    " WHERE wallet.participant_id = excluded.participant_id AND wallet.retired_at IS NOT NULL"
    " RETURNING address"
)
_OURS = text(
    "SELECT 'the rail itself' FROM deployment WHERE rail = :address"
    " UNION ALL SELECT 'the token ' || symbol FROM token WHERE address = :address"
    " UNION ALL SELECT 'an operator of the rail' FROM lane WHERE signer = :address"
)
_REPROVE = text(
    "UPDATE wallet SET proved_by = :proved_by,"
    " kind = CASE WHEN proved_by IN ('operator', 'migration') THEN :kind ELSE kind END,"
    " provider = CASE WHEN proved_by IN ('operator', 'migration') THEN :provider"
    " ELSE provider END"
    " WHERE address = :address AND participant_id = :owner AND retired_at IS NULL"
)
_RETIRE = text(
    "UPDATE wallet SET retired_at = :at WHERE address = :address AND participant_id = :owner"
    " AND retired_at IS NULL"
)


class WalletRefused(Conflict):
    """The address is somebody else's, or none that money can be paid to.

    Whose it is stays unsaid: a company learns nothing of another's wallets by asking.
    """

    def __init__(self, address: str, reason: str, field: str | None) -> None:
        super().__init__(
            f"{address} cannot be a wallet: it is {reason}",
            field=field,
            repair="send an address that only this participant holds",
        )
        self.address = address


@dataclass(frozen=True, slots=True)
class WalletTerms:
    """What is known of an address when it is registered."""

    address: Address
    kind: str
    """custodial or self_hosted."""
    provider: str | None
    proved_by: str
    """signature, contract or operator."""


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
    kind: str = "self_hosted",
    provider: str | None = None,
) -> Address:
    """Register an address on the operator's word, usable at once; a second time is a no-op.

    Raises:
        AddressInvalid: no address.
        WalletRefused: another participant's, a token, the rail or an operator.
    """
    address = parse_address(address_text, field=field)
    terms = WalletTerms(address, kind, provider, "operator")
    put_wallet(session, participant_id, terms, usable_from=to_micros(now), now=now, field=field)
    return address


def put_wallet(
    session: Session,
    participant_id: str,
    terms: WalletTerms,
    *,
    usable_from: int | None,
    now: datetime,
    field: str | None = "address",
) -> bool:
    """Register an address; return whether it is new. One that the participant has stays as it is.

    Raises:
        WalletRefused: another participant's, a token, the rail or an operator.
    """
    require_free(session, participant_id, terms.address, field=field)
    row = {
        "address": terms.address,
        "owner": participant_id,
        "kind": terms.kind,
        "provider": terms.provider,
        "proved_by": terms.proved_by,
        "usable_from": usable_from,
        "at": to_micros(now),
    }
    if session.execute(_INSERT, row).scalar() is not None:
        listing.follow_states(
            session, [participant_id], reason="a wallet was registered", actor="rail", now=now
        )
        return True
    owner = wallet_owner(session, terms.address)
    if owner != participant_id:  # Somebody was faster.
        raise WalletRefused(terms.address, "a wallet of another participant", field)
    return False


def require_free(
    session: Session, participant_id: str, address: Address, *, field: str | None = "address"
) -> None:
    """Return quietly if an address can be a participant's wallet, or is.

    Raises:
        WalletRefused: another participant's, a token, the rail or an operator.
    """
    taken = session.execute(_OURS, {"address": address}).scalar()
    if taken is not None:
        raise WalletRefused(address, str(taken), field)
    owner = wallet_owner(session, address)
    if owner not in (None, participant_id):
        raise WalletRefused(address, "a wallet of another participant", field)


def reprove(session: Session, participant_id: str, terms: WalletTerms) -> bool:
    """Write down a better proof of a wallet that the participant has; False: it has no such one.

    Kind and provider are taken over only where nobody had said them before.
    """
    row = {
        "address": terms.address,
        "owner": participant_id,
        "kind": terms.kind,
        "provider": terms.provider,
        "proved_by": terms.proved_by,
    }
    return bool(session.connection().execute(_REPROVE, row).rowcount)


def retire_wallet(session: Session, participant_id: str, address: Address, now: datetime) -> None:
    """Let an address be paid from and to no more; what is booked on it stays.

    Raises:
        NotFound: the participant has no such wallet, or has given it up.
    """
    values = {"address": address, "owner": participant_id, "at": to_micros(now)}
    if not session.connection().execute(_RETIRE, values).rowcount:
        raise NotFound("wallet", address)
    listing.follow_states(
        session, [participant_id], reason="a wallet was given up", actor="rail", now=now
    )


def wallet_owner(session: Session, address: str) -> str | None:
    """Return the id of the participant that an address belongs to, None for an outside address."""
    found: str | None = session.execute(
        text("SELECT participant_id FROM wallet WHERE address = :address"), {"address": address}
    ).scalar()
    return found


def wallets(session: Session, participant_id: str | None = None) -> list[Wallet]:
    """Return all wallets, or one participant's, in order of their addresses."""
    return _listed(session, participant_id, "")


def open_wallets(session: Session, participant_id: str | None = None) -> list[Wallet]:
    """Return the same, without those that were given up."""
    return _listed(session, participant_id, " AND retired_at IS NULL")


def _listed(session: Session, participant_id: str | None, more: str) -> list[Wallet]:
    found = session.execute(
        text(
            "SELECT address, participant_id FROM wallet"
            f" WHERE (:owner = '' OR participant_id = :owner){more} ORDER BY address"
        ),
        {"owner": participant_id or ""},
    )
    return [Wallet(*row) for row in found]
