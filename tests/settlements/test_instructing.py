"""Instructing: what becomes a settlement, and every reason why something does not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from settlement import invoices
from settlement.errors import Invalid, NotFound, Refused
from settlement.invoices.amounts import InvoiceOverpaid
from settlement.settlements.instruct import Instruction, InvoiceNotPayable, instruct
from settlement.store import transaction
from tests.builders.rail import NOW, Rail
from tests.invoices.builders import a_credit_note, a_party


def _refused(rail: Rail, kind: type[Refused], *instructions: Instruction, **more: str) -> str:
    """Instruct, expect the refusal, and see that nothing at all was changed."""
    before = rail.rows("SELECT id, in_flight_minor, version FROM invoice ORDER BY id")
    with pytest.raises(kind) as refusal, transaction(rail.engine) as session:
        instruct(session, instructions, actor="treasury:test", ids=rail.ids, now=rail.now, **more)
    assert rail.rows("SELECT id, in_flight_minor, version FROM invoice ORDER BY id") == before
    assert rail.states() == {}
    assert rail.rows("SELECT * FROM settlement_event") == []
    assert rail.rows("SELECT * FROM outbox WHERE kind LIKE 'settlement.%'") == []
    return str(refusal.value)


def test_an_accepted_invoice_becomes_a_settlement_of_all_that_is_open(rail: Rail) -> None:
    invoice_id = rail.accepted(119_000)

    (key,) = rail.instruct(invoice_id)

    row = rail.one("SELECT * FROM settlement")
    assert (row.state, row.claim_minor, row.amount_minor) == ("INSTRUCTED", 119_000, 1_190_000_000)
    assert (row.sequence, row.rail) == (1, rail.sandbox.deployment.rail)
    assert (row.debtor_wallet, row.creditor_wallet) == (rail.buyer_wallet, rail.seller_wallet)
    assert row.execution_date == NOW.date().isoformat()
    assert row.end_to_end_id == "E" + key.removeprefix("stl_") and len(row.end_to_end_id) <= 35
    assert rail.invoice(invoice_id).in_flight_minor == 119_000
    assert rail.moves(key) == ["instruct"]
    assert rail.told(key) == ["settlement.instructed"]


def test_sequences_count_per_wallet_and_are_never_given_twice(rail: Rail) -> None:
    first = rail.instructed(2)
    other = rail.instructed(1, buyer=a_party(rail.companies, "stranger"))
    second = rail.instructed(2)

    by_id = dict(map(tuple, rail.rows("SELECT id, sequence FROM settlement")))
    assert [by_id[key] for key in (*first, *second)] == [1, 2, 3, 4]
    assert [by_id[key] for key in other] == [1]


def test_a_reference_commits_to_the_terms(rail: Rail) -> None:
    rail.instructed(3)

    references = [row.reference for row in rail.rows("SELECT reference FROM settlement")]

    assert len(set(references)) == 3
    assert all(len(each) == 66 and each.startswith("0x") for each in references)


def test_a_part_leaves_the_rest_open(rail: Rail) -> None:
    invoice_id = rail.accepted(100_000)

    rail.instruct(invoice_id, claim_minor=40_000)
    rail.instruct(invoice_id)

    rows = rail.rows("SELECT claim_minor FROM settlement ORDER BY sequence")
    assert [row.claim_minor for row in rows] == [40_000, 60_000]
    assert rail.invoice(invoice_id).in_flight_minor == 100_000


def test_an_invoice_that_is_not_accepted_is_refused(rail: Rail) -> None:
    invoice_id = rail.issued()

    assert "ISSUED, not ACCEPTED" in _refused(rail, InvoiceNotPayable, Instruction(invoice_id))


def test_a_rejected_invoice_is_refused(rail: Rail) -> None:
    invoice_id = rail.issued()
    with transaction(rail.engine) as session:
        invoices.reject(session, [invoice_id], "test", NOW, reason="not ordered")

    assert "REJECTED" in _refused(rail, InvoiceNotPayable, Instruction(invoice_id))


def test_a_credit_note_is_refused(rail: Rail) -> None:
    rail.accepted(100_000, number="RE-1")
    with transaction(rail.engine) as session:
        note = a_credit_note(rail.companies, currency="USD", payable_minor=1_000)
        (answer,) = invoices.issue(session, [note], actor="test", ids=rail.ids, now=NOW)
    assert isinstance(answer, invoices.InvoiceRecord), answer

    assert "credit note" in _refused(rail, InvoiceNotPayable, Instruction(answer.id))


def test_more_than_is_open_is_refused(rail: Rail) -> None:
    invoice_id = rail.accepted(100_000)

    message = _refused(rail, InvoiceNotPayable, Instruction(invoice_id, 100_001))

    assert "only 1000.00" in message


def test_no_amount_at_all_is_refused(rail: Rail) -> None:
    invoice_id = rail.accepted(100_000)

    for claim_minor in (0, -1, -100_000):
        assert "no payment" in _refused(rail, Invalid, Instruction(invoice_id, claim_minor))


def test_an_invoice_twice_in_one_request_is_refused_as_a_whole(rail: Rail) -> None:
    invoice_id, other = rail.accepted(), rail.accepted()

    said = _refused(rail, InvoiceNotPayable, *map(Instruction, (other, invoice_id, invoice_id)))

    assert said == f"invoice {invoice_id} cannot be settled: nothing of it is left to pay"


def test_parts_of_an_invoice_in_one_request_are_added_up(rail: Rail) -> None:
    invoice_id = rail.accepted(100_000)
    parts = [Instruction(invoice_id, 60_000), Instruction(invoice_id, 60_000)]

    said = _refused(rail, InvoiceNotPayable, *parts)

    assert invoice_id in said and "only 400.00 of it is left to pay" in said


def test_the_rest_is_what_earlier_parts_in_the_request_have_left(rail: Rail) -> None:
    invoice_id = rail.accepted(100_000)

    with transaction(rail.engine) as session:
        parts = [Instruction(invoice_id, 60_000), Instruction(invoice_id)]
        instruct(session, parts, actor="treasury:test", ids=rail.ids, now=rail.now)

    claims = rail.rows("SELECT claim_minor FROM settlement ORDER BY sequence")
    assert [row.claim_minor for row in claims] == [60_000, 40_000]


def test_nothing_left_is_refused(rail: Rail) -> None:
    invoice_id = rail.accepted()
    rail.instruct(invoice_id)

    with pytest.raises(InvoiceNotPayable, match="nothing of it is left"):
        rail.instruct(invoice_id)


def test_an_unknown_invoice_is_not_found(rail: Rail) -> None:
    _refused(rail, NotFound, Instruction(rail.accepted()), Instruction("inv_nowhere"))


def test_another_partys_invoice_is_not_found(rail: Rail) -> None:
    stranger = rail.companies.stranger

    _refused(rail, NotFound, Instruction(rail.accepted()), debtor_id=stranger)


def test_a_past_execution_date_is_refused(rail: Rail) -> None:
    yesterday = (NOW.date() - timedelta(days=1)).isoformat()

    other, invoice_id = rail.accepted(), rail.accepted()

    wanted = (Instruction(other), Instruction(invoice_id, None, yesterday))
    message = _refused(rail, Invalid, *wanted)

    assert message == f"execution date {yesterday} of {invoice_id} has passed"


def test_an_execution_date_more_than_a_year_off_is_refused(rail: Rail) -> None:
    invoice_id = rail.accepted()
    last = NOW.date() + timedelta(days=366)
    for day in (last + timedelta(days=1), date.max):
        message = _refused(rail, Invalid, Instruction(invoice_id, None, day.isoformat()))
        assert "more than a year off" in message

    with transaction(rail.engine) as session:
        wanted = Instruction(invoice_id, None, last.isoformat())
        assert instruct(session, [wanted], actor="treasury:test", ids=rail.ids, now=rail.now)


def test_an_execution_date_that_is_no_date_is_refused(rail: Rail) -> None:
    invoice_id = rail.accepted()

    for words in ("soon", "2026-13-01", "9999", "", "2026-11-20T10:00:00Z"):
        assert "no date" in _refused(rail, Invalid, Instruction(invoice_id, None, words))


def test_a_currency_without_a_token_is_refused(rail: Rail) -> None:
    invoice_id = rail.accepted()
    rail.write("UPDATE token SET listed = false WHERE currency = 'USD'")

    assert "no token" in _refused(rail, InvoiceNotPayable, Instruction(invoice_id))


def test_a_future_execution_date_waits_for_its_day(rail: Rail) -> None:
    tomorrow = (NOW.date() + timedelta(days=1)).isoformat()
    worker = rail.worker()
    (key,) = rail.instruct(rail.accepted(), execution_date=tomorrow)

    rail.round(worker)
    rail.round(worker)
    waiting = rail.state(key), rail.rows("SELECT * FROM clearance")
    rail.later(86_400)
    rail.settle_all(worker)

    assert waiting == ("INSTRUCTED", [])


def test_fifty_at_once_never_overpay_an_invoice(rail: Rail) -> None:
    invoice_id = rail.accepted(100_000)

    def pay_a_tenth(_: int) -> bool:
        try:
            rail.instruct(invoice_id, claim_minor=10_000)
        except (InvoiceNotPayable, InvoiceOverpaid):
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        taken = list(pool.map(pay_a_tenth, range(50)))

    assert sum(taken) == 10
    assert rail.invoice(invoice_id).in_flight_minor == 100_000
    sequences = rail.rows("SELECT sequence FROM settlement ORDER BY sequence")
    assert [row.sequence for row in sequences] == list(range(1, 11))
    assert rail.one("SELECT SUM(claim_minor) FROM settlement") == 100_000


def test_whole_invoices_asked_for_in_any_order_at_once_are_paid_once(rail: Rail) -> None:
    wanted = [rail.accepted() for _ in range(6)]

    def pay(turn: int) -> bool:
        mine = wanted[turn % 6 :] + wanted[: turn % 6]
        try:
            rail.instruct(*(mine if turn % 2 else reversed(mine)))
        except (InvoiceNotPayable, InvoiceOverpaid):
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(pay, range(12))) == 1

    assert len(rail.states()) == 6
