"""What people do with lanes and reviews on the command line."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from gateway import wiring
from gateway.cli import app
from settlement.chain.rail_abi import word
from settlement.clock import to_micros
from settlement.errors import ChainContradicts, Conflict, Invalid, NotFound, Refused
from settlement.signer.socket import serve
from settlement.store import open_engine, transaction
from tests.builders.other_programs import KINDS, signed_by_another_program
from tests.builders.rail import OPERATOR, Rail, an_anvil_rail
from tests.builders.soundness import assert_sound


@pytest.fixture
def rail(sqlite_url: str, tmp_path: Path) -> Iterator[Rail]:
    """A founded rail on an anvil, with its signer behind a socket."""
    engine = open_engine(sqlite_url)
    with an_anvil_rail(engine, tmp_path) as made:
        server = serve(made.signer(), wiring.socket_path(made.settings), wiring.now)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        server.shutdown()
        server.server_close()
        thread.join()
    engine.dispose()


def _type(
    rail: Rail, *words: str, refused: type[Refused] | None = None, node: str | None = None
) -> Result:
    environment = {
        "SETTLE_HOME": str(rail.folder),
        "SETTLE_DATABASE_URL": str(rail.engine.url),
        "SETTLE_RPC_URL": rail.rpc_url if node is None else node,
    }
    said = CliRunner().invoke(app, list(words), env=environment)
    if refused is None:
        assert said.exit_code == 0, (said.output, said.exception)
    else:
        assert isinstance(said.exception, refused), (said.output, said.exception)
    return said


def test_a_lane_is_paused_shown_and_resumed(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)

    paused = _type(rail, "lane", "pause", "--reason", "treasury asked", "--json").output
    (shown,) = orjson.loads(_type(rail, "lane", "list", "--json").output)
    (key,) = rail.instructed()
    rail.round(worker)
    waiting = rail.state(key)
    _type(rail, "lane", "resume", OPERATOR.address)
    rail.settle_all(worker)

    assert orjson.loads(paused) == {"signer": OPERATOR.address, "state": "paused"}
    assert (shown["signer"], shown["state"]) == (OPERATOR.address, "paused")
    assert (shown["reason"], shown["holder"]) == ("treasury asked", "worker-1")
    assert waiting == "CLEARED"
    assert rail.lane().reason is None


def test_a_lane_is_resumed_beside_a_rail_that_runs_without_naming_its_node(rail: Rail) -> None:
    rail.tick(rail.worker())
    _type(rail, "lane", "pause", "--reason", "treasury asked")
    (rail.folder / "node-url").write_text(f"{rail.rpc_url}\n")

    _type(rail, "lane", "resume", node="")

    assert rail.lane().state == "active"


def test_who_resumes_a_lane_is_told_of_another_that_rests(rail: Rail) -> None:
    rail.tick(rail.worker())
    admins = "0x" + "ad" * 20
    with transaction(rail.engine) as session:
        session.execute(
            text(
                "INSERT INTO lane (signer, kind, next_nonce, lease_fence, lease_until, state)"
                " VALUES (:signer, 'admin', 0, 0, 0, 'paused')"
            ),
            {"signer": admins},
        )
    _type(rail, "lane", "pause", "--reason", "treasury asked")

    told = _type(rail, "lane", "resume").stderr

    assert f"{admins} is paused still" in told and f"`settle lane resume {admins}`" in told
    assert "nobody is listed, unlisted or frozen" in told
    states = rail.rows("SELECT kind, state FROM lane ORDER BY kind")
    assert [tuple(row) for row in states] == [("admin", "paused"), ("operator", "active")]


def test_a_command_that_reads_makes_no_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    for words in (["lane", "list"], ["person", "list"], ["lane", "pause", "--reason", "why"]):
        said = CliRunner().invoke(app, words, env={"SETTLE_HOME": None})

        assert isinstance(said.exception, wiring.NoInstallation), (words, said.output)
        assert str(said.exception) == "no installation in .settle"
    assert list(tmp_path.iterdir()) == []


def test_a_lane_that_drains_claims_nothing_and_says_when_it_is_drained(rail: Rail) -> None:
    worker = rail.worker()
    (under_way,) = rail.instructed()
    rail.tick(worker)

    said = _type(rail, "lane", "drain", "--reason", "its key is to be replaced").output
    (later,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(under_way) == "SETTLED")
    rail.tick(worker)
    (shown,) = orjson.loads(_type(rail, "lane", "list", "--json").output)

    assert said.strip() == f"{OPERATOR.address}: draining"
    assert (shown["state"], shown["reason"]) == ("drained", "its key is to be replaced")
    assert rail.state(later) == "CLEARED"


def test_a_halted_lane_is_not_drained(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'halted'")

    _type(rail, "lane", "drain", "--reason", "x", refused=Conflict)
    assert rail.lane().state == "halted"


def test_an_unknown_lane_is_not_found(rail: Rail) -> None:
    _type(rail, "lane", "pause", "0x" + "00" * 20, "--reason", "x", refused=NotFound)


def test_a_lane_that_lost_touch_is_resumed_only_after_it_was_healed(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    for _ in range(2):
        rail.on_chain(OPERATOR, OPERATOR.address, b"")
    rail.instructed()
    with pytest.raises(ChainContradicts):
        for _ in range(6):
            rail.round(worker)

    refused = CliRunner().invoke(
        app, ["lane", "resume"],
        env={"SETTLE_HOME": str(rail.folder), "SETTLE_DATABASE_URL": str(rail.engine.url),
             "SETTLE_RPC_URL": rail.rpc_url},
    )  # fmt: skip
    held = to_micros(wiring.now() + timedelta(minutes=1))
    rail.write("UPDATE lane SET lease_until = :held", held=held)
    healed = orjson.loads(_type(rail, "lane", "heal", "--json").output)
    rail.settle_all(rail.worker("next"), rounds=60)

    assert isinstance(refused.exception, ChainContradicts)
    assert (healed["mined"], healed["next_nonce"], healed["state"]) == (2, 2, "active")
    assert rail.lane().state == "active"


def test_a_lane_is_healed_beside_the_worker_that_found_it_wrong(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    rail.on_chain(OPERATOR, OPERATOR.address, b"")
    (key,) = rail.instructed()
    with pytest.raises(ChainContradicts):
        for _ in range(6):
            rail.round(worker)
    rail.write("UPDATE lane SET lease_until = :held", held=to_micros(rail.now) + 10**15)

    healed = orjson.loads(_type(rail, "lane", "heal", "--json").output)
    rail.settle_all(worker, rounds=60)  # The very same one: nobody has to stop it.

    assert (healed["mined"], healed["state"]) == (1, "active")
    assert rail.state(key) == "SETTLED"


@pytest.mark.parametrize("kind", KINDS)
def test_a_nonce_that_was_used_by_another_program_is_healed_whatever_its_type(
    rail: Rail, kind: str
) -> None:
    worker = rail.worker()
    rail.tick(worker)
    raw = signed_by_another_program(OPERATOR.key, kind, to=OPERATOR.address)
    rail.chain.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
    rail.controls.mine()
    (key,) = rail.instructed()
    with pytest.raises(ChainContradicts):
        for _ in range(6):
            rail.round(worker)

    healed = orjson.loads(_type(rail, "lane", "heal", "--json").output)
    rail.settle_all(worker, rounds=60)

    assert (healed["mined"], healed["state"]) == (1, "active")
    assert rail.state(key) == "SETTLED"
    assert_sound(rail)


def test_a_lane_that_works_is_not_taken_from_its_worker(rail: Rail) -> None:
    rail.tick(rail.worker())
    rail.write("UPDATE lane SET lease_until = :held", held=to_micros(rail.now) + 10**15)

    refused = _type(rail, "lane", "heal", refused=Conflict)
    _type(rail, "lane", "pause", "--reason", "to heal it")
    healed = orjson.loads(_type(rail, "lane", "heal", "--json").output)

    assert "settle lane pause" in str(getattr(refused.exception, "repair", ""))
    assert healed["mined"] == 0


def test_a_review_is_listed_and_resolved_with_a_reason(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed(payable_minor=20_000_000)
    rail.tick(worker)
    rail.write("UPDATE settlement SET reference = :ref", ref="0x" + word(9))
    rail.run_until(worker, lambda: rail.state(key) == "NEEDS_REVIEW")

    (listed,) = orjson.loads(_type(rail, "review", "list", "--json").output)
    resolve = ("review", "resolve", key, "--reason", "asked the bank", "--as")
    _type(rail, *resolve, "maybe", refused=Invalid)
    _type(rail, *resolve, "paid", refused=Conflict)
    _type(rail, *resolve, "close", "--actor", "ana")

    assert (listed["id"], listed["amount"]) == (key, "200000.00 USD")
    assert rail.state(key) == "REJECTED"
    event = rail.rows("SELECT * FROM settlement_event ORDER BY id")[-1]
    assert (event.move, event.actor, event.reason) == ("close", "cli:ana", "asked the bank")
