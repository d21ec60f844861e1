"""A bare anvil for a bench: started, spoken to by raw JSON-RPC, stopped.

It does not use the product's own chain code: what is measured must not depend on the measurer's.
"""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector as selector_of

ROOT = Path(__file__).resolve().parents[2]
ANVIL = ROOT / "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
ARTIFACTS = ROOT / "settlement/chain/artifacts"
READY_SECONDS = 20
GAS_LIMIT = 30_000_000


class Node:
    """An anvil that mines each chain transaction at once and signs for its unlocked accounts."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rpc(self, method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        request = urllib.request.Request(
            self.url, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            result = json.load(answer)
        if "error" in result:
            raise RuntimeError(f"{method}: {result['error']}")
        return result["result"]

    def send(self, sender: str, to: str | None, data: str) -> dict[str, Any]:
        """The receipt of a chain transaction that succeeded."""
        call = {"from": sender, "data": data, "gas": hex(GAS_LIMIT)}
        tx_hash = self.rpc("eth_sendTransaction", call if to is None else {**call, "to": to})
        for _ in range(2_000):
            receipt: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", tx_hash)
            if receipt is not None:
                break
            time.sleep(0.005)
        if receipt is None or receipt["status"] != "0x1":
            raise RuntimeError(f"chain transaction {tx_hash} failed: {receipt}")
        return receipt

    def deploy(self, sender: str, bytecode: str, types: list[str], values: list[Any]) -> str:
        receipt = self.send(sender, None, bytecode + encode(types, values).hex())
        return str(receipt["contractAddress"])

    def call(self, sender: str, to: str, signature: str, *values: Any) -> dict[str, Any]:
        """Send a call of `signature`, such as `mint(address,uint256)`."""
        return self.send(sender, to, calldata(signature, *values))


def calldata(signature: str, *values: Any) -> str:
    types = _split(signature[signature.index("(") + 1 : -1])
    return "0x" + (selector_of(signature) + encode(types, values)).hex()


def artifact(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ARTIFACTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def anvil_version() -> str:
    shown = subprocess.run([ANVIL, "--version"], capture_output=True, text=True, check=True)
    return shown.stdout.split("\n")[0].removeprefix("anvil Version: ")


@contextmanager
def running_node() -> Iterator[Node]:
    """An anvil on a free port with its unlocked accounts; gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [ANVIL, "--port", str(port), "--gas-limit", str(GAS_LIMIT), "--silent"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        node = Node(f"http://127.0.0.1:{port}")
        _wait_until_ready(node, process)
        yield node
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_ready(node: Node, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"anvil ended at once with code {process.returncode}")
        try:
            node.rpc("eth_chainId")
            return
        except urllib.error.URLError:
            time.sleep(0.02)
    raise RuntimeError(f"anvil was not ready within {READY_SECONDS} s")


def _split(types: str) -> list[str]:
    """Top-level types of an argument list: `address,(uint256,bytes32)[]` is two."""
    parts, depth = [""], 0
    for letter in types:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part]
