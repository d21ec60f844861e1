"""A chain in memory behind JSON-RPC on a loopback port, and a way to let it lie."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from settlement.chain.memory import MemoryChain
from tests.builders.memory_node import MemoryNode

Twist = Callable[[str, list[Any], Any], Any]
"""Given method, parameters and the true answer, returns what is answered."""


def truthful(_method: str, _params: list[Any], answer: Any) -> Any:
    """Change nothing."""
    return answer


class ServedChain:
    """The JSON-RPC face of a chain. `twist` may change any answer."""

    def __init__(self, chain: MemoryChain) -> None:
        self.twist: Twist = truthful
        self.url = ""
        self._node = MemoryNode(chain)
        self._answers: dict[str, str] = {}

    def answer(self, method: str, params: list[Any]) -> Any:
        """Answer from memory: the chain of a healthy world does not change any more."""
        asked = json.dumps([method, params])
        if asked not in self._answers:
            self._answers[asked] = json.dumps(self._node(method, params))
        return self.twist(method, params, json.loads(self._answers[asked]))


@contextmanager
def served(chain: MemoryChain) -> Iterator[ServedChain]:
    """Serve a chain on a free port until the end of the block."""
    node = ServedChain(chain)

    class Exchange(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True  # Head and body are two sends: 40 ms apart with it.
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
