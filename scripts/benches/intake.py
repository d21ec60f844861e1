"""How many invoices a second one gateway takes in, against an empty route on the same server.

One gateway process, 16 clients, durable SQLite, shipped settings: JSON one by one, JSON in batches
of 1,000, XML one by one. The empty route reads and checks the same full invoice model, and does no
more.
"""

import argparse
import copy
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.responses import Response

from gateway import auth
from gateway.app import create_app, system_clock
from gateway.auth import Role
from gateway.serving import listen, serve
from scripts.benches._intake_documents import a_rail, an_invoice, an_xml_invoice
from scripts.benches._load import Load, encoded, send
from scripts.benches._report import ROOT, common, publish, say
from settlement import store
from settlement.clock import new_id
from settlement.config import Settings
from settlement.documents.json_invoice import JsonInvoice

CLIENTS = 16
ROUNDS = 4
WARM_UP = 400
BATCH = 1_000
CLIENT_CPU_MAX = 0.4
PATH = "/v1/invoices"


@dataclass(frozen=True)
class Keys:
    """The API keys of the documents' sellers."""

    json: str
    xml: str


@dataclass(frozen=True)
class Server:
    """A server process and where it listens."""

    process: "subprocess.Popen[str]"
    port: int

    def peak_rss_mb(self) -> float:
        """The most memory that the process, and those it started, have held."""
        return sum(_peak_mb(pid) for pid in [self.process.pid, *_children(self.process.pid)])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench intake", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--invoices", type=int, default=8_000, help="sent one by one, in all")
    parser.add_argument("--xml", type=int, default=200, help="XML documents")
    parser.add_argument("--batches", type=int, default=4, help="batches of 1,000")
    options = parser.parse_args(argv)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="settle-intake-") as name:
        figures, loads = _measure(options, Path(name), started)
    publish(figures, options.json)
    return _verdict(loads)


def _measure(
    options: argparse.Namespace, folder: Path, started: float
) -> tuple[dict[str, Any], dict[str, list[Load]]]:
    keys = _prepare(folder)
    gateway, empty = _start("gateway", folder), _start("empty", folder)
    loads: dict[str, list[Load]] = {"warm": [], "single": [], "empty": [], "batch": [], "xml": []}
    try:
        for kind, server in (("warm", gateway), ("warm", empty)):
            requests = [_single(keys.json, f"{server.port}-{number}") for number in range(WARM_UP)]
            loads[kind].append(_sent(server, requests, folder, kind))
        share = options.invoices // ROUNDS
        for turn in range(ROUNDS):
            # In turns: whatever else the machine does meets both.
            for kind, server in (("single", gateway), ("empty", empty)):
                requests = [
                    _single(keys.json, f"{kind}-{turn}-{number}") for number in range(share)
                ]
                loads[kind].append(_sent(server, requests, folder, kind))
        batches = [_batch(keys.json, f"batch-{number}") for number in range(options.batches)]
        loads["batch"].append(_sent(gateway, batches, folder, "batch"))
        _sent(gateway, [_xml(keys.xml, "warm-xml")], folder, "xml, warming up")
        documents = [_xml(keys.xml, f"xml-{number}") for number in range(options.xml)]
        loads["xml"].append(_sent(gateway, documents, folder, "xml"))
        rss_mb = gateway.peak_rss_mb()
    finally:
        gateway.stop()
        empty.stop()
    return _figures(loads, rss_mb, time.perf_counter() - started), loads


def _figures(loads: dict[str, list[Load]], rss_mb: float, total: float) -> dict[str, Any]:
    def rate(kind: str) -> float:
        return sum(load.count for load in loads[kind]) / _seconds(loads[kind])

    product = loads["single"] + loads["batch"] + loads["xml"]
    return {
        **common(
            anvil=None,
            database="sqlite, synchronous=FULL",
            seconds=_seconds(product),
            total_seconds=total,
            rss_mb=rss_mb,
        ),
        "single_per_second": round(rate("single")),
        "empty_route_per_second": round(rate("empty")),
        "ratio_to_empty_route": round(rate("single") / rate("empty"), 3),
        "batch_per_second": round(rate("batch") * BATCH),
        "xml_per_second": round(rate("xml"), 1),
        "p99_ms": round(max(load.p99_ms for load in loads["single"]), 2),
        "client_cpu_share": round(
            max(load.cpu_share for load in loads["single"] + loads["empty"]), 3
        ),
    }


def _verdict(loads: dict[str, list[Load]]) -> int:
    """0 if every request was answered as it should be and the client was no bottleneck."""
    wanted = {"single": {"201"}, "empty": {"201"}, "batch": {"200"}, "xml": {"201"}}
    for kind, statuses in wanted.items():
        for load in loads[kind]:
            if set(load.statuses) != statuses:
                say(f"unsound: {kind} was answered {load.statuses}")
                return 1
    busiest = max(load.cpu_share for load in loads["single"] + loads["empty"])
    if busiest > CLIENT_CPU_MAX:
        say(f"unsound: the client used {busiest:.0%} of a core")
        return 1
    return 0


def _seconds(loads: list[Load]) -> float:
    return sum(load.seconds for load in loads)


def _sent(server: Server, requests: list[bytes], folder: Path, kind: str) -> Load:
    load = send(server.port, requests, connections=min(CLIENTS, len(requests)), folder=folder)
    say(f"{kind:<16} {load.per_second:8.0f}/s  p99 {load.p99_ms:6.1f} ms  {load.statuses}")
    return load


def _single(key: str, number: str) -> bytes:
    return _request(PATH, orjson.dumps(an_invoice(number)), key, number)


def _batch(key: str, number: str) -> bytes:
    invoices = [an_invoice(f"{number}-{place}") for place in range(BATCH)]
    return _request(f"{PATH}/batch", orjson.dumps(invoices), key, number)


def _xml(key: str, number: str) -> bytes:
    return _request(PATH, an_xml_invoice(number), key, number, "application/xml")


def _request(
    path: str, body: bytes, key: str, number: str, media_type: str = "application/json"
) -> bytes:
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": media_type,
        "Idempotency-Key": number,
    }
    return encoded(path, body, headers)


def _prepare(folder: Path) -> Keys:
    """Make the database with its parties; return the sellers' API keys."""
    engine = store.open_engine(_url(folder))
    store.migrate(engine)
    pepper = auth.open_pepper(folder)
    with store.transaction(engine) as session:
        keys = [
            auth.issue_key(
                session, pepper, role=Role.EXPORTER, participant_id=seller, now=system_clock()
            )
            for seller in a_rail(session)
        ]
    engine.dispose()
    return Keys(*keys)


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'settle.sqlite3'}"


def _start(kind: str, folder: Path) -> Server:
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.benches.intake", kind, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=(folder / f"{kind}.log").open("wb"),
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError((folder / f"{kind}.log").read_text()[-2000:])
    return Server(process, int(line))


def _empty_app() -> FastAPI:
    """The yardstick: the same server and the same full invoice model, and nothing else."""
    app = FastAPI()
    answer = Response(b'{"state":"ISSUED"}', 201, media_type="application/json")

    async def empty(invoice: JsonInvoice) -> Response:
        return copy.copy(answer)

    app.post(PATH, status_code=201)(empty)
    return app


def _serve(kind: str, folder: Path) -> None:
    app = _empty_app()
    if kind == "gateway":
        app = create_app(store.open_engine(_url(folder)), Settings(home=folder), ids=new_id)
    listener = listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    serve(app, listener)


def _peak_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    found = next((line for line in lines if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return int(found.split()[1]) / 1024


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    found = [child for task in tasks for child in task.read_text().split()]
    return [int(child) for child in found]


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]))
