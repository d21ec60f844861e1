"""Amounts of every currency and token come to the same millionths; none is lost, none overflows."""

import pytest
from sqlalchemy import Engine

from settlement.documents.identifiers import minor_units
from settlement.reconciliation.engine import sources
from settlement.reconciliation.engine.leftovers import micro_of_minor
from settlement.store import reading, transaction
from settlement.store.bulk import rows
from tests.reconciliation.engine.world import BANK, change, paid, run, seed, told

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_every_currency_is_scaled_by_its_own_digits(engine: Engine) -> None:
    codes = [a + b + c for a in LETTERS for b in LETTERS for c in LETTERS]
    known = [code for code in codes if minor_units(code) is not None]
    listed = " UNION ALL ".join(f"SELECT '{code}' AS code" for code in known)

    with reading(engine) as session:
        found = rows(session, f"SELECT c.code, {sources._cents('1', 'c.code')} FROM ({listed}) c")

    assert len(known) > 150
    assert {row[0]: row[1] for row in found} == {code: micro_of_minor(code) for code in known}


@pytest.mark.parametrize(
    ("currency", "minor"),
    [("IDR", 90_000_000_000_000), ("JPY", 4_000_000_000_000), ("KWD", -4_000_000_000_000_000)],
)
def test_a_large_amount_is_a_record_as_long_as_64_bits_hold_it(
    engine: Engine, currency: str, minor: int
) -> None:
    with transaction(engine) as session:
        seed(session)
        told(session, 1, minor, currency=currency)

    run(engine)

    with reading(engine) as session:
        found = rows(session, "SELECT amount_micro, account FROM recon_record")
    assert found == [(minor * micro_of_minor(currency), BANK)]


def test_an_amount_that_64_bits_do_not_hold_stops_no_run(engine: Engine) -> None:
    with transaction(engine) as session:
        seed(session)
        paid(session, 1, 1200)
        paid(session, 2, 1200)
        told(session, 1, 2**62)
    change(engine, "UPDATE token SET decimals = 2")
    change(engine, "UPDATE settlement SET amount_minor = :all WHERE id = 'stl_1'", all=2**62)

    run(engine)

    with reading(engine) as session:
        found = rows(session, "SELECT settlement_id FROM recon_record WHERE source <> 'invoice'")
    assert found == [("stl_2",)]
