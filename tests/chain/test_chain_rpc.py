"""A node that lies, stalls and breaks off: one typed error, one request on the wire a call."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from settlement.chain.evm import EvmChain
from settlement.chain.keccak import keccak
from settlement.chain.port import SendOutcome
from settlement.chain.rpc import JsonRpc, RpcError
from settlement.errors import ChainUnreachable, Invalid

Answer = Callable[[Any], bytes | None]


class FaultyNode:
    """A server on loopback whose answers a test writes; counts what reaches it.

    `answer` gets a request's JSON and returns the bytes to put on the wire; None closes at once.
    """

    def __init__(self) -> None:
        self.answer: Answer = lambda request: http(fair(request))
        self.requests: list[Any] = []
        self.paths: list[str] = []
        self.connections = 0
        self.keeps_alive = True
        self.drip_seconds = 0.0
        self.hung_up = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self._open:
            line.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(line)
            self.connections += 1
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        self._answer_all(line)
        self.hung_up.set()

    def _answer_all(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as reader:
            try:
                while (request := self._read(reader)) is not None:
                    self.requests.append(request)
                    answer = self.answer(request)
                    if answer is None:
                        return
                    keeps_alive = self.keeps_alive
                    self._write(line, answer)
                    if not keeps_alive:
                        return
            except OSError:
                return

    def _read(self, reader: Any) -> Any:
        length = 0
        first = reader.readline()
        if not first:
            return None
        self.paths.append(first.split()[1].decode())
        while (header := reader.readline().strip()) != b"":
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return orjson.loads(reader.read(length))

    def _write(self, line: socket.socket, answer: bytes) -> None:
        if not self.drip_seconds:
            line.sendall(answer)
            return
        for byte in answer:
            line.sendall(bytes((byte,)))
            time.sleep(self.drip_seconds)


def http(body: bytes, *, status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


def fair(request: Any) -> bytes:
    """Answer each call with its own parameters."""
    if isinstance(request, list):
        return orjson.dumps([{"id": each["id"], "result": each["params"]} for each in request])
    return orjson.dumps({"id": request["id"], "result": request["params"]})


@pytest.fixture
def node() -> Iterator[FaultyNode]:
    made = FaultyNode()
    yield made
    made.close()


@pytest.fixture
def rpc(node: FaultyNode) -> Iterator[JsonRpc]:
    made = JsonRpc(node.url, 5.0, max_response_bytes=50_000)
    yield made
    made.close()


def test_many_calls_use_one_connection(node: FaultyNode, rpc: JsonRpc) -> None:
    assert [rpc.call("echo", number) for number in range(20)] == [[n] for n in range(20)]

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


def _other_id(request: Any) -> bytes:
    return http(orjson.dumps({"id": request["id"] + 1, "result": "0x1"}))


def _one(**fields: Any) -> Answer:
    return lambda request: http(orjson.dumps({"id": request["id"], **fields}))


FAULTS: dict[str, Answer] = {
    "closes without a word": lambda request: None,
    "a server failure": lambda request: http(b"oops", status="502 Bad Gateway"),
    "a page for people": lambda request: http(b"<html><body>hello</body></html>"),
    "a rate limit": lambda request: http(b"slow down", status="429 Too Many Requests"),
    "JSON cut short": lambda request: http(fair(request)[:-3]),
    "less than announced": lambda request: http(fair(request), length=9_000)[:-1],
    "nothing": lambda request: http(b""),
    "another call's id": _other_id,
    "no id": lambda request: http(b'{"result": 1}'),
    "an id that is text": lambda request: http(b'{"id": "0", "result": 1}'),
    "no result": _one(),
    "an error that is text": _one(error="no"),
    "a refusal": _one(error={"code": -32005, "message": "limit exceeded"}),
    "a list of nothing": lambda request: http(b"[]"),
    "a number": lambda request: http(b"1"),
    "more than is read": lambda request: http(b" " * 60_000),
    "more than is read, unannounced": lambda request: (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nea60\r\n" + b" " * 60_000 + b"\r\n"
    ),
    "no HTTP": lambda request: b"220 mail.example ESMTP\r\n\r\n",
}


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
    assert node.hung_up.wait(5)
    node.keeps_alive = True
    assert rpc.call("echo", 2) == [2]

    assert (node.connections, len(node.requests)) == (2, 2)


def test_chunked_answers_are_read(node: FaultyNode, rpc: JsonRpc) -> None:
    def chunked(request: Any) -> bytes:
        body = fair(request)
        parts = [body[:5], body[5:]]
        coded = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded + b"0\r\n\r\n"

    node.answer = chunked

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


@pytest.mark.parametrize("fault", FAULTS)
def test_a_send_with_an_unreadable_answer_is_unknown_and_happens_once(
    node: FaultyNode, fault: str
) -> None:
    node.answer = FAULTS[fault]
    node.keeps_alive = fault not in ("less than announced", "no HTTP")
    chain = EvmChain(node.url, 2.0)

    (answer,) = chain.send([b"\x02signed"])

    assert answer.outcome is SendOutcome.UNKNOWN
    assert answer.message
    assert len(node.requests) == 1
    chain.close()


def test_a_send_whose_answer_is_late_is_unknown_and_happens_once(node: FaultyNode) -> None:
    node.drip_seconds = 0.05
    chain = EvmChain(node.url, 0.2)

    (answer,) = chain.send([b"\x02signed"])

    assert answer.outcome is SendOutcome.UNKNOWN
    assert len(node.requests) == 1
    chain.close()


def test_a_send_answered_with_another_hash_is_unknown(node: FaultyNode) -> None:
    node.answer = _one(result="0x" + "11" * 32)
    chain = EvmChain(node.url, 2.0)

    assert chain.send([b"\x02signed"])[0].outcome is SendOutcome.UNKNOWN

    node.answer = _one(result="0x" + keccak(b"\x02signed").hex())
    assert chain.send([b"\x02signed"])[0].outcome is SendOutcome.ACCEPTED
    chain.close()


def test_many_sends_go_out_in_order_in_bounded_requests(node: FaultyNode) -> None:
    def accept(request: Any) -> bytes:
        calls = request if isinstance(request, list) else [request]
        answers = [
            {"id": each["id"], "result": "0x" + keccak(bytes.fromhex(each["params"][0][2:])).hex()}
            for each in calls
        ]
        return http(orjson.dumps(answers if isinstance(request, list) else answers[0]))

    node.answer = accept
    chain = EvmChain(node.url, 5.0)
    raws = [b"\x02" + bytes((n,)) * 60_000 for n in range(40)]

    answers = chain.send(raws)

    assert [answer.outcome for answer in answers] == [SendOutcome.ACCEPTED] * 40
    sent = [
        each["params"][0]
        for request in node.requests
        for each in (request if isinstance(request, list) else [request])
    ]
    assert sent == ["0x" + raw.hex() for raw in raws]
    assert max(len(orjson.dumps(request)) for request in node.requests) < 1_000_000
    chain.close()


def test_after_a_lost_answer_the_rest_is_not_sent(node: FaultyNode) -> None:
    node.answer = FAULTS["closes without a word"]
    chain = EvmChain(node.url, 5.0)

    answers = chain.send([b"\x02" + bytes((n,)) * 60_000 for n in range(40)])

    assert {answer.outcome for answer in answers} == {SendOutcome.UNKNOWN}
    assert (len(answers), len(node.requests)) == (40, 1)
    chain.close()
