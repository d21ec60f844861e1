"""Issuing invoices: one answer per document; everything stored in one go, or a refusal."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from settlement import invoices, store
from settlement.clock import counted_ids
from settlement.documents.model import DocumentAddress, DocumentParty
from settlement.errors import Refused
from settlement.participants import suspend
from tests.invoices.builders import NOW, a_party, a_rail, a_submission


def _count(session, table: str) -> int:
    return session.connection().execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()


def _issue(session, *submissions, seller_id=None, first_id=1000):
    return invoices.issue(
        session,
        submissions,
        actor="test",
        ids=counted_ids(first_id),
        now=NOW,
        seller_id=seller_id,
    )


def test_an_issued_invoice_has_its_document_event_and_outbox_row(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        submission = a_submission(companies)
        before = _count(session, "outbox")

        (answer,) = _issue(session, submission)

        assert isinstance(answer, invoices.InvoiceRecord)
        assert (answer.state, answer.payable_minor, answer.open_minor) == ("ISSUED", 119000, 119000)
        assert invoices.find(session, answer.id) == answer
        assert invoices.document(session, answer.document_sha256).content == submission.content
        assert [event.move for event in invoices.events(session, answer.id)] == ["issue"]
        assert _count(session, "outbox") == before + 1
        assert _count(session, "journal_entry") == 0


def test_the_same_number_in_the_same_year_is_refused_and_names_the_first(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        (first,) = _issue(session, a_submission(companies))

        later = a_submission(companies, issue_date=date(2026, 12, 24))
        (refused,) = _issue(session, later, first_id=2000)

        assert isinstance(refused, invoices.DuplicateInvoice)
        assert refused.first_id == first.id and first.id in str(refused)
        assert _count(session, "invoice") == 1


def test_the_same_number_in_another_year_or_of_another_seller_is_another_invoice(
    engine: Engine,
) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)

        answers = _issue(
            session,
            a_submission(companies),
            a_submission(companies, issue_date=date(2025, 11, 1)),
            a_submission(companies, seller=a_party(companies, "stranger")),
        )

        assert [type(answer) for answer in answers] == [invoices.InvoiceRecord] * 3


def test_a_batch_has_an_answer_per_item_and_one_bad_item_stops_no_other(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)

        answers = _issue(
            session,
            a_submission(companies, number="A"),
            a_submission(companies, number="B", currency="NOK"),
            a_submission(companies, number="A", payable_minor=5),
            a_submission(companies, number="C"),
        )

        kinds = [type(answer).__name__ for answer in answers]
        assert kinds == ["InvoiceRecord", "CurrencyNotListed", "DuplicateInvoice", "InvoiceRecord"]
        assert answers[2].first_id == answers[0].id
        assert _count(session, "invoice") == _count(session, "invoice_event") == 2


UNKNOWN = DocumentParty("Nobody Ltd", DocumentAddress("GB"), lei="0" * 20)


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"seller": UNKNOWN}, invoices.PartyUnknown, "seller"),
        ({"buyer": UNKNOWN}, invoices.PartyUnknown, "buyer"),
        ({"currency": "NOK"}, invoices.CurrencyNotListed, "currency"),
        ({"issue_date": date(1, 1, 1)}, invoices.IssueDateFarOff, "issue_date"),
        ({"issue_date": NOW.date() + timedelta(days=367)}, invoices.IssueDateFarOff, "issue_date"),
        ({"payable_minor": 0}, invoices.NothingPayable, "payable_amount"),
        ({"payable_minor": 922_337_203_685_478}, invoices.PayableTooLarge, "payable_amount"),
        ({"payable_minor": -5}, invoices.NothingPayable, "payable_amount"),
    ],
)
def test_what_can_never_be_paid_is_refused(
    engine: Engine, changes: dict, refusal: type[Refused], field: str
) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)

        (refused,) = _issue(session, a_submission(companies, **changes))

        assert type(refused) is refusal
        assert refused.field == field and refused.repair
        assert _count(session, "invoice") == _count(session, "document") == 0


def test_a_suspended_party_is_refused(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        suspend(session, companies.buyer, "licence withdrawn", NOW)

        (refused,) = _issue(session, a_submission(companies))

        assert isinstance(refused, invoices.PartyNotActive) and refused.side == "buyer"


def test_seller_and_buyer_must_differ(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)

        (refused,) = _issue(session, a_submission(companies, buyer=a_party(companies, "seller")))

        assert isinstance(refused, invoices.PartiesIdentical)


def test_a_caller_issues_only_its_own_invoices(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)

        (refused,) = _issue(session, a_submission(companies), seller_id=companies.buyer)

        assert isinstance(refused, invoices.NotTheSeller)
        assert _count(session, "invoice") == 0


def test_a_party_without_lei_is_found_by_a_vat_number_that_only_one_has(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        session.connection().execute(
            text("UPDATE participant SET vat_id = 'DE811907980' WHERE id = :id"),
            {"id": companies.seller},
        )
        by_vat = a_party(companies, "seller", lei="", vat_id="DE811907980")

        (found,) = _issue(session, a_submission(companies, seller=by_vat))
        session.connection().execute(text("UPDATE participant SET vat_id = 'DE811907980'"))
        shared = a_submission(companies, seller=by_vat, number="RE-2")
        (refused,) = _issue(session, shared, first_id=2000)

        assert found.seller_id == companies.seller
        assert isinstance(refused, invoices.PartyUnknown)


def test_the_same_bytes_are_stored_once(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        submission = a_submission(companies)

        _issue(session, submission, submission)

        assert _count(session, "document") == 1


def test_a_party_reads_its_own_invoices_only(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        (mine,) = _issue(session, a_submission(companies))
        wanted = invoices.InvoiceFilter()

        for party in (companies.seller, companies.buyer, None):
            assert invoices.find(session, mine.id, party=party) == mine
            assert invoices.page(session, wanted, limit=10, party=party) == [mine]
        with pytest.raises(Refused, match=f"there is no invoice {mine.id}"):
            invoices.find(session, mine.id, party=companies.stranger)
        assert invoices.page(session, wanted, limit=10, party=companies.stranger) == []


def test_pages_join_without_gap_or_overlap_while_new_invoices_arrive(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        wanted = invoices.InvoiceFilter(currency="EUR")
        _issue(session, *[a_submission(companies, number=f"A{n}") for n in range(7)])
        first = invoices.page(session, wanted, limit=3)
        _issue(session, a_submission(companies, number="new"), first_id=5000)

        second = invoices.page(session, wanted, limit=3, before_id=first[-1].id)
        third = invoices.page(session, wanted, limit=3, before_id=second[-1].id)
        newer = invoices.page(session, wanted, limit=3, after_id=first[0].id)

        numbers = [invoice.number for invoice in first + second + third]
        assert numbers == ["A6", "A5", "A4", "A3", "A2", "A1", "A0"]
        assert [invoice.number for invoice in newer] == ["new"]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (invoices.InvoiceFilter(number="A"), ["A"]),
        (invoices.InvoiceFilter(currency="USD"), ["B"]),
        (invoices.InvoiceFilter(state="ISSUED"), ["B", "A"]),
        (invoices.InvoiceFilter(state="PAID"), []),
        (invoices.InvoiceFilter(issued_from="2026-11-02"), ["B"]),
        (invoices.InvoiceFilter(issued_to="2026-11-01"), ["A"]),
        (invoices.InvoiceFilter(type_code="381"), []),
    ],
)
def test_invoices_are_found_by_what_is_known_of_them(
    engine: Engine, wanted: invoices.InvoiceFilter, numbers: list[str]
) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        later = a_submission(companies, number="B", currency="USD", issue_date=date(2026, 11, 2))
        _issue(session, a_submission(companies, number="A"), later)

        found = invoices.page(session, wanted, limit=10)

        assert [invoice.number for invoice in found] == numbers
