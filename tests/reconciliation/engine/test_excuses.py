"""What a bank tells of a payment that is still under way on the rail is no break yet."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from settlement.store import transaction
from tests.builders.chain_facts import add_settlement
from tests.reconciliation.engine.world import count, run, seed, told


@pytest.mark.parametrize("number", ["RE-7", "re-7", "Re -7"])
@pytest.mark.parametrize(("state", "breaks"), [("SUBMITTED", 0), ("CANCELLED", 1)])
def test_an_entry_that_names_its_invoice_in_whatever_way_waits_for_it(
    engine: Engine, number: str, state: str, breaks: int
) -> None:
    with transaction(engine) as session:
        seed(session)
        add_settlement(session, 1, state=state)
        session.execute(text("UPDATE invoice SET number = :n, state = 'PAID'"), {"n": number})
        told(session, 1, creditor_reference="RE-7")

    run(engine)

    assert count(engine, "SELECT COUNT(*) FROM settlement_break") == breaks
