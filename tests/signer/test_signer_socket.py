"""The signer behind a socket: one line each way, garbage answered, silence blocking nobody."""

import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from settlement.chain.port import Address, Hash
from settlement.signer import Refusal, Signature, SigningRequest
from settlement.signer.socket import SignerUnreachable, SocketSigner, serve

CLOCK = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NEVER = datetime(1999, 1, 1, tzinfo=UTC)


class Counting:
    """A signer that signs all but `no`, and notices when two ask at once."""

    address = Address("0x" + "17" * 20)

    def __init__(self) -> None:
        self.asked: list[tuple[SigningRequest, datetime]] = []
        self.inside = 0
        self.most = 0

    def signed_through(self) -> int | None:
        return 7

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.asked += [(each, now) for each in requests]
        answers: list[Signature | Refusal] = [
            Refusal(each.chain_tx_id, "it ended", True)
            if each.chain_tx_id == "no"
            else Signature(each.chain_tx_id, Hash("0x" + "ab" * 32), b"\x02raw")
            for each in requests
        ]
        self.inside -= 1
        return answers


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[tuple[Counting, Path]]:
    path = tmp_path / "signer.sock"
    inner = Counting()
    server = serve(inner, path, lambda: CLOCK)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield inner, path
    server.shutdown()
    server.server_close()
    thread.join()


def _say(path: Path, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            return stream.readline()


def test_requests_and_answers_arrive_as_they_were(behind: tuple[Counting, Path]) -> None:
    inner, path = behind
    requests = [SigningRequest("ctx_1", 5, 2), SigningRequest("no", 2**63, 1, as_cancel=True)]

    answers = SocketSigner(path).sign(requests, NEVER)

    assert answers == [
        Signature("ctx_1", Hash("0x" + "ab" * 32), b"\x02raw"),
        Refusal("no", "it ended", True),
    ]
    assert inner.asked == [(each, CLOCK) for each in requests], "its own clock, not the caller's"


def test_address_and_memory_are_asked_for(behind: tuple[Counting, Path]) -> None:
    signer = SocketSigner(behind[1])

    assert (signer.address, signer.signed_through()) == (Counting.address, 7)


def test_only_its_own_user_may_open_the_socket(behind: tuple[Counting, Path]) -> None:
    assert behind[1].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "line",
    [
        b"\n", b"garbage\n", b"\xff\xfe\n", b"null\n", b"[]\n", b'"sign"\n', b"{}\n",
        b'{"ask":"key"}\n', b'{"ask":"sign"}\n', b'{"ask":"sign","requests":[[]]}\n',
        b'{"ask":"sign","requests":[["a","b",1,false]]}\n', b'{"ask":"sign","requests":7}\n',
    ],
)  # fmt: skip
def test_garbage_is_answered_and_the_next_caller_is_served(
    behind: tuple[Counting, Path], line: bytes
) -> None:
    inner, path = behind

    assert b"error" in _say(path, line)

    assert inner.asked == []
    assert isinstance(SocketSigner(path).sign([SigningRequest("a", 1, 1)], CLOCK)[0], Signature)


def test_a_silent_caller_blocks_nobody(behind: tuple[Counting, Path]) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(behind[1]))

        assert SocketSigner(behind[1]).sign([SigningRequest("a", 1, 1)], CLOCK)


def test_many_callers_are_served_one_after_another(behind: tuple[Counting, Path]) -> None:
    inner, path = behind

    def ask(number: int) -> str:
        return (
            SocketSigner(path).sign([SigningRequest(f"ctx_{number}", 1, 1)], CLOCK)[0].chain_tx_id
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(40)))

    assert answers == [f"ctx_{number}" for number in range(40)]
    assert inner.most == 1


def test_where_nobody_listens_the_signer_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(SignerUnreachable):
        SocketSigner(tmp_path / "nobody.sock").sign([SigningRequest("a", 1, 1)], CLOCK)


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\n", b"[]\n", b'{"answers":[]}\n', b'{"answers":[{"id":"a"}]}\n',
     b'{"answers":[{"id":"a","hash":"0x1","raw":"zz"}]}\n', b'{"error":"no"}\n'],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_is_no_signature(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "odd.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer_once() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                orjson.loads(stream.readline())
                connection.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        with pytest.raises(SignerUnreachable):
            SocketSigner(path).sign([SigningRequest("a", 1, 1)], CLOCK)
        thread.join()


def test_a_folder_however_deep_has_a_socket(tmp_path: Path) -> None:
    path = tmp_path / ("deep" * 20) / ("deeper" * 20) / "signer.sock"
    server = serve(Counting(), path, lambda: CLOCK)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    assert SocketSigner(path).address == Counting.address
    assert path.is_socket() and path.stat().st_mode & 0o777 == 0o600

    server.shutdown()
    server.server_close()
    thread.join()
