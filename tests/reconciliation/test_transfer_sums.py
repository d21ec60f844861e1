"""What the logs add up to: block by block the same as at once, and never of another branch."""

from random import Random

from sqlalchemy import Engine, text

from settlement.reconciliation.transfer_sums import InAndOut, keep, sums_at
from settlement.store import reading, transaction
from tests.builders.chain_facts import STRANGER, ZERO, Facts, seed_world
from tests.builders.ledger import BUYER_WALLET, NOW, SELLER_WALLET, TOKEN, block_hash

HOLDERS = (ZERO, STRANGER, BUYER_WALLET, SELLER_WALLET)


def test_sums_kept_block_by_block_are_those_of_all_logs_at_every_block(engine: Engine) -> None:
    rng = Random(4)
    moved: list[tuple[int, str, str, int]] = []
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        for number in range(1, 31):
            facts.block(number)
            for place in range(rng.randrange(4)):
                debtor, creditor = rng.choice(HOLDERS), rng.choice(HOLDERS)
                minor = rng.choice((1, 2**62, 2**33 + 1))
                facts.transfer(number, 10 * number + place, debtor=debtor, creditor=creditor,
                               minor=minor)  # fmt: skip
                moved.append((number, debtor, creditor, minor))
        facts.store()

    def wanted(holder: str, at: int) -> InAndOut:
        received = sum(m for n, _d, c, m in moved if n <= at and c == holder)
        paid = sum(m for n, d, _c, m in moved if n <= at and d == holder)
        return InAndOut(received, paid)

    for number in (3, 4, 9, 30):
        with transaction(engine) as session:
            found = sums_at(session, number)
            keep(session, found, block_hash(number), NOW)
            keep(session, found, block_hash(number), NOW)  # A second time it is no news.
        for holder in (ZERO, BUYER_WALLET, SELLER_WALLET):
            assert found.at.get((TOKEN, holder), InAndOut()) == wanted(holder, number)
    with reading(engine) as session:
        for number in (1, 8, 30):
            older = sums_at(session, number)
            for holder in (ZERO, BUYER_WALLET, SELLER_WALLET):
                assert older.at.get((TOKEN, holder), InAndOut()) == wanted(holder, number)
        assert sums_at(session, 30).moved == {}


def test_a_log_of_an_orphaned_block_counts_for_nothing(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        for number in (5, 6):
            facts.transfer(number, number, debtor=STRANGER, creditor=SELLER_WALLET, minor=7)
        facts.store()
        session.execute(text("UPDATE block SET canonical = false WHERE number = 6"))
        found = sums_at(session, 9)

    assert found.at[TOKEN, SELLER_WALLET] == InAndOut(received=7, paid=0)
    assert found.at[TOKEN, STRANGER] == InAndOut(received=0, paid=7)


def test_who_becomes_a_wallet_later_has_what_moved_before(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        facts.transfer(5, 5, debtor=SELLER_WALLET, creditor=STRANGER, minor=7)
        facts.block(6).store()
        keep(session, sums_at(session, 5), block_hash(5), NOW)
        session.execute(
            text("INSERT INTO wallet (address, participant_id, created_at)"
                 " SELECT :stranger, participant_id, 0 FROM wallet LIMIT 1"),
            {"stranger": STRANGER},
        )  # fmt: skip
        found = sums_at(session, 6)

    assert found.at[TOKEN, STRANGER] == InAndOut(received=7, paid=0)
