"""What a debtor is shown, signs and hands back: allowance and mandate, and nothing else.

Signs nothing and sends nothing; checks that signed bytes do just what a mandate needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain import mandate_abi
from settlement.chain.mandate_abi import UnsignedChainTx
from settlement.chain.port import Address
from settlement.chain.signing import SignedChainTx, read_eip1559
from settlement.errors import Forbidden, Invalid, NotFound
from settlement.money import MINOR_MAX, format_minor
from settlement.participants.deployments import deployment
from settlement.participants.wallets import wallet_owner

EXPIRY_LIMIT = 2**40
"""The rail keeps an expiry in 40 bits."""
RELAYED_MAX = 10
"""Signed chain transactions that are taken at once."""

_SECONDS_OF_A_DAY = 86_400


class NotAMandateCall(Invalid):
    """Signed bytes that do something else than grant, lower or revoke a mandate of ours."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(
            f"signed chain transaction {place}: {reason}",
            field=f"signed/{place}",
            repair="sign what `grant` or `revoke` gave, unchanged",
        )


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """What a debtor is to allow. Amounts in minor units of the token."""

    debtor_wallet: Address
    token: Address
    cap_per_payment_minor: int
    cap_per_day_minor: int
    expires_at: int
    """Seconds since 1970, chain time."""
    allowance_minor: int | None = None
    """None: as much as the caps can take until it expires."""


@dataclass(frozen=True, slots=True)
class _Token:
    address: Address
    symbol: str
    decimals: int


def grant_instructions(session: Session, terms: GrantTerms, now: datetime) -> list[UnsignedChainTx]:
    """Return what the debtor signs, in order, to grant a mandate or to change one.

    Raises:
        NotFound: the wallet or the token is not registered.
        Invalid: caps or expiry that the rail would refuse.
    """
    token = _known(session, terms.debtor_wallet, terms.token)
    _check(terms, token, now)
    days = (terms.expires_at - int(now.timestamp())) // _SECONDS_OF_A_DAY + 1
    allowance = terms.allowance_minor
    if allowance is None:
        allowance = min(terms.cap_per_day_minor * days, MINOR_MAX)
    here = deployment(session)
    return mandate_abi.grant(
        chain_id=here.chain_id,
        rail=here.rail,
        token=terms.token,
        debtor=terms.debtor_wallet,
        mandate=mandate_abi.Mandate(
            terms.cap_per_payment_minor, terms.cap_per_day_minor, terms.expires_at
        ),
        allowance_minor=allowance,
    )


def revoke_instruction(session: Session, debtor_wallet: Address, token: Address) -> UnsignedChainTx:
    """Return what the debtor signs to end its mandate for a token.

    Raises:
        NotFound: the wallet or the token is not registered.
    """
    _known(session, debtor_wallet, token)
    here = deployment(session)
    return mandate_abi.revocation(
        chain_id=here.chain_id, rail=here.rail, token=token, debtor=debtor_wallet
    )


def read_signed(
    session: Session, raw_transactions: Sequence[bytes], *, participant_id: str | None
) -> list[SignedChainTx]:
    """Return what signed bytes say, having checked that they grant or revoke and do nothing else.

    `participant_id` restricts to that participant's own wallets. The caller sends them as they are.

    Raises:
        NotAMandateCall: unreadable, for another chain, or another call.
        Forbidden: signed by a wallet that is not the participant's.
    """
    if not 0 < len(raw_transactions) <= RELAYED_MAX:
        raise Invalid(f"send 1 to {RELAYED_MAX} signed chain transactions", field="signed")
    here = deployment(session)
    tokens = set(session.execute(text("SELECT address FROM token WHERE listed")).scalars())
    found = []
    for place, raw in enumerate(raw_transactions):
        try:
            signed = read_eip1559(raw)
        except ValueError as error:
            raise NotAMandateCall(place, str(error)) from error
        if signed.chain_id != here.chain_id:
            raise NotAMandateCall(place, f"it is for chain {signed.chain_id}")
        if signed.value:
            raise NotAMandateCall(place, "it sends coins")
        if not _is_approval(signed, here.rail, tokens) and not _is_mandate(
            signed, here.rail, tokens
        ):
            raise NotAMandateCall(place, "it neither allows the rail a token nor sets a mandate")
        owner = wallet_owner(session, signed.sender)
        if owner is None or participant_id not in (None, owner):
            raise Forbidden(f"{signed.sender} is no wallet of this participant")
        found.append(signed)
    return found


def _is_approval(signed: SignedChainTx, rail: Address, tokens: set[Address]) -> bool:
    expected = mandate_abi.approve_calldata(spender=rail, amount_minor=0)[:-32]
    return signed.to in tokens and len(signed.data) == 68 and signed.data[:36] == expected


def _is_mandate(signed: SignedChainTx, rail: Address, tokens: set[Address]) -> bool:
    if signed.to != rail:
        return False
    for token in tokens:
        if signed.data == mandate_abi.revoke_mandate_calldata(token):
            return True
        set_mandate = mandate_abi.set_mandate_calldata(
            token=token, cap_per_payment=0, cap_per_day=0, expiry=0
        )
        if len(signed.data) == len(set_mandate) and signed.data[:36] == set_mandate[:36]:
            return True
    return False


def _known(session: Session, debtor_wallet: Address, token: Address) -> _Token:
    if wallet_owner(session, debtor_wallet) is None:
        raise NotFound("wallet", debtor_wallet)
    row = session.execute(
        text("SELECT address, symbol, decimals FROM token WHERE address = :token AND listed"),
        {"token": token},
    ).one_or_none()
    if row is None:
        raise NotFound("token", token)
    return _Token(*row)


def _check(terms: GrantTerms, token: _Token, now: datetime) -> None:
    for field in ("cap_per_payment_minor", "cap_per_day_minor", "allowance_minor"):
        minor = getattr(terms, field)
        if minor is not None and not 0 < minor <= MINOR_MAX:
            raise Invalid(
                f"{minor} is no amount the rail takes",
                field=field.removesuffix("_minor"),
                repair=f"choose up to {format_minor(MINOR_MAX, token.decimals)} {token.symbol}",
            )
    if terms.cap_per_payment_minor > terms.cap_per_day_minor:
        raise Invalid(
            "the cap per payment is above the cap per day",
            field="cap_per_payment",
            repair="raise the cap per day, or lower the cap per payment",
        )
    if not now.timestamp() < terms.expires_at < EXPIRY_LIMIT:
        raise Invalid(
            "the expiry has passed, or is too far away",
            field="expires_at",
            repair="choose a moment after now and before the year 36,000",
        )
