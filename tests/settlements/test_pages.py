"""Pages of settlements and invoices: newest first, whatever narrows them and in whatever index."""

from itertools import product
from random import Random

import pytest
from sqlalchemy import Engine, text

from settlement.invoices import records as invoice_records
from settlement.settlements import records
from settlement.store import reading, transaction
from tests.builders.chain_facts import add_settlement, seed_world
from tests.builders.ledger import BUYER, SELLER

STATES = ("SETTLED", "HELD", "CANCELLED")
COUNT = 40


@pytest.fixture
def known(engine: Engine) -> list[tuple[str, str, str, str]]:
    """Id, state, debtor and creditor of settlements in both directions."""
    rng = Random(7)
    made = []
    with transaction(engine) as session:
        seed_world(session)
        for number in range(10, 10 + COUNT):
            key = add_settlement(session, number)
            sides = (BUYER, SELLER) if rng.random() < 0.6 else (SELLER, BUYER)
            state = rng.choice(STATES)
            session.execute(
                text("UPDATE settlement SET state = :s, debtor_id = :d, creditor_id = :c"
                     " WHERE id = :id"),
                {"s": state, "d": sides[0], "c": sides[1], "id": key},
            )  # fmt: skip
            session.execute(
                text("UPDATE invoice SET state = :s, buyer_id = :d, seller_id = :c WHERE id = :id"),
                {"s": "PAID" if state == "SETTLED" else "ACCEPTED", "d": sides[0], "c": sides[1],
                 "id": f"inv_{number}"},
            )  # fmt: skip
            made.append((key, state, *sides))
    return sorted(made, reverse=True)


PARTIES = (None, BUYER, SELLER, "par_nobody")


def test_a_page_is_the_newest_of_what_was_asked_for(
    engine: Engine, known: list[tuple[str, str, str, str]]
) -> None:
    middle = known[COUNT // 2][0]
    with reading(engine) as session:
        for state, party, participant in product((None, *STATES), PARTIES, PARTIES):
            wanted = [
                key
                for key, found, *sides in known
                if state in (None, found)
                and (party is None or party in sides)
                and (participant is None or participant in sides)
            ]
            asked = records.SettlementFilter(state=state, participant_id=participant)
            first = records.page(session, asked, limit=7, party=party)
            older = records.page(session, asked, limit=7, party=party, before_id=middle)
            newer = records.page(session, asked, limit=7, party=party, after_id=middle)

            assert [each.id for each in first] == wanted[:7]
            assert [each.id for each in older] == [key for key in wanted if key < middle][:7]
            assert [each.id for each in newer] == [key for key in wanted if key > middle][-7:]
            if state in (None, "SETTLED"):
                of_invoices = invoice_records.InvoiceFilter(
                    state=state and "PAID", participant_id=participant
                )
                invoices = invoice_records.page(session, of_invoices, limit=COUNT, party=party)
                assert [each.id.replace("inv_", "stl_") for each in invoices] == wanted
