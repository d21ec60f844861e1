"""A key is replaced while its chain transactions are in flight: drain the old, open the new."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement.chain.signing import KeyPair
from settlement.sender import lanes
from settlement.signer import Refusal
from settlement.signer.limits import AmountLimits
from settlement.store import transaction
from tests.builders.rail import OPERATOR, Rail, a_rail
from tests.builders.soundness import assert_sound
from tests.signer.asking import ask

NEW = KeyPair.of(b"\x29" * 32)


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    """A rail that knows the old operator and the new one."""
    with a_rail(
        engine, tmp_path, operators=(OPERATOR, NEW), finality_confirmations=6,
        batch_payments_max=1,
    ) as made:  # fmt: skip
        yield made


def _state(rail: Rail, signer: str) -> str:
    return str(rail.one("SELECT state FROM lane WHERE signer = :signer", signer=signer))


def test_the_old_lane_drains_and_the_new_one_opens_with_payments_in_flight(rail: Rail) -> None:
    old = rail.worker("old", signer=rail.signer())
    rail.write("UPDATE lane SET state = 'paused' WHERE signer = :new", new=NEW.address)
    before = rail.instructed(3)
    rail.tick(old)
    assert {rail.state(key) for key in before} == {"SUBMITTED"}, "in flight"

    with transaction(rail.engine) as session:
        lanes.drain(session, OPERATOR.address, "its key is to be replaced")
        lanes.set_state(session, NEW.address, "active", None)
    after = rail.instructed(3)
    both = rail.worker("both")
    both.signers = [rail.signer(), rail.signer(keys=NEW)]
    rail.let_go()
    rail.settle_all(both)
    rail.round(both)

    assert {rail.state(key) for key in before + after} == {"SETTLED"}
    by_lane = {
        row.id: row.signer
        for row in rail.rows(
            "SELECT s.id, c.signer FROM settlement s JOIN chain_tx c ON c.id = s.chain_tx_id"
        )
    }
    assert {by_lane[key] for key in before} == {OPERATOR.address}
    assert {by_lane[key] for key in after} == {NEW.address}
    assert (_state(rail, OPERATOR.address), _state(rail, NEW.address)) == ("drained", "active")
    assert_sound(rail)


def test_the_new_key_signs_nothing_of_the_old_lane_and_counts_on_the_same_day(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'paused' WHERE signer = :new", new=NEW.address)
    limits = AmountLimits(day_units=1_500)
    old = rail.worker("old", signer=rail.signer(amounts=limits))
    rail.instructed(1)
    rail.tick(old)
    (key,) = (row.id for row in rail.rows("SELECT id FROM chain_tx"))
    new = rail.signer(keys=NEW, amounts=limits)

    foreign = ask(rail, key, signer=new)
    rail.write("UPDATE chain_tx SET signer = :new", new=NEW.address)
    spent = ask(rail, key, signer=new)

    assert isinstance(foreign, Refusal) and "belongs to the lane" in foreign.reason
    assert isinstance(spent, Refusal) and "over the day's limit" in spent.reason
