"""Several lanes and several workers: who works what, and what stops only one of them."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from gateway.worker import Progress, Worker
from settlement.chain.signing import KeyPair
from settlement.errors import LeaseLost, Retryable
from settlement.sender import lanes
from settlement.signer.socket import SignerUnreachable
from settlement.store import transaction
from tests.builders.ports import BrokenSigner
from tests.builders.rail import OPERATOR, Rail, a_rail
from tests.builders.soundness import assert_sound
from tests.invoices.builders import a_party

SECOND = KeyPair.of(b"\x29" * 32)
BOTH = (OPERATOR, SECOND)


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    """A rail with two operators, and so two lanes; each payment a batch of its own."""
    with a_rail(
        engine, tmp_path, operators=BOTH, finality_confirmations=6, batch_payments_max=1
    ) as made:
        yield made


def a_worker(rail: Rail, owner: str, *keys: KeyPair, lanes_max: int = 64, **parts: Any) -> Worker:
    """A worker with the signers of these operators, by default of both."""
    worker = rail.worker(owner, **parts)
    worker.signers = [
        rail.signer(slots=f"slots-{pair.address}.sqlite3", keys=pair) for pair in keys or BOTH
    ]
    worker.settings = rail.settings.model_copy(update={"worker_lanes_max": lanes_max})
    return worker


def by_lane(rail: Rail) -> dict[str, int]:
    """Chain transactions of each lane."""
    rows = rail.rows("SELECT signer, COUNT(*) AS count FROM chain_tx GROUP BY signer")
    return {row.signer: row.count for row in rows}


def holders(rail: Rail) -> dict[str, str | None]:
    return {row.signer: row.lease_owner for row in rail.rows("SELECT * FROM lane")}


def test_one_worker_spreads_what_is_due_over_its_lanes(rail: Rail) -> None:
    rail.instructed(6)
    worker = a_worker(rail, "one")

    assert rail.tick(worker).claimed == 6
    counted = by_lane(rail)
    rail.settle_all(worker)

    assert counted == {OPERATOR.address: 3, SECOND.address: 3}
    assert_sound(rail)


def test_a_batch_goes_to_the_lane_with_the_least_in_flight(rail: Rail) -> None:
    worker = a_worker(rail, "one")
    rail.write("UPDATE lane SET state = 'paused' WHERE signer = :signer", signer=SECOND.address)
    rail.instructed(2)
    rail.tick(worker)
    rail.write("UPDATE lane SET state = 'active'")
    rail.instructed(3)
    rail.tick(worker)

    assert sorted(by_lane(rail).values()) == [2, 3]


def test_two_workers_share_lanes_and_one_of_them_has_the_duty(rail: Rail) -> None:
    one, two = a_worker(rail, "one", lanes_max=1), a_worker(rail, "two", lanes_max=1)
    rail.tick(one)
    rail.tick(two)
    rail.instructed(8)

    done = []
    for _ in range(12):
        done += [rail.tick(one), rail.tick(two)]
        rail.controls.mine()

    assert sorted(filter(None, holders(rail).values())) == ["one", "two"]
    assert rail.one("SELECT lease_owner FROM duty") == "one"
    assert not any(progress.standby for progress in done)
    assert all(progress.claimed for progress in done[:2]), "both had a share of what was due"
    assert len(by_lane(rail)) == 2
    assert set(rail.states().values()) == {"SETTLED"}
    assert_sound(rail)


def test_what_a_killed_worker_held_the_other_takes_over(rail: Rail) -> None:
    one, two = a_worker(rail, "one", lanes_max=1), a_worker(rail, "two")
    rail.tick(one)
    rail.tick(two)
    before = holders(rail)
    rail.instructed(4)
    rail.tick(one)
    rail.tick(two)

    rail.later(6)  # The first ticks no more: it was killed.
    rail.settle_all(two)

    assert sorted(filter(None, before.values())) == ["one", "two"]
    assert set(holders(rail).values()) == {"two"}
    assert rail.one("SELECT lease_owner FROM duty") == "two"
    assert rail.one("SELECT lease_fence FROM duty") == 2
    assert_sound(rail)


@pytest.mark.parametrize("step", ["_follow", "_clear", "_reconcile"])
def test_who_lost_the_duty_writes_nothing_of_it(rail: Rail, step: str) -> None:
    zombie = a_worker(rail, "zombie")
    rail.instructed(3)
    for _ in range(3):
        rail.round(zombie)
    rail.later(60)
    other = a_worker(rail, "other")
    rail.tick(other)
    rail.controls.mine(2)
    rail.instructed(1)
    before = _written(rail)
    progress = Progress(new_blocks=1)
    with pytest.raises(LeaseLost):
        getattr(zombie, step)(progress, rail.now)

    assert _written(rail) == before
    rail.settle_all(other)
    assert_sound(rail)


def _written(rail: Rail) -> list[object]:
    tables = (
        "block", "receipt", "chain_log", "cursor", "journal_entry", "settlement", "clearance",
        "settlement_event", "chain_tx", "attempt", "settlement_match", "settlement_break", "lane",
        "duty", "outbox",
    )  # fmt: skip
    return [rail.rows(f"SELECT * FROM {table}") for table in tables]


def test_a_halted_lane_leaves_the_other_at_work(rail: Rail) -> None:
    worker = a_worker(rail, "one")
    rail.tick(worker)
    rail.on_chain(SECOND, SECOND.address, b"")  # Its key, used elsewhere.
    keys = rail.instructed(4)

    for _ in range(12):
        rail.round(worker)

    states = {row.signer: (row.state, row.reason) for row in rail.rows("SELECT * FROM lane")}
    assert states[OPERATOR.address] == ("active", None)
    assert states[SECOND.address][0] == "halted"
    assert "key was used elsewhere" in (states[SECOND.address][1] or "")
    settled = [key for key in keys if rail.state(key) == "SETTLED"]
    assert len(settled) == 3, "what the halted lane has is not taken from it"
    rail.instructed(2)
    for _ in range(12):
        rail.round(worker)
    assert list(rail.states().values()).count("SETTLED") == 5


def test_a_signer_that_does_not_answer_stops_its_lane_alone(rail: Rail) -> None:
    worker = a_worker(rail, "one")
    rail.tick(worker)
    silent = BrokenSigner(worker.signers[1])
    worker.signers[1] = silent

    def fail() -> None:
        raise SignerUnreachable("nobody there")

    silent.before = fail
    rail.instructed(4)
    progress = rail.tick(worker)
    for _ in range(10):
        rail.round(worker)
    waiting = list(rail.states().values())
    silent.before = lambda: None
    rail.settle_all(worker)

    assert (progress.signed, progress.sent) == (2, 2)
    assert "nobody there" in progress.troubles[SECOND.address]
    assert sorted(waiting) == ["CLAIMED", "CLAIMED", "SETTLED", "SETTLED"]
    assert_sound(rail)


def test_trouble_of_every_lane_is_trouble_of_the_worker(rail: Rail) -> None:
    worker = a_worker(rail, "one")
    rail.tick(worker)
    rail.instructed(2)

    def fail() -> None:
        raise SignerUnreachable("nobody there")

    worker.signers = [BrokenSigner(each, before=fail) for each in worker.signers]
    with pytest.raises(Retryable, match="nobody there"):
        rail.tick(worker)


def test_a_drained_lane_ends_what_it_has_and_a_new_one_goes_on(rail: Rail) -> None:
    """A key is rotated: the old lane drains, the other pays what comes."""
    worker = a_worker(rail, "one")
    rail.write("UPDATE lane SET state = 'paused' WHERE signer = :signer", signer=SECOND.address)
    first = rail.instructed(3)
    rail.tick(worker)
    rail.write("UPDATE lane SET state = 'active'")
    with transaction(rail.engine) as session:
        draining = lanes.drain(session, OPERATOR.address, "its key is replaced")
    second = rail.instructed(3)
    rail.run_until(worker, lambda: rail.state(first[0]) == "BOOKED")
    while_booked = _state_of(rail, OPERATOR)
    rail.settle_all(worker)
    rail.tick(worker)
    worker.signers = worker.signers[1:]  # The old key is gone.
    third = rail.instructed(1)
    rail.settle_all(worker)

    assert (draining, while_booked, _state_of(rail, OPERATOR)) == (
        "draining",
        "draining",
        "drained",
    )
    sql = "SELECT DISTINCT c.signer FROM chain_tx c JOIN settlement s ON s.chain_tx_id = c.id"
    signers = {
        word: {row.signer for key in keys for row in rail.rows(f"{sql} WHERE s.id = :id", id=key)}
        for word, keys in (("first", first), ("second", second), ("third", third))
    }
    assert signers["first"] == {OPERATOR.address}
    assert signers["second"] == signers["third"] == {SECOND.address}
    assert_sound(rail)


def _state_of(rail: Rail, pair: KeyPair) -> str:
    return str(rail.one("SELECT state FROM lane WHERE signer = :signer", signer=pair.address))


def test_a_full_lane_serves_who_waits_longest_wherever_its_wallet_sorts(rail: Rail) -> None:
    rail.settings = rail.settings.model_copy(update={"lane_in_flight_max": 1})
    worker = a_worker(rail, "one", OPERATOR)
    worker.settings = rail.settings
    rail.tick(worker)
    wallets = sorted([rail.buyer_wallet, rail.sandbox.wallets[2].address])
    late = {rail.buyer_wallet: "buyer", rail.sandbox.wallets[2].address: "stranger"}[wallets[1]]
    early = "stranger" if late == "buyer" else "buyer"
    (patient,) = rail.instructed(1, buyer=a_party(rail.companies, late))
    for _ in range(4):  # Those of the lower address never end.
        rail.instructed(2, buyer=a_party(rail.companies, early))
        rail.round(worker)

    assert rail.moves(patient)[:3] == ["instruct", "clear", "claim"]
    sql = "SELECT c.nonce FROM chain_tx c JOIN settlement s ON s.chain_tx_id = c.id"
    assert rail.one(f"{sql} WHERE s.id = :id", id=patient) == 0


class OneAtATime:
    """A chain in memory that several threads may ask."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.lock = inner, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        def ask(*args: Any, **named: Any) -> Any:
            with self.lock:
                return getattr(self.inner, name)(*args, **named)

        return ask


def test_lanes_that_wait_at_the_same_time_pay_everybody_once(rail: Rail) -> None:
    worker = a_worker(rail, "one", chain=OneAtATime(rail.chain))
    worker.settings = worker.settings.model_copy(update={"lane_threads_max": 2})
    rail.instructed(8)

    rail.settle_all(worker)

    assert len(rail.paid_logs()) == 8
    assert_sound(rail)
