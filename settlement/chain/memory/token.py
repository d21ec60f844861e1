"""`SettlementToken` in Python: the same refusals, the same logs, for a chain in memory.

Leaves out what is signed for others (EIP-2612, EIP-3009): calling that is the simulation's error.
"""

from __future__ import annotations

from typing import ClassVar

from settlement.chain.admin_abi import artifact
from settlement.chain.keccak import keccak
from settlement.chain.memory.contract import (
    ZERO,
    Arguments,
    Contract,
    Frame,
    Function,
    answer_number,
    answer_text,
    require,
    topic_of,
)
from settlement.chain.memory.runtime_code import token_runtime_code
from settlement.chain.port import Address, Hash
from settlement.chain.rail_abi import TRANSFER, address_word, selector, topic, word

APPROVAL = topic("Approval(address,address,uint256)")
ROLE_GRANTED = topic("RoleGranted(bytes32,address,address)")
ROLE_REVOKED = topic("RoleRevoked(bytes32,address,address)")
FROZEN = topic("Frozen(address)")
UNFROZEN = topic("Unfrozen(address)")
PAUSED = topic("Paused(address)")
UNPAUSED = topic("Unpaused(address)")

ADMIN_ROLE = Hash("0x" + "0" * 64)
MINTER_ROLE = Hash(topic("MINTER_ROLE"))
BURNER_ROLE = Hash(topic("BURNER_ROLE"))
PAUSER_ROLE = Hash(topic("PAUSER_ROLE"))
FREEZER_ROLE = Hash(topic("FREEZER_ROLE"))

SUPPLY_LIMIT = 2**63 - 1
_MAX = 2**256 - 1


class Token(Contract):
    """A test currency. Storage: balance, frozen, allowance, supply, paused, role."""

    def __init__(
        self, *, name: str, symbol: str, admin: Address, address: Address, chain_id: int
    ) -> None:
        self.name, self.symbol, self._admin = name, symbol, admin
        code = token_runtime_code(name=name, address=address, chain_id=chain_id)
        self.code_hash = Hash("0x" + keccak(code).hex())

    @classmethod
    def creation_code(cls) -> bytes:
        """Return the bytes that a creation of this contract begins with."""
        return artifact("SettlementToken").creation_code

    def create(self, frame: Frame) -> None:
        """See `Contract.create`."""
        for role in (ADMIN_ROLE, MINTER_ROLE, BURNER_ROLE, PAUSER_ROLE, FREEZER_ROLE):
            self._grant(frame, role, self._admin)

    def transfer(self, frame: Frame, words: Arguments) -> bytes:
        """Move the caller's own money."""
        self._move(frame, frame.sender, words.address(0), words.number(1))
        return answer_number(1)

    def transfer_from(self, frame: Frame, words: Arguments) -> bytes:
        """Move money that the caller was allowed to move."""
        owner, to, amount = words.address(0), words.address(1), words.number(2)
        self._spend_allowance(frame, owner, amount)
        self._move(frame, owner, to, amount)
        return answer_number(1)

    def approve(self, frame: Frame, words: Arguments) -> bytes:
        """Allow a spender."""
        spender, amount = words.address(0), words.number(1)
        require(frame.sender != ZERO and spender != ZERO)
        frame.store("allowance", frame.sender, spender, value=amount)
        frame.emit((APPROVAL, topic_of(frame.sender), topic_of(spender)), word(amount))
        return answer_number(1)

    def mint(self, frame: Frame, words: Arguments) -> bytes:
        """Create money."""
        self._require_role(frame, MINTER_ROLE)
        holder, amount = words.address(0), words.number(1)
        require(holder != ZERO)
        self._update(frame, ZERO, holder, amount)
        return b""

    def burn(self, frame: Frame, words: Arguments) -> bytes:
        """Destroy money of one's own, or that one is allowed to move."""
        self._require_role(frame, BURNER_ROLE)
        holder, amount = words.address(0), words.number(1)
        if holder != frame.sender:
            self._spend_allowance(frame, holder, amount)
        require(holder != ZERO)
        self._update(frame, holder, ZERO, amount)
        return b""

    def freeze(self, frame: Frame, words: Arguments) -> bytes:
        """Stop an account."""
        self._require_role(frame, FREEZER_ROLE)
        self._set_frozen(frame, words.address(0), True, FROZEN)
        return b""

    def unfreeze(self, frame: Frame, words: Arguments) -> bytes:
        """Let an account move money again."""
        self._require_role(frame, FREEZER_ROLE)
        self._set_frozen(frame, words.address(0), False, UNFROZEN)
        return b""

    def pause(self, frame: Frame, words: Arguments) -> bytes:
        """Stop all movements."""
        self._require_role(frame, PAUSER_ROLE)
        require(not frame.load("paused"))
        frame.store("paused", value=1)
        frame.emit((PAUSED,), address_word(frame.sender))
        return b""

    def unpause(self, frame: Frame, words: Arguments) -> bytes:
        """Let money move again."""
        self._require_role(frame, PAUSER_ROLE)
        require(frame.load("paused"))
        frame.store("paused", value=0)
        frame.emit((UNPAUSED,), address_word(frame.sender))
        return b""

    def grant_role(self, frame: Frame, words: Arguments) -> bytes:
        """Give a role."""
        self._require_role(frame, ADMIN_ROLE)
        self._grant(frame, words.hash(0), words.address(1))
        return b""

    def revoke_role(self, frame: Frame, words: Arguments) -> bytes:
        """Take a role away."""
        self._require_role(frame, ADMIN_ROLE)
        self._revoke(frame, words.hash(0), words.address(1))
        return b""

    def renounce_role(self, frame: Frame, words: Arguments) -> bytes:
        """Give up a role of one's own."""
        require(words.address(1) == frame.sender)
        self._revoke(frame, words.hash(0), frame.sender)
        return b""

    def _move(self, frame: Frame, owner: Address, to: Address, amount: int) -> None:
        require(owner != ZERO and to != ZERO)
        self._update(frame, owner, to, amount)

    def _update(self, frame: Frame, owner: Address, to: Address, amount: int) -> None:
        require(not frame.load("paused") and to != frame.this)
        if owner == ZERO:
            supply = frame.load("supply") + amount
            require(supply <= SUPPLY_LIMIT)
            frame.store("supply", value=supply)
        else:
            balance = self._free_balance(frame, owner)
            require(balance >= amount)
            frame.store("balance", owner, value=balance - amount)
        if to == ZERO:
            frame.store("supply", value=frame.load("supply") - amount)
        else:
            frame.store("balance", to, value=self._free_balance(frame, to) + amount)
        frame.emit((TRANSFER, topic_of(owner), topic_of(to)), word(amount))

    def _free_balance(self, frame: Frame, account: Address) -> int:
        require(not frame.state.get((frame.this, "frozen", account)))
        balance: int = frame.load("balance", account)
        return balance

    def _spend_allowance(self, frame: Frame, owner: Address, amount: int) -> None:
        allowed = frame.load("allowance", owner, frame.sender)
        if allowed == _MAX:
            return
        require(allowed >= amount and owner != ZERO)
        frame.store("allowance", owner, frame.sender, value=allowed - amount)

    def _set_frozen(self, frame: Frame, account: Address, frozen: bool, event: str) -> None:
        if bool(frame.load("frozen", account)) is not frozen:
            frame.store("frozen", account, value=int(frozen))
            frame.emit((event, topic_of(account)))

    def _require_role(self, frame: Frame, role: Hash) -> None:
        require(frame.load("role", role, frame.sender))

    def _grant(self, frame: Frame, role: Hash, account: Address) -> None:
        if not frame.load("role", role, account):
            frame.store("role", role, account, value=1)
            frame.emit((ROLE_GRANTED, role, topic_of(account), topic_of(frame.sender)))

    def _revoke(self, frame: Frame, role: Hash, account: Address) -> None:
        if frame.load("role", role, account):
            frame.store("role", role, account, value=0)
            frame.emit((ROLE_REVOKED, role, topic_of(account), topic_of(frame.sender)))

    def _left_out(self, frame: Frame, words: Arguments) -> bytes:
        raise NotImplementedError("the token in memory knows neither permits nor authorizations")

    functions: ClassVar[dict[bytes, Function]] = {}


def _calls() -> dict[str, Function]:
    """Return the token's functions by their signature."""
    return {
        "transfer(address,uint256)": Token.transfer,
        "transferFrom(address,address,uint256)": Token.transfer_from,
        "approve(address,uint256)": Token.approve,
        "mint(address,uint256)": Token.mint,
        "burn(address,uint256)": Token.burn,
        "freeze(address)": Token.freeze,
        "unfreeze(address)": Token.unfreeze,
        "pause()": Token.pause,
        "unpause()": Token.unpause,
        "grantRole(bytes32,address)": Token.grant_role,
        "revokeRole(bytes32,address)": Token.revoke_role,
        "renounceRole(bytes32,address)": Token.renounce_role,
        "name()": lambda self, frame, words: answer_text(self.name),
        "symbol()": lambda self, frame, words: answer_text(self.symbol),
        "decimals()": lambda self, frame, words: answer_number(6),
        "totalSupply()": lambda self, frame, words: answer_number(frame.load("supply")),
        "paused()": lambda self, frame, words: answer_number(frame.load("paused")),
        "balanceOf(address)": lambda self, frame, words: answer_number(
            frame.load("balance", words.address(0))
        ),
        "isFrozen(address)": lambda self, frame, words: answer_number(
            frame.load("frozen", words.address(0))
        ),
        "allowance(address,address)": lambda self, frame, words: answer_number(
            frame.load("allowance", words.address(0), words.address(1))
        ),
        "hasRole(bytes32,address)": lambda self, frame, words: answer_number(
            frame.load("role", words.hash(0), words.address(1))
        ),
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": Token._left_out,
        "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,"
        "bytes32,bytes32)": Token._left_out,
        "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,"
        "bytes32,bytes32)": Token._left_out,
    }


Token.functions = {
    bytes.fromhex(selector(signature)[2:]): function for signature, function in _calls().items()
}
