"""Rounds over everybody, and the versions of lists that begin them."""

import pytest

from settlement.compliance import lists, screening
from settlement.compliance.screening import rounds
from settlement.compliance.screening.together import compare_everybody
from settlement.store import transaction
from tests.builders.rail import Rail
from tests.builders.three_companies import COMPANIES
from tests.compliance.screening.desk import hits, listed, load

STRANGER = COMPANIES[2].name


def test_a_round_goes_on_where_it_was_killed_and_is_logged(rail: Rail) -> None:
    load(rail, listed(STRANGER))
    for _ in range(2):
        with transaction(rail.engine) as session:
            assert rounds.step(session, ids=rail.ids, now=rail.now, limit=1)
    with pytest.raises(KeyboardInterrupt), transaction(rail.engine) as session:
        rounds.step(session, ids=rail.ids, now=rail.now, limit=1)
        raise KeyboardInterrupt  # Killed before its commit.
    row = rail.rows("SELECT state, compared, found FROM screening_run WHERE kind = 'all'")
    assert [tuple(each) for each in row] == [("running", 2, 0)]

    more = True
    while more:
        with transaction(rail.engine) as session:
            more = rounds.step(session, ids=rail.ids, now=rail.now, limit=1)

    row = rail.rows("SELECT state, compared, found FROM screening_run WHERE kind = 'all'")
    assert [tuple(each) for each in row] == [("done", 3, 2)], "it and its own holding"
    assert [each.participant_id for each in hits(rail)] == [rail.sandbox.participant_ids[2]]


def test_a_round_that_other_lists_overtake_begins_anew(rail: Rail) -> None:
    load(rail, listed("Nobody Known Here"))
    load(rail, listed("Nobody Known Here"), name="second")

    states = [row[0] for row in rail.rows("SELECT state FROM screening_run WHERE kind = 'all'")]
    assert sorted(states) == ["overtaken", "running"]


def test_a_version_writes_what_it_changes_and_keeps_the_old_one(rail: Rail) -> None:
    first = load(rail, listed("Alpha One Trading", "Beta Two Trading")).loaded
    second = load(rail, listed("Alpha One Trading", "Gamma Three Trading")).loaded

    assert (second.added, second.changed, second.removed) == ((), ("p1",), ())
    kept = rail.rows("SELECT entry_key, version_id, ended_by FROM list_party ORDER BY id")
    assert [tuple(row) for row in kept] == [
        ("p0", first.version_id, None),
        ("p1", first.version_id, second.version_id),
        ("p1", second.version_id, None),
    ]
    again = load(rail, listed("Alpha One Trading", "Gamma Three Trading")).loaded
    assert (again.is_new, again.version_id) == (False, second.version_id)


def test_a_file_that_lacks_much_of_what_is_in_force_is_asked_about(rail: Rail) -> None:
    many = [f"Name Number{n}" for n in range(200)]
    load(rail, listed(*many))

    with pytest.raises(lists.ListShrinks):
        load(rail, listed(*many[:150]))
    with transaction(rail.engine) as session:
        found = screening.put_in_force(
            session, name="own", content=listed(*many[:150]), ids=rail.ids, now=rail.now,
            accept_shrinking=True,
        )  # fmt: skip
    assert len(found.loaded.removed) == 50


def test_several_processes_find_what_one_finds(rail: Rail) -> None:
    load(rail, listed(STRANGER, "Nobody Known Here"))

    counts = compare_everybody(rail.engine, processes=2, actor="cli", ids=rail.ids, now=rail.now)

    assert (counts.compared, [each.entry_text for each in hits(rail)]) == (3, [STRANGER])
    row = rail.rows("SELECT state, compared FROM screening_run WHERE kind = 'all' ORDER BY id")
    assert [tuple(each) for each in row] == [("overtaken", 0), ("done", 3)]
