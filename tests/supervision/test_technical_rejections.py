"""Rejections that rest on no sanctions: they are not told to the supervisor."""

from datetime import UTC, datetime

from settlement.store import transaction
from settlement.supervision import reports
from tests.builders.rail import Rail
from tests.supervision.decisions import decided

MONDAY = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)


def _told(rail: Rail) -> list[str]:
    """Write what is due; return the decisions that there is a report of."""
    with transaction(rail.engine) as session:
        reports.write_due(session, MONDAY)
    kind = "rejected_transaction"
    found = rail.rows("SELECT subject FROM supervisor_report WHERE kind = :k", k=kind)
    return [row.subject for row in found]


def test_a_technical_rejection_is_no_matter_for_the_supervisor(rail: Rail) -> None:
    decided(rail, "REJECT", MONDAY, rule="BASE-01")

    assert _told(rail) == []


def test_what_holds_a_payment_or_asks_for_data_makes_no_matter_of_a_technical_rejection(
    rail: Rail,
) -> None:
    beside = {"BASE-18": "ALLOW_WITH_DATA", "BASE-07": "HOLD"}
    decided(rail, "REJECT", MONDAY, rule="BASE-01", beside=beside)
    refused = decided(rail, "REJECT", MONDAY, rule="BASE-01", beside={"EU-08": "REJECT"})

    assert _told(rail) == [refused]
