"""The one deployment of a database: recorded once, held against the chain at every start."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from settlement.chain.deployment import DeployedToken, Deployment, TokenKind
from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address, Hash
from settlement.errors import ForeignChain, Invalid, NotFound
from settlement.participants import (
    OtherDeployment,
    TokenRegistryContradicted,
    check_tokens,
    deployment,
    record_deployment,
    require_registry,
)
from settlement.participants.deployments import tokens
from settlement.store import reading, transaction
from tests.watcher.scene import CREDITORS, NOW, OPERATOR, put_rail, record

CURRENCIES = {"TUSD": "USD", "TEUR": "EUR", "TAED": "AED", "TCNY": "CNY", "TINR": "INR"}


@pytest.fixture(scope="module")
def chain() -> MemoryChain:
    """A chain with a rail on it; nobody changes it."""
    return MemoryChain()


@pytest.fixture(scope="module")
def deployed(chain: MemoryChain) -> Deployment:
    """What stands there."""
    return put_rail(chain)


def recorded(engine: Engine, deployed: Deployment, **options: object) -> None:
    with transaction(engine) as session:
        record_deployment(session, deployed, nonces={}, now=NOW, **options)  # type: ignore[arg-type]


def changed(deployed: Deployment, **changes: object) -> Deployment:
    """The deployment with its first token changed."""
    first, *others = deployed.tokens
    return replace(deployed, tokens=(replace(first, **changes), *others))  # type: ignore[arg-type]


def test_rail_tokens_and_lanes_are_written_down(
    engine: Engine, chain: MemoryChain, deployed: Deployment
) -> None:
    with transaction(engine) as session:
        record_deployment(session, deployed, nonces={OPERATOR.address: 7}, now=NOW)

    with reading(engine) as session:
        found = deployment(session)
        registry = tokens(session)
        lane = session.execute(text("SELECT signer, next_nonce, state FROM lane")).one()
        first_block = session.execute(text("SELECT first_block FROM deployment")).scalar_one()
    assert (found.rail, found.chain_id, found.record) == (deployed.rail, 31337, deployed)
    assert {token.symbol: token.currency for token in registry} == CURRENCIES
    assert tuple(lane) == (OPERATOR.address, 7, "active")
    # The watcher stands on it, and what it holds is not read: nothing of ours may lie in it.
    assert first_block == deployed.first_block - 1
    check_tokens(chain, registry)


def test_recording_again_changes_nothing_and_leaves_a_lane_where_it_is(
    engine: Engine, deployed: Deployment
) -> None:
    recorded(engine, deployed)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE lane SET next_nonce = 41")

    recorded(engine, deployed)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT next_nonce FROM lane")).scalars().all() == [41]
        assert connection.execute(text("SELECT COUNT(*) FROM token")).scalar_one() == 5


def test_a_token_that_was_added_later_is_recorded_too(engine: Engine, deployed: Deployment) -> None:
    recorded(engine, replace(deployed, tokens=deployed.tokens[:4]))

    recorded(engine, deployed)

    with reading(engine) as session:
        assert len(tokens(session)) == 5
        assert deployment(session).record == deployed


@pytest.mark.parametrize(
    "change",
    [
        {"rail": Address("0x" + "ab" * 20)},
        {"chain_id": 5},
        {"genesis_hash": Hash("0x" + "0b" * 32)},
    ],
)
def test_a_database_belongs_to_one_rail_on_one_chain(
    engine: Engine, deployed: Deployment, change: dict[str, object]
) -> None:
    recorded(engine, deployed)

    with pytest.raises(OtherDeployment):
        recorded(engine, replace(deployed, **change))  # type: ignore[arg-type]

    with reading(engine) as session:
        assert deployment(session).record == deployed


@pytest.mark.parametrize("change", [{"code_hash": Hash("0x" + "0c" * 32)}, {"decimals": 2}])
def test_a_token_that_changed_since_it_was_recorded_is_refused(
    engine: Engine, deployed: Deployment, change: dict[str, object]
) -> None:
    recorded(engine, deployed)

    with pytest.raises(TokenRegistryContradicted):
        recorded(engine, changed(deployed, **change))


def test_a_token_of_no_known_currency_is_refused(engine: Engine, deployed: Deployment) -> None:
    for currencies in ({}, {**CURRENCIES, "TUSD": "XXX"}, {**CURRENCIES, "TUSD": "usd"}):
        with pytest.raises(Invalid, match="currency of TUSD"):
            recorded(engine, deployed, currencies=currencies)


def test_a_token_with_more_decimals_than_amounts_have_room_for_is_refused(
    engine: Engine, deployed: Deployment
) -> None:
    with pytest.raises(Invalid, match="10 decimals"):
        recorded(engine, changed(deployed, decimals=10))


def test_a_participant_s_wallet_cannot_become_an_operator(
    engine: Engine, deployed: Deployment
) -> None:
    record(engine, deployed)

    with pytest.raises(Invalid, match="participant's wallet"):
        recorded(engine, replace(deployed, operators=(CREDITORS[0].address,)))


@pytest.mark.parametrize(
    ("column", "value"),
    [("symbol", "TXXX"), ("decimals", 2), ("code_hash", "0x" + "0c" * 32)],
)
def test_a_registry_that_the_chain_contradicts_is_not_worked_with(
    engine: Engine, chain: MemoryChain, deployed: Deployment, column: str, value: object
) -> None:
    recorded(engine, deployed)
    with engine.begin() as connection:
        statement = text(f"UPDATE token SET {column} = :value WHERE symbol = 'TUSD'")
        connection.execute(statement, {"value": value})
    with reading(engine) as session:
        registry = tokens(session)

    with pytest.raises(TokenRegistryContradicted, match=column.removesuffix("_hash")):
        check_tokens(chain, registry)


def test_a_token_that_is_not_there_is_noticed(
    engine: Engine, chain: MemoryChain, deployed: Deployment
) -> None:
    nowhere = DeployedToken(
        "TUSD", "x", Address("0x" + "77" * 20), TokenKind.EXACT, 6, Hash("0x" + "0c" * 32)
    )
    recorded(engine, replace(deployed, tokens=(nowhere,)))
    with reading(engine) as session:
        registry = tokens(session)

    with pytest.raises(TokenRegistryContradicted):
        check_tokens(chain, registry)


def test_a_start_holds_rail_and_tokens_against_the_chain(
    engine: Engine, chain: MemoryChain, deployed: Deployment
) -> None:
    recorded(engine, deployed)
    require_registry(engine, chain)

    with pytest.raises(ForeignChain):
        require_registry(engine, MemoryChain())

    with engine.begin() as connection:
        connection.execute(text("UPDATE token SET decimals = 2 WHERE symbol = 'TEUR'"))
    with pytest.raises(TokenRegistryContradicted, match="decimals"):
        require_registry(engine, chain)


def test_a_database_without_a_rail_says_so(engine: Engine) -> None:
    with pytest.raises(NotFound), reading(engine) as session:
        deployment(session)
