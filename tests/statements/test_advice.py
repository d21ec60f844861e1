"""Advice of a payment: valid, true to the books, and never ahead of finality."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from lxml import etree
from pypdf import PdfReader
from sqlalchemy import Engine

from settlement.chain.rail_abi import Rejection
from settlement.documents.iso20022.schema import faults
from settlement.documents.iso20022.status import LABELS
from settlement.errors import NotFound
from settlement.statements.advice import Advice, AdviceFormat, Side, advice
from settlement.statements.errors import NothingToAdvise
from settlement.statements.identifiers import message_key, uetr
from settlement.statements.payments import payment_facts
from settlement.statements.pdf import advice_pdf
from settlement.statements.statuses import REJECTION_CODES, reasons
from settlement.states import ISO_20022_STATUS, SettlementState
from settlement.store import reading
from tests.verify.conftest import Patient

S = SettlementState
DEFINITIONS = {
    AdviceFormat.REMT001: "remt.001.001.06",
    AdviceFormat.CAMT054: "camt.054.001.08",
    AdviceFormat.PACS008: "pacs.008.001.08",
    AdviceFormat.PACS002: "pacs.002.001.10",
    AdviceFormat.PAIN002: "pain.002.001.10",
}
MESSAGES = list(DEFINITIONS)


def test_every_advice_of_a_final_payment_is_valid_and_says_the_same_amount(
    booked: Engine, patient: Patient
) -> None:
    amounts = dict(patient.rows("SELECT id, claim_minor FROM settlement"))
    assert len(amounts) >= 7

    for (key, minor), form in product(amounts.items(), MESSAGES):
        content = _given(booked, patient, key, form).content
        assert faults(content, DEFINITIONS[form]) == []
        said = [node for node in etree.fromstring(content).iter() if node.get("Ccy")]
        # Of a part payment the invoice's own amount is the larger one.
        assert min(Decimal(str(node.text)) for node in said) == Decimal(minor) / 100
        assert {node.get("Ccy") for node in said} == {"USD"}


def test_the_same_ids_are_in_every_advice_of_a_payment(booked: Engine, patient: Patient) -> None:
    key = patient.world.settlements["first"]

    found = set()
    for form in MESSAGES:
        root = etree.fromstring(_given(booked, patient, key, form).content)
        end_to_end = root.findtext(".//{*}EndToEndId") or root.findtext(".//{*}OrgnlEndToEndId")
        found.add((end_to_end, root.findtext(".//{*}UETR") or root.findtext(".//{*}OrgnlUETR")))

    assert found == {("E" + key[4:], uetr(key))}


def test_the_status_of_every_state_is_valid_and_only_what_is_final_is_settled(
    booked: Engine, patient: Patient
) -> None:
    key = patient.world.settlements["first"]

    for state, form in product(S, (AdviceFormat.PACS002, AdviceFormat.PAIN002)):
        patient.harm(f"UPDATE settlement SET state = '{state}', reason = 'why' WHERE id = '{key}'")
        content = _given(booked, patient, key, form).content
        assert faults(content, DEFINITIONS[form]) == []
        root = etree.fromstring(content)
        label = root.findtext(".//{*}TxSts")
        assert label == ISO_20022_STATUS[state] and label in LABELS
        assert (label == "ACSC") == (state is S.SETTLED)
        day = root.findtext(".//{*}FctvIntrBkSttlmDt/{*}Dt")
        assert (day is not None) == (form is AdviceFormat.PACS002 and state is S.SETTLED)
        has_reason = root.find(".//{*}StsRsnInf") is not None
        assert has_reason == (state in (S.HELD, S.REJECTED, S.CANCELLED, S.NEEDS_REVIEW))


def test_nothing_is_advised_that_has_not_happened(booked: Engine, patient: Patient) -> None:
    key = patient.world.settlements["first"]

    for state in S:
        patient.harm(f"UPDATE settlement SET state = '{state}' WHERE id = '{key}'")
        given = {form for form in AdviceFormat if _or_none(booked, patient, key, form)}

        wanted = {AdviceFormat.PACS002, AdviceFormat.PAIN002}
        if state not in (S.REJECTED, S.CANCELLED):
            wanted.add(AdviceFormat.PACS008)
        if state in (S.BOOKED, S.SETTLED):
            wanted |= {AdviceFormat.PDF, AdviceFormat.CAMT054}
        if state is S.SETTLED:
            wanted.add(AdviceFormat.REMT001)
        assert given == wanted, state


def test_a_notification_of_what_is_not_final_is_pending(booked: Engine, patient: Patient) -> None:
    key = patient.world.settlements["first"]
    found = []
    for state in (S.BOOKED, S.SETTLED):
        patient.harm(f"UPDATE settlement SET state = '{state}' WHERE id = '{key}'")
        root = etree.fromstring(_given(booked, patient, key, AdviceFormat.CAMT054).content)
        found.append(root.findtext(".//{*}Ntry/{*}Sts/{*}Cd"))

    assert found == ["PDNG", "BOOK"]


@pytest.mark.parametrize(("side", "mark"), [(Side.CREDITOR, "CRDT"), (Side.DEBTOR, "DBIT")])
def test_each_side_is_told_of_its_own_account(
    booked: Engine, patient: Patient, side: Side, mark: str
) -> None:
    key = patient.world.settlements["first"]

    content = _given(booked, patient, key, AdviceFormat.CAMT054, side=side).content

    root = etree.fromstring(content)
    owner = root.findtext(".//{*}Acct/{*}Ownr/{*}Nm")
    assert root.findtext(".//{*}Ntry/{*}CdtDbtInd") == mark
    assert owner == ("Seller" if side is Side.CREDITOR else "Buyer")
    assert root.findtext(".//{*}RltdPties//{*}Nm") == ("Buyer" if owner == "Seller" else "Seller")


def test_a_payment_of_others_does_not_exist(booked: Engine, patient: Patient) -> None:
    key, stranger = patient.world.settlements["first"], patient.world.companies.stranger

    with reading(booked) as session, pytest.raises(NotFound):
        payment_facts(session, key, party=stranger)


def test_the_page_for_people_says_what_was_paid_and_where(booked: Engine, patient: Patient) -> None:
    key = patient.world.settlements["first"]
    row = patient.rows(
        "SELECT s.tx_hash, s.block_number, s.block_hash, s.reference, i.number, s.end_to_end_id"
        f" FROM settlement s JOIN invoice i ON i.id = s.invoice_id WHERE s.id = '{key}'"
    )[0]

    page = _page(_given(booked, patient, key, AdviceFormat.PDF).content)

    for word in ("500.00 USD", "500.000000 TUSD", "Seller", "Buyer", key, uetr(key), *row):
        assert str(word) in page
    assert "Paid. The block" in page and "NOT FINAL" not in page


def test_the_page_of_what_is_not_final_says_so_first(booked: Engine, patient: Patient) -> None:
    key = patient.world.settlements["first"]
    patient.harm(f"UPDATE settlement SET state = 'BOOKED' WHERE id = '{key}'")

    page = _page(_given(booked, patient, key, AdviceFormat.PDF).content)

    assert "NOT FINAL" in page and "Paid" not in page


def test_the_same_payment_makes_the_same_page_whoever_it_is_about(
    booked: Engine, patient: Patient
) -> None:
    with reading(booked) as session:
        facts = payment_facts(session, patient.world.settlements["first"])
    names = ["شركة النور", "北方泵业有限公司", "Łódź Ærø", "a\x00b\u202ec", "😀", "=1+1", "x" * 400]

    for name in names:
        party = replace(facts.payment.creditor, name=name)
        named = replace(facts, payment=replace(facts.payment, creditor=party))
        first, second = advice_pdf(named), advice_pdf(named)
        assert first == second and first.startswith(b"%PDF")


def test_a_uetr_is_a_uuid_of_version_4_and_each_settlement_has_its_own() -> None:
    ids = [f"stl_019a8f2e6c1f7d3e9b6a2d4c5e6f{n:04x}" for n in range(300)]

    found = {uetr(one) for one in ids}

    assert len(found) == len(ids)
    assert all(one[14] == "4" and one[19] in "89ab" for one in found)
    assert (
        uetr(ids[0]).replace("-", "") == message_key(ids[0])[:12] + "4" + message_key(ids[0])[13:]
    )


def test_every_reason_of_the_rail_has_a_code() -> None:
    assert set(REJECTION_CODES) == set(Rejection)


@pytest.mark.parametrize(
    ("state", "code", "clearance", "found"),
    [
        (S.REJECTED, Rejection.MANDATE_MISSING, "ALLOW", "MD01"),
        (S.REJECTED, None, "BLOCK", "RR04"),
        (S.HELD, None, "HOLD", "RR04"),
        (S.HELD, None, "ALLOW", "NARR"),
        (S.CANCELLED, None, "HOLD", "NARR"),
        (S.NEEDS_REVIEW, None, None, "NARR"),
    ],
)
def test_a_reason_names_its_cause(
    state: SettlementState, code: int | None, clearance: str | None, found: str
) -> None:
    (reason,) = reasons(state, words="why", outcome_code=code, clearance=clearance)

    assert (reason.code, reason.words) == (found, "why")


def _given(engine: Engine, patient: Patient, key: str, form: AdviceFormat, **more: Any) -> Advice:
    with reading(engine) as session:
        return advice(session, key, form, now=patient.world.now(), **more)


def _or_none(engine: Engine, patient: Patient, key: str, form: AdviceFormat) -> Advice | None:
    try:
        return _given(engine, patient, key, form)
    except NothingToAdvise as refused:
        assert refused.repair
        return None


def _page(content: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
