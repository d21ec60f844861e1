"""One chain transaction run on the state: nonce, gas, value, call or creation, receipt.

Knows the two contracts by their creation code. The gas that running takes is an estimate; what is
taken before is exact, and so is what is paid for what was used.
"""

from __future__ import annotations

from dataclasses import dataclass

from settlement.chain.admin_abi import read_text
from settlement.chain.memory.contract import (
    Arguments,
    BlockEnvironment,
    Contract,
    Frame,
    Gas,
    RawLog,
    Reverted,
)
from settlement.chain.memory.rail import Rail
from settlement.chain.memory.state import State
from settlement.chain.memory.token import Token
from settlement.chain.port import Address
from settlement.chain.signing import SignedChainTx, created_address

_CODE_BYTE_GAS = 165


@dataclass(frozen=True, slots=True)
class Executed:
    """What a chain transaction did."""

    status: int
    gas_used: int
    gas_price_wei: int
    logs: list[RawLog]


def balance_key(account: Address) -> tuple[str, Address]:
    """Return where an account's wei stand in the state."""
    return ("coins", account)


def nonce_key(account: Address) -> tuple[str, Address]:
    """Return where an account's next nonce stands in the state."""
    return ("nonce", account)


def intrinsic_gas(chain_tx: SignedChainTx) -> int:
    """Return what is taken before anything runs. Source: EIP-2028, EIP-3860."""
    zeros = chain_tx.data.count(0)
    gas = 21_000 + 4 * zeros + 16 * (len(chain_tx.data) - zeros)
    if chain_tx.to is None:
        gas += 32_000 + 2 * ((len(chain_tx.data) + 31) // 32)
    return gas


def floor_gas(chain_tx: SignedChainTx) -> int:
    """Return the least that is paid, whatever runs. Source: EIP-7623."""
    zeros = chain_tx.data.count(0)
    return 21_000 + 10 * zeros + 40 * (len(chain_tx.data) - zeros)


def upfront_wei(chain_tx: SignedChainTx) -> int:
    """Return what a sender has to own before its chain transaction is taken."""
    return chain_tx.gas_limit * chain_tx.max_fee_wei + chain_tx.value


def execute(state: State, block: BlockEnvironment, chain_tx: SignedChainTx) -> Executed:
    """Run a chain transaction whose nonce, fee and upfront cost have been found good."""
    price = min(chain_tx.max_fee_wei, block.base_fee_wei + chain_tx.max_priority_fee_wei)
    sender = chain_tx.sender
    state.put(nonce_key(sender), chain_tx.nonce + 1)
    gas = Gas(chain_tx.gas_limit - intrinsic_gas(chain_tx))
    mark = state.mark()
    try:
        logs = _run(state, block, chain_tx, gas)
        status = 1
    except Reverted:
        state.undo_to(mark)
        logs, status = [], 0
    used = max(chain_tx.gas_limit - gas.left, floor_gas(chain_tx))
    _add_coins(state, sender, -used * price)
    return Executed(status, used, price, logs)


def view(state: State, block: BlockEnvironment, to: Address, data: bytes) -> bytes:
    """Return what a read-only call answers; nothing if it reverts or there is no code."""
    contract = state.get(("contract", to), None)
    if contract is None:
        return b""
    mark = state.mark()
    frame = Frame(state, block, Address("0x" + "0" * 40), to, Gas(30_000_000))
    try:
        answer: bytes = contract.run(frame, data)
    except Reverted:
        answer = b""
    state.undo_to(mark)
    return answer


def _run(state: State, block: BlockEnvironment, chain_tx: SignedChainTx, gas: Gas) -> list[RawLog]:
    to = chain_tx.to
    if to is None:
        to = created_address(chain_tx.sender, chain_tx.nonce)
        contract = _creation(chain_tx.data, to, block.chain_id)
        frame = Frame(state, block, chain_tx.sender, to, gas)
        gas.use(_CODE_BYTE_GAS * len(chain_tx.data))
        state.put(("contract", to), contract)
        state.put(nonce_key(to), 1)
        if chain_tx.value:
            raise Reverted
        contract.create(frame)
        return frame.logs
    contract = state.get(("contract", to), None)
    if contract is None:
        _move_coins(state, chain_tx.sender, to, chain_tx.value)
        return []
    if chain_tx.value:
        # Neither contract takes coins.
        raise Reverted
    frame = Frame(state, block, chain_tx.sender, to, gas)
    contract.run(frame, chain_tx.data)
    return frame.logs


def _creation(data: bytes, address: Address, chain_id: int) -> Contract:
    """Return the contract that creation code makes.

    Raises:
        NotImplementedError: of any other contract: the simulation cannot tell what it would do.
    """
    code = Token.creation_code()
    if data.startswith(code):
        # A leading offset makes each text look like a call's whole answer.
        tail = data[len(code) :]
        words = Arguments(b"\0\0\0\0" + tail)
        name, symbol = (_text_at(tail, words.number(place)) for place in (0, 1))
        admin = words.address(2)
        return Token(name=name, symbol=symbol, admin=admin, address=address, chain_id=chain_id)
    code = Rail.creation_code()
    if data.startswith(code):
        return Rail(Arguments(b"\0\0\0\0" + data[len(code) :]).address(0))
    raise NotImplementedError("the chain in memory knows the token and the rail alone")


def _text_at(tail: bytes, offset: int) -> str:
    text = read_text("0x" + (32).to_bytes(32, "big").hex() + tail[offset:].hex())
    if text is None:
        raise Reverted
    return text


def _move_coins(state: State, sender: Address, to: Address, wei: int) -> None:
    if wei:
        _add_coins(state, sender, -wei)
        _add_coins(state, to, wei)


def _add_coins(state: State, account: Address, wei: int) -> None:
    key = balance_key(account)
    state.put(key, state.get(key) + wei)
