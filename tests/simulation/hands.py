"""What other people do on the chain: debtors, the rail's owner, the tokens' admin, a gas station.

Each act is an ordinary chain transaction, so that a reorg can undo it like everything else.
"""

from __future__ import annotations

from settlement.chain import admin_abi, mandate_abi
from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address
from settlement.chain.signing import KeyPair, sign_eip1559
from tests.simulation.template import OPERATORS, Template

_MAX_FEE_WEI = 4_000 * 10**9
_TIP_WEI = 2 * 10**9
_COIN_WEI = 10**18
SYMBOLS = ("TUSD", "TEUR")


class Hands:
    """Sends for whoever acts; mines nothing."""

    def __init__(self, template: Template, chain: MemoryChain) -> None:
        self._chain = chain
        self._sandbox = template.sandbox
        self._deployment = template.sandbox.deployment
        self._expiry = int(template.now.timestamp()) + 365 * 86_400

    def allow(self, debtor: int, cap_per_payment: int, cap_per_day: int) -> None:
        """Let a debtor set its mandate for both tokens."""
        for symbol in SYMBOLS:
            data = mandate_abi.set_mandate_calldata(
                token=self._token(symbol), cap_per_payment=cap_per_payment,
                cap_per_day=cap_per_day, expiry=self._expiry,
            )  # fmt: skip
            self._send(self._wallet(debtor), self._deployment.rail, data)

    def revoke(self, debtor: int) -> None:
        """Let a debtor end its mandate for dollars."""
        data = mandate_abi.revoke_mandate_calldata(self._token("TUSD"))
        self._send(self._wallet(debtor), self._deployment.rail, data)

    def freeze(self, company: int, is_frozen: bool) -> None:
        """Let the tokens' admin stop a company's wallet, or let it go on."""
        encode = admin_abi.freeze_calldata if is_frozen else admin_abi.unfreeze_calldata
        for symbol in SYMBOLS:
            data = encode(self._wallet(company).address)
            self._send(self._sandbox.admin, self._token(symbol), data)

    def list_company(self, company: int, is_listed: bool) -> None:
        """Let the rail's owner list a company's wallet, or unlist it."""
        encode = (
            admin_abi.list_participants_calldata
            if is_listed
            else admin_abi.unlist_participants_calldata
        )
        data = encode([self._wallet(company).address])
        self._send(self._sandbox.admin, self._deployment.rail, data)

    def pause(self, is_paused: bool) -> None:
        """Let the rail's owner pause it, so that whole batches revert, or end that."""
        called = admin_abi.PAUSE if is_paused else admin_abi.UNPAUSE
        self._send(self._sandbox.admin, self._deployment.rail, bytes.fromhex(called[2:]))

    def transfer(self, payer: int, payee: int, amount_minor: int) -> None:
        """Let a company move its own dollars, past the rail."""
        data = admin_abi.transfer_calldata(self._wallet(payee).address, amount_minor)
        self._send(self._wallet(payer), self._token("TUSD"), data)

    def fuel(self, lane: int) -> None:
        """Give an operator gas money for a while."""
        self._send(self._sandbox.admin, OPERATORS[lane].address, b"", _COIN_WEI // 2)

    def _wallet(self, company: int) -> KeyPair:
        return self._sandbox.wallets[company]

    def _token(self, symbol: str) -> Address:
        return self._deployment.token(symbol).address

    def _send(self, sender: KeyPair, to: Address, data: bytes, value: int = 0) -> None:
        pending = sum(
            each.sender == sender.address for each in self._chain._ready()
        )  # Only what can be mined counts: no gap is ever left.
        raw, _ = sign_eip1559(
            sender.key, chain_id=self._deployment.chain_id,
            nonce=self._chain.nonce(sender.address) + pending, to=to, data=data,
            gas_limit=200_000, max_fee_wei=_MAX_FEE_WEI, max_priority_fee_wei=_TIP_WEI,
            value=value,
        )  # fmt: skip
        self._chain.send([raw])
