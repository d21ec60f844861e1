"""What the demo's people do on the chain themselves: freeze a wallet, move tokens, lower a mandate.

Signs with the keys that every anvil knows. Nothing here is the rail's own work.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from settlement.chain import mandate_abi
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.port import Address, ChainPort
from settlement.chain.rail_abi import address_word, selector, word
from settlement.chain.signing import KeyPair, sign_eip1559

_GAS_LIMIT = 200_000
_MAX_FEE_WEI = 20_000_000_000
_PRIORITY_FEE_WEI = 1_000_000_000


@dataclass(slots=True)
class ChainHand:
    """Sends signed calls one by one and mines a block for each."""

    chain: ChainPort
    controls: AnvilControls
    chain_id: int
    _nonces: dict[str, int] = field(default_factory=dict)

    def freeze(self, admin: KeyPair, token: Address, holder: Address) -> None:
        """Block a holder on a token."""
        self._call(admin, token, selector("freeze(address)") + address_word(holder))

    def unfreeze(self, admin: KeyPair, token: Address, holder: Address) -> None:
        """Let a holder move the token again."""
        self._call(admin, token, selector("unfreeze(address)") + address_word(holder))

    def transfer(self, holder: KeyPair, token: Address, to: Address, minor: int) -> None:
        """Move tokens from a holder's own wallet, past the rail."""
        call = selector("transfer(address,uint256)") + address_word(to) + word(minor)
        self._call(holder, token, call)

    def set_mandate(
        self, debtor: KeyPair, rail: Address, token: Address, cap_minor: int, expiry: int
    ) -> None:
        """Grant or lower a debtor's mandate: `cap_minor` per payment, ten times that per day."""
        call = mandate_abi.set_mandate_calldata(
            token=token, cap_per_payment=cap_minor, cap_per_day=10 * cap_minor, expiry=expiry
        )
        self._call(debtor, rail, "0x" + call.hex())

    def _call(self, keys: KeyPair, to: Address, call: str) -> None:
        nonce = self._nonces.get(keys.address) or self.chain.nonce(keys.address)
        raw, _ = sign_eip1559(
            keys.key,
            chain_id=self.chain_id,
            nonce=nonce,
            to=to,
            data=bytes.fromhex(call[2:]),
            gas_limit=_GAS_LIMIT,
            max_fee_wei=_MAX_FEE_WEI,
            max_priority_fee_wei=_PRIORITY_FEE_WEI,
        )
        self.chain.send([raw])
        self._nonces[keys.address] = nonce + 1
        self.controls.mine(1)
