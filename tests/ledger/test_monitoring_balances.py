"""Monitors: a balance that leaves its bounds is said once, and once more when it is back."""

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement import ledger
from settlement.clock import counted_ids
from settlement.errors import Invalid, NotFound
from settlement.ledger import Entry, entries, monitors
from settlement.store import reading, transaction
from tests.builders.ledger import BUYER, NOW, OPERATOR, SELLER, a_source, an_acceptance

OWED, OTHER = f"receivable:{SELLER}:USD", f"receivable:{BUYER}:USD"
IDS = counted_ids()


def a_monitor(
    session: Session, pattern: str = OWED, *, lower: int | None = None, upper: int | None = 1500
) -> str:
    made = monitors.watch(
        session,
        pattern,
        name="claims",
        lower_minor=lower,
        upper_minor=upper,
        actor="treasury:x",
        ids=IDS,
        now=NOW,
    )
    return made.id


def looked(engine: Engine, *made: Entry) -> list[tuple[str, str, int]]:
    """Post, look, and look again: the second time there is nothing to say."""
    with transaction(engine) as session:
        ledger.post(session, made, NOW)
        crossed = monitors.check(session, NOW)
        assert monitors.check(session, NOW) == []
    return [(each.code, each.side, each.balance_minor) for each in crossed]


def test_a_balance_that_leaves_its_bounds_is_said_once_and_when_it_is_back(engine: Engine) -> None:
    with transaction(engine) as session:
        monitor = a_monitor(session)

    assert looked(engine, an_acceptance("inv_1", 1500)) == []
    assert looked(engine, an_acceptance("inv_2", 1)) == [(OWED, "above", 1501)]
    assert looked(engine, an_acceptance("inv_3", 1)) == []
    with reading(engine) as session:
        assert [each.balance_minor for each in monitors.outside(session, monitor)] == [1501]
    with transaction(engine) as session:
        ledger.reverse(session, [1], NOW, "cancelled")
    assert looked(engine) == [(OWED, "within", 2)]
    with reading(engine) as session:
        assert monitors.outside(session, monitor) == []
        events = session.execute(text("SELECT kind, aggregate_id FROM outbox ORDER BY seq"))
        assert [tuple(row) for row in events] == [
            ("monitor.above", monitor),
            ("monitor.within", monitor),
        ]


def test_what_breaks_the_bounds_already_is_said_at_the_first_look(engine: Engine) -> None:
    with transaction(engine) as session:
        ledger.post(session, [an_acceptance("inv_1", 1600)], NOW)
        a_monitor(session)

    assert looked(engine) == [(OWED, "above", 1600)]


def test_a_lower_bound_is_kept_by_every_account_of_a_pattern(engine: Engine) -> None:
    with transaction(engine) as session:
        a_monitor(session, "payable:*:USD", lower=-1000, upper=None)

    assert looked(engine, an_acceptance("inv_1", 999)) == []
    assert looked(engine, an_acceptance("inv_2", 1)) == []
    assert looked(engine, an_acceptance("inv_3", 1)) == [(f"payable:{BUYER}:USD", "below", -1001)]


def test_a_pattern_means_its_other_characters_as_they_are(engine: Engine) -> None:
    with transaction(engine) as session:
        a_monitor(session, "receivable:par_sell*", upper=0)
        a_monitor(session, "receivable:par.sell*", upper=0)
        a_monitor(session, "receivable:paraseller*", upper=0)
        a_monitor(session, "RECEIVABLE:*".lower().replace("par", "PAR"), upper=0)

    crossed = looked(engine, an_acceptance("inv_1", 5))

    assert [code for code, _side, _minor in crossed] == [OWED, OWED]


def test_sums_of_wei_beyond_63_bits_are_kept(engine: Engine) -> None:
    coin = f"coin:{OPERATOR}:WEI"
    with transaction(engine) as session:
        monitor = a_monitor(session, coin, upper=10**18)

    found = looked(engine, entries.funding(OPERATOR, 10**20 + 7, a_source(), ""))

    assert found == [(coin, "above", 10**20 + 7)]
    with reading(engine) as session:
        assert monitors.outside(session, monitor)[0].balance_minor == 10**20 + 7


def test_a_retired_monitor_says_nothing(engine: Engine) -> None:
    with transaction(engine) as session:
        monitor = a_monitor(session)
        assert monitors.retire(session, monitor, now=NOW).retired_at is not None

    assert looked(engine, an_acceptance("inv_1", 9999)) == []
    with pytest.raises(NotFound), transaction(engine) as session:
        monitors.retire(session, monitor, now=NOW)


@pytest.mark.parametrize(
    ("pattern", "lower", "upper"),
    [
        (OWED, None, None),
        (OWED, 2, 1),
        (OWED, None, 2**63),
        ("nothing:x:USD", 0, None),
        ("", 0, None),
        ("wallet:[ab]*", 0, None),
        ("wallet:%", 0, None),
    ],
)
def test_a_monitor_without_sense_is_refused(
    sqlite_url: str, pattern: str, lower: int | None, upper: int | None
) -> None:
    from settlement.store import open_engine

    opened = open_engine(sqlite_url)
    with pytest.raises(Invalid), transaction(opened) as session:
        a_monitor(session, pattern, lower=lower, upper=upper)
    opened.dispose()
