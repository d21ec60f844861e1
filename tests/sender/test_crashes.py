"""A worker that ends at any place, and the next one: one payment each, no nonce lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from settlement.errors import Retryable
from tests.builders.ports import BrokenChain, BrokenSigner, Killed
from tests.builders.rail import Rail
from tests.builders.soundness import assert_sound


@contextmanager
def killed_at_commit(engine: Engine, nth: int) -> Iterator[None]:
    """The process ends when it would commit for the nth time: that commit does not happen."""
    left = [nth]

    def count(_connection: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    event.listen(engine, "commit", count)
    try:
        yield
    finally:
        event.remove(engine, "commit", count)


@pytest.mark.parametrize(
    ("signer_plan", "chain_plan"),
    [
        (["kill_before"], []),
        (["kill_after"], []),
        ([], ["kill_before"]),
        ([], ["kill_after"]),
        (["kill_after"], ["kill_after"]),
    ],
    ids=["claimed", "signed", "stored", "sent", "signed then sent"],
)
def test_a_worker_that_dies_around_signing_and_sending(
    rail: Rail, signer_plan: list[str], chain_plan: list[str]
) -> None:
    rail.instructed(2)
    chain, plan = BrokenChain(rail.chain, list(chain_plan)), list(signer_plan)
    deaths = 0

    for life in range(40):
        signer = BrokenSigner(rail.signer(), plan)
        try:
            rail.settle_all(rail.worker(f"worker-{life}", signer=signer, chain=chain))
        except Killed:
            deaths += 1
            rail.later(6)  # Its lease runs out.
            continue
        break

    assert deaths == len(signer_plan) + len(chain_plan)
    assert len(rail.paid_logs()) == 2
    assert rail.one("SELECT COUNT(*) FROM chain_tx") == 1
    assert_sound(rail)


def test_a_crash_loop_through_every_commit_still_comes_to_an_end(rail: Rail) -> None:
    """Each worker dies one commit later than the one before: every place is died at."""
    rail.settings = rail.settings.model_copy(update={"batch_payments_max": 2})
    rail.instructed(3)
    rail.instructed(1, currency="EUR")
    deaths = 0

    for life in range(1, 60):
        try:
            with killed_at_commit(rail.engine, life):
                rail.settle_all(rail.worker(f"worker-{life}"), rounds=4)
        except Killed:
            deaths += 1
        except AssertionError:
            continue  # It lived to the end of its rounds.
        else:
            break
        rail.later(6)
        rail.controls.mine()

    assert deaths > 12
    assert set(rail.states().values()) == {"SETTLED"}
    assert_sound(rail)


def test_a_crash_at_any_commit_of_a_reorg_is_healed(rail: Rail) -> None:
    keys = rail.instructed(2)
    first = rail.worker("worker-0")
    rail.run_until(first, lambda: set(rail.states().values()) == {"BOOKED"})
    first.stop()
    rail.controls.reorg(2)

    for life in range(1, 30):
        try:
            with killed_at_commit(rail.engine, life):
                rail.settle_all(rail.worker(f"worker-{life}"), rounds=20)
            break
        except Killed:
            rail.later(6)

    assert [rail.moves(key).count("orphaned") for key in keys] == [1, 1]
    assert rail.one("SELECT COUNT(*) FROM journal_entry WHERE kind = 'reversal'") >= 2
    assert_sound(rail)


def test_two_workers_take_turns_and_the_second_waits(rail: Rail) -> None:
    one, two = rail.worker("one"), rail.worker("two")
    rail.instructed(2)

    first = rail.tick(one)
    looking_on = rail.tick(two)
    rail.later(6)
    second = rail.tick(two)
    late = rail.tick(one)
    rail.settle_all(two)

    assert (first.claimed, looking_on.standby, second.standby, late.standby) == (
        2,
        True,
        False,
        True,
    )
    assert rail.one("SELECT COUNT(*) FROM chain_tx") == 1
    assert_sound(rail)


def test_a_worker_that_gave_its_lanes_up_is_followed_at_once(rail: Rail) -> None:
    one, two = rail.worker("one"), rail.worker("two")
    rail.tick(one)
    one.stop()

    assert not rail.tick(two).standby


def test_a_dead_worker_of_this_host_is_not_waited_for(rail: Rail) -> None:
    rail.tick(rail.worker("host:1:dead"))
    next_one = rail.worker("host:2:alive")
    next_one.has_ended = lambda owner: owner == "host:1:dead"

    assert not rail.tick(next_one).standby
    assert rail.lane().lease_fence == 2


def test_a_zombie_that_wakes_up_between_signing_and_storing_writes_nothing(rail: Rail) -> None:
    zombie_signer = BrokenSigner(rail.signer())
    zombie = rail.worker("zombie", signer=zombie_signer)
    rail.tick(zombie)
    rail.instructed(2)
    seen: list[Any] = []

    def meanwhile() -> None:
        """It is stopped for a minute; another worker does all of its work."""
        zombie_signer.before = lambda: None
        rail.later(60)
        rail.settle_all(rail.worker("other"))
        seen.append(rail.rows("SELECT * FROM attempt"))

    zombie_signer.before = meanwhile
    with pytest.raises(Retryable, match="taken by another worker"):
        rail.tick(zombie)

    assert rail.rows("SELECT * FROM attempt") == seen[0]
    assert rail.tick(zombie).standby
    assert_sound(rail)


def test_a_zombie_that_wakes_up_in_the_middle_of_a_send_harms_nobody(rail: Rail) -> None:
    zombie_chain = BrokenChain(rail.chain)
    zombie = rail.worker("zombie", chain=zombie_chain)
    rail.tick(zombie)
    rail.instructed(2)
    seen: list[Any] = []

    def meanwhile(_raws: object) -> None:
        zombie_chain.on_send = lambda _raws: None
        rail.later(60)
        rail.settle_all(rail.worker("other"))
        seen.append(rail.rows("SELECT * FROM attempt"))

    zombie_chain.on_send = meanwhile
    with pytest.raises(Retryable, match="taken by another worker"):
        rail.tick(zombie)
    rail.controls.mine()

    assert rail.rows("SELECT * FROM attempt") == seen[0]
    assert len(rail.paid_logs()) == 2
    assert_sound(rail)
