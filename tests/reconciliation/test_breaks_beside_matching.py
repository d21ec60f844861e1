"""What nobody instructed, what was rejected, what a reorg took: breaks beside matching."""

import pytest
from sqlalchemy import Engine, text

from settlement.chain.rail_abi import Rejection
from settlement.settlements import booking
from settlement.store import transaction
from tests.builders.chain_facts import STRANGER, ZERO, Facts, add_settlement, reference, seed_world
from tests.builders.ledger import BUYER, BUYER_WALLET, NOW, SELLER, SELLER_WALLET, block_hash
from tests.builders.reconciled import (
    book,
    closed_breaks,
    live_matches,
    match,
    open_breaks,
    reason_of,
    seen,
    set_state,
)

HEAD, FINAL = 22, 11


@pytest.fixture
def paid(engine: Engine) -> Engine:
    """`stl_1`, `stl_2` paid in block 10, booked; the head is 22, block 11 final."""
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session).block(HEAD).block(FINAL)
        for number in (1, 2):
            add_settlement(session, number)
            facts.payment(10, 1, number)
        facts.store()
        for number in (1, 2):
            seen(session, number, block=10, tx=1, log_index=2 * number - 1)
    book(engine)
    return engine


def test_a_settled_log_that_no_settlement_knows_is_a_break_until_one_does(paid: Engine) -> None:
    with transaction(paid) as session:
        facts = Facts(session)
        facts.block(12)
        _moved, settled = facts.payment(12, 9, 33)
        facts.store()
    book(paid)
    subject = f"log:{block_hash(12)}:{settled.log_index}"

    match(paid)
    first = open_breaks(paid)
    with transaction(paid) as session:
        add_settlement(session, 33)
    match(paid)

    assert first == {("unknown_settlement", subject)}
    assert reference(33) in reason_of(paid, subject)
    assert closed_breaks(paid) == {
        ("unknown_settlement", subject, "a settlement has its reference")
    }


def test_an_unknown_settlement_is_a_break_when_it_is_booked_and_until_it_is_orphaned(
    paid: Engine,
) -> None:
    with transaction(paid) as session:
        facts = Facts(session)
        facts.receipt(20, 9, depth=6)
        _moved, settled = facts.payment(20, 9, 33)
        facts.store()
    book(paid)
    match(paid)
    before = open_breaks(paid)

    with transaction(paid) as session:
        Facts(session).block(25).store()
    book(paid)
    match(paid)
    is_open = open_breaks(paid)
    with transaction(paid) as session:
        session.execute(text("UPDATE block SET canonical = false WHERE number = 20"))
        booking.reverse(session, NOW)
    match(paid)

    subject = f"log:{block_hash(20)}:{settled.log_index}"
    assert before == set()
    assert is_open == {("unknown_settlement", subject)}
    assert closed_breaks(paid) == {("unknown_settlement", subject, "its block was orphaned")}


@pytest.mark.parametrize(
    ("sides", "kind", "reason"),
    [
        (
            {"debtor": STRANGER, "creditor": SELLER_WALLET},
            "unattributed_deposit",
            f"{SELLER} received 2.500000 TUSD from {STRANGER}",
        ),
        (
            {"debtor": BUYER_WALLET, "creditor": STRANGER},
            "unattributed_withdrawal",
            f"{BUYER} paid 2.500000 TUSD to {STRANGER}",
        ),
        (
            {"debtor": BUYER_WALLET, "creditor": SELLER_WALLET},
            "unattributed_deposit",
            f"{SELLER} received 2.500000 TUSD from {BUYER_WALLET}",
        ),
    ],
)
def test_tokens_that_nobody_instructed_are_a_break_until_their_block_is_orphaned(
    paid: Engine, sides: dict[str, str], kind: str, reason: str
) -> None:
    with transaction(paid) as session:
        facts = Facts(session)
        index = facts.transfer(20, 50, minor=2_500_000, **sides).log_index
        facts.store()
    book(paid)
    subject = f"log:{block_hash(20)}:{index}"

    match(paid)
    match(paid)
    is_open = open_breaks(paid)
    with transaction(paid) as session:
        session.execute(text("UPDATE block SET canonical = false WHERE number = 20"))
        booking.reverse(session, NOW)
    match(paid)

    assert is_open == {(kind, subject)}
    assert reason in reason_of(paid, subject)
    assert closed_breaks(paid) == {(kind, subject, "its block was orphaned")}


def test_mints_and_transfers_of_nothing_are_no_breaks(paid: Engine) -> None:
    with transaction(paid) as session:
        facts = Facts(session)
        facts.transfer(20, 50, debtor=ZERO, creditor=SELLER_WALLET, minor=5)
        facts.transfer(20, 50, debtor=STRANGER, creditor=SELLER_WALLET, minor=0)
        facts.store()
    book(paid)

    match(paid)

    assert open_breaks(paid) == set()


def test_a_rejection_is_a_break_in_words_until_it_is_retried(paid: Engine) -> None:
    with transaction(paid) as session:
        add_settlement(session, 3)
        facts = Facts(session)
        facts.rejection(11, 8, 3, Rejection.TOKEN_REFUSED)
        facts.blocks.clear()
        facts.store()
        seen(session, 3, block=11, tx=8, state="REJECTED", outcome="rejected")
        session.execute(
            text(
                "UPDATE settlement SET outcome_code = 8, reason = 'the token refused the transfer'"
                " WHERE id = 'stl_3'"
            )
        )

    match(paid, final=FINAL)
    is_open = open_breaks(paid)
    set_state(paid, 3, "INSTRUCTED")
    match(paid, final=FINAL)

    assert is_open == {("rejected", "stl_3")}
    assert reason_of(paid, "stl_3") == "the token refused the transfer (code 8)"
    assert closed_breaks(paid) == {("rejected", "stl_3", "it is retried")}


def test_a_settlement_refused_by_the_policy_is_no_break(paid: Engine) -> None:
    with transaction(paid) as session:
        add_settlement(session, 3, state="REJECTED")

    assert match(paid, final=FINAL).opened == 0


def test_a_payment_lost_to_a_reorg_is_a_break_until_it_comes_back(paid: Engine) -> None:
    match(paid, final=9)
    with transaction(paid) as session:
        session.execute(text("UPDATE block SET canonical = false WHERE number >= 10"))
        session.execute(text("UPDATE settlement SET state = 'SUBMITTED', block_number = NULL"))
        booking.reverse(session, NOW)
        Facts(session, branch=1).block(10).block(11).store()
    after_reorg = match(paid, final=9)
    first_open, first_live = open_breaks(paid), live_matches(paid)

    with transaction(paid) as session:
        facts = Facts(session, branch=1)
        facts.payment(12, 1, 1)
        facts.store()
        seen(session, 1, block=12, tx=1, branch=1)
    book(paid)
    came_back = match(paid, final=9)

    assert (after_reorg.matched, after_reorg.opened) == (0, 2)
    assert first_open == {("reorged", "stl_1"), ("reorged", "stl_2")}
    assert first_live == []
    assert "thrown out by a reorg" in reason_of(paid, "stl_1")
    assert (came_back.matched, came_back.closed) == (1, 1)
    assert open_breaks(paid) == {("reorged", "stl_2")}
    assert [found[:2] for found in live_matches(paid)] == [("stl_1", block_hash(12, 1))]


@pytest.mark.parametrize("end", ["REJECTED", "CANCELLED"])
def test_a_payment_lost_to_a_reorg_is_no_break_once_its_settlement_has_ended(
    paid: Engine, end: str
) -> None:
    match(paid, final=9)
    with transaction(paid) as session:
        session.execute(text("UPDATE block SET canonical = false WHERE number >= 10"))
        session.execute(text("UPDATE settlement SET state = 'SUBMITTED', block_number = NULL"))
        booking.reverse(session, NOW)
        Facts(session, branch=1).block(11).store()
    match(paid, final=9)

    set_state(paid, 1, end)
    match(paid, final=9)

    assert open_breaks(paid) == {("reorged", "stl_2")}
