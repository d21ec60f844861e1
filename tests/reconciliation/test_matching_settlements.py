"""Matching: settlement, log pair and entry that agree are one match; all else has its reason."""

import pytest
from sqlalchemy import Engine

from settlement import reconciliation
from settlement.store import transaction
from tests.builders.chain_facts import STRANGER, ZERO, Facts, add_settlement, seed_world
from tests.builders.ledger import BUYER_WALLET, NOW, SELLER_WALLET, block_hash
from tests.builders.reconciled import (
    book,
    change,
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


def test_what_agrees_is_matched_once(paid: Engine) -> None:
    first = match(paid)
    second = match(paid)

    assert (first.matched, first.opened, second.matched) == (2, 0, 0)
    assert live_matches(paid) == [("stl_1", block_hash(10), 1, 1), ("stl_2", block_hash(10), 3, 2)]
    assert open_breaks(paid) == set()


def test_a_settled_settlement_is_matched_as_a_booked_one(paid: Engine) -> None:
    set_state(paid, 1, "SETTLED")

    assert match(paid, final=FINAL).matched == 2


def test_what_is_final_and_matched_is_not_looked_at_again(paid: Engine) -> None:
    first = match(paid, final=FINAL)
    change(paid, "DELETE FROM settlement_match WHERE settlement_id = 'stl_1'")

    again = match(paid, final=FINAL)

    assert (first.through, first.matched, again.matched, again.opened) == (FINAL, 2, 0, 0)


def test_what_is_still_under_way_is_no_break(engine: Engine) -> None:
    states = ("INSTRUCTED", "HELD", "CLEARED", "CLAIMED", "SUBMITTED", "CONFIRMING", "CANCELLED")
    with transaction(engine) as session:
        seed_world(session)
        for number, state in enumerate(states, 1):
            add_settlement(session, number, state=state)
        facts = Facts(session).block(HEAD)
        facts.receipt(20, 1, depth=6)
        facts.payment(20, 1, 6)
        facts.store()
        seen(session, 6, block=20, tx=1)
    book(engine)

    found = match(engine, final=FINAL)

    assert (found.matched, found.opened) == (0, 0)
    assert open_breaks(engine) == set()


PLANTED: dict[str, tuple[str, str, str]] = {
    "no log": (
        "DELETE FROM chain_log WHERE name = 'Settled' AND sequence = 1",
        "missing_on_chain",
        "no canonical Settled log",
    ),
    "log of another branch": (
        "UPDATE block SET canonical = false WHERE number = 10",
        "missing_on_chain",
        "no canonical Settled log",
    ),
    "log of another rail": (
        "UPDATE chain_log SET address = '0x00' WHERE name = 'Settled' AND sequence = 1",
        "missing_on_chain",
        "no canonical Settled log",
    ),
    "no transfer": (
        "UPDATE chain_log SET pair_index = NULL WHERE name = 'Settled' AND sequence = 1",
        "unpaired",
        "no exact Transfer",
    ),
    "no entry": (
        "UPDATE journal_entry SET settlement_id = NULL WHERE settlement_id = 'stl_1'",
        "missing_in_ledger",
        "booked without an entry",
    ),
    "entry of another log": (
        "UPDATE journal_entry SET source_key = source_key || '9' WHERE settlement_id = 'stl_1'",
        "missing_in_ledger",
        "was made from",
    ),
    "amount in the log": (
        "UPDATE chain_log SET amount_minor = 11 WHERE name = 'Settled' AND sequence = 1",
        "amount",
        "amount_minor is 11, instructed was 12000000",
    ),
    "amount in the entry": (
        "UPDATE posting SET amount_minor = amount_minor * 2 WHERE entry_seq = 1",
        "amount",
        "entry 1 amount_minor is 24000000",
    ),
    "one wallet in the entry": (
        "UPDATE posting SET amount_minor = amount_minor + 1 WHERE entry_seq = 1 AND line = 0",
        "amount",
        "does not move one amount",
    ),
    "amount instructed": (
        "UPDATE settlement SET amount_minor = 11 WHERE id = 'stl_1'",
        "amount",
        "instructed was 11",
    ),
    "payee": (
        f"UPDATE chain_log SET creditor = '{STRANGER}' WHERE name = 'Settled' AND sequence = 1",
        "payee",
        f"creditor is {STRANGER}, instructed was {SELLER_WALLET}",
    ),
    "payee in the entry": (
        "UPDATE posting SET amount_minor = -amount_minor WHERE entry_seq = 1",
        "payee",
        f"creditor is {BUYER_WALLET}",
    ),
    "sequence": (
        "UPDATE settlement SET sequence = 77 WHERE id = 'stl_1'",
        "payee",
        "sequence is 1, instructed was 77",
    ),
    "amount of the transfer itself": (
        "UPDATE chain_log SET amount_minor = 11 WHERE name = 'Transfer' AND log_index = 0",
        "unmatched",
        "were not matched",
    ),
    "payee of the transfer itself": (
        "UPDATE chain_log SET creditor = '0x00' WHERE name = 'Transfer' AND log_index = 0",
        "unmatched",
        "were not matched",
    ),
}


@pytest.mark.parametrize("state", ["BOOKED", "SETTLED"])
@pytest.mark.parametrize("planted", PLANTED)
def test_what_does_not_agree_is_a_break_with_its_reason(
    paid: Engine, planted: str, state: str
) -> None:
    statement, kind, reason = PLANTED[planted]
    set_state(paid, 1, state)
    change(paid, statement)

    found = match(paid, final=FINAL)
    again = match(paid, final=FINAL)

    about = {(k, s) for k, s in open_breaks(paid) if s == "stl_1"}
    assert about == {(kind, "stl_1")}
    assert reason in reason_of(paid, "stl_1")
    assert "stl_1" not in {match[0] for match in live_matches(paid)}
    assert found.opened >= 1
    assert (again.opened, again.closed, again.matched) == (0, 0, 0)


@pytest.mark.parametrize("is_paired", [True, False])
def test_a_second_log_under_one_reference_is_a_duplicate(paid: Engine, is_paired: bool) -> None:
    with transaction(paid) as session:
        facts = Facts(session)
        moved, settled = facts.payment(11, 5, 1)
        if not is_paired:
            moved.pair_index = settled.pair_index = None
        facts.blocks.clear()
        facts.store()
    book(paid)

    match(paid, final=FINAL)

    assert ("duplicate", "stl_1") in open_breaks(paid)
    assert [found[0] for found in live_matches(paid)] == ["stl_2"]


def test_a_second_entry_for_one_settlement_is_a_duplicate(paid: Engine) -> None:
    change(paid, "UPDATE journal_entry SET settlement_id = 'stl_1'")

    match(paid)

    assert open_breaks(paid) == {("duplicate", "stl_1"), ("missing_in_ledger", "stl_2")}


@pytest.mark.parametrize("state", ["CANCELLED", "SUBMITTED", "NEEDS_REVIEW", "INSTRUCTED"])
def test_paid_for_good_and_not_booked_is_a_break_once_it_is_final(paid: Engine, state: str) -> None:
    set_state(paid, 1, state)

    before = match(paid, final=9)
    assert (before.matched, before.opened) == (1, 0)
    match(paid, final=10)

    assert open_breaks(paid) == {("not_booked", "stl_1")}
    assert f"the settlement is {state}" in reason_of(paid, "stl_1")


def test_an_entry_without_a_log_is_a_break_whatever_the_settlement_says(paid: Engine) -> None:
    set_state(paid, 1, "CANCELLED")
    change(paid, "DELETE FROM chain_log WHERE sequence = 1")

    match(paid, final=FINAL)

    assert open_breaks(paid) == {("missing_on_chain", "stl_1")}


def test_a_break_closes_by_itself_when_the_sides_agree(paid: Engine) -> None:
    set_state(paid, 1, "SUBMITTED")
    match(paid, final=FINAL)
    assert open_breaks(paid) == {("not_booked", "stl_1")}

    set_state(paid, 1, "SETTLED")
    healed = match(paid, final=FINAL)

    assert (healed.matched, healed.closed, healed.opened) == (1, 1, 0)
    assert open_breaks(paid) == set()
    assert closed_breaks(paid) == {("not_booked", "stl_1", "the sides agree")}


def test_a_break_that_turns_into_another_kind_is_closed_and_opened(paid: Engine) -> None:
    set_state(paid, 1, "SUBMITTED")
    match(paid, final=FINAL)

    change(paid, "UPDATE settlement SET amount_minor = 7 WHERE id = 'stl_1'")
    match(paid, final=FINAL)

    assert open_breaks(paid) == {("amount", "stl_1")}
    assert closed_breaks(paid) == {("not_booked", "stl_1", "it is another kind of break now")}


def test_the_mark_stays_below_what_is_not_booked_yet(paid: Engine) -> None:
    with transaction(paid) as session:
        facts = Facts(session)
        facts.receipt(9, 7, depth=99)
        facts.transfer(9, 7, debtor=ZERO, creditor=SELLER_WALLET, minor=1)
        facts.store()

    assert match(paid, final=FINAL).through == 8


def test_nothing_is_matched_before_the_watcher_has_begun(engine: Engine) -> None:
    with transaction(engine) as session:
        found = reconciliation.match(session, NOW)

    assert (found.matched, found.opened) == (0, 0)
