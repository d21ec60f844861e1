"""What a signer signs for at all: chain, rail, fees, and amounts per token.

Values only; what was used of them is in the signer's own memory (`slots`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from settlement.chain.port import Address

MINOR_MAX = 2**63 - 1
"""No limit lets more than a 64-bit sum through."""

PAYMENTS, CHANGES = "pay", "admin"
"""What a signer is for, by the kind of the chain transactions that it signs."""


@dataclass(frozen=True, slots=True)
class AmountLimits:
    """Whole units of one token: a payment, all payments of a day, those of one debtor's wallet.

    A day is the UTC date of the signer's own clock when it first signs for a nonce.
    """

    payment_units: int = 10_000_000
    day_units: int = 10_000_000_000
    debtor_day_units: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SigningLimits:
    """The one chain and rail that are signed for, the highest fee, the amounts."""

    chain_id: int
    rail: Address
    max_fee_wei: int
    gas_limit: int
    amounts: AmountLimits = AmountLimits()
    """For every token that has none of its own."""
    by_token: Mapping[str, AmountLimits] = field(default_factory=dict)
    """By lower-case address."""
    signs: str = PAYMENTS
    """Payments, or changes of the registry: never both by one key."""

    def of(self, token: str) -> AmountLimits:
        """Return the amounts that hold for a token."""
        return self.by_token.get(token, self.amounts)


def in_minor(units: int, decimals: int) -> int:
    """Return whole units in minor ones, at most what 64 bits hold."""
    return min(units * 10**decimals, MINOR_MAX)


def shown(minor: int, decimals: int) -> str:
    """Return minor units as people read them, for reasons of refusal."""
    whole, part = divmod(minor, 10**decimals)
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)
