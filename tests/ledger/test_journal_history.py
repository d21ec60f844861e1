"""History: the database refuses changes; the chain of hashes names a change made all the same."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from settlement import ledger
from settlement.ledger.journal import entry_hash
from settlement.store import open_engine, reading, transaction
from tests.builders.ledger import (
    BUYER_WALLET,
    NOW,
    TOKEN,
    a_payment,
    a_reservation,
    a_source,
    an_acceptance,
    seed_parties,
    tx_hash,
)

TRIGGERS = {
    "sqlite": [f"{t}_no_{a}" for t in ("journal_entry", "posting") for a in ("update", "delete")],
    "postgresql": ["journal_entry_append_only", "posting_append_only"],
}


@pytest.fixture
def written(engine: Engine) -> Engine:
    """A journal of five entries."""
    with transaction(engine) as session:
        seed_parties(session)
        ledger.post(session, [an_acceptance("inv_1", 1200), an_acceptance("inv_2", 3400)], NOW)
        ledger.reserve(session, [a_reservation(1, 12_000_000)], NOW)
        release = ledger.releases(session, ["stl_1"])["stl_1"]
        ledger.post(session, [a_payment(1, 12_000_000, release=release)], NOW)
        ledger.post(session, [ledger.entries.gas("0x" + "0e" * 20, 7, a_source())], NOW)
    return engine


@pytest.mark.parametrize("table", ["journal_entry", "posting"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "DELETE FROM {} WHERE 1 = 1"]
)
def test_the_database_refuses_to_change_what_was_posted(
    written: Engine, table: str, statement: str
) -> None:
    column = {"journal_entry": "reason", "posting": "amount_minor"}[table]
    with pytest.raises(DBAPIError, match="append-only"), transaction(written) as session:
        session.execute(text(statement.format(table, column, column)))

    with reading(written) as session:
        assert ledger.verify_chain(session).head.seq == 5


EDITS = [
    ("UPDATE posting SET amount_minor = amount_minor + 1 WHERE entry_seq = 2 AND line = 0", 2),
    (
        "UPDATE posting SET amount_minor = 2 * amount_minor WHERE entry_seq = 4",
        4,
    ),
    ("UPDATE posting SET phase = 'posted' WHERE entry_seq = 3", 3),
    ("UPDATE posting SET account_id = 1 WHERE entry_seq = 4 AND line = 3", 4),
    ("UPDATE posting SET line = 9 WHERE entry_seq = 1 AND line = 3", 1),
    ("DELETE FROM posting WHERE entry_seq = 3", 3),
    ("UPDATE account SET code = 'wallet:0xee:TUSD' WHERE code LIKE 'wallet:%b2:TUSD'", 3),
    ("UPDATE account SET unit = 'TEUR' WHERE code LIKE 'wallet:%b2:TUSD'", 3),
    ("UPDATE account SET unit = 'TEUR' WHERE unit = 'TUSD'", 3),
    ("UPDATE journal_entry SET booked_at = booked_at + 1 WHERE seq = 5", 5),
    ("UPDATE journal_entry SET settlement_id = 'stl_2' WHERE seq = 4", 4),
    ("UPDATE journal_entry SET reason = '' WHERE seq = 1", 1),
    ("UPDATE journal_entry SET block_hash = '0x00' WHERE seq = 4", 4),
    ("UPDATE journal_entry SET prev_hash = hash WHERE seq = 2", 2),
    ("UPDATE journal_entry SET hash = prev_hash WHERE seq = 2", 2),
    ("DELETE FROM posting WHERE entry_seq = 2; DELETE FROM journal_entry WHERE seq = 2", 3),
]


@pytest.mark.parametrize(("edit", "named"), EDITS)
def test_an_edited_row_is_named(written: Engine, edit: str, named: int) -> None:
    _edit(written, edit)

    with reading(written) as session:
        verdict = ledger.verify_chain(session)

    assert not verdict.holds
    assert verdict.bad is not None
    assert verdict.bad.seq == named
    assert verdict.head.seq == named - 1 - edit.startswith(
        "DELETE FROM posting WHERE entry_seq = 2"
    )


def test_an_entry_out_of_balance_is_named_even_when_its_hash_is_right(written: Engine) -> None:
    lines = [(f"wallet:{BUYER_WALLET}:TUSD", "posted", 5)]
    with transaction(written) as session:
        head = ledger.head(session)
        entry = an_acceptance()._replace(source_key="forged", lines=())
        digest = entry_hash(head.hash, 6, entry, 0, lines)
        session.execute(
            text(
                "INSERT INTO journal_entry (seq, kind, source_key, invoice_id, value_date,"
                " booked_at, prev_hash, hash)"
                " VALUES (6, :kind, 'forged', :invoice, :day, 0, :prev, :hash)"
            ),
            {
                "kind": entry.kind,
                "invoice": entry.invoice_id,
                "day": entry.value_date,
                "prev": head.hash,
                "hash": digest,
            },
        )
        session.execute(
            text(
                "INSERT INTO posting (entry_seq, line, account_id, phase, amount_minor)"
                " SELECT 6, 0, id, 'posted', 5 FROM account WHERE code = :code"
            ),
            {"code": lines[0][0]},
        )

    with reading(written) as session:
        bad = ledger.verify_chain(session).bad

    assert bad is not None
    assert (bad.seq, bad.reason) == (6, "it does not sum to zero in each unit and phase")


def test_a_missing_entry_is_named_as_missing(written: Engine) -> None:
    _edit(
        written, "DELETE FROM posting WHERE entry_seq = 2; DELETE FROM journal_entry WHERE seq = 2"
    )

    with reading(written) as session:
        bad = ledger.verify_chain(session).bad

    assert bad is not None
    assert bad.reason == "entry 2 is missing"


def test_verification_goes_on_from_an_entry_that_was_found_good(written: Engine) -> None:
    with reading(written) as session:
        good = ledger.verify_chain(session).head
    with transaction(written) as session:
        ledger.post(session, [an_acceptance("inv_9")], NOW)

    with reading(written) as session:
        from_there = ledger.verify_chain(session, good)
        from_elsewhere = ledger.verify_chain(session, ledger.Head(good.seq, "f" * 64))

    assert from_there.holds
    assert from_there.head.seq == 6
    assert from_elsewhere.bad is not None
    assert from_elsewhere.bad.seq == 6


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["accept", "reserve", "void", "pay", "reverse"]),
        st.integers(1, 4),
        st.integers(1, 10**12),
    ),
    max_size=14,
)


@pytest.fixture
def fresh_engine(sqlite_url: str) -> Iterator[Engine]:
    opened = open_engine(sqlite_url)
    with transaction(opened) as session:
        seed_parties(session)
    yield opened
    opened.dispose()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, edited=st.integers(0, 10**6))
def test_any_sequence_of_acts_keeps_the_books(
    fresh_engine: Engine, acts: list[tuple[str, int, int]], edited: int
) -> None:
    with pytest.raises(_UndoneError), transaction(fresh_engine) as session:
        for place, (act, number, minor) in enumerate(acts):
            _do(session, place, act, number, minor)

        trial = ledger.trial_balance(session)
        assert trial.is_balanced, (trial.sums, trial.drifted)
        assert _out_of_balance(session) == []
        par = ledger.balances(session, ledger.codes_of(session, kind="par"))
        for owner in {code.split(":")[1] for code in par}:
            assert par[f"par:{owner}:TUSD"] == -par[f"par:{owner}:USD"] * 10**4
        funds = ledger.available(session, {(BUYER_WALLET, TOKEN): "TUSD"})
        set_aside = sum(
            line.minor
            for lines in ledger.releases(session, [f"stl_{n}" for n in range(1, 5)]).values()
            for line in lines
            if BUYER_WALLET in line.code
        )
        held = ledger.balances(session, [f"wallet:{BUYER_WALLET}:TUSD"])
        assert funds[BUYER_WALLET, TOKEN] == held[f"wallet:{BUYER_WALLET}:TUSD"] - set_aside

        head = ledger.verify_chain(session)
        assert head.holds
        if head.head.seq:
            named = edited % head.head.seq + 1
            for trigger in TRIGGERS["sqlite"]:
                session.connection().exec_driver_sql(f"DROP TRIGGER {trigger}")
            session.connection().exec_driver_sql(
                f"UPDATE posting SET amount_minor = 2 * amount_minor WHERE entry_seq = {named}"
            )
            bad = ledger.verify_chain(session).bad
            assert bad is not None
            assert bad.seq == named
        # One database serves all examples: each is rolled back.
        raise _UndoneError


class _UndoneError(Exception):
    pass


def _do(session: Session, place: int, act: str, number: int, minor: int) -> None:
    """Do one act to the settlement of this number; `place` makes what it is made from its own."""
    settlement = f"stl_{number}"
    if act == "accept":
        ledger.post(session, [an_acceptance(f"inv_{place}", minor)], NOW)
    elif act == "reserve":
        row = a_reservation(number, minor)._replace(clearance_id=f"clr_{place}")
        ledger.reserve(session, [row], NOW)
    elif act == "void":
        ledger.void(session, [settlement], NOW)
        assert ledger.releases(session, [settlement]) == {}
    elif act == "pay":
        release = ledger.releases(session, [settlement]).get(settlement, ())
        source = a_source(place)._replace(tx_hash=tx_hash(place))
        paid = a_payment(number, minor * 10_000, source=source, release=release)
        ledger.post(session, [paid], NOW)
    else:
        seqs = _live_payments(session)
        ledger.reverse(session, seqs[: minor % 3], NOW, "its block was orphaned")


def _live_payments(session: object) -> list[int]:
    rows = session.connection().exec_driver_sql(  # type: ignore[attr-defined]
        "SELECT seq FROM journal_entry e WHERE kind = 'payment' AND NOT EXISTS"
        " (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq) ORDER BY seq DESC"
    )
    return [seq for (seq,) in rows]


def _out_of_balance(session: object) -> list[tuple[int, str, str]]:
    rows = session.connection().exec_driver_sql(  # type: ignore[attr-defined]
        "SELECT p.entry_seq, a.unit, p.phase FROM posting p JOIN account a ON a.id = p.account_id"
        " GROUP BY p.entry_seq, a.unit, p.phase HAVING SUM(p.amount_minor) <> 0"
    )
    return [tuple(row) for row in rows]


def _edit(engine: Engine, edit: str) -> None:
    """Change rows as somebody with the database's own rights could."""
    backend = engine.dialect.name
    with transaction(engine) as session:
        connection = session.connection()
        for trigger in TRIGGERS[backend]:
            table = "" if backend == "sqlite" else f" ON {trigger.removesuffix('_append_only')}"
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}{table}")
        for statement in edit.split("; "):
            connection.exec_driver_sql(statement.replace("%", "%%" if table else "%"))
