"""However many write at once, there is one trail, without a gap or a fork."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from sqlalchemy import Engine

from settlement import audit, store
from settlement.audit import Act, AuditFilter
from tests.builders.processes import forking

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PROCESSES, ROUNDS = 4, 25


def write(url: str, number: int) -> None:
    """Record, again and again, a few acts a database transaction."""
    engine = store.open_engine(url)
    for turn in range(ROUNDS):
        with store.transaction(engine) as session:
            for part in range(3):
                act = Act(f"stk_{number}", "treasury", "test", (f"sub_{number}_{turn}_{part}",))
                audit.record(session, act, NOW)
    engine.dispose()


def test_four_processes_write_one_chain(engine: Engine, database_url: str) -> None:
    context = forking()
    writers = [
        context.Process(target=write, args=(database_url, number)) for number in range(PROCESSES)
    ]
    for each in writers:
        each.start()
    for each in writers:
        each.join(120)

    with store.reading(engine) as session:
        found = list(audit.every(session, AuditFilter()))
        head = audit.head(session)

    assert [each.exitcode for each in writers] == [0] * PROCESSES
    assert [each.seq for each in found] == list(range(1, PROCESSES * ROUNDS * 3 + 1))
    assert all(after.prev_hash == before.hash for before, after in pairwise(found))
    assert head == (len(found), found[-1].hash)
    assert len({each.subjects for each in found}) == len(found)


def test_what_an_act_changed_is_kept_with_it(engine: Engine) -> None:
    with store.transaction(engine) as session:
        audit.changed(
            session, "par_1", before={"name": "A", "state": "x"}, after={"name": "B", "state": "x"}
        )
        audit.record(session, Act("per_anna", "admin", "rename", ("par_1",)), NOW)

    with store.reading(engine) as session:
        (event,) = audit.every(session, AuditFilter(hand="per_anna"))

    assert event.changes == '{"par_1":{"name":["A","B"]}}'


def test_pages_go_by_what_is_asked(engine: Engine) -> None:
    with store.transaction(engine) as session:
        for number in range(5):
            hand = "per_anna" if number % 2 else "per_ben"
            audit.record(session, Act(hand, "admin", f"act {number}", ("a", f"s{number}")), NOW)

    with store.reading(engine) as session:
        newest = audit.page(session, AuditFilter(subject="a"), limit=2)
        older = audit.page(session, AuditFilter(subject="a"), limit=2, before_seq=newest[-1].seq)
        annas = audit.page(session, AuditFilter(hand="per_anna"), limit=9)
        acts = audit.page(session, AuditFilter(act="act 3"), limit=9)

    assert [each.seq for each in newest + older] == [5, 4, 3, 2]
    assert [each.seq for each in annas] == [4, 2]
    assert [each.seq for each in acts] == [4]


@pytest.mark.parametrize("place", [0, 1])
def test_a_rolled_back_part_takes_its_acts_with_it(engine: Engine, place: int) -> None:
    with store.transaction(engine) as session:
        if place:
            audit.record(session, Act("per_anna", "admin", "kept"), NOW)
        mark = audit.mark(session)
        audit.record(session, Act("per_anna", "admin", "gone"), NOW)
        audit.back_to(session, mark)

    with store.reading(engine) as session:
        assert len(list(audit.every(session, AuditFilter()))) == place
