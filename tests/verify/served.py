"""A chain in memory behind JSON-RPC on a loopback port, and a way to let it lie.

Answers the calls that the checker makes and no others.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address, BlockRef, Hash, SendAnswer
from settlement.chain.signing import SignedChainTx, read_eip1559

Twist = Callable[[str, list[Any], Any], Any]
"""Given method, parameters and the true answer, returns what is answered."""


def truthful(_method: str, _params: list[Any], answer: Any) -> Any:
    """Change nothing."""
    return answer


class RememberingChain(MemoryChain):
    """Keeps the bytes that were handed in, so that a chain transaction can be read back."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sent: dict[str, SignedChainTx] = {}

    def send(self, raw_transactions: Sequence[bytes]) -> list[SendAnswer]:
        self.remember(raw_transactions)
        return super().send(raw_transactions)

    def reorg(self, depth: int, transactions: Sequence[tuple[bytes, int]] = ()) -> None:
        self.remember([raw for raw, _ in transactions])
        super().reorg(depth, transactions)

    def remember(self, raws: Sequence[bytes]) -> None:
        for raw in raws:
            chain_tx = read_eip1559(raw)
            self.sent[chain_tx.hash] = chain_tx


class ServedChain:
    """The JSON-RPC face of a chain. `twist` may change any answer."""

    def __init__(self, chain: RememberingChain) -> None:
        self.chain = chain
        self.twist: Twist = truthful
        self.url = ""
        self._answers: dict[str, str] = {}

    def answer(self, method: str, params: list[Any]) -> Any:
        """Answer from memory: the chain of a healthy world does not change any more."""
        asked = json.dumps([method, params])
        if asked not in self._answers:
            self._answers[asked] = json.dumps(getattr(self, f"_{method}")(*params))
        return self.twist(method, params, json.loads(self._answers[asked]))

    def _eth_chainId(self) -> str:  # noqa: N802
        return hex(self.chain.identity().chain_id)

    def _eth_getBlockByNumber(self, number: str, _full: bool) -> dict[str, Any] | None:  # noqa: N802
        head = self.chain.head()
        place = head.number if number == "latest" else int(number, 16)
        if place > head.number:
            return None
        (ref,) = self.chain.headers(place, place)
        (receipts,) = self.chain.receipts([ref])
        return {
            "number": hex(ref.number),
            "hash": ref.hash,
            "parentHash": ref.parent_hash,
            "timestamp": hex(ref.timestamp),
            "transactions": [receipt.tx_hash for receipt in receipts],
        }

    def _eth_getBlockReceipts(self, block_hash: str) -> list[dict[str, Any]]:  # noqa: N802
        ref = self._ref(block_hash)
        return [
            {
                "transactionHash": receipt.tx_hash,
                "from": receipt.sender,
                "to": receipt.to,
                "status": hex(receipt.status),
                "blockHash": block_hash,
                "logs": [
                    {
                        "address": log.address,
                        "topics": list(log.topics),
                        "data": log.data,
                        "logIndex": hex(log.log_index),
                        "blockHash": block_hash,
                    }
                    for log in receipt.logs
                ],
            }
            for receipt in self.chain.receipts([ref])[0]
        ]

    def _eth_getTransactionByHash(self, tx_hash: str) -> dict[str, Any]:  # noqa: N802
        chain_tx = self.chain.sent[tx_hash]
        return {
            "hash": tx_hash,
            "blockHash": self._block_of(tx_hash).hash,
            "nonce": hex(chain_tx.nonce),
            "to": chain_tx.to,
            "value": hex(chain_tx.value),
            "input": "0x" + chain_tx.data.hex(),
        }

    def _eth_getTransactionCount(self, signer: str, number: str) -> str:  # noqa: N802
        blocks = self.chain.receipts(self.chain.headers(0, int(number, 16)))
        return hex(sum(receipt.sender == signer for block in blocks for receipt in block))

    def _eth_getBalance(self, holder: str, at: dict[str, str]) -> str:  # noqa: N802
        return hex(self.chain.coin_balances([Address(holder)], Hash(at["blockHash"]))[0])

    def _eth_call(self, call: dict[str, str], at: dict[str, str]) -> str:
        asked = [(Address(call["to"]), call["data"])]
        return self.chain.call_many(asked, Hash(at["blockHash"]))[0]

    def _ref(self, block_hash: str) -> BlockRef:
        return next(ref for ref in self._refs() if ref.hash == block_hash)

    def _block_of(self, tx_hash: str) -> BlockRef:
        refs = self._refs()
        for ref, receipts in zip(refs, self.chain.receipts(refs), strict=True):
            if any(receipt.tx_hash == tx_hash for receipt in receipts):
                return ref
        raise AssertionError(f"{tx_hash} is not mined")

    def _refs(self) -> list[BlockRef]:
        return self.chain.headers(0, self.chain.head().number)


@contextmanager
def served(chain: RememberingChain) -> Iterator[ServedChain]:
    """Serve a chain on a free port until the end of the block."""
    node = ServedChain(chain)

    class Exchange(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            calls = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answers = [
                {
                    "jsonrpc": "2.0",
                    "id": each["id"],
                    "result": node.answer(each["method"], each["params"]),
                }
                for each in calls
            ]
            body = json.dumps(answers).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    node.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
