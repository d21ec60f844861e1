"""What both parties declare of a trade, put together."""

import pytest

from settlement.compliance import trades
from settlement.compliance.trades import Declaration
from settlement.documents.model import Classification, DocumentLine
from settlement.store import transaction
from tests.builders.rail import Rail


@pytest.mark.parametrize("debtor_first", [True, False])
def test_whoever_pays_knows_best_where_the_money_is_from(rail: Rail, debtor_first: bool) -> None:
    rail.instructed()
    invoice = rail.one("SELECT invoice_id FROM settlement")
    buyer, seller = rail.companies.buyer, rail.companies.seller
    said = [
        (buyer, Declaration(source_of_funds="mined", hs_codes=("847130",))),
        (seller, Declaration(source_of_funds="trade", hs_codes=("854231",), region="R")),
    ]

    with transaction(rail.engine) as session:
        for party, declaration in said if debtor_first else said[::-1]:
            trades.declare(session, invoice, party, declaration, actor="x", now=rail.now)
        found = trades.trades(session, {invoice: buyer})[invoice]

    assert (found.source_of_funds, found.region) == ("mined", "R")
    assert {"847130", "854231"} <= {*found.hs_codes}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("8542.31", "854231"), ("85423190", "85423190"), ("8542-31 90", "85423190"),
        ("85", "85"), ("8542", "8542"),
        ("854231000011", "8542310000"),  # Twelve digits, as Turkey has them.
        ("8542310000000", "8542310000"), ("HS 8542.31", "854231"), ("８５４２．３１", "854231"),
    ],
)  # fmt: skip
def test_goods_of_an_invoice_are_known_by_however_many_digits_it_gives(
    rail: Rail, said: str, code: str
) -> None:
    line = DocumentLine(
        "1", "Circuit", "1", "H87", 100_000, vat_category="Z", vat_rate="0",
        classifications=(Classification("HS", said),),
    )  # fmt: skip

    invoice = rail.accepted(lines=(line,))

    with transaction(rail.engine) as session:
        found = trades.trades(session, {invoice: rail.companies.buyer})
    assert found[invoice].hs_codes == (code,)


def test_what_was_cleared_before_something_was_declared_is_judged_anew(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker()
    rail.tick(worker)
    (key,) = rail.instructed()
    rail.tick(worker)
    cleared = rail.state(key)
    invoice = rail.one("SELECT invoice_id FROM settlement")

    with transaction(rail.engine) as session:
        trades.declare(
            session, invoice, rail.companies.seller, Declaration(hs_codes=("847130",)), actor="x",
            now=rail.now,
        )  # fmt: skip

    assert cleared == "CLEARED"
    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 0


def test_what_is_booked_may_be_orphaned_so_its_clearance_ends_with_a_declaration(
    rail: Rail,
) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    invoice = rail.one("SELECT invoice_id FROM settlement")
    declared = Declaration(hs_codes=("847130",))

    with transaction(rail.engine) as session:
        trades.declare(session, invoice, rail.companies.buyer, declaration=declared, actor="x",
                       now=rail.now)  # fmt: skip

    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 0
    rail.settle_all(worker)
