"""The chain port over JSON-RPC, for any EVM node: plain calls in batches, shapes decoded by hand.

The only file that may import web3, inside functions. Retries nothing, remembers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from settlement.chain.encoding import (
    header_bytes,
    receipt_bytes,
    signed_bytes,
    transaction_bytes,
)
from settlement.chain.keccak import keccak
from settlement.chain.port import (
    Address,
    BlockBody,
    BlockRef,
    ChainIdentity,
    Hash,
    Receipt,
    SendAnswer,
    SendOutcome,
)
from settlement.chain.receipts import WrongShape, block_receipts, block_ref
from settlement.chain.rpc import JsonRpc, RpcError
from settlement.chain.send_answers import meaning
from settlement.errors import ChainUnreachable

if TYPE_CHECKING:
    from web3 import Web3

# Bounds of one request: anvil takes 2 MB, and an answer is in memory as a whole.
CALLS_PER_REQUEST = 100
RECEIPTS_PER_REQUEST = 64
"""Chain transactions whose receipts are asked for at once; a block with more goes alone."""
SEND_BYTES_PER_REQUEST = 800_000


class EvmChain:
    """One node behind one URL. Not for use by two threads at a time; each takes its own."""

    def __init__(self, url: str, timeout_seconds: float = 10.0) -> None:
        self.rpc = JsonRpc(url, timeout_seconds)
        self.url = url

    def close(self) -> None:
        """Close the connection."""
        self.rpc.close()

    def identity(self) -> ChainIdentity:
        """See `ChainPort.identity`."""
        chain_id, genesis = self._results(
            [("eth_chainId", ()), ("eth_getBlockByNumber", ("0x0", False))]
        )
        return ChainIdentity(self._number(chain_id), self._header(genesis).hash)

    def head(self) -> BlockRef:
        """See `ChainPort.head`."""
        return self._header(self.rpc.call("eth_getBlockByNumber", "latest", False))

    def headers(self, first: int, last: int) -> list[BlockRef]:
        """See `ChainPort.headers`.

        Raises:
            ChainUnreachable: also when the chain was replaced while it was read.
        """
        # A node that is asked above its head may answer in part, without an error.
        last = min(last, self._number(self.rpc.call("eth_blockNumber")))
        calls = [
            ("eth_getBlockByNumber", (hex(number), False)) for number in range(first, last + 1)
        ]
        found: list[BlockRef] = []
        for answer in self._results(calls):
            if answer is None:
                break
            header = self._header(answer)
            if header.number != first + len(found):
                raise self._lied(f"block {header.number} for block {first + len(found)}")
            if found and header.parent_hash != found[-1].hash:
                raise ChainUnreachable(f"block {header.number} was replaced while it was read")
            found.append(header)
        return found

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        """See `ChainPort.receipts`. Blocks without chain transactions are not asked for."""
        found: list[list[Receipt]] = []
        for group in _groups(blocks):
            asked = [block for block in group if block.tx_count]
            answers = iter(
                self._results([("eth_getBlockReceipts", (block.hash,)) for block in asked])
            )
            for block in group:
                try:
                    answer = next(answers) if block.tx_count else []
                    found.append(self._block_receipts(block, answer))
                except WrongShape as error:
                    raise self._lied(str(error)) from error
        return found

    def send(self, raw_transactions: Sequence[bytes]) -> list[SendAnswer]:
        """See `ChainPort.send`. After a failed request the rest is not sent."""
        answers: list[SendAnswer] = []
        for group in _send_groups(raw_transactions):
            calls = [("eth_sendRawTransaction", ("0x" + raw.hex(),)) for raw in group]
            try:
                results = self.rpc.answers(calls)
            except ChainUnreachable as error:
                missing = len(raw_transactions) - len(answers)
                return answers + [SendAnswer(SendOutcome.UNKNOWN, str(error))] * missing
            answers += [
                _send_answer(raw, result) for raw, result in zip(group, results, strict=True)
            ]
        return answers

    def raw_transactions(self, tx_hashes: Sequence[Hash]) -> list[bytes | None]:
        """See `ChainPort.raw_transactions`. Put together from the fields that every node gives."""
        answers = self._results([("eth_getTransactionByHash", (each,)) for each in tx_hashes])
        return [
            signed_bytes(tx_hash, answer)
            for tx_hash, answer in zip(tx_hashes, answers, strict=True)
        ]

    def nonce(self, signer: Address) -> int:
        """See `ChainPort.nonce`."""
        return self._number(self.rpc.call("eth_getTransactionCount", signer, "latest"))

    def nonces_at(self, signers: Sequence[Address], block_hash: Hash) -> list[int]:
        """See `ChainPort.nonces_at`."""
        where = _at(block_hash)
        calls = [("eth_getTransactionCount", (signer, where)) for signer in signers]
        return [self._number(answer) for answer in self._results(calls)]

    def call_many(
        self, calls: Sequence[tuple[Address, str]], block_hash: Hash | None = None
    ) -> list[str]:
        """See `ChainPort.call_many`."""
        where = _at(block_hash)
        results: list[str] = []
        asked = [("eth_call", ({"to": to, "data": data}, where)) for to, data in calls]
        for group in _chunks(asked):
            for answer in self.rpc.answers(group):
                if isinstance(answer, RpcError):
                    if not _is_revert(answer):
                        raise self._refused("eth_call", answer)
                    results.append("0x")
                elif isinstance(answer, str) and answer.startswith("0x"):
                    results.append(answer)
                else:
                    raise self._lied(f"{answer!r:.80} as a call's result")
        return results

    def coin_balances(self, holders: Sequence[Address], block_hash: Hash) -> list[int]:
        """See `ChainPort.coin_balances`."""
        where = _at(block_hash)
        calls = [("eth_getBalance", (holder, where)) for holder in holders]
        return [self._number(answer) for answer in self._results(calls)]

    def code_hashes(self, addresses: Sequence[Address]) -> list[Hash | None]:
        """See `ChainPort.code_hashes`."""
        codes = self._results([("eth_getCode", (address, "latest")) for address in addresses])
        return [self._code_hash(code) for code in codes]

    def header_bytes(self, first: int, last: int) -> list[bytes]:
        """See `ProvesBlocks.header_bytes`."""
        numbers = [hex(number) for number in range(first, last + 1)]
        answers = self._results([("eth_getBlockByNumber", (each, False)) for each in numbers])
        try:
            return [header_bytes(answer) for answer in answers]
        except WrongShape as error:
            raise self._lied(str(error)) from error

    def block_body(self, block_hash: Hash) -> BlockBody:
        """See `ProvesBlocks.block_body`."""
        block, receipts = self._results(
            [("eth_getBlockByHash", (block_hash, True)), ("eth_getBlockReceipts", (block_hash,))]
        )
        if block is None or receipts is None:
            raise ChainUnreachable(f"the node at {self.rpc.place} has no block {block_hash}")
        try:
            return BlockBody(
                [transaction_bytes(each) for each in block["transactions"]],
                [receipt_bytes(each) for each in receipts],
            )
        except WrongShape as error:
            raise self._lied(str(error)) from error

    def web3(self) -> Web3:
        """Return a web3 on the same node, for looking around; never for the rail's own work."""
        from web3 import HTTPProvider, Web3

        return Web3(HTTPProvider(self.url, exception_retry_configuration=None))

    def _results(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """Return the results of calls none of which may be refused."""
        results: list[Any] = []
        for group in _chunks(calls):
            for (method, _), answer in zip(group, self.rpc.answers(group), strict=True):
                if isinstance(answer, RpcError):
                    raise self._refused(method, answer)
                results.append(answer)
        return results

    def _header(self, answer: Any) -> BlockRef:
        try:
            return self._block_ref(answer)
        except WrongShape as error:
            raise self._lied(str(error)) from error

    def _block_ref(self, answer: Any) -> BlockRef:
        return block_ref(answer)

    def _block_receipts(self, block: BlockRef, answer: Any) -> list[Receipt]:
        return block_receipts(block, answer)

    def _number(self, answer: Any) -> int:
        try:
            return int(answer, 16)
        except (TypeError, ValueError) as error:
            raise self._lied(f"{answer!r:.80} where a number should be") from error

    def _code_hash(self, code: Any) -> Hash | None:
        try:
            if code[:2] != "0x":
                raise ValueError
            bare = bytes.fromhex(code[2:])
        except (TypeError, ValueError) as error:
            raise self._lied(f"{code!r:.80} where code should be") from error
        return Hash("0x" + keccak(bare).hex()) if bare else None

    def _refused(self, method: str, error: RpcError) -> ChainUnreachable:
        return ChainUnreachable(
            f"the node at {self.rpc.place} refused {method}: {error.message} ({error.code})"
        )

    def _lied(self, what: str) -> ChainUnreachable:
        return ChainUnreachable(f"the node at {self.rpc.place} gave {what}")


def _at(block_hash: Hash | None) -> object:
    """Return the block parameter that names exactly one branch. Source: EIP-1898."""
    if block_hash is None:
        return "latest"
    return {"blockHash": block_hash, "requireCanonical": True}


def _is_revert(error: RpcError) -> bool:
    """Say whether the contract refused, not the node. Code 3: geth, anvil; the text: Besu."""
    return error.code == 3 or "revert" in error.message.lower()


def _send_answer(raw: bytes, result: Any) -> SendAnswer:
    if isinstance(result, RpcError):
        return meaning(result.message)
    if result != "0x" + keccak(raw).hex():
        return SendAnswer(SendOutcome.UNKNOWN, f"the node gave {result!r:.80} as the hash")
    return SendAnswer(SendOutcome.ACCEPTED)


def _chunks(calls: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(calls), CALLS_PER_REQUEST):
        yield calls[start : start + CALLS_PER_REQUEST]


def _groups(blocks: Sequence[BlockRef]) -> Iterator[list[BlockRef]]:
    """Cut blocks into runs of at most so many receipts and blocks."""
    group: list[BlockRef] = []
    weight = 0
    for block in blocks:
        is_full = weight + block.tx_count > RECEIPTS_PER_REQUEST or len(group) >= CALLS_PER_REQUEST
        if group and is_full:
            yield group
            group, weight = [], 0
        group.append(block)
        weight += block.tx_count
    if group:
        yield group


def _send_groups(raw_transactions: Sequence[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for raw in raw_transactions:
        length = 2 * len(raw) + 100
        if group and (size + length > SEND_BYTES_PER_REQUEST or len(group) >= CALLS_PER_REQUEST):
            yield group
            group, size = [], 0
        group.append(raw)
        size += length
    if group:
        yield group
