"""What a debtor signs: allowance and mandate as calls and as whole unsigned chain transactions.

Pure encoding; signs nothing and asks no node. The shapes are those of `contracts/src/interfaces`.
"""

from __future__ import annotations

from dataclasses import dataclass

from settlement.chain.port import Address
from settlement.chain.rail_abi import address_word, selector, word

SET_MANDATE = selector("setMandate(address,uint64,uint64,uint64)")
REVOKE_MANDATE = selector("revokeMandate(address)")
APPROVE = selector("approve(address,uint256)")

# Some 50,000 are used. A fixed limit needs no estimate, and what is not used is not paid.
DEBTOR_GAS_LIMIT = 120_000


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a debtor lets the rail take of one token; `expiry` in seconds since 1970, chain time."""

    cap_per_payment_minor: int
    cap_per_day_minor: int
    expiry: int
    left_today_minor: int = 0


@dataclass(frozen=True, slots=True)
class UnsignedChainTx:
    """What a debtor is shown to sign with its own wallet, which chooses nonce and fees."""

    chain_id: int
    sender: Address
    to: Address
    data: bytes
    gas_limit: int
    purpose: str
    """What it does, for a person."""

    def fields(self) -> dict[str, str]:
        """Return the fields as a wallet's `eth_sendTransaction` takes them."""
        return {
            "chainId": hex(self.chain_id),
            "from": self.sender,
            "to": self.to,
            "data": "0x" + self.data.hex(),
            "value": "0x0",
            "gas": hex(self.gas_limit),
        }


def set_mandate_calldata(
    *, token: Address, cap_per_payment: int, cap_per_day: int, expiry: int
) -> bytes:
    """Return the call by which a debtor sets its mandate for a token."""
    words = address_word(token) + word(cap_per_payment) + word(cap_per_day) + word(expiry)
    return bytes.fromhex(SET_MANDATE[2:] + words)


def revoke_mandate_calldata(token: Address) -> bytes:
    """Return the call by which a debtor ends its mandate for a token."""
    return bytes.fromhex(REVOKE_MANDATE[2:] + address_word(token))


def approve_calldata(*, spender: Address, amount_minor: int) -> bytes:
    """Return the call by which a holder lets `spender` take up to an amount."""
    return bytes.fromhex(APPROVE[2:] + address_word(spender) + word(amount_minor))


def grant(
    *,
    chain_id: int,
    rail: Address,
    token: Address,
    debtor: Address,
    mandate: Mandate,
    allowance_minor: int,
) -> list[UnsignedChainTx]:
    """Return what a debtor signs, in this order, to let the rail pay for it."""
    approve = approve_calldata(spender=rail, amount_minor=allowance_minor)
    set_mandate = set_mandate_calldata(
        token=token,
        cap_per_payment=mandate.cap_per_payment_minor,
        cap_per_day=mandate.cap_per_day_minor,
        expiry=mandate.expiry,
    )
    caps = (
        f"at most {mandate.cap_per_payment_minor} minor units a payment and "
        f"{mandate.cap_per_day_minor} a day, through {mandate.expiry}"
    )
    return [
        UnsignedChainTx(
            chain_id,
            debtor,
            token,
            approve,
            DEBTOR_GAS_LIMIT,
            f"let the rail {rail} move up to {allowance_minor} minor units of token {token}",
        ),
        UnsignedChainTx(
            chain_id,
            debtor,
            rail,
            set_mandate,
            DEBTOR_GAS_LIMIT,
            f"mandate of {debtor} for token {token}: {caps}",
        ),
    ]


def revocation(*, chain_id: int, rail: Address, token: Address, debtor: Address) -> UnsignedChainTx:
    """Return what a debtor signs to end its mandate for a token."""
    return UnsignedChainTx(
        chain_id,
        debtor,
        rail,
        revoke_mandate_calldata(token),
        DEBTOR_GAS_LIMIT,
        f"end the mandate of {debtor} for token {token}",
    )


def read_mandate(result: str) -> Mandate | None:
    """Return what `mandateOf` answered; None where there is no mandate.

    Raises:
        ValueError: not four words: there is no rail at that address.
    """
    if len(result) != 2 + 4 * 64:
        raise ValueError(f"{result!r:.80} is no answer of mandateOf")
    caps = [int(result[2 + 64 * place : 66 + 64 * place], 16) for place in range(4)]
    return Mandate(*caps) if caps[1] else None
