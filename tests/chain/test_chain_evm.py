"""What the port asks a node for, and what it does not believe of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import orjson
import pytest

from settlement.chain.evm import EvmChain
from settlement.chain.port import Address, BlockRef, Hash
from settlement.errors import ChainUnreachable
from tests.builders.wire import http
from tests.chain.faulty_node import FaultyNode

HEAD = 5
SOMEBODY = Address("0x" + "11" * 20)

Result = Callable[[str, list[Any]], dict[str, Any]]


def a_hash(number: int) -> Hash:
    return Hash(f"0x{number + 1:064x}")


def a_header(number: int) -> dict[str, Any]:
    return {
        "number": hex(number),
        "hash": a_hash(number),
        "parentHash": a_hash(number - 1),
        "timestamp": "0x1",
        "transactions": [],
        "logsBloom": "0x00",
        "baseFeePerGas": "0x1",
    }


def honest(method: str, params: list[Any]) -> dict[str, Any]:
    """Answer as a node that makes up a block for every number it is asked for."""
    if method == "eth_blockNumber":
        return {"result": hex(HEAD)}
    assert method == "eth_getBlockByNumber"
    number = HEAD if params[0] == "latest" else int(params[0], 16)
    return {"result": a_header(number)}


def answering(result: Result) -> Callable[[Any], bytes]:
    """Answer each call of a request by what `result` says of its method and parameters."""

    def answer(request: Any) -> bytes:
        calls = request if isinstance(request, list) else [request]
        answers = [{"id": each["id"], **result(each["method"], each["params"])} for each in calls]
        return http(orjson.dumps(answers if isinstance(request, list) else answers[0]))

    return answer


@pytest.fixture
def chain(node: FaultyNode) -> Iterator[EvmChain]:
    node.answer = answering(honest)
    with closing(EvmChain(node.url, 5.0)) as made:
        yield made


def asked(node: FaultyNode) -> list[tuple[str, list[Any]]]:
    """Return every call that reached the node."""
    requests = [each if isinstance(each, list) else [each] for each in node.requests]
    return [(call["method"], call["params"]) for request in requests for call in request]


def test_nothing_is_asked_above_the_nodes_head(node: FaultyNode, chain: EvmChain) -> None:
    headers = chain.headers(2, 500)

    assert [header.number for header in headers] == [2, 3, 4, 5]
    numbers = [int(params[0], 16) for method, params in asked(node) if params]
    assert numbers == [2, 3, 4, 5]


def test_a_head_below_what_is_asked_gives_nothing(node: FaultyNode, chain: EvmChain) -> None:
    assert chain.headers(HEAD + 1, HEAD + 9) == []
    assert asked(node) == [("eth_blockNumber", [])]


def test_a_chain_replaced_while_it_is_read_is_not_believed(
    node: FaultyNode, chain: EvmChain
) -> None:
    def replaced(method: str, params: list[Any]) -> dict[str, Any]:
        answer = honest(method, params)
        if params and params[0] == "0x4":
            answer["result"]["parentHash"] = a_hash(77)
        return answer

    node.answer = answering(replaced)

    with pytest.raises(ChainUnreachable, match="replaced"):
        chain.headers(2, 5)


def test_another_block_than_the_one_asked_for_is_not_believed(
    node: FaultyNode, chain: EvmChain
) -> None:
    node.answer = answering(
        lambda method, params: honest(method, ["0x9", False] if params else params)
    )

    with pytest.raises(ChainUnreachable, match="block 9 for block 2"):
        chain.headers(2, 5)


def test_headers_end_where_the_node_forgets(node: FaultyNode, chain: EvmChain) -> None:
    def forgetful(method: str, params: list[Any]) -> dict[str, Any]:
        return {"result": None} if params == ["0x4", False] else honest(method, params)

    node.answer = answering(forgetful)

    assert [header.number for header in chain.headers(2, 5)] == [2, 3]


def test_state_is_asked_for_of_the_canonical_block_with_that_hash(
    node: FaultyNode, chain: EvmChain
) -> None:
    node.answer = answering(lambda method, params: {"result": "0x7"})

    assert chain.coin_balances([SOMEBODY], a_hash(3)) == [7]
    assert chain.call_many([(SOMEBODY, "0x")], a_hash(3)) == ["0x7"]

    where = {"blockHash": a_hash(3), "requireCanonical": True}
    assert [params[1] for _, params in asked(node)] == [where, where]


@pytest.mark.parametrize(
    "error",
    [
        {"code": 3, "message": "execution reverted", "data": "0x08c379a0"},
        {"code": -32000, "message": "Execution reverted"},
    ],
    ids=["geth and anvil", "Besu"],
)
def test_a_contracts_refusal_is_an_empty_answer(
    node: FaultyNode, chain: EvmChain, error: dict[str, Any]
) -> None:
    node.answer = answering(lambda method, params: {"error": error})

    assert chain.call_many([(SOMEBODY, "0x")]) == ["0x"]


def test_a_nodes_refusal_of_a_call_is_no_empty_answer(node: FaultyNode, chain: EvmChain) -> None:
    error = {"code": -32001, "message": "Resource not found"}
    node.answer = answering(lambda method, params: {"error": error})

    with pytest.raises(ChainUnreachable, match="Resource not found"):
        chain.call_many([(SOMEBODY, "0x")])


@pytest.mark.parametrize("answer", [None, "", "0xzz", 7, {}, []])
def test_what_is_no_number_is_not_believed(node: FaultyNode, chain: EvmChain, answer: Any) -> None:
    node.answer = answering(lambda method, params: {"result": answer})

    with pytest.raises(ChainUnreachable):
        chain.nonce(SOMEBODY)
    with pytest.raises(ChainUnreachable):
        chain.coin_balances([SOMEBODY], a_hash(1))
    with pytest.raises(ChainUnreachable):
        chain.head()
    with pytest.raises(ChainUnreachable):
        chain.identity()


@pytest.mark.parametrize("answer", [None, "60", "0x6", "0xzz", 7])
def test_what_is_no_code_is_not_believed(node: FaultyNode, chain: EvmChain, answer: Any) -> None:
    node.answer = answering(lambda method, params: {"result": answer})

    with pytest.raises(ChainUnreachable):
        chain.code_hashes([SOMEBODY])


def test_receipts_are_asked_by_hash_in_bounded_requests(node: FaultyNode, chain: EvmChain) -> None:
    node.answer = answering(lambda method, params: {"result": []})
    blocks = [
        BlockRef(number, a_hash(number), a_hash(number - 1), 1, 0, False, 1)
        for number in range(300)
    ]

    assert chain.receipts(blocks) == [[]] * 300
    assert asked(node) == []

    full = [BlockRef(n, a_hash(n), a_hash(n - 1), 1, 30, True, 1) for n in range(5)]
    with pytest.raises(ChainUnreachable):
        chain.receipts(full)
    assert asked(node) == [("eth_getBlockReceipts", [a_hash(n)]) for n in range(2)]
