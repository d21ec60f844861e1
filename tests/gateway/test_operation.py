"""What keeps a gateway running: health, metrics, logs, documentation that needs no network."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, text

from gateway import wiring
from gateway.api.health import STATIC
from settlement import store
from settlement.chain.cross_checked import CrossChecked
from settlement.chain.evm import EvmChain
from settlement.chain.port import Address, BlockRef, ChainIdentity, ChainPort, Hash
from settlement.chain.proving import ProvingChain
from settlement.config import Settings
from settlement.errors import ChainUnreachable
from tests.gateway.builders import Door, a_door, a_json_invoice


class ANode:
    """A chain of which only identity and head are asked."""

    def __init__(self, chain_id: int = 31337, head: int = 10, is_up: bool = True) -> None:
        self._chain_id, self._head, self._is_up = chain_id, head, is_up

    def identity(self) -> ChainIdentity:
        if not self._is_up:
            raise ChainUnreachable("connection refused")
        return ChainIdentity(self._chain_id, Hash("0x00"))

    def head(self) -> BlockRef:
        return BlockRef(self._head, Hash("0x01"), Hash("0x00"), 0, 0, False, 0)


def test_a_gateway_lives_and_says_so_without_a_key(door: Door) -> None:
    assert door.client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("node", "field"),
    [
        (ANode(is_up=False), "chain"),
        (ANode(chain_id=1), "chain"),
        (ANode(head=3), "chain"),
    ],
)
def test_a_chain_that_is_gone_foreign_or_stale_is_not_ready(
    engine: Engine, tmp_path: Path, node: Any, field: str
) -> None:
    with a_door(engine, tmp_path, chain=node) as door:
        _store_head(engine, 5)

        answer = door.client.get("/readyz")

    assert answer.status_code == 503
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]
    assert answer.headers["Retry-After"] == "1"


def test_two_nodes_that_go_on_disagreeing_are_not_ready(engine: Engine, tmp_path: Path) -> None:
    """R8: one look may fall between two nodes that learn of a block; three in a row do not."""
    both = CrossChecked(cast(ChainPort, ANode()), cast(ChainPort, ANode(chain_id=31338)))
    with a_door(engine, tmp_path, chain=both) as door:
        answers = [door.client.get("/readyz") for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 503]
    assert "disagree" in answers[0].json()["checks"]["chain"]
    assert "one of them is wrong" in answers[2].json()["detail"]


def test_settings_choose_how_far_a_node_is_trusted() -> None:
    url = "http://127.0.0.1:1"
    one = wiring.open_chain(Settings(rpc_url=url))
    two = wiring.open_chain(Settings(rpc_url=url, rpc_url_second=url, prove_blocks=True))

    assert type(one) is EvmChain
    assert isinstance(two, CrossChecked)
    assert (type(two.first), type(two.second)) == (ProvingChain, ProvingChain)


def test_a_halted_lane_is_not_ready_and_says_why(engine: Engine, tmp_path: Path) -> None:
    with a_door(engine, tmp_path, chain=ANode()) as door:
        assert door.client.get("/readyz").json()["status"] == "ready"
        with store.transaction(engine) as session:
            session.connection().execute(
                text(
                    "INSERT INTO lane (signer, next_nonce, lease_fence, lease_until, state, reason)"
                    " VALUES (:signer, 0, 0, 0, 'halted', 'reorg too deep')"
                ),
                {"signer": Address("0x" + "ab" * 20)},
            )

        answer = door.client.get("/readyz")

    assert answer.status_code == 503 and "reorg too deep" in answer.json()["detail"]


def _store_head(engine: Engine, number: int) -> None:
    with store.transaction(engine) as session:
        session.connection().execute(
            text("INSERT INTO cursor (name, number, hash, at) VALUES ('head', :number, '0x05', 0)"),
            {"number": number},
        )


def test_metrics_count_requests_by_route_and_status_and_show_states(door: Door) -> None:
    door.post("/v1/invoices", a_json_invoice(), "exporter")
    door.post("/v1/invoices", a_json_invoice(), "exporter")
    door.client.get("/v1/nowhere")

    shown = door.client.get("/metrics").text

    assert 'settle_requests_total{route="POST /v1/invoices",status="201"} 1.0' in shown
    assert 'settle_requests_total{route="POST /v1/invoices",status="409"} 1.0' in shown
    assert 'settle_requests_total{route="unmatched",status="404"} 1.0' in shown
    assert 'settle_invoices{state="ISSUED"} 1.0' in shown


def test_the_log_has_a_line_a_request_and_no_secret(engine: Engine, tmp_path: Path) -> None:
    secret = "top-secret-goods"
    invoice = a_json_invoice()
    invoice["lines"][0]["name"] = secret
    given = "my-request-0001"

    with a_door(engine, tmp_path) as door:
        answer = door.post("/v1/invoices", invoice, "exporter", **{"X-Request-Id": given})
        _break(engine)
        door.post("/v1/invoices", a_json_invoice("RE-2"), "exporter")
    log = door.log.getvalue().decode()

    lines = [json.loads(line) for line in log.splitlines()]
    assert answer.headers["X-Request-Id"] == given
    first = next(line for line in lines if line["request_id"] == given)
    assert (first["route"], first["status"]) == ("POST /v1/invoices", 201)
    assert (first["event"], first["timestamp"]) == ("request", "2026-11-20T09:30:00Z")
    failed = next(line for line in lines if line["event"] == "failed")
    assert failed["exception"]
    for key in door.keys.values():
        assert key not in log and key[17:] not in log
    assert secret not in log


def _break(engine: Engine) -> None:
    with store.transaction(engine) as session:
        session.connection().execute(text("ALTER TABLE outbox RENAME TO gone"))


@pytest.mark.parametrize("given", ["short", "x" * 65, "two\u00e9", "a b c d e f", '{"x":"yyyyy"}'])
def test_a_request_id_that_is_no_plain_word_is_replaced(door: Door, given: str) -> None:
    answer = door.client.get("/healthz", headers={"X-Request-Id": given.encode("latin-1")})

    assert re.fullmatch(r"req_[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_the_documentation_comes_from_this_gateway_alone(door: Door) -> None:
    page = door.client.get("/docs")
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert len(named) == 4
    for name in named:
        if name != "data:,":
            assert name.startswith("/docs/")
            assert door.client.get(name).status_code == 200
    assert "http" not in door.client.get("/docs/docs.js").text


def test_the_files_that_are_not_ours_are_as_they_were_published() -> None:
    for package in json.loads((STATIC / "MANIFEST.json").read_text()):
        for name, sha256 in package["files"].items():
            content = (STATIC / "swagger-ui" / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == sha256, name
    assert "Apache License" in (STATIC / "swagger-ui" / "LICENSE").read_text()


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "LICENSE", "index.html"])
def test_no_other_file_is_served(door: Door, name: str) -> None:
    assert door.client.get(f"/docs/{name}").status_code == 404


def test_every_problem_explains_itself(door: Door) -> None:
    problem = door.client.get("/v1/invoices").json()

    about = door.client.get(problem["type"]).json()

    assert about["status"] == 401 and about["meaning"]
