"""A chain that goes back, stands still, bursts, or stops the clock: nobody is paid twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement.chain import admin_abi
from settlement.compliance import clearance, screening
from settlement.store import open_engine, transaction
from settlement.verify.judging import violations
from tests.builders.memory_node import MemoryNode
from tests.builders.ports import BrokenChain
from tests.builders.rail import Rail, a_rail, an_anvil_rail
from tests.builders.soundness import assert_sound

CHAINS: dict[str, Callable[..., object]] = {"memory": a_rail, "anvil": an_anvil_rail}


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture(params=CHAINS)
def either(request: pytest.FixtureRequest, database: Engine, tmp_path: Path) -> Iterator[Rail]:
    """A rail on a chain in memory, and the same on a real node."""
    with CHAINS[request.param](database, tmp_path) as made:  # type: ignore[attr-defined]
        yield made


@pytest.fixture
def rail(database: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(database, tmp_path) as made:
        yield made


def _judged(rail: Rail) -> None:
    assert_sound(rail)
    node = rail.rpc_url or MemoryNode(rail.chain)
    assert violations(str(rail.engine.url), node) == []


def test_a_chain_that_was_wound_back_gets_the_same_bytes_again(either: Rail) -> None:
    rail, worker = either, either.worker()
    rail.tick(worker)
    name = rail.controls.snapshot()
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    raws = rail.rows("SELECT raw FROM attempt")

    assert rail.controls.revert(name)  # Shorter than what was followed: nothing is known of it.
    shorter = rail.tick(worker)
    still = rail.state(key)
    rail.settle_all(worker)

    assert (shorter.new_blocks, still) == (0, "BOOKED"), "a shorter chain may be a node behind"
    assert rail.moves(key).count("orphaned") == 1
    assert rail.rows("SELECT raw FROM attempt") == raws
    _judged(rail)


def test_blocks_without_content_that_are_replaced_are_followed_by_hash(either: Rail) -> None:
    rail, worker = either, either.worker()
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    rail.controls.mine(2)
    rail.tick(worker)
    before = rail.one("SELECT hash FROM cursor WHERE name = 'head'")

    rail.controls.reorg(1)
    progress = rail.tick(worker)

    after = rail.one("SELECT hash FROM cursor WHERE name = 'head'")
    assert (progress.orphaned_blocks, progress.new_blocks, progress.reversed) == (1, 1, 0)
    assert after == rail.chain.head().hash != before
    assert rail.moves(key).count("orphaned") == 0
    rail.settle_all(worker)
    _judged(rail)


def test_without_a_block_for_ten_minutes_nothing_is_paid_twice(rail: Rail) -> None:
    worker = rail.worker()
    keys = rail.instructed(3)
    for _ in range(600):
        rail.tick(worker)
    waiting = set(rail.states().values())

    rail.settle_all(worker)

    assert waiting == {"SUBMITTED"}
    assert all(rail.moves(key).count("claim") == 1 for key in keys)
    _judged(rail)


def test_thousands_of_blocks_at_once_are_followed_in_bounded_ticks(rail: Rail) -> None:
    worker = rail.worker()
    rail.instructed()
    rail.tick(worker)
    rail.controls.mine(2500)

    steps = []
    for _ in range(30):
        steps.append(rail.tick(worker).new_blocks)
        if not steps[-1]:
            break

    assert sum(steps) >= 2500
    assert max(steps) <= rail.settings.backfill_blocks_max
    assert set(rail.states().values()) == {"SETTLED"}
    _judged(rail)


def test_what_is_mined_while_it_is_sent_is_seen_all_the_same(either: Rail) -> None:
    rail, worker = either, either.worker()
    rail.controls.set_automine(True)
    keys = rail.instructed(3, payable_minor=50_000)
    rail.run_until(worker, lambda: set(rail.states().values()) == {"SETTLED"})

    assert all(rail.moves(key).count("claim") == 1 for key in keys)
    _judged(rail)


def test_blocks_of_one_second_are_ordered_by_their_numbers(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    second = rail.chain.head().timestamp
    for _ in range(4):
        rail.instructed()
        rail.tick(worker)
        rail.controls.set_next_timestamp(second)
        rail.controls.mine()
        rail.tick(worker)
        rail.controls.set_next_timestamp(second)
        rail.controls.reorg(1)

    rail.settle_all(worker)

    assert [sequence for sequence, _ in rail.paid_logs()] == [1, 2, 3, 4]
    _judged(rail)


def test_a_chain_whose_clock_jumps_a_day_cancels_and_pays_later(rail: Rail) -> None:
    worker = rail.worker()
    keys = rail.instructed(2)
    rail.tick(worker)
    rail.controls.drop_all()
    rail.controls.increase_time(86_400)
    rail.controls.mine()

    rail.settle_all(worker, rounds=60)

    kinds = [row.kind for row in rail.rows("SELECT kind FROM attempt ORDER BY created_at")]
    assert kinds == ["pay", "cancel", "pay"]
    assert all(rail.moves(key).count("clear") == 2 for key in keys)
    _judged(rail)


def test_tokens_that_left_between_clearing_and_mining_are_a_rejection(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.tick(worker)
    rail.controls.drop_all()
    buyer = rail.sandbox.wallets[1]
    everything = rail.balance(buyer.address)
    away = admin_abi.transfer_calldata(rail.sandbox.wallets[2].address, everything)
    rail.on_chain(buyer, rail.token(), away)

    rail.run_until(worker, lambda: rail.state(key) == "REJECTED")

    assert rail.paid_logs() == []
    assert rail.invoice_of(key).in_flight_minor == 0
    assert rail.reserved(buyer.address) == 0
    kinds = {row.kind for row in rail.rows("SELECT kind FROM settlement_break")}
    assert "rejected" in kinds
    (again,) = rail.instruct(rail.invoice_of(key).id)
    rail.run_until(worker, lambda: rail.state(again) == "HELD")  # Refused before a nonce is taken.
    assert rail.one("SELECT COUNT(*) FROM chain_tx") == 1
    _judged(rail)


def test_bytes_whose_clearance_ended_while_they_were_orphaned_are_not_sent_again(
    rail: Rail,
) -> None:
    chain = BrokenChain(rail.chain)
    worker = rail.worker(chain=chain)
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    pay = bytes(rail.one("SELECT raw FROM attempt"))

    rail.controls.reorg(2)
    rail.controls.drop_all()
    with transaction(rail.engine) as session:
        clearance.revoke(session, [key], rail.now)
    sent_before = chain.sent.count(pay)
    rail.settle_all(worker, rounds=60)

    assert chain.sent.count(pay) == sent_before
    assert rail.one("SELECT COUNT(*) FROM attempt WHERE kind = 'cancel'") == 1
    assert len(rail.paid_logs()) == 1, "cleared anew, and paid then"
    _judged(rail)


@pytest.mark.parametrize("stage", ("SUBMITTED", "BOOKED"))
def test_a_party_that_is_put_on_a_list_is_not_sent_to_again_and_then_held(
    rail: Rail, stage: str
) -> None:
    chain = BrokenChain(rail.chain)
    worker = rail.worker(chain=chain)
    (key,) = rail.instructed()
    rail.tick(worker)
    if stage == "BOOKED":
        rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
        rail.controls.reorg(2)
    rail.controls.drop_all()
    pay = bytes(rail.one("SELECT raw FROM attempt"))
    sent_before = chain.sent.count(pay)

    with transaction(rail.engine) as session:
        screening.store_list(
            session, name="new", content=b"Nordlicht Pumpen GmbH\n", ids=rail.ids, now=rail.now
        )
    rail.run_until(worker, lambda: rail.state(key) == "HELD", rounds=60)

    assert chain.sent.count(pay) == sent_before
    assert rail.paid_logs() == []
    assert "BASE-12" in rail.one("SELECT reason FROM settlement WHERE id = :id", id=key)
    _judged(rail)


def test_a_party_that_is_unlisted_on_the_chain_before_the_new_block_is_rejected(
    rail: Rail,
) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    unlist = admin_abi.unlist_participants_calldata([rail.seller_wallet])
    call = rail.signed(rail.sandbox.admin, rail.sandbox.deployment.rail, unlist)

    rail.controls.reorg(2, [(call, 0)])
    rail.run_until(worker, lambda: rail.state(key) == "REJECTED")

    assert rail.paid_logs() == []
    assert "settlement.settled" not in rail.told(key)
    _judged(rail)
