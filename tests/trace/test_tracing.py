"""From every id and hash on the way to the same whole way, in a fixed number of queries."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text

from settlement.errors import NotFound
from settlement.store import reading
from settlement.trace import Trace, trace
from tests.builders.counting import counted
from tests.verify.conftest import Patient

# Each finds the one settlement of RE-orphaned: booked, reversed by a reorg, booked again, final.
_S = "(SELECT s.* FROM settlement s JOIN invoice i ON i.id = s.invoice_id" + (
    " WHERE i.number = 'RE-orphaned') s"
)
KEYS = {
    "an invoice's id": f"SELECT s.invoice_id FROM {_S}",
    "an invoice's number": "SELECT 'RE-orphaned'",
    "a settlement's id": f"SELECT s.id FROM {_S}",
    "an end-to-end id": f"SELECT s.end_to_end_id FROM {_S}",
    "a reference": f"SELECT s.reference FROM {_S}",
    "a reference in capitals": f"SELECT '0x' || UPPER(SUBSTR(s.reference, 3)) FROM {_S}",
    "a clearance's id": f"SELECT c.id FROM clearance c JOIN {_S} ON s.id = c.settlement_id",
    "a chain transaction's id": f"SELECT s.chain_tx_id FROM {_S}",
    "a chain transaction's hash": f"SELECT s.tx_hash FROM {_S}",
    "a block's hash": f"SELECT s.block_hash FROM {_S}",
    "block hash and index of its Settled": f"SELECT s.block_hash || ':' || s.log_index FROM {_S}",
    "the log id of its Transfer": (
        "SELECT 'log:' || l.block_hash || ':' || l.pair_index FROM chain_log l"
        f" JOIN {_S} ON s.block_hash = l.block_hash AND s.log_index = l.log_index"
    ),
    "a log that a reorg threw out": (
        "SELECT 'log:' || l.block_hash || ':' || l.log_index FROM chain_log l"
        f" JOIN {_S} ON s.reference = l.reference AND s.block_hash <> l.block_hash"
    ),
    "the entry of its invoice": (
        f"SELECT 'je_' || e.seq FROM journal_entry e JOIN {_S} ON s.invoice_id = e.invoice_id"
        " WHERE e.kind = 'accept'"
    ),
    "the entry of its reservation": (
        f"SELECT 'je_' || e.seq FROM journal_entry e JOIN {_S} ON s.id = e.settlement_id"
        " WHERE e.kind = 'reserve'"
    ),
    "the entry of its payment": (
        f"SELECT 'je_' || MAX(e.seq) FROM journal_entry e JOIN {_S} ON s.id = e.settlement_id"
        " WHERE e.kind = 'payment'"
    ),
    "the entry that reversed it": (
        f"SELECT 'je_' || e.seq FROM journal_entry e JOIN {_S} ON s.id = e.settlement_id"
        " WHERE e.kind = 'reversal'"
    ),
    "the entry of the gas of its batch": (
        f"SELECT 'je_' || MAX(e.seq) FROM journal_entry e JOIN {_S} ON s.tx_hash = e.tx_hash"
        " WHERE e.kind = 'gas'"
    ),
    "a match": f"SELECT 'match_' || MAX(m.id) FROM settlement_match m"
    f" JOIN {_S} ON s.id = m.settlement_id",
    "a match that was undone": f"SELECT 'match_' || MIN(m.id) FROM settlement_match m"
    f" JOIN {_S} ON s.id = m.settlement_id",
    "a break": f"SELECT b.id FROM settlement_break b JOIN {_S} ON s.id = b.subject",
    "a document's hash": f"SELECT s.document_sha256 FROM {_S}",
}


def value(engine: Engine, statement: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(statement)).scalar_one()


def found(engine: Engine, key: str, participant_id: str | None = None) -> Trace:
    with reading(engine) as session:
        return trace(session, key, participant_id=participant_id)


@pytest.mark.parametrize("what", KEYS)
def test_every_key_leads_to_the_same_journey(traced: Engine, patient: Patient, what: str) -> None:
    settlement_id = patient.world.settlements["orphaned"]
    whole = found(traced, settlement_id)

    other = found(traced, str(value(traced, KEYS[what])))

    assert other.journeys == whole.journeys
    assert other.chain_txs == whole.chain_txs
    assert [each.id for each in other.journeys[0].settlements] == [settlement_id]


def test_the_journey_has_every_step(traced: Engine, patient: Patient) -> None:
    whole = found(traced, patient.world.settlements["orphaned"])

    ((journey,), (batch,)) = whole.journeys, whole.chain_txs
    (settlement,) = journey.settlements
    assert [move.move for move in journey.invoice.moves] == ["issue", "accept", "paid"]
    assert [entry.kind for entry in journey.invoice.entries] == ["accept"]
    assert str(journey.invoice.payable) == "123.45 USD"
    assert str(settlement.amount) == "123.450000 TUSD"
    assert [move.move for move in settlement.moves] == [
        "instruct", "clear", "claim", "submit", "seen", "booked",
        "orphaned", "seen", "booked", "finalized",
    ]  # fmt: skip
    assert (settlement.state, settlement.iso_status) == ("SETTLED", "ACSC")
    assert [clearance.outcome for clearance in settlement.clearances] == ["ALLOW_WITH_DATA"]
    assert [(log.name, log.canonical) for log in settlement.logs] == [
        ("Transfer", False), ("Settled", False), ("Transfer", True), ("Settled", True),
    ]  # fmt: skip
    kinds = [entry.kind for entry in settlement.entries]
    assert kinds == ["reserve", "payment", "reversal", "payment"]
    first, back = settlement.entries[1], settlement.entries[2]
    assert (first.reversed_by_seq, back.reverses_seq) == (back.seq, first.seq)
    assert [match.live for match in settlement.matches] == [False, True]
    assert settlement.matches[1].log_key == settlement.logs[3].key
    assert settlement.matches[1].entry_seq == settlement.entries[3].seq
    assert [each.kind for each in settlement.breaks] == ["reorged"]
    assert settlement.chain_tx_ids == (batch.id,)
    assert [(attempt.mined, attempt.send_count) for attempt in batch.attempts] == [(True, 2)]


def test_a_batch_leads_to_all_of_its_members(traced: Engine, patient: Patient) -> None:
    first = patient.world.settlements["first"]
    batch = value(traced, f"SELECT chain_tx_id FROM settlement WHERE id = '{first}'")

    whole = found(traced, batch)

    members = {each.id for journey in whole.journeys for each in journey.settlements}
    assert members == {patient.world.settlements[word] for word in ("first", "twin", "other")}
    assert [each.member_count for each in whole.chain_txs] == [3]


def test_a_settlement_of_a_batch_leads_to_itself_alone(traced: Engine, patient: Patient) -> None:
    whole = found(traced, patient.world.settlements["twin"])

    (journey,) = whole.journeys
    assert [each.id for each in journey.settlements] == [patient.world.settlements["twin"]]
    (settlement,) = journey.settlements
    assert [log.name for log in settlement.logs] == ["Transfer", "Settled"]


def test_the_bytes_that_a_cancel_replaced_lead_there_too(traced: Engine, patient: Patient) -> None:
    key = patient.world.settlements["cancelled"]
    lost = value(
        traced,
        "SELECT a.hash FROM attempt a JOIN batch_member m ON m.chain_tx_id = a.chain_tx_id"
        f" WHERE m.settlement_id = '{key}' AND a.kind = 'pay' AND NOT m.live",
    )

    whole = found(traced, lost)

    assert [each.id for each in whole.journeys[0].settlements] == [key]
    replaced, done = whole.chain_txs
    assert (replaced.state, done.state) == ("REPLACED", "FINAL")
    assert [(each.kind, each.mined) for each in replaced.attempts] == [
        ("pay", False), ("cancel", True),
    ]  # fmt: skip


def test_a_retried_rejection_shows_both_batches(traced: Engine, patient: Patient) -> None:
    whole = found(traced, patient.world.settlements["rejected"])

    (settlement,) = whole.journeys[0].settlements
    assert len(settlement.chain_tx_ids) == 2
    assert [log.name for log in settlement.logs] == ["Rejected", "Transfer", "Settled"]
    assert settlement.logs[0].code == 8


def test_a_number_that_two_invoices_have_leads_to_both(traced: Engine, patient: Patient) -> None:
    patient.harm(
        "UPDATE invoice SET number = 'RE-first', issue_year = 2025 WHERE number = 'RE-other'"
    )

    whole = found(traced, "RE-first")

    assert len(whole.journeys) == 2


def test_an_invoice_without_settlement_is_a_journey_too(traced: Engine, patient: Patient) -> None:
    whole = found(traced, patient.world.invoices["note"])

    (journey,) = whole.journeys
    assert journey.settlements == ()
    assert journey.invoice.preceding_id == patient.world.invoices["parted"]
    assert [entry.kind for entry in journey.invoice.entries] == ["credit"]


@pytest.mark.parametrize("what", ["log", "entry", "hash", "break"])
def test_a_deposit_stands_alone(traced: Engine, what: str) -> None:
    entry = "(SELECT MIN(seq) FROM journal_entry WHERE kind = 'transfer')"
    keys = {
        "log": f"SELECT source_key FROM journal_entry WHERE seq = {entry}",
        "entry": f"SELECT 'je_' || {entry}",
        "hash": f"SELECT tx_hash FROM journal_entry WHERE seq = {entry}",
        "break": "SELECT MIN(id) FROM settlement_break WHERE kind = 'unattributed_deposit'",
    }

    alone = found(traced, str(value(traced, keys[what])))

    assert alone.journeys == ()
    assert [log.name for log in alone.logs] == ["Transfer"]
    assert [each.kind for each in alone.entries][:1] == ["transfer"]
    assert [each.kind for each in alone.breaks] == ["unattributed_deposit"]


def test_what_nothing_has_is_not_found(traced: Engine) -> None:
    for key in ("inv_" + "0" * 32, "0x" + "12" * 32, "je_999999", "RE-nobody", "ab" * 32, ""):
        with pytest.raises(NotFound):
            found(traced, key)


def test_a_party_sees_its_own_journeys_and_no_others(traced: Engine, patient: Patient) -> None:
    seller, buyer, stranger = patient.world.place.participant_ids
    key = patient.world.settlements["first"]

    assert found(traced, key, seller).journeys[0].settlements[0].id == key
    assert found(traced, key, buyer).journeys[0].settlements[0].id == key
    for what in KEYS:
        with pytest.raises(NotFound):
            found(traced, str(value(traced, KEYS[what])), stranger)


def test_a_party_does_not_see_what_others_in_its_batch_are_paid(
    traced: Engine, patient: Patient
) -> None:
    seller = patient.world.place.participant_ids[0]

    whole = found(traced, patient.world.settlements["first"], seller)

    (batch,) = whole.chain_txs
    assert (batch.member_count, batch.total) == (None, None)
    (clearance,) = whole.journeys[0].settlements[0].clearances
    assert (clearance.verdicts, clearance.list_versions) == (None, None)


def test_a_lone_deposit_is_not_a_partys_to_see(traced: Engine, patient: Patient) -> None:
    source = value(traced, "SELECT MIN(source_key) FROM journal_entry WHERE kind = 'transfer'")

    with pytest.raises(NotFound):
        found(traced, source, patient.world.place.participant_ids[1])


def test_the_number_of_queries_does_not_grow_with_the_batch(
    traced: Engine, patient: Patient
) -> None:
    one, three = (
        value(
            traced,
            f"SELECT chain_tx_id FROM settlement WHERE id = '{patient.world.settlements[word]}'",
        )
        for word in ("orphaned", "first")
    )
    found(traced, one)

    with counted(traced) as of_one:
        found(traced, one)
    with counted(traced) as of_three:
        found(traced, three)

    assert len(of_three) == len(of_one) <= 20
