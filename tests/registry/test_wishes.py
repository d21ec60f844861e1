"""What wallets are to be, what the chain says they are, and what ends at once."""

import pytest

from settlement import participants, registry
from settlement.chain import admin_abi
from settlement.registry import Source
from settlement.registry.differences import _PENDING
from settlement.store import open_engine, reading, transaction
from settlement.store.bulk import rows
from tests.builders.rail import Rail
from tests.builders.registrar import standing, want

STANDINGS = "SELECT wallet, wanted, actual FROM registry_standing ORDER BY wallet"


DIFFERS = "SELECT differs_from_block FROM registry_standing WHERE wallet = :wallet"


def test_a_company_that_is_registered_has_its_wallet_listed_and_the_chain_has_it_so(
    rail: Rail,
) -> None:
    rail.tick(rail.worker())

    assert standing(rail, rail.seller_wallet) == ("listed", "listed")
    assert rail.one(DIFFERS, wallet=rail.seller_wallet) is None
    assert want(rail, rail.seller_wallet, listed=True, source=Source.PARTICIPANT) == []
    rows = rail.rows("SELECT source, wanted, reason FROM registry_wish")
    assert [tuple(row) for row in rows] == [
        ("participant", "listed", "a wallet was registered")
    ] * 3


@pytest.mark.parametrize("move", ["suspend", "close"])
def test_a_company_that_leaves_has_its_wallets_unlisted_in_the_same_commit(
    rail: Rail, move: str
) -> None:
    rail.tick(rail.worker())
    seller = rail.sandbox.participant_ids[0]

    with transaction(rail.engine) as session:
        getattr(participants, move)(session, seller, "a reason", rail.now)

    assert standing(rail, rail.seller_wallet) == ("unlisted", "listed")
    assert standing(rail, rail.buyer_wallet) == ("listed", "listed")
    (reason,) = {
        row.reason
        for row in rail.rows("SELECT reason FROM registry_wish WHERE wanted = 'unlisted'")
    }
    assert reason.endswith(": a reason")


def test_a_company_that_comes_back_is_listed_again_unless_another_side_binds_it(
    rail: Rail,
) -> None:
    rail.tick(rail.worker())
    seller = rail.sandbox.participant_ids[0]
    with transaction(rail.engine) as session:
        participants.suspend(session, seller, "a reason", rail.now)
    want(rail, rail.seller_wallet, listed=False, source=Source.SCREENING)

    with transaction(rail.engine) as session:
        participants.reinstate(session, seller, "it was looked at", rail.now)

    assert standing(rail, rail.seller_wallet) == ("unlisted", "listed")
    want(rail, rail.seller_wallet, listed=True, source=Source.SCREENING)
    assert standing(rail, rail.seller_wallet) == ("listed", "listed")


def test_the_strictest_of_all_sides_holds_until_the_last_one_takes_it_back(rail: Rail) -> None:
    rail.tick(rail.worker())
    want(rail, rail.seller_wallet, listed=True, source=Source.PARTICIPANT)

    want(rail, rail.seller_wallet, listed=False, source=Source.SCREENING)
    want(rail, rail.seller_wallet, listed=False, source=Source.COMPLIANCE)
    want(rail, rail.seller_wallet, listed=True, source=Source.PARTICIPANT)
    want(rail, rail.seller_wallet, listed=True, source=Source.SCREENING)

    assert standing(rail, rail.seller_wallet) == ("unlisted", "listed")
    want(rail, rail.seller_wallet, listed=True, source=Source.COMPLIANCE)
    assert standing(rail, rail.seller_wallet) == ("listed", "listed")
    assert rail.one("SELECT COUNT(*) FROM registry_wish") == 5


def test_a_freeze_is_of_the_tokens_that_are_named_or_of_all(rail: Rail) -> None:
    rail.tick(rail.worker())

    want(rail, rail.seller_wallet, frozen=True, tokens=[rail.token()])
    want(rail, rail.buyer_wallet, frozen=True)

    rows = rail.rows(
        "SELECT wallet, COUNT(*) AS n FROM registry_standing WHERE wanted = 'frozen'"
        " GROUP BY wallet"
    )
    assert {row.wallet: row.n for row in rows} == {rail.seller_wallet: 1, rail.buyer_wallet: 5}
    assert standing(rail, rail.seller_wallet, rail.token()) == ("frozen", "free")


def test_whoever_is_to_be_unlisted_has_no_clearance_from_that_moment(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    ours, others = rail.instructed(2)
    rail.write("UPDATE settlement SET state = 'HELD' WHERE id = :id", id=others)
    rail.write("UPDATE lane SET state = 'paused'")
    rail.tick(worker)
    assert rail.state(ours) == "CLEARED"

    want(rail, rail.seller_wallet, listed=False)

    assert rail.one("SELECT revoked_at FROM clearance WHERE settlement_id = :id", id=ours)


def test_a_freeze_in_one_token_ends_no_clearance_in_another(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    rail.write("UPDATE lane SET state = 'paused'")
    (ours,) = rail.instructed()
    rail.tick(worker)

    want(rail, rail.buyer_wallet, frozen=True, tokens=[rail.token("TEUR")])

    assert rail.one("SELECT revoked_at FROM clearance WHERE settlement_id = :i", i=ours) is None
    want(rail, rail.buyer_wallet, frozen=True, tokens=[rail.token()])
    assert rail.one("SELECT revoked_at FROM clearance WHERE settlement_id = :i", i=ours)


@pytest.mark.parametrize("depth", [1, 3])
def test_the_standing_follows_the_chain_and_a_reorg_moves_it_back(rail: Rail, depth: int) -> None:
    worker = rail.worker()
    rail.tick(worker)
    want(rail, rail.seller_wallet, listed=True)
    call = admin_abi.unlist_participants_calldata([rail.seller_wallet])
    rail.on_chain(rail.sandbox.admin, rail.sandbox.deployment.rail, call)
    rail.controls.mine(depth - 1)
    rail.tick(worker)
    assert standing(rail, rail.seller_wallet) == ("listed", "unlisted")
    assert rail.one(DIFFERS, wallet=rail.seller_wallet) == rail.chain.head().number

    rail.controls.reorg(depth)
    rail.controls.mine()
    rail.tick(worker)

    assert standing(rail, rail.seller_wallet) == ("listed", "listed")
    assert rail.one(DIFFERS, wallet=rail.seller_wallet) is None


def test_a_log_that_became_final_between_two_looks_is_followed(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    want(rail, rail.seller_wallet, listed=True)
    call = admin_abi.freeze_calldata(rail.seller_wallet)
    want(rail, rail.seller_wallet, frozen=False, tokens=[rail.token()])
    rail.on_chain(rail.sandbox.admin, rail.token(), call)
    rail.controls.mine(40)

    rail.tick(worker)

    assert standing(rail, rail.seller_wallet, rail.token()) == ("free", "frozen")


def test_restrictions_say_which_side_wants_what(rail: Rail) -> None:
    rail.tick(rail.worker())
    want(rail, rail.seller_wallet, listed=True)
    want(rail, rail.buyer_wallet, listed=False, source=Source.SCREENING)

    with reading(rail.engine) as session:
        found = registry.restrictions(session, [rail.seller_wallet, rail.buyer_wallet])

    (one,) = found[rail.buyer_wallet]
    assert set(found) == {rail.buyer_wallet}
    assert one.words == "is to be unlisted (screening: a test)"


def test_a_wallet_that_the_admins_lane_has_yet_to_list_is_bound(rail: Rail) -> None:
    rail.tick(rail.worker())
    stranger = "0x" + "ab" * 20
    want(rail, stranger, listed=True)

    with reading(rail.engine) as session:
        assert registry.restrictions(session, [stranger]) == {}  # Nobody here lists it.
    rail.write("UPDATE lane SET kind = 'admin'")
    with reading(rail.engine) as session:
        (one,) = registry.restrictions(session, [stranger])[stranger]
    assert "unlisted on the chain until the admin's lane has made it listed" in one.words


def test_nothing_can_be_wanted_of_nobody(rail: Rail) -> None:
    assert want(rail, listed=True) == []
    assert want(rail, rail.seller_wallet) == []
    assert len(rail.rows(STANDINGS)) == 3


def test_what_differs_is_looked_for_without_reading_every_wallet(sqlite_url: str) -> None:
    """Each tick of each worker asks: 100,000 wallets that are as wanted cost it nothing."""
    engine = open_engine(sqlite_url)
    with reading(engine) as session:
        plan = rows(session, f"EXPLAIN QUERY PLAN {_PENDING}")
    engine.dispose()

    steps = [str(row[3]) for row in plan]
    assert "SCAN registry_standing USING INDEX registry_differs" in steps
    assert not [step for step in steps if step == "SCAN registry_standing"]
