"""A client that keeps many connections busy with requests that were encoded before.

Run as a program it reads the requests from a file, sends them all once, and prints what it saw. It
spends as little as it can: every cycle it takes is one that the measured server does not get.
"""

import asyncio
import json
import pickle
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Load:
    """What one run of requests took. `cpu_share` is of one core."""

    count: int
    seconds: float
    cpu_share: float
    p99_ms: float
    statuses: dict[str, int]

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


def encoded(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST over HTTP/1.1, ready to be sent."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def send(port: int, requests: list[bytes], *, connections: int, folder: Path) -> Load:
    """Send every request once over `connections` connections, from a process of its own."""
    file = folder / "requests.pickle"
    file.write_bytes(pickle.dumps(requests))
    command = [
        sys.executable,
        "-m",
        "scripts.benches._load",
        str(port),
        str(connections),
        str(file),
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"the client failed:\n{ran.stderr[-2000:]}")
    return Load(**json.loads(ran.stdout))


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the last one is answered."""

    def __init__(self, requests: "_Requests") -> None:
        self.requests = requests
        self.buffer = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def go_on(self) -> None:
        request = self.requests.take()
        if request is None:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        place = self.buffer.find(b"ontent-length: ", 0, head)
        assert place > 0, "every answer says how long it is"
        end = self.buffer.find(b"\r\n", place)
        if len(self.buffer) < head + 4 + int(self.buffer[place + 15 : end]):
            return
        self.requests.note(self.buffer[9:12], time.perf_counter() - self.sent_at)
        self.buffer = b""
        self.go_on()

    def connection_lost(self, error: Exception | None) -> None:
        self.requests.leave(error)


class _Requests:
    """What is still to be sent, and what came back."""

    def __init__(self, requests: list[bytes], connections: int) -> None:
        self.left = requests[::-1]
        self.open = connections
        self.done = asyncio.get_running_loop().create_future()
        self.seconds: list[float] = []
        self.statuses: Counter[str] = Counter()

    def take(self) -> bytes | None:
        return self.left.pop() if self.left else None

    def note(self, status: bytes, seconds: float) -> None:
        self.statuses[status.decode()] += 1
        self.seconds.append(seconds)

    def leave(self, error: Exception | None) -> None:
        self.open -= 1
        if error is not None and not self.done.done():
            self.done.set_exception(error)
        elif self.open == 0 and not self.done.done():
            self.done.set_result(None)


async def _run(port: int, connections: int, requests: list[bytes]) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    wanted = _Requests(requests, connections)
    opened = [
        await loop.create_connection(lambda: _Connection(wanted), "127.0.0.1", port)
        for _ in range(connections)
    ]
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    for _, connection in opened:
        connection.go_on()
    await wanted.done
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    ordered = sorted(wanted.seconds)
    return {
        "count": len(ordered),
        "seconds": seconds,
        "cpu_share": cpu / seconds,
        "p99_ms": 1000 * ordered[int(len(ordered) * 0.99)],
        "statuses": dict(wanted.statuses),
    }


def main(argv: list[str]) -> None:
    port, connections, file = int(argv[0]), int(argv[1]), Path(argv[2])
    requests = pickle.loads(file.read_bytes())
    print(json.dumps(uvloop.run(_run(port, connections, requests))))


if __name__ == "__main__":
    main(sys.argv[1:])
