"""What seller and buyer may do with an invoice, and everything that follows from it."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from settlement import invoices, ledger, store
from settlement.clock import counted_ids
from settlement.errors import IllegalMove, NotFound
from settlement.states import INVOICE_MOVES, InvoiceState
from tests.builders.counting import counted
from tests.invoices.builders import NOW, a_credit_note, a_rail, a_submission, accepted, issued

MOVES: dict[str, Callable] = {
    "accept": lambda session, ids: invoices.accept(session, ids, "test", NOW),
    "query": lambda session, ids: invoices.query(session, ids, "test", NOW, reason="why 40?"),
    "reject": lambda session, ids: invoices.reject(session, ids, "test", NOW, reason="not ours"),
    "cancel": lambda session, ids: invoices.cancel(session, ids, "test", NOW, reason="mistake"),
}


def _kinds(session, aggregate_id: str) -> list[str]:
    return list(
        session.connection()
        .execute(
            text("SELECT kind FROM outbox WHERE aggregate_id = :id ORDER BY seq"),
            {"id": aggregate_id},
        )
        .scalars()
    )


def test_an_accepted_invoice_is_owed_in_the_books(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        invoice = issued(session, companies, ids=counted_ids(100))

        invoices.accept(session, [invoice.id], "importer:abc", NOW, buyer_id=companies.buyer)

        codes = [f"receivable:{companies.seller}:EUR", f"payable:{companies.buyer}:EUR"]
        assert list(ledger.balances(session, codes).values()) == [119_000, -119_000]
        last = invoices.events(session, invoice.id)[-1]
        assert (last.move, last.state, last.actor) == ("accept", "ACCEPTED", "importer:abc")
        assert _kinds(session, invoice.id) == ["invoice.issued", "invoice.accepted"]
        assert invoices.find(session, invoice.id).version == 2


@pytest.mark.parametrize("state", InvoiceState)
@pytest.mark.parametrize("move", MOVES)
def test_each_move_starts_only_where_the_table_says(
    engine: Engine, state: InvoiceState, move: str
) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        invoice = issued(session, companies, ids=counted_ids(100))
        session.connection().execute(text(f"UPDATE invoice SET state = '{state.value}'"))

        if (state, move) in INVOICE_MOVES:
            MOVES[move](session, [invoice.id])
            end = INVOICE_MOVES[state, move]
            assert invoices.find(session, invoice.id).state == end
            assert invoices.events(session, invoice.id)[-1].state == end
        else:
            with pytest.raises(IllegalMove):
                MOVES[move](session, [invoice.id])
            assert invoices.find(session, invoice.id).state == state
            assert len(invoices.events(session, invoice.id)) == 1


def test_only_the_buyer_accepts_and_to_a_stranger_the_invoice_does_not_exist(
    engine: Engine,
) -> None:
    with store.transaction(engine) as session:
        companies = a_rail(session)
        invoice = issued(session, companies, ids=counted_ids(100))

        with pytest.raises(invoices.NotTheBuyer):
            invoices.accept(session, [invoice.id], "x", NOW, buyer_id=companies.seller)
        with pytest.raises(NotFound):
            invoices.accept(session, [invoice.id], "x", NOW, buyer_id=companies.stranger)
        with pytest.raises(invoices.NotTheSeller):
            invoices.cancel(session, [invoice.id], "x", NOW, reason="r", seller_id=companies.buyer)

        assert invoices.find(session, invoice.id).state == "ISSUED"


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "line\x1b[31mbreak"])
def test_a_rejection_needs_words(engine: Engine, reason: str) -> None:
    with store.transaction(engine) as session:
        invoice = issued(session, a_rail(session), ids=counted_ids(100))

        with pytest.raises(invoices.ReasonMissing):
            invoices.reject(session, [invoice.id], "test", NOW, reason=reason)


def test_one_bad_id_stops_the_whole_list(engine: Engine) -> None:
    with store.transaction(engine) as session:
        invoice = issued(session, a_rail(session), ids=counted_ids(100))

        with pytest.raises(NotFound, match="inv_missing"):
            invoices.accept(session, [invoice.id, "inv_missing"], "test", NOW)

        assert invoices.find(session, invoice.id).state == "ISSUED"


def test_the_reason_is_there_to_be_read(engine: Engine) -> None:
    with store.transaction(engine) as session:
        invoice = issued(session, a_rail(session), ids=counted_ids(100))

        invoices.query(session, [invoice.id], "test", NOW, reason=" 40 or 48 hours? ")

        assert invoices.find(session, invoice.id).reason == "40 or 48 hours?"
        assert invoices.events(session, invoice.id)[-1].reason == "40 or 48 hours?"


def test_thousands_are_accepted_in_a_handful_of_statements(engine: Engine) -> None:
    count = 2000
    with store.transaction(engine) as session:
        companies = a_rail(session)
        submissions = [a_submission(companies, number=f"N{n}") for n in range(count)]
        issued_ids = [
            each.id
            for each in invoices.issue(
                session, submissions, actor="test", ids=counted_ids(100), now=NOW
            )
        ]
        with counted(session.connection()) as statements:
            invoices.accept(session, issued_ids, "test", NOW)

        assert 0 < len(statements) < 60, "\n".join(each[:80] for each in statements)
        states = session.connection().execute(text("SELECT DISTINCT state FROM invoice")).scalars()
        assert list(states) == ["ACCEPTED"]
        receivable = f"receivable:{companies.seller}:EUR"
        assert ledger.balances(session, [receivable]) == {receivable: 119_000 * count}


def test_a_credit_note_reduces_what_is_owed(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies, ids = a_rail(session), counted_ids(100)
        invoice = accepted(session, companies, ids=ids)

        (note,) = invoices.issue(
            session,
            [a_credit_note(companies, payable_minor=19_000)],
            actor="test",
            ids=ids,
            now=NOW,
        )

        reduced = invoices.find(session, invoice.id)
        assert (reduced.state, reduced.open_minor) == ("ACCEPTED", 100_000)
        assert (note.preceding_id, note.open_minor) == (invoice.id, 0)
        code = f"payable:{companies.buyer}:EUR"
        assert ledger.balances(session, [code]) == {code: -100_000}
        assert invoices.events(session, invoice.id)[-1].reason == "credit note GS-1"
        assert _kinds(session, invoice.id)[-1] == "invoice.credit"


def test_an_invoice_that_is_credited_in_full_is_cancelled(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies, ids = a_rail(session), counted_ids(100)
        invoice = accepted(session, companies, ids=ids)

        invoices.issue(session, [a_credit_note(companies)], actor="test", ids=ids, now=NOW)

        assert invoices.find(session, invoice.id).state == "CANCELLED"
        assert invoices.events(session, invoice.id)[-1].move == "credited"
        assert ledger.trial_balance(session).is_balanced


def test_a_part_paid_invoice_whose_rest_is_credited_is_paid(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies, ids = a_rail(session), counted_ids(100)
        invoice = accepted(session, companies, ids=ids)
        session.connection().execute(
            text("UPDATE invoice SET settled_minor = 100000, state = 'PARTLY_PAID'")
        )

        note = a_credit_note(companies, payable_minor=19_000)
        invoices.issue(session, [note], actor="test", ids=ids, now=NOW)

        assert invoices.find(session, invoice.id).state == "PAID"


@pytest.mark.parametrize(
    ("sums", "refusal", "repair"),
    [
        ("in_flight_minor = 1", invoices.CreditNoteTooLarge, "cancel settlements"),
        (
            "settled_minor = 1, state = 'PARTLY_PAID'",
            invoices.CreditNoteTooLarge,
            "a return payment",
        ),
        ("state = 'ISSUED'", invoices.CreditNoteTooLarge, "cancel the invoice instead"),
        ("state = 'CANCELLED'", invoices.CreditNoteTooLarge, "nothing of it is owed"),
        ("state = 'PAID'", invoices.CreditNoteTooLarge, "agree on a return payment"),
        ("number = 'RE-9'", invoices.PrecedingInvoiceUnknown, "name number and issue date"),
        ("currency = 'USD'", invoices.PrecedingInvoiceUnknown, "name number and issue date"),
    ],
)
def test_a_credit_note_that_does_not_fit_leaves_nothing_behind(
    engine: Engine, sums: str, refusal: type[invoices.CreditNoteTooLarge], repair: str
) -> None:
    with store.transaction(engine) as session:
        companies, ids = a_rail(session), counted_ids(100)
        invoice = accepted(session, companies, ids=ids)
        session.connection().execute(text(f"UPDATE invoice SET {sums}"))
        head = ledger.head(session)

        (refused,) = invoices.issue(
            session, [a_credit_note(companies)], actor="test", ids=ids, now=NOW
        )

        assert type(refused) is refusal and repair in str(refused.repair)
        count = session.connection().execute(text("SELECT COUNT(*) FROM invoice")).scalar_one()
        assert (count, ledger.head(session)) == (1, head)
        assert invoices.find(session, invoice.id).credited_minor == 0


def test_nobody_accepts_a_credit_note(engine: Engine) -> None:
    with store.transaction(engine) as session:
        companies, ids = a_rail(session), counted_ids(100)
        accepted(session, companies, ids=ids)
        (note,) = invoices.issue(session, [a_credit_note(companies)], actor="t", ids=ids, now=NOW)

        with pytest.raises(invoices.CreditNoteHasNoMoves):
            invoices.accept(session, [note.id], "test", NOW)
