"""What a contract in Python stands on: a call's frame, gas, arguments, logs, refusal.

Knows no contract in particular. Gas is counted in rough steps, not by instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from settlement.chain.memory.state import State
from settlement.chain.port import Address, Hash
from settlement.chain.rail_abi import address_word, word

ZERO = Address("0x" + "0" * 40)
READ_GAS = 2_100
WRITE_GAS = 5_000
FIRST_WRITE_GAS = 22_100
LOG_GAS = 1_800
CALL_GAS = 2_600


class Reverted(Exception):
    """The contract refuses; what the call changed is taken back."""


class OutOfGas(Reverted):
    """The call needs more gas than it was given; all of that is gone."""


@dataclass(slots=True)
class Gas:
    """What is left of a gas limit."""

    left: int

    def use(self, amount: int) -> None:
        """Take gas, or end the call if there is not enough."""
        if amount > self.left:
            self.left = 0
            raise OutOfGas
        self.left -= amount


@dataclass(frozen=True, slots=True)
class BlockEnvironment:
    """The block that a call runs in."""

    number: int
    timestamp: int
    base_fee_wei: int
    chain_id: int


RawLog = tuple[Address, tuple[str, ...], str]


@dataclass(slots=True)
class Frame:
    """One call of one contract: `this` is called by `sender`."""

    state: State
    block: BlockEnvironment
    sender: Address
    this: Address
    gas: Gas
    logs: list[RawLog] = field(default_factory=list)

    def load(self, *key: Any, default: Any = 0) -> Any:
        """Read from this contract's storage."""
        self.gas.use(READ_GAS)
        return self.state.get((self.this, *key), default)

    def store(self, *key: Any, value: Any) -> None:
        """Write to this contract's storage."""
        place = (self.this, *key)
        self.gas.use(WRITE_GAS if self.state.get(place) else FIRST_WRITE_GAS)
        self.state.put(place, value)

    def emit(self, topics: tuple[str, ...], *words: str) -> None:
        """Log an event; words are 32 bytes as hexadecimal without `0x`."""
        self.gas.use(LOG_GAS)
        self.logs.append((self.this, topics, "0x" + "".join(words)))

    def call(self, to: Address, data: bytes, gas_limit: int | None = None) -> bytes | None:
        """Call another contract, with all gas or at most a limit; None if it reverted.

        An address without code answers with nothing, as on a chain.
        """
        self.gas.use(CALL_GAS)
        given = self.gas.left - self.gas.left // 64
        if gas_limit is not None:
            given = min(given, gas_limit)
        inner = Frame(self.state, self.block, self.this, to, Gas(given), [])
        mark = self.state.mark()
        contract = self.state.get(("contract", to), None)
        try:
            answer = contract.run(inner, data) if contract else b""
        except Reverted:
            self.state.undo_to(mark)
            answer = None
        else:
            self.logs += inner.logs
        self.gas.use(given - inner.gas.left)
        return answer


class Arguments:
    """The words of a call's data after the selector, checked as Solidity checks them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self, place: int, bits: int = 256) -> int:
        """Return an unsigned integer."""
        end = 4 + 32 * (place + 1)
        if end > len(self._data):
            raise Reverted
        value = int.from_bytes(self._data[end - 32 : end], "big")
        if value >> bits:
            raise Reverted
        return value

    def address(self, place: int) -> Address:
        """Return an address."""
        return as_address(self.number(place, 160))

    def flag(self, place: int) -> bool:
        """Return true or false."""
        return bool(self.number(place, 1))

    def hash(self, place: int) -> Hash:
        """Return 32 bytes as they are."""
        return Hash(f"0x{self.number(place):064x}")

    def list_start(self, place: int) -> tuple[int, int]:
        """Return the place of a list's first word, and how many items it has."""
        offset = self.number(place, 64)
        if offset % 32:
            raise Reverted
        start = offset // 32
        return start + 1, self.number(start, 64)


Function = Callable[[Any, Frame, Arguments], bytes]


class Contract:
    """A contract's rules. Has no state of its own: all of that is in the `State`."""

    functions: ClassVar[dict[bytes, Function]] = {}
    code_hash: Hash

    def run(self, frame: Frame, data: bytes) -> bytes:
        """Run a call and return its answer.

        Raises:
            Reverted: the contract refuses, or knows no such function.
        """
        function = self.functions.get(data[:4])
        if function is None:
            raise Reverted
        return function(self, frame, Arguments(data))

    def create(self, frame: Frame) -> None:
        """Run the constructor."""


def as_address(value: int) -> Address:
    """Return an address from its number."""
    return Address(f"0x{value:040x}")


def topic_of(value: str | int) -> str:
    """Return an indexed address or number as a topic."""
    return "0x" + (address_word(value) if isinstance(value, str) else word(value))


def require(condition: object) -> None:
    """Refuse unless a condition holds."""
    if not condition:
        raise Reverted


def answer_number(value: int) -> bytes:
    """Return a number or flag as a call's answer."""
    return int(value).to_bytes(32, "big")


def answer_address(value: Address) -> bytes:
    """Return an address as a call's answer."""
    return bytes.fromhex(address_word(value))


def answer_text(value: str) -> bytes:
    """Return a string as a call's answer."""
    content = value.encode()
    padded = content + b"\0" * (-len(content) % 32)
    return answer_number(32) + answer_number(len(content)) + padded
