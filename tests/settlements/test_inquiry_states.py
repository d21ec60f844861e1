"""Which inquiries hold a payment, by when they are answered, and with what payment they end."""

from datetime import timedelta

import pytest

from settlement.compliance.inquiries import asking, open_inquiries, reading
from settlement.errors import Invalid, NotFound
from settlement.states import InquiryState
from settlement.store import reading as reading_store
from settlement.store import transaction
from tests.builders.rail import Rail
from tests.settlements.test_inquiries import PDF, answered, asked


@pytest.mark.parametrize("state", sorted(InquiryState))
def test_an_inquiry_holds_its_payment_until_it_is_accepted_or_cancelled(
    rail: Rail, state: InquiryState
) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)
    ended = 1 if state in ("ACCEPTED", "CANCELLED") else None
    rail.write("UPDATE inquiry SET state = :state, closed_at = :ended", state=state, ended=ended)

    with reading_store(rail.engine) as session:
        found = open_inquiries(session, [key])

    assert found == ({} if ended else {key: f"{inquiry.id} is {state}, due 2026-11-27"})


def test_an_answer_may_be_asked_for_by_today_and_never_by_a_day_before(rail: Rail) -> None:
    (key,) = rail.instructed()
    today = rail.now.date()
    inquiry = asked(rail, key, due=today)
    with transaction(rail.engine) as session:
        asking.let_fall_due(session, rail.now + timedelta(days=1))

    for due in (today - timedelta(days=1), today, today + timedelta(days=9)):
        with transaction(rail.engine) as session:
            again = (session, inquiry.id)
            if due < today:
                with pytest.raises(Invalid) as caught:
                    asking.ask_again(*again, question="And?", due=due, actor="c", now=rail.now)
                assert caught.value.field == "due_date"
                continue
            found = asking.ask_again(*again, question="And?", due=due, actor="c", now=rail.now)
            assert (found.state, found.due_date) == ("OPEN", due.isoformat())
            asking.let_fall_due(session, rail.now + timedelta(days=30))


@pytest.mark.parametrize("state", ["REJECTED", "CANCELLED", "SETTLED", "HELD"])
def test_an_inquiry_ends_with_a_payment_that_will_never_be_made(rail: Rail, state: str) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)
    rail.write("UPDATE settlement SET state = :state WHERE id = :id", state=state, id=key)

    with transaction(rail.engine) as session:
        asking.let_fall_due(session, rail.now)
        found = reading.find(session, inquiry.id).state

    assert found == ("CANCELLED" if state in ("REJECTED", "CANCELLED") else "OPEN")


def test_a_file_is_read_by_the_inquiry_that_it_came_with_and_by_no_other(rail: Rail) -> None:
    (key,) = rail.instructed()
    mine, theirs = asked(rail, key), asked(rail, key, asked_of=rail.companies.buyer)
    answered(rail, theirs, PDF, party=rail.companies.buyer)

    with reading_store(rail.engine) as session:
        (stored,) = reading.attachments(session, theirs.id)
        assert reading.content(session, theirs.id, stored.id)[2] == PDF.content
        with pytest.raises(NotFound):
            reading.content(session, mine.id, stored.id)
