"""Mandates: what each debtor lets the rail take, read from the chain's own events.

Has no table of its own: of a debtor and token, the newest canonical event counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.chain import rail_abi
from settlement.chain.mandate_abi import read_mandate
from settlement.chain.port import Address, ChainPort, Hash
from settlement.errors import ChainUnreachable

_NEWEST = text(
    "SELECT debtor, token, name, detail, block_number, tx_hash FROM ("
    " SELECT l.debtor, l.token, l.name, l.detail, l.block_number, l.tx_hash, ROW_NUMBER() OVER ("
    "  PARTITION BY l.debtor, l.token ORDER BY l.block_number DESC, l.log_index DESC) AS place"
    " FROM chain_log l JOIN block b ON b.hash = l.block_hash AND b.canonical"
    " WHERE l.name IN ('MandateSet', 'MandateRevoked')) newest"
    " WHERE place = 1 AND name = 'MandateSet' ORDER BY debtor, token"
)


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a debtor's wallet has set for a token and not revoked; it may have expired."""

    debtor_wallet: Address
    token: Address
    cap_per_payment_minor: int
    cap_per_day_minor: int
    expires_at: int
    """Seconds since 1970, chain time: it holds through this second."""
    block_number: int
    tx_hash: Hash


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the chain would let the rail take of one token from one debtor now."""

    left_today_minor: int
    """Of the mandate's cap of the day; 0 when there is none or it has expired."""
    allowance_minor: int
    balance_minor: int

    @property
    def takeable_minor(self) -> int:
        """The least of the three."""
        return min(self.left_today_minor, self.allowance_minor, self.balance_minor)


def mandates(session: Session, debtor_wallet: str | None = None) -> list[Mandate]:
    """Return every mandate that is set, or one wallet's, by debtor and token."""
    return [
        _mandate(row)
        for row in session.execute(_NEWEST)
        if debtor_wallet is None or row.debtor == debtor_wallet
    ]


def allowed(
    chain: ChainPort, rail: Address, pairs: Sequence[tuple[Address, Address]]
) -> list[Allowed]:
    """Ask the chain what is left for each (debtor wallet, token). Network: outside any commit.

    Raises:
        ChainUnreachable: no answer, or no rail answered.
    """
    calls = []
    for debtor, token in pairs:
        of_debtor = rail_abi.address_word(debtor)
        calls += [
            (rail, rail_abi.MANDATE_OF + of_debtor + rail_abi.address_word(token)),
            (token, rail_abi.ALLOWANCE + of_debtor + rail_abi.address_word(rail)),
            (token, rail_abi.BALANCE_OF + of_debtor),
        ]
    answers = chain.call_many(calls)
    return [_allowed(*answers[place : place + 3]) for place in range(0, len(answers), 3)]


def _mandate(row: Any) -> Mandate:
    terms = orjson.loads(row.detail)
    return Mandate(
        debtor_wallet=row.debtor,
        token=row.token,
        cap_per_payment_minor=int(terms["cap_per_payment"]),
        cap_per_day_minor=int(terms["cap_per_day"]),
        expires_at=int(terms["expiry"]),
        block_number=row.block_number,
        tx_hash=row.tx_hash,
    )


def _allowed(mandate_of: str, allowance: str, balance: str) -> Allowed:
    try:
        mandate = read_mandate(mandate_of)
        return Allowed(
            left_today_minor=mandate.left_today_minor if mandate else 0,
            allowance_minor=int(allowance, 16),
            balance_minor=int(balance, 16),
        )
    except ValueError as error:
        raise ChainUnreachable(f"the rail or a token did not answer: {error}") from error
