"""Claiming: batches by debtor and token, bounds, and one writer per lane."""

import pytest

from settlement.chain.signing import GAS_CAP
from settlement.clock import to_micros
from settlement.errors import LeaseLost
from settlement.sender import attempts, broadcast, lanes
from settlement.sender.claim import claim
from settlement.sender.lanes import Lease
from settlement.sender.pipeline import Lane
from settlement.settlements import clearing
from settlement.store import reading, transaction
from tests.builders.rail import OPERATOR, Rail
from tests.invoices.builders import a_party

TABLES = (
    "chain_tx", "chain_tx_event", "batch_member", "attempt", "settlement", "settlement_event",
    "outbox", "journal_entry",
)  # fmt: skip


def _cleared(rail: Rail, count: int = 1, **changes: object) -> list[str]:
    """Settlements that are cleared and wait for a claim."""
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker("worker-0")
    rail.tick(worker)
    keys = rail.instructed(count, **changes)
    rail.tick(worker)
    worker.stop()
    rail.write("UPDATE lane SET state = 'active'")
    return keys


def _lease(rail: Rail, owner: str = "me") -> Lease:
    from datetime import timedelta

    with transaction(rail.engine) as session:
        found = lanes.acquire(
            session, OPERATOR.address, owner=owner, lifetime=timedelta(seconds=5), now=rail.now
        )
    assert found is not None
    return found


def _claim(rail: Rail, lease: Lease) -> int:
    with transaction(rail.engine) as session:
        return claim(session, [lease], rail.settings, ids=rail.ids, now=rail.now)


def _everything(rail: Rail) -> list[object]:
    return [rail.rows(f"SELECT * FROM {table}") for table in TABLES]


def test_batches_are_of_one_debtor_and_one_token(rail: Rail) -> None:
    _cleared(rail, 2)
    _cleared(rail, 1, currency="EUR")
    stranger = a_party(rail.companies, "stranger")
    _cleared(rail, 1, buyer=stranger)

    assert _claim(rail, _lease(rail)) == 4

    batches = rail.rows(
        "SELECT c.nonce, c.token, c.debtor_wallet, c.member_count, c.total_minor, c.state,"
        " COUNT(DISTINCT s.token) AS tokens, COUNT(DISTINCT s.debtor_wallet) AS debtors"
        " FROM chain_tx c JOIN settlement s ON s.chain_tx_id = c.id"
        " GROUP BY c.nonce, c.token, c.debtor_wallet, c.member_count, c.total_minor, c.state"
        " ORDER BY c.nonce"
    )
    assert [row.nonce for row in batches] == [0, 1, 2]
    assert sorted(row.member_count for row in batches) == [1, 1, 2]
    assert all((row.tokens, row.debtors, row.state) == (1, 1, "CLAIMED") for row in batches)
    assert set(rail.states().values()) == {"CLAIMED"}
    assert rail.lane().next_nonce == 3
    assert rail.one("SELECT COUNT(*) FROM batch_member WHERE live") == 4


def test_a_batch_has_at_most_so_many_payments_and_a_gas_limit_for_all(rail: Rail) -> None:
    rail.settings = rail.settings.model_copy(update={"batch_payments_max": 3})
    _cleared(rail, 7)

    _claim(rail, _lease(rail))

    rows = rail.rows("SELECT member_count, gas_limit FROM chain_tx ORDER BY nonce")
    assert [row.member_count for row in rows] == [3, 3, 1]
    assert all(300_000 + 162_000 * row.member_count == row.gas_limit <= GAS_CAP for row in rows)


def test_no_more_is_claimed_than_may_be_in_flight(rail: Rail) -> None:
    changes = {"batch_payments_max": 1, "lane_in_flight_max": 2}
    rail.settings = rail.settings.model_copy(update=changes)
    keys = _cleared(rail, 3)
    lease = _lease(rail)

    assert (_claim(rail, lease), _claim(rail, lease)) == (2, 0)

    assert rail.state(keys[2]) == "CLEARED"
    rail.let_go()
    rail.settle_all(rail.worker())


def test_the_deadline_is_the_earliest_expiry_in_the_batch(rail: Rail) -> None:
    first = _cleared(rail, 1)
    rail.later(300)
    _cleared(rail, 1)

    _claim(rail, _lease(rail))

    expiry = rail.one("SELECT expires_at FROM clearance WHERE settlement_id = :id", id=first[0])
    assert rail.one("SELECT deadline FROM chain_tx") == expiry // 1_000_000


@pytest.mark.parametrize("state", ["paused", "halted"])
def test_a_lane_that_is_not_active_claims_nothing(rail: Rail, state: str) -> None:
    (key,) = _cleared(rail)
    rail.write("UPDATE lane SET state = :state", state=state)

    assert _claim(rail, _lease(rail)) == 0

    assert rail.state(key) == "CLEARED"
    assert rail.lane().next_nonce == 0


def test_a_clearance_that_ended_is_not_claimed(rail: Rail) -> None:
    revoked, expired, alive = _cleared(rail, 3)
    rail.write("UPDATE clearance SET revoked_at = 1 WHERE settlement_id = :id", id=revoked)
    rail.write("UPDATE clearance SET expires_at = :now WHERE settlement_id = :id",
               id=expired, now=to_micros(rail.now))  # fmt: skip

    assert _claim(rail, _lease(rail)) == 1

    assert rail.states() == {revoked: "CLEARED", expired: "CLEARED", alive: "CLAIMED"}


def test_who_has_lost_the_lease_changes_nothing_in_any_step(rail: Rail) -> None:
    _cleared(rail, 2)
    old = _lease(rail, "old")
    _claim(rail, old)
    with reading(rail.engine) as session:
        wanted = attempts.first_attempts(
            session, old, rail.settings, base_fee_wei=1, chain_time=0, now=rail.now
        )
    signed = rail.signer().sign([each.request for each in wanted], rail.now)
    rail.later(6)  # Stopped for longer than its lease.
    new = _lease(rail, "new")
    before = _everything(rail), rail.lane()

    for write in (
        lambda s: claim(s, [old], rail.settings, ids=rail.ids, now=rail.now),
        lambda s: attempts.store(s, old, wanted, signed, rail.now),
        lambda s: broadcast.mark(s, old, [], [], head=1, now=rail.now),
    ):
        with pytest.raises(LeaseLost), transaction(rail.engine) as session:
            write(session)
    sender = Lane(rail.engine, rail.chain, rail.signer(), old, rail.settings)
    with pytest.raises(LeaseLost):
        sender.advance(rail.now)

    assert (_everything(rail), rail.lane()) == before
    assert new.fence == old.fence + 1
    assert rail.chain.pooled_count() == 0


def test_a_lease_is_kept_by_its_holder_and_taken_only_when_it_is_late(rail: Rail) -> None:
    first = _lease(rail, "one")

    with transaction(rail.engine) as session:
        early = lanes.acquire(
            session, OPERATOR.address, owner="two", lifetime=first.lifetime, now=rail.now
        )
    again = _lease(rail, "one")
    rail.later(6)
    late = _lease(rail, "two")

    assert early is None
    assert again == first
    assert (late.owner, late.fence) == ("two", first.fence + 1)


def test_a_holder_known_to_be_gone_is_not_waited_for(rail: Rail) -> None:
    first = _lease(rail, "one")

    with transaction(rail.engine) as session:
        taken = lanes.acquire(
            session, OPERATOR.address, owner="two", lifetime=first.lifetime, now=rail.now,
            gone="one",
        )  # fmt: skip

    assert taken is not None and taken.fence == first.fence + 1
    with pytest.raises(LeaseLost), transaction(rail.engine) as session:
        lanes.renew(session, first, rail.now)


def test_a_lane_given_up_is_free_at_once(rail: Rail) -> None:
    first = _lease(rail, "one")
    with transaction(rail.engine) as session:
        lanes.release(session, first)

    assert _lease(rail, "two").fence == first.fence + 1


def test_a_clearance_lapses_before_it_is_too_short_to_be_used(rail: Rail) -> None:
    (key,) = _cleared(rail)
    rail.later(3600 - 110)

    with transaction(rail.engine) as session:
        assert clearing.lapse(session, rail.settings, now=rail.now) == 1

    assert rail.state(key) == "INSTRUCTED"
    assert rail.reserved(rail.buyer_wallet) == 0
    rail.settle_all(rail.worker())
    assert rail.moves(key)[:4] == ["instruct", "clear", "lapse", "clear"]
