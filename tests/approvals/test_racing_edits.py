"""An edit and an approval at the same time: never is anything approved that was not seen (A7)."""

import threading

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from settlement.approvals import Approval, SeenOutdated
from settlement.settlements import approving as settlements
from settlement.store import reading, transaction
from tests.builders.rail import Rail
from tests.settlements.test_approving import LARGE, asked, say

ROUNDS = 6


def edit(rail: Rail, key: str, start: threading.Barrier) -> None:
    """Double the amount behind everybody's back; the database may refuse it."""
    start.wait()
    try:
        with transaction(rail.engine) as session:
            session.connection().execute(
                text("UPDATE settlement SET amount_minor = amount_minor * 2 WHERE id = :id"),
                {"id": key},
            )
    except DBAPIError as error:
        assert "stay as they were approved" in str(error)


def approve(rail: Rail, approval: Approval, start: threading.Barrier) -> None:
    start.wait()
    try:
        say(rail, approval)
    except SeenOutdated:
        return


def test_an_edit_and_an_approval_at_once_leave_nothing_approved_that_was_not_seen(
    rail: Rail,
) -> None:
    keys = rail.instruct(*[rail.accepted(LARGE + place) for place in range(ROUNDS)])

    for key in keys:
        approval, start = asked(rail, key), threading.Barrier(2)
        hands = [
            threading.Thread(target=edit, args=(rail, key, start)),
            threading.Thread(target=approve, args=(rail, approval, start)),
        ]
        for each in hands:
            each.start()
        for each in hands:
            each.join()

    for key in keys:
        approval = asked(rail, key)
        with reading(rail.engine) as session:
            row = session.connection().execute(
                text("SELECT s.*, i.currency FROM settlement s JOIN invoice i"
                     " ON i.id = s.invoice_id WHERE s.id = :id"), {"id": key},
            ).one()  # fmt: skip
        was_seen = settlements.terms(dict(row._mapping), row.currency) == dict(approval.terms)
        assert (row.approved_by is not None) == (approval.state == "approved") == was_seen
