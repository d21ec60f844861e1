"""What the doctor finds, and what it says to do: on a well machine and on ill ones."""

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.cli.checkup import examine
from gateway.cli.checkup_records import Finding, Health
from settlement.chain.admin_abi import PAUSE, SET_OPERATOR, selector
from settlement.chain.dev_keys import dev_keys
from settlement.chain.rail_abi import address_word, word
from settlement.clock import from_micros
from settlement.config import Settings
from settlement.sender import lanes
from settlement.store import open_engine, transaction
from tests.builders.rail import NOW, OPERATOR, Rail, an_anvil_rail
from tests.builders.rpc_proxy import RpcProxy
from tests.gateway.cli.conftest import Said

UNLIST_TOKEN = selector("unlistToken(address)")


def findings(settings: Settings, now: datetime = NOW) -> dict[str, Finding]:
    return {found.check: found for found in examine(settings, now)}


def chain_time(rail: Rail) -> datetime:
    return from_micros(rail.chain.head().timestamp * 1_000_000)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation that was never started."""
    return Settings(home=tmp_path / "home", port=0)


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Rail:  # type: ignore[misc]
    """A founded rail on an anvil, seen by its worker."""
    with an_anvil_rail(engine, tmp_path) as made:
        made.tick(made.worker())
        yield made


@pytest.fixture
def installed(rail: Rail, settings: Settings, engine: Engine) -> Settings:
    """Settings that point at that rail."""
    url = engine.url.render_as_string(hide_password=False)
    return settings.model_copy(update={"database_url": url, "rpc_url": rail.chain.url})


def test_on_a_bare_machine_nothing_is_ill_and_nothing_is_made(settings: Settings) -> None:
    found = findings(settings)

    assert {each.health for each in found.values()} <= set(Health) - {Health.ILL}
    assert found["database"].health is Health.DOUBTFUL and "settle up" in found["database"].repair
    assert found["chain"].health is Health.SKIPPED
    assert not settings.home.exists()


def test_a_rail_that_runs_is_well_in_every_respect(rail: Rail, installed: Settings) -> None:
    found = findings(installed, chain_time(rail))

    wanted = {"python", "anvil", "disk", "keys", "port", "database", "schema", "lanes"}
    wanted |= {"chain", "clock", "deployment", "rail", "watcher", "registry"}
    assert {name: each.health for name, each in found.items()} == dict.fromkeys(
        wanted, Health.WELL
    ), found


def test_a_second_node_is_compared_waited_for_and_called_wrong(
    rail: Rail, installed: Settings
) -> None:
    """R7 R8 R19: late is a warning; another chain, or no answer, is a failure."""
    rail.controls.mine(12)
    with RpcProxy(rail.chain.url) as proxy:
        second = installed.model_copy(update={"rpc_url_second": proxy.url})
        well = findings(second, chain_time(rail))["nodes"]
        proxy.arm("held_head", number=1)
        late = findings(second, chain_time(rail))["nodes"]
        proxy.disarm()
        proxy.arm("wrong_chain", number=5)
        wrong = findings(second, chain_time(rail))["nodes"]
        proxy.disarm()
        proxy.arm("drop_before")
        silent = findings(second, chain_time(rail))["nodes"]

    assert "nodes" not in findings(installed, chain_time(rail))
    assert [each.health for each in (well, late, wrong, silent)] == [
        Health.WELL,
        Health.DOUBTFUL,
        Health.ILL,
        Health.ILL,
    ]
    assert "disagree" in wrong.found and "second node" in late.found


def test_a_worker_that_is_far_behind_is_noticed(rail: Rail, installed: Settings) -> None:
    rail.controls.mine(30)

    found = findings(installed)["watcher"]

    assert found.health is Health.ILL
    assert "30 blocks behind" in found.found and "worker" in found.repair


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        ("active", "1 chain transactions wait for gas money", "goes on by itself"),
        ("paused", "restored from a backup", f"settle lane resume {OPERATOR.address}"),
        ("drained", None, f"settle lane resume {OPERATOR.address}"),
    ],
)
def test_a_lane_that_waits_is_a_warning(
    rail: Rail, installed: Settings, state: str, reason: str | None, told: str
) -> None:
    with transaction(rail.engine) as session:
        lanes.set_state(session, OPERATOR.address, state, reason)

    found = findings(installed, chain_time(rail))["lanes"]

    assert found.health is Health.DOUBTFUL
    assert found.found == f"{OPERATOR.address} is {state}" + (f": {reason}" if reason else "")
    assert told in found.repair


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda _: PAUSE, "it is paused"),
        (
            lambda _: SET_OPERATOR + address_word(OPERATOR.address) + word(0),
            f"{OPERATOR.address} is no operator of it",
        ),
        (lambda rail: UNLIST_TOKEN + address_word(rail.token()), "TUSD is not listed on it"),
    ],
)
def test_a_rail_that_takes_no_batch_is_a_failure(
    rail: Rail, installed: Settings, call: Callable[[Rail], str], told: str
) -> None:
    contract = rail.sandbox.deployment.rail
    rail.on_chain(dev_keys(1)[0], contract, bytes.fromhex(call(rail)[2:]))

    found = findings(installed, chain_time(rail))["rail"]

    assert found.health is Health.ILL
    assert found.found == f"it does not take our batches: {told}" and "HELD" in found.repair


def test_a_halted_lane_is_named_with_its_reason(rail: Rail, installed: Settings) -> None:
    with transaction(rail.engine) as session:
        lanes.set_state(session, OPERATOR.address, "halted", "a foreign nonce")

    found = findings(installed)["lanes"]

    assert found.health is Health.ILL
    assert found.found == f"{OPERATOR.address} is halted: a foreign nonce"
    assert "settle lane heal" in found.repair


def test_the_node_that_runs_in_the_home_is_looked_at(rail: Rail, installed: Settings) -> None:
    installed.home.mkdir()
    (installed.home / "node-url").write_text(rail.chain.url)

    found = findings(installed.model_copy(update={"rpc_url": ""}))

    assert found["chain"].health is Health.WELL and rail.chain.url in found["chain"].found


def test_another_chain_behind_the_same_address_is_noticed(rail: Rail, installed: Settings) -> None:
    rail.controls.set_chain_id(999)

    found = findings(installed)["deployment"]

    assert found.health is Health.ILL and "999" in found.found


def test_a_clock_that_differs_from_the_chain_s_is_doubtful(rail: Rail, installed: Settings) -> None:
    for hours in (2, -2):
        now = chain_time(rail) + timedelta(hours=hours)
        assert findings(installed, now)["clock"].health is Health.DOUBTFUL


def test_a_node_that_does_not_answer_is_noticed(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"

        found = findings(settings.model_copy(update={"rpc_url": url}))["chain"]

    assert found.health is Health.ILL and "SETTLE_RPC_URL" in found.repair


def test_somebody_else_on_the_port_is_noticed(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        found = findings(settings.model_copy(update={"port": port}))["port"]

    assert found.health is Health.DOUBTFUL and "SETTLE_PORT" in found.repair


def test_a_secret_that_others_may_read_is_noticed(settings: Settings) -> None:
    (settings.home / "keys").mkdir(parents=True)
    secret = settings.home / "keys" / "operator.json"
    secret.write_text("{}")
    secret.chmod(0o644)

    found = findings(settings)["keys"]

    assert found.health is Health.ILL and f"chmod 600 {secret}" in found.repair


def test_a_damaged_secret_is_noticed(settings: Settings) -> None:
    settings.home.mkdir()
    pepper = settings.home / "api-key.pepper"
    pepper.write_bytes(b"pepper")
    pepper.chmod(0o600)

    found = findings(settings)["keys"]

    assert found.health is Health.ILL and "holds 6 bytes, not 32" in found.found


def test_a_database_without_a_schema_is_mended_when_asked(
    bare_database_url: str, settings: Settings, typed: Callable[..., Said]
) -> None:
    bare = open_engine(bare_database_url)
    bare.connect().close()
    bare.dispose()
    settings = settings.model_copy(update={"database_url": bare_database_url})
    before = findings(settings)["schema"]

    words = ("--database", bare_database_url, "--home", str(settings.home))
    ill = typed("doctor", *words)
    mended = typed("doctor", "--migrate", *words)

    assert before.health is Health.ILL and "--migrate" in before.repair
    assert (ill.code, mended.code) == (1, 0)
    assert findings(settings)["schema"].health is Health.WELL


def test_a_file_that_is_no_database_is_noticed(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam, " * 500)

    found = findings(settings.model_copy(update={"database_url": f"sqlite:///{file}"}))

    assert found["database"].health is Health.ILL
    assert found["schema"].health is Health.SKIPPED


def test_the_journal_is_verified_from_the_database_itself(
    rail: Rail, installed: Settings, typed: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    rail.accepted()
    monkeypatch.setenv("SETTLE_DATABASE_URL", installed.database_url)
    holds = typed("journal", "verify", "--json")
    with rail.engine.begin() as connection:
        if rail.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER posting_no_update")
        else:
            connection.exec_driver_sql("ALTER TABLE posting DISABLE TRIGGER ALL")
        connection.exec_driver_sql(
            "UPDATE posting SET amount_minor = amount_minor * 2 WHERE entry_seq = 1"
        )

    edited = typed("journal", "verify", "--json")

    assert holds.code == 0 and holds.json["holds"] is True and holds.json["entries"] > 0
    assert edited.code == 1
    assert (edited.json["holds"], edited.json["bad_entry"]) == (False, 1)
