"""The calls that list and freeze wallets, by what the wallets are to be; gas for each.

Pure encoding, from the words of `admin_abi`.
"""

from __future__ import annotations

from collections.abc import Sequence

from settlement.chain import admin_abi
from settlement.chain.port import Address

LISTED_AT_ONCE = 100
_GAS_BASE = 60_000
_GAS_PER_WALLET = 30_000


def registry_calldata(effect: str, wallets: Sequence[Address]) -> bytes:
    """Return the call after which the wallets are `effect`: the rail's takes many, a token's one.

    Raises:
        ValueError: no such effect, or more wallets than the call takes.
    """
    most = LISTED_AT_ONCE if effect in ("listed", "unlisted") else 1
    if not 0 < len(wallets) <= most:
        raise ValueError(f"{len(wallets)} wallets in a call that takes 1 to {most}")
    if effect == "listed":
        return admin_abi.list_participants_calldata(wallets)
    if effect == "unlisted":
        return admin_abi.unlist_participants_calldata(wallets)
    if effect == "frozen":
        return admin_abi.freeze_calldata(wallets[0])
    if effect == "free":
        return admin_abi.unfreeze_calldata(wallets[0])
    raise ValueError(f"no call makes a wallet {effect}")


def registry_gas(wallet_count: int) -> int:
    """Return gas that is enough for a call with so many wallets."""
    return _GAS_BASE + _GAS_PER_WALLET * wallet_count
