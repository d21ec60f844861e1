"""Nonces under load: all different, without a gap, each with its intent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from settlement.clock import new_id, to_micros
from settlement.config import Settings
from settlement.sender import lanes
from settlement.sender.claim import claim
from settlement.sender.lanes import Lease
from settlement.store import open_engine, reading, transaction
from settlement.tables import Clearance
from tests.builders.chain_facts import OPERATOR, add_settlement, reference, seed_world
from tests.builders.ledger import BUYER_WALLET, SELLER_WALLET, TOKEN
from tests.builders.processes import forking
from tests.builders.rail import NOW

THREADS, PROCESSES, CLAIMS = 8, 4, 50
WANTED = THREADS * CLAIMS
SETTINGS = Settings(
    home=Path("unused"), batch_payments_max=1, settlements_per_tick_max=1, lane_in_flight_max=1000
)


def _prepared(engine: Engine) -> Lease:
    """So many cleared settlements, and the lease of the one lane."""
    with transaction(engine) as session:
        seed_world(session)
        for number in range(1, WANTED + 1):
            key = add_settlement(session, number, state="CLEARED")
            clearance = Clearance(
                id=f"clr_{number}", settlement_id=key, outcome="ALLOW", inputs_hash="", verdicts="",
                policy_version="1", list_versions="{}", debtor_wallet=BUYER_WALLET,
                creditor_wallet=SELLER_WALLET, token=TOKEN, amount_minor=12_000_000,
                reference=reference(number), created_at=0,
                expires_at=to_micros(NOW + timedelta(hours=1)),
            )  # fmt: skip
            session.add(clearance)
            session.flush()
        session.connection().execute(
            text("UPDATE settlement SET clearance_id = 'clr_' || sequence, execution_date = :day"),
            {"day": NOW.date().isoformat()},
        )
        lease = lanes.acquire(session, OPERATOR, owner="many", lifetime=timedelta(hours=1), now=NOW)
    assert lease is not None
    return lease


def _claim_many(url: str, lease: Lease, count: int) -> int:
    """Claim so often, each time in a database transaction of its own; return how many."""
    engine = open_engine(url)
    claimed = 0
    for _ in range(count):
        with transaction(engine) as session:
            claimed += claim(session, [lease], SETTINGS, ids=new_id, now=NOW)
    engine.dispose()
    return claimed


def _assert_whole(engine: Engine) -> None:
    with reading(engine) as session:
        rows = session.connection().execute(
            text(
                "SELECT c.nonce, COUNT(DISTINCT m.settlement_id) AS members, MIN(s.state) AS state"
                " FROM chain_tx c JOIN batch_member m ON m.chain_tx_id = c.id"
                " JOIN settlement s ON s.chain_tx_id = c.id GROUP BY c.nonce ORDER BY c.nonce"
            )
        )
        found = [tuple(row) for row in rows]
        following = session.connection().execute(text("SELECT next_nonce FROM lane")).scalar()
        members = session.connection().execute(
            text("SELECT COUNT(DISTINCT settlement_id) FROM batch_member")
        )
        assert members.scalar() == WANTED
    assert found == [(nonce, 1, "CLAIMED") for nonce in range(WANTED)]
    assert following == WANTED


def test_eight_threads_claim_fifty_nonces_each_all_different_without_a_gap(
    engine: Engine, database_url: str
) -> None:
    lease = _prepared(engine)

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(lambda _: _claim_many(database_url, lease, CLAIMS), range(THREADS)))

    assert done == [CLAIMS] * THREADS
    _assert_whole(engine)


def test_four_processes_claim_a_hundred_nonces_each_all_different_without_a_gap(
    postgres_url: str,
) -> None:
    engine = open_engine(postgres_url)
    lease = _prepared(engine)
    each = WANTED // PROCESSES

    with forking().Pool(PROCESSES) as pool:
        done = pool.starmap(_claim_many, [(postgres_url, lease, each)] * PROCESSES)

    assert done == [each] * PROCESSES
    _assert_whole(engine)
    engine.dispose()
