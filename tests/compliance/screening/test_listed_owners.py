"""Shares of listed owners, added up and passed on."""

from collections.abc import Sequence

import pytest

from settlement.clock import to_micros
from settlement.compliance import screening
from settlement.compliance.screening import deciding, records
from settlement.compliance.screening.exposure import exposures
from settlement.compliance.screening.records import HitFilter
from settlement.store import transaction
from settlement.store.bulk import insert_rows
from tests.builders.rail import Rail
from tests.builders.three_companies import COMPANIES
from tests.compliance.screening.desk import clear, listed, load


def _owners(
    rail: Rail, shares: Sequence[tuple[str, int]], role: str = "owner", of: str = ""
) -> None:
    """Give the buyer owners or controllers: natural persons of these names and shares."""
    at = to_micros(rail.now)
    owned = of or rail.companies.buyer
    with transaction(rail.engine) as session:
        for number, (name, share_bp) in enumerate(shares):
            insert_rows(
                session, "natural_person",
                ("id", "key_id", "name", "country", "salt", "digest", "created_at"),
                [(f"nat_{number}", f"k{number}", name, "AE", "s", "d", at)],
            )  # fmt: skip
            insert_rows(
                session, "participant_owner",
                ("id", "participant_id", "role", "share_bp", "person_id", "live", "created_at"),
                [(f"own_{number}", owned, role, share_bp, f"nat_{number}", True, at)],
            )  # fmt: skip


def _owned(rail: Rail, *made: tuple[str, str, int]) -> None:
    """Let participants own others: the owned, the owner, and its share in hundredths of 1 %."""
    columns = (
        "id", "participant_id", "role", "share_bp", "owner_participant_id", "live", "created_at",
    )  # fmt: skip
    at = to_micros(rail.now)
    with transaction(rail.engine) as session:
        insert_rows(
            session, "participant_owner", columns,
            [(f"own_{owned}_{owner}", owned, "owner", share_bp, owner, True, at)
             for owned, owner, share_bp in made],
        )  # fmt: skip


@pytest.mark.parametrize(("first", "second"), ((2_490, 2_500), (2_500, 2_500), (2_510, 2_500)))
def test_listed_owners_are_added_up_once_they_are_confirmed(
    rail: Rail, first: int, second: int
) -> None:
    _owners(rail, [("Maksim Orlovsky", first), ("Boris Sokolnik", second), ("Ann Lee", 3_000)])
    load(rail, listed("ORLOVSKY, Maksim", "Sokolnik, Boris"))
    buyer = rail.companies.buyer
    with transaction(rail.engine) as session:
        screening.ensure(session, [buyer], ids=rail.ids, now=rail.now)
        before = exposures(session, [buyer])[buyer]
        for hit in records.hits(session, HitFilter("open")):
            deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)
        after = exposures(session, [buyer])[buyer]

    assert len(before.open) == 2 and before.listed_ownership_bp == 0
    assert not any("Orlovsky" in each for each in before.open), "no person's name is copied"
    assert after.listed_ownership_bp == first + second
    assert len(after.owners) == 2 and after.confirmed == ()


def test_what_is_half_owned_by_the_listed_is_listed_itself_through_any_number_of_others(
    rail: Rail,
) -> None:
    buyer, seller, stranger = rail.companies.buyer, rail.companies.seller, rail.sandbox
    third = stranger.participant_ids[2]
    _owners(rail, [("Maksim Orlovsky", 5_000)])
    and_round_again = (buyer, seller, 1_000)
    _owned(rail, (third, buyer, 5_000), (seller, third, 6_000), and_round_again)
    load(rail, listed("ORLOVSKY, Maksim"))
    with transaction(rail.engine) as session:
        screening.ensure(session, [buyer, seller, third], ids=rail.ids, now=rail.now)
        (hit,) = records.hits(session, HitFilter("open"))
        deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)
        found = exposures(session, [buyer, seller, third])

    assert found[third].listed_ownership_bp == 5_000
    assert found[seller].listed_ownership_bp == 6_000
    assert found[buyer].listed_ownership_bp in (5_000, 6_000)


def test_who_controls_without_a_share_is_told_once_it_is_confirmed(
    rail: Rail,
) -> None:
    _owners(rail, [("Maksim Orlovsky", 0), ("Ann Lee", 0)], role="controller")
    load(rail, listed("ORLOVSKY, Maksim"))
    buyer = rail.companies.buyer
    with transaction(rail.engine) as session:
        screening.ensure(session, [buyer], ids=rail.ids, now=rail.now)
        before = exposures(session, [buyer])[buyer]
        (hit,) = records.hits(session, HitFilter("open"))
        deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)
        after = exposures(session, [buyer])[buyer]

    assert before.controllers == () and len(before.open) == 1
    assert after.controllers == ("nat_0, who is on own p0",)
    assert (after.listed_ownership_bp, after.owners, after.confirmed) == (0, (), ())

    load(rail, listed("Nobody Known Here"), name="other")
    with transaction(rail.engine) as session:  # Compared anew: still so.
        screening.ensure(session, [buyer], ids=rail.ids, now=rail.now)
        again = exposures(session, [buyer])[buyer]

    assert again.controllers == after.controllers


def test_below_half_nothing_is_passed_on(rail: Rail) -> None:
    buyer, third = rail.companies.buyer, rail.sandbox.participant_ids[2]
    _owners(rail, [("Maksim Orlovsky", 4_999)])
    _owned(rail, (third, buyer, 10_000))
    load(rail, listed("ORLOVSKY, Maksim"))
    with transaction(rail.engine) as session:
        screening.ensure(session, [buyer, third], ids=rail.ids, now=rail.now)
        (hit,) = records.hits(session, HitFilter("open"))
        deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)
        found = exposures(session, [buyer, third])

    assert found[buyer].listed_ownership_bp == 4_999
    assert found[third].listed_ownership_bp == 0


def test_an_owner_s_new_owner_counts_at_the_next_payment_of_what_it_owns(rail: Rail) -> None:
    seller, buyer, third = rail.sandbox.participant_ids
    _owned(rail, (buyer, seller, 10_000))
    load(rail, listed(COMPANIES[2].name))
    with transaction(rail.engine) as session:
        screening.ensure(session, [seller, buyer, third], ids=rail.ids, now=rail.now)
        for hit in records.hits(session, HitFilter("open")):
            deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)
        before = exposures(session, [buyer])[buyer]
    _owned(rail, (seller, third, 6_000))

    with transaction(rail.engine) as session:  # The buyer alone pays: its owner is no party.
        screening.ensure(session, [buyer], ids=rail.ids, now=rail.now)
        after = exposures(session, [buyer, seller])

    assert before.listed_ownership_bp == 0
    assert (after[seller].listed_ownership_bp, after[buyer].listed_ownership_bp) == (6_000, 10_000)


def test_who_owns_and_controls_counts_with_one_share(rail: Rail) -> None:
    buyer = rail.companies.buyer
    _owners(rail, [("Maksim Orlovsky", 3_000)])
    with transaction(rail.engine) as session:
        insert_rows(
            session, "participant_owner",
            ("id", "participant_id", "role", "share_bp", "person_id", "live", "created_at"),
            [("own_z", buyer, "controller", 3_000, "nat_0", True, to_micros(rail.now))],
        )  # fmt: skip
    load(rail, listed("ORLOVSKY, Maksim"))
    with transaction(rail.engine) as session:
        screening.ensure(session, [buyer], ids=rail.ids, now=rail.now)
        for hit in records.hits(session, HitFilter("open")):
            deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)
        found = exposures(session, [buyer])[buyer]

    assert (found.listed_ownership_bp, len(found.owners), len(found.controllers)) == (3_000, 1, 1)


def test_a_payment_waits_while_a_hit_on_an_owner_that_takes_part_is_open(rail: Rail) -> None:
    third = rail.sandbox.participant_ids[2]
    _owned(rail, (rail.companies.buyer, third, 5_000))
    load(rail, listed(COMPANIES[2].name))
    (key,) = rail.instructed()
    worker = rail.worker()
    rail.run_until(worker, lambda: rail.state(key) == "HELD")
    for _ in range(10):
        rail.round(worker)
    moves = rail.one("SELECT COUNT(*) FROM settlement_event")
    assert rail.state(key) == "HELD"

    clear(rail)

    assert moves == 2, "it is not let go and held again"
    rail.run_until(worker, lambda: rail.state(key) == "SETTLED")


def test_what_was_cleared_of_whom_a_listed_one_owns_is_not_signed_any_more(rail: Rail) -> None:
    third = rail.sandbox.participant_ids[2]
    _owned(rail, (rail.companies.buyer, third, 5_000))
    load(rail, listed("Nobody Known Here"))
    (key,) = rail.instructed()
    worker = rail.worker()
    rail.tick(worker)
    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 1
    load(rail, listed("Nobody Known Here", COMPANIES[2].name), name="other")
    with transaction(rail.engine) as session:  # The owner is no party: compared in its turn.
        screening.ensure(session, [third], ids=rail.ids, now=rail.now)
        for hit in records.hits(session, HitFilter("open")):
            deciding.confirm(session, hit.id, reason="it is", actor="c:per_1", now=rail.now)

    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 0
    rail.run_until(worker, lambda: rail.state(key) == "REJECTED")
    assert rail.paid_logs() == []


def _one_more(rail: Rail) -> str:
    """One who takes part like the third company, and is no party to any payment."""
    key = "par_" + "4" * 32
    with transaction(rail.engine) as session:
        insert_rows(
            session, "participant",
            ("id", "lei", "name", "country", "street", "post_code", "town", "state", "created_at"),
            [(key, "LEI4", "Middle Holding", "AE", "", "", "Dubai", "active",
              to_micros(rail.now))],
        )  # fmt: skip
    return key


@pytest.mark.parametrize(("share_bp", "held"), ((5_000, True), (4_999, False)))
def test_a_payment_waits_while_a_hit_on_whoever_owns_its_owner_is_open(
    rail: Rail, share_bp: int, held: bool
) -> None:
    third, middle = rail.sandbox.participant_ids[2], _one_more(rail)
    _owned(rail, (rail.companies.buyer, middle, 6_000), (middle, third, share_bp))
    load(rail, listed(COMPANIES[2].name))
    (key,) = rail.instructed()
    worker = rail.worker()
    for _ in range(10):
        rail.round(worker)
    assert (rail.state(key) == "HELD") is held
    if held:
        assert rail.one("SELECT COUNT(*) FROM settlement_event") == 2, "not let go and held again"

        clear(rail)

    rail.run_until(worker, lambda: rail.state(key) == "SETTLED")


@pytest.mark.parametrize("side", ("buyer", "seller"))
def test_what_was_cleared_is_not_signed_once_a_party_s_new_owner_is_hit(
    rail: Rail, side: str
) -> None:
    party = getattr(rail.companies, side)
    load(rail, listed("ORLOVSKY, Maksim"))
    (key,) = rail.instructed()
    worker = rail.worker()
    rail.tick(worker)
    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 1
    _owners(rail, [("Maksim Orlovsky", 2_000)], of=party)

    with transaction(rail.engine) as session:
        screening.ensure(session, [party], ids=rail.ids, now=rail.now)

    rail.run_until(worker, lambda: rail.state(key) in ("HELD", "SETTLED"))
    assert rail.state(key) == "HELD"
    assert rail.paid_logs() == []


def test_a_new_version_stops_at_once_what_the_newly_listed_owns_through_others(rail: Rail) -> None:
    seller, buyer, third = rail.sandbox.participant_ids
    _owned(rail, (buyer, seller, 6_000), (seller, third, 6_000))
    load(rail, listed("Nobody Known Here"))
    (key,) = rail.instructed()
    worker = rail.worker()
    rail.tick(worker)
    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 1

    stopped = load(rail, listed("Nobody Known Here", COMPANIES[2].name))

    assert stopped.settlements == (key,) and stopped.counts.against == {third}
    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 0
    rail.run_until(worker, lambda: rail.state(key) == "HELD")
    clear(rail)
    rail.run_until(worker, lambda: rail.state(key) == "SETTLED")
