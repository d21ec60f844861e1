"""A node that lies, stalls and breaks off: one typed error, one request on the wire a call."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from settlement.chain.evm import EvmChain
from settlement.chain.rpc import JsonRpc, RpcError
from settlement.errors import ChainUnreachable, Invalid
from tests.builders.wire import Answer, chunked, http
from tests.chain.faulty_node import FAULTS, FaultyNode, fair


@pytest.fixture
def rpc(node: FaultyNode) -> Iterator[JsonRpc]:
    made = JsonRpc(node.url, 5.0, max_response_bytes=50_000)
    yield made
    made.close()


def test_many_calls_use_one_connection(node: FaultyNode, rpc: JsonRpc) -> None:
    assert [rpc.call("echo", number) for number in range(20)] == [[n] for n in range(20)]

    assert node.connections == 1


def test_threads_that_ask_at_once_take_turns(node: FaultyNode, rpc: JsonRpc) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: rpc.call("echo", number), range(400)))

    assert answers == [[number] for number in range(400)]
    assert node.connections == 1


def test_answers_in_any_order_find_their_calls(node: FaultyNode, rpc: JsonRpc) -> None:
    node.answer = lambda request: http(orjson.dumps(orjson.loads(fair(request))[::-1]))

    assert rpc.answers([("echo", (n,)) for n in range(5)]) == [[n] for n in range(5)]


def test_one_refused_call_leaves_the_others_their_results(node: FaultyNode, rpc: JsonRpc) -> None:
    def partly(request: Any) -> bytes:
        answers = orjson.loads(fair(request))
        error = {"code": -32000, "message": "no", "data": "0x08"}
        answers[1] = {"id": request[1]["id"], "error": error}
        return http(orjson.dumps(answers))

    node.answer = partly

    assert rpc.answers([("echo", (n,)) for n in range(3)]) == [
        [0],
        RpcError(-32000, "no", "0x08"),
        [2],
    ]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_typed_error_after_one_request(
    node: FaultyNode, rpc: JsonRpc, fault: str
) -> None:
    node.answer = FAULTS[fault]
    node.keeps_alive = fault not in ("less than announced", "no HTTP")

    with pytest.raises(ChainUnreachable, match=node.url):
        rpc.call("eth_blockNumber")

    assert len(node.requests) == 1
    node.answer, node.keeps_alive = (lambda request: http(fair(request))), True
    assert rpc.call("echo", 7) == [7]


BATCH_FAULTS: dict[str, Answer] = {
    "one answer twice": lambda request: http(orjson.dumps(orjson.loads(fair(request))[:1] * 2)),
    "one answer too many": lambda request: http(
        orjson.dumps(orjson.loads(fair(request)) + orjson.loads(fair(request))[:1])
    ),
    "one answer missing": lambda request: http(orjson.dumps(orjson.loads(fair(request))[:1])),
    "one error for all": lambda request: http(b'{"id": null, "error": {"code": 1}}'),
}


@pytest.mark.parametrize("fault", BATCH_FAULTS)
def test_a_batch_that_is_not_answered_whole_counts_for_nothing(
    node: FaultyNode, rpc: JsonRpc, fault: str
) -> None:
    node.answer = BATCH_FAULTS[fault]

    with pytest.raises(ChainUnreachable):
        rpc.answers([("echo", (1,)), ("echo", (2,))])


def test_a_server_that_drips_is_given_up_in_time(node: FaultyNode) -> None:
    node.drip_seconds = 0.05
    rpc = JsonRpc(node.url, 0.3)
    started = time.monotonic()

    with pytest.raises(ChainUnreachable, match="did not answer"):
        rpc.call("eth_blockNumber")

    assert time.monotonic() - started < 2
    assert len(node.requests) == 1


def test_a_connection_that_the_server_closed_is_opened_again(
    node: FaultyNode, rpc: JsonRpc
) -> None:
    node.keeps_alive = False

    assert rpc.call("echo", 1) == [1]
    assert node.hung_up.wait(60)
    node.keeps_alive = True
    assert rpc.call("echo", 2) == [2]

    assert (node.connections, len(node.requests)) == (2, 2)


def test_chunked_answers_are_read(node: FaultyNode, rpc: JsonRpc) -> None:
    node.answer = lambda request: chunked(fair(request))

    assert [rpc.call("echo", n) for n in range(3)] == [[0], [1], [2]]
    assert node.connections == 1


def test_nobody_at_the_address_is_told_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    with pytest.raises(ChainUnreachable, match=f"{port}"):
        JsonRpc(f"http://127.0.0.1:{port}", 1.0).call("eth_blockNumber")


@pytest.mark.parametrize(
    "url", ["", "localhost:8545", "ftp://localhost", "http://", "ws://x", "http://a:secret@x"]
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        JsonRpc(url, 1.0)

    assert "secret" not in str(refusal.value)


def test_a_key_in_the_address_is_sent_and_never_told(node: FaultyNode) -> None:
    node.answer = FAULTS["a server failure"]
    chain = EvmChain(f"{node.url}/v2/secret?key=secret", 2.0)

    with pytest.raises(ChainUnreachable) as failure:
        chain.head()

    assert "secret" not in str(failure.value)
    assert node.url in str(failure.value)
    assert node.paths == ["/v2/secret?key=secret"]
    chain.close()
