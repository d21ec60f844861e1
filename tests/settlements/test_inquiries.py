"""Requests for information: they hold a payment until somebody accepts the answer."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from gateway.worker import Progress
from settlement.compliance.inquiries import Attachment, AttachmentRefused, asking, reading
from settlement.compliance.inquiries.reading import Inquiry
from settlement.errors import IllegalMove, Invalid, NotFound
from settlement.settlements import control, inquiring
from settlement.settlements.inquiring import PaymentUnderWay
from settlement.states import INQUIRY_MOVES, InquiryState, SettlementState
from settlement.store import reading as reading_store
from settlement.store import transaction
from tests.builders.rail import Rail

PDF = Attachment("contract", "contract.pdf", "application/pdf", b"%PDF-1.7\n")
DUE = date(2026, 11, 27)


def asked(rail: Rail, settlement_id: str, **changes: Any) -> Inquiry:
    plain: dict[str, Any] = {
        "asked_of": rail.companies.seller, "question": "Which contract is it?", "due": DUE,
        "actor": "compliance:per_1", "ids": rail.ids, "now": rail.now,
    }  # fmt: skip
    with transaction(rail.engine) as session:
        return inquiring.ask(session, settlement_id, **(plain | changes))


def answered(rail: Rail, inquiry: Inquiry, *files: Attachment, party: str = "") -> Inquiry:
    with transaction(rail.engine) as session:
        return asking.answer(
            session, inquiry.id, words="Contract 118.", attachments=files,
            party=party or rail.companies.seller, actor="exporter:stk_1", ids=rail.ids,
            now=rail.now,
        )  # fmt: skip


def _ended(rail: Rail, inquiry: Inquiry, move: str = "accept", reason: str = "seen") -> Inquiry:
    with transaction(rail.engine) as session:
        return inquiring.end(
            session, inquiry.id, move, reason=reason, actor="compliance:per_1", now=rail.now
        )


def test_a_payment_is_held_until_the_answer_is_accepted_and_then_paid(rail: Rail) -> None:
    (key,) = rail.instructed()
    worker = rail.worker()
    inquiry = asked(rail, key)

    rail.round(worker)
    held = rail.state(key)
    told = answered(rail, inquiry, PDF)
    rail.round(worker)
    still_held = rail.state(key)
    accepted = _ended(rail, inquiry)
    rail.settle_all(worker)

    assert (held, told.state, still_held, accepted.state) == (
        "HELD", "ANSWERED", "HELD", "ACCEPTED",
    )  # fmt: skip
    assert rail.moves(key)[:3] == ["instruct", "hold", "release"]
    assert rail.told(inquiry.id) == ["inquiry.open", "inquiry.answered", "inquiry.accepted"]


def test_a_cleared_payment_is_held_too_and_its_funds_are_free_again(rail: Rail) -> None:
    (key,) = rail.instructed()
    stages = rail.worker().stages(Progress(), rail.now)
    assert "send" in stages  # As far as that: cleared, and not yet claimed.
    assert rail.state(key) == "CLEARED"

    asked(rail, key)

    assert rail.state(key) == "HELD"
    pending = rail.one("SELECT COALESCE(SUM(amount_minor), 0) FROM posting WHERE phase = 'pending'")
    assert pending == 0


def test_whoever_lifts_the_hold_by_hand_is_overruled_by_the_policy(rail: Rail) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)

    rail.act(control.release, key)
    rail.tick(rail.worker())

    assert rail.state(key) == "HELD"
    reason = rail.one("SELECT reason FROM settlement WHERE id = :id", id=key)
    assert inquiry.id in reason and "request for information" in reason
    answered(rail, inquiry)
    _ended(rail, inquiry)
    assert rail.state(key) == "INSTRUCTED"


def test_what_a_person_holds_stays_held_when_the_answer_is_accepted(rail: Rail) -> None:
    (key,) = rail.instructed()
    rail.act(control.hold, key, reason="the goods are late")
    inquiry = asked(rail, key)

    answered(rail, inquiry)
    _ended(rail, inquiry)

    assert rail.state(key) == "HELD"


def test_two_inquiries_hold_until_both_have_ended(rail: Rail) -> None:
    (key,) = rail.instructed()
    first = asked(rail, key)
    second = asked(rail, key, asked_of=rail.companies.buyer)

    _ended(rail, first, "cancel", "asked of the wrong party")
    after_one = rail.state(key)
    answered(rail, second, party=rail.companies.buyer)
    _ended(rail, second)

    assert (after_one, rail.state(key)) == ("HELD", "INSTRUCTED")


@pytest.mark.parametrize("state", sorted(SettlementState))
def test_only_what_is_not_claimed_yet_can_be_asked_about(rail: Rail, state: str) -> None:
    (key,) = rail.instructed()
    rail.write("UPDATE settlement SET state = :state WHERE id = :id", state=state, id=key)

    if state in ("INSTRUCTED", "CLEARED", "HELD"):
        assert asked(rail, key).state == "OPEN"
        return
    with pytest.raises(PaymentUnderWay):
        asked(rail, key)
    assert rail.one("SELECT COUNT(*) FROM inquiry") == 0


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"asked_of": "stranger"}, Invalid, "asked_of"),
        ({"question": "  "}, Invalid, "question"),
        ({"question": "?" * 4_001}, Invalid, "question"),
        ({"due": date(2026, 11, 19)}, Invalid, "due_date"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    rail: Rail, changes: dict[str, Any], error: type[Invalid], field: str
) -> None:
    (key,) = rail.instructed()
    if changes.get("asked_of"):
        changes = {"asked_of": rail.companies.stranger}

    with pytest.raises(error) as caught:
        asked(rail, key, **changes)

    assert caught.value.field == field
    assert rail.state(key) == "INSTRUCTED"


def test_nobody_asks_about_what_is_not_there(rail: Rail) -> None:
    with pytest.raises(NotFound):
        asked(rail, "stl_nothing")


def test_another_company_neither_sees_nor_answers(rail: Rail) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)

    for party in (rail.companies.buyer, rail.companies.stranger):
        with pytest.raises(NotFound):
            answered(rail, inquiry, party=party)
        with reading_store(rail.engine) as session, pytest.raises(NotFound):
            reading.find(session, inquiry.id, party=party)


@pytest.mark.parametrize("state", sorted(InquiryState))
@pytest.mark.parametrize("move", ["answer", "ask_again", "accept", "cancel"])
def test_a_move_is_refused_from_every_state_but_its_own(
    rail: Rail, state: InquiryState, move: str
) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)
    closed = 1 if state in ("ACCEPTED", "CANCELLED") else None
    rail.write("UPDATE inquiry SET state = :state, closed_at = :closed", state=state, closed=closed)

    def act() -> Inquiry:
        if move == "answer":
            return answered(rail, inquiry)
        if move == "ask_again":
            with transaction(rail.engine) as session:
                return asking.ask_again(
                    session, inquiry.id, question="And?", due=DUE, actor="c", now=rail.now
                )
        return _ended(rail, inquiry, move)

    if (state, move) in INQUIRY_MOVES:
        assert act().state == INQUIRY_MOVES[state, move]
    else:
        with pytest.raises(IllegalMove):
            act()


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2026, 11, 27), "OPEN"), (date(2026, 11, 28), "OVERDUE")],
)
def test_an_inquiry_is_overdue_the_day_after_its_last(rail: Rail, day: date, expected: str) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)
    rail.later((day - rail.now.date()).days * 86_400)

    with transaction(rail.engine) as session:
        asking.let_fall_due(session, rail.now)

    with reading_store(rail.engine) as session:
        assert reading.find(session, inquiry.id).state == expected
    assert answered(rail, inquiry).state == "ANSWERED"


def test_an_inquiry_ends_with_its_payment(rail: Rail) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)
    rail.act(control.cancel, key, reason="not due")

    with transaction(rail.engine) as session:
        asking.let_fall_due(session, rail.now)

    with reading_store(rail.engine) as session:
        found = reading.find(session, inquiry.id)
        thread = reading.thread(session, inquiry.id)
    assert (found.state, found.closed_by) == ("CANCELLED", "rail")
    assert [(each.move, each.author) for each in thread] == [
        ("ask", "compliance:per_1"),
        ("cancel", "rail"),
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "song"}, "no kind"),
        ({"media_type": "text/html"}, "not taken"),
        ({"media_type": "image/svg+xml"}, "not taken"),
        ({"media_type": "image/png"}, "no image/png"),
        ({"filename": "../etc/passwd"}, "no file's name"),
        ({"filename": "a\r\nb"}, "no file's name"),
        ({"filename": ".."}, "no file's name"),
        ({"content": b""}, "0 bytes"),
        ({"content": b"%PDF-" + b"x" * (5 * 2**20 - 4)}, "5242881 bytes"),
        ({"media_type": "text/plain", "content": b"\xff\xfe"}, "no text/plain"),
        ({"media_type": "text/plain", "content": b"a\x00b"}, "no text/plain"),
    ],
)
def test_a_file_that_is_not_taken_is_refused_with_what_is_wrong(
    rail: Rail, changes: dict[str, Any], says: str
) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)
    plain = {name: getattr(PDF, name) for name in ("kind", "filename", "media_type", "content")}

    with pytest.raises(AttachmentRefused, match=says):
        answered(rail, inquiry, Attachment(**(plain | changes)))

    assert rail.one("SELECT state FROM inquiry") == "OPEN"


def test_files_are_kept_as_they_came_and_the_same_once(rail: Rail) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)
    largest = Attachment("other", "big.pdf", "application/pdf", b"%PDF-".ljust(5 * 2**20, b"x"))

    answered(rail, inquiry, PDF, largest)
    answered(rail, inquiry, PDF)

    with reading_store(rail.engine) as session:
        stored = reading.attachments(session, inquiry.id)
        files = [reading.content(session, inquiry.id, each.id)[2] for each in stored]
    assert sorted(map(len, files)) == [len(PDF.content), len(largest.content)]
    assert {each.sha256 for each in stored} == {PDF.sha256, largest.sha256}
    with pytest.raises(DBAPIError):
        rail.write("DELETE FROM inquiry_attachment")


def test_more_than_ten_files_at_once_are_refused(rail: Rail) -> None:
    (key,) = rail.instructed()
    inquiry = asked(rail, key)

    with pytest.raises(AttachmentRefused, match="11 files"):
        answered(rail, inquiry, *[PDF] * 11)


def test_the_question_may_wait_for_days_without_losing_its_payment(rail: Rail) -> None:
    (key,) = rail.instructed()
    worker = rail.worker()
    inquiry = asked(rail, key)
    rail.later(int(timedelta(days=3).total_seconds()))
    rail.round(worker)

    answered(rail, inquiry)
    _ended(rail, inquiry)

    rail.settle_all(worker)
