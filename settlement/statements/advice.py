"""Advice of one payment: notification, remittance, payment and status, in the form asked for.

Says no more than is true: what is not final is never called paid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from settlement.compliance.discretion import discretion
from settlement.documents.iso20022.values import Party
from settlement.statements.errors import NothingToAdvise
from settlement.statements.payments import PaymentFacts, payment_facts
from settlement.states import SettlementState

RAIL = Party(name="Settlement rail")
"""Who reports a status."""

_PAID = frozenset({SettlementState.BOOKED, SettlementState.SETTLED})
_OVER = frozenset({SettlementState.REJECTED, SettlementState.CANCELLED})


class AdviceFormat(StrEnum):
    """What an advice can be given as."""

    PDF = "pdf"
    REMT001 = "remt001"
    CAMT054 = "camt054"
    PACS008 = "pacs008"
    PACS002 = "pacs002"
    PAIN002 = "pain002"


class Side(StrEnum):
    """Whose account a notification is about."""

    CREDITOR = "creditor"
    DEBTOR = "debtor"


@dataclass(frozen=True, slots=True)
class Advice:
    """A file: its bytes, what they are, and a name for them."""

    content: bytes
    media_type: str
    file_name: str


def advice(
    session: Session,
    settlement_id: str,
    form: AdviceFormat,
    *,
    now: datetime,
    party: str | None = None,
    side: Side | None = None,
    with_header: bool = False,
) -> Advice:
    """Return an advice of a settlement.

    `side` is the creditor's where nobody says otherwise; a party is told of its own side only.

    Raises:
        NotFound: there is no such settlement, or it is not the party's.
        NothingToAdvise: it has not come far enough.
        MessageInvalid: a value does not fit the message.
    """
    facts = payment_facts(session, settlement_id, party=party)
    if party is not None:
        may = discretion(session, party, now)
        words = may.words(facts.reason, is_debtor=party == facts.debtor_id)
        facts = replace(facts, reason=words)
    _require_true(facts, form)
    if form is AdviceFormat.PDF:
        from settlement.statements.pdf import advice_pdf

        return Advice(advice_pdf(facts), "application/pdf", f"{settlement_id}-advice.pdf")
    told = _side(facts, party, side)
    content = _message(facts, form, told, now)
    if with_header:
        content = _headed(facts, form, told, content, now)
    return Advice(content, "application/xml", f"{settlement_id}-{form.value}.xml")


def _require_true(facts: PaymentFacts, form: AdviceFormat) -> None:
    state, key = facts.state, facts.settlement_id
    if form is AdviceFormat.REMT001 and state is not SettlementState.SETTLED:
        raise NothingToAdvise(key, state, "remittance advice", "when it is final")
    if form in (AdviceFormat.PDF, AdviceFormat.CAMT054) and state not in _PAID:
        raise NothingToAdvise(key, state, f"{form.value} advice", "when it is booked")
    if form is AdviceFormat.PACS008 and state in _OVER:
        raise NothingToAdvise(key, state, "pacs008", "while it is, or can be, paid")


def _side(facts: PaymentFacts, party: str | None, side: Side | None) -> Side:
    if party is None:
        return side or Side.CREDITOR
    return Side.CREDITOR if party == facts.creditor_id else Side.DEBTOR


def _message(facts: PaymentFacts, form: AdviceFormat, side: Side, now: datetime) -> bytes:
    """Return the message; each module is loaded by the first that asks for it."""
    payment = facts.payment
    if form is AdviceFormat.REMT001:
        from settlement.documents.iso20022.remt001 import remt001

        return remt001(payment, created_at=now)
    if form is AdviceFormat.CAMT054:
        return _notification(facts, side, now)
    from settlement.documents.iso20022.pacs008 import pacs008, pacs008_id

    if form is AdviceFormat.PACS008:
        return pacs008(payment, created_at=now)
    from settlement.documents.iso20022.status import pacs002, pain002

    if form is AdviceFormat.PACS002:
        return pacs002(facts.status(), original_id=pacs008_id(payment), created_at=now)
    return pain002(facts.status(), created_at=now)


def _notification(facts: PaymentFacts, side: Side, now: datetime) -> bytes:
    from settlement.documents.iso20022.camt054 import camt054
    from settlement.documents.iso20022.entries import BOOKED, PENDING, StatedEntry
    from settlement.documents.iso20022.payments import message_id

    payment = facts.payment
    assert payment.entry and payment.booked_at and payment.value_date, "it is booked"
    is_creditor = side is Side.CREDITOR
    entry = StatedEntry(
        reference=payment.entry,
        minor=payment.amount_minor if is_creditor else -payment.amount_minor,
        booking_date=payment.booked_at.date(),
        value_date=payment.value_date,
        kind="payment",
        status=BOOKED if payment.is_final else PENDING,
        is_payment=True,
        key=payment.key,
        end_to_end_id=payment.end_to_end_id,
        uetr=payment.uetr,
        other_party=payment.debtor if is_creditor else payment.creditor,
        other_account=payment.debtor_account if is_creditor else payment.creditor_account,
        chain=payment.chain,
        invoice=payment.invoice,
        note=None if payment.is_final else "booked, not final",
    )
    return camt054(
        message_id=message_id("C4-" if is_creditor else "D4-", payment.key),
        owner=payment.creditor if is_creditor else payment.debtor,
        own_account=payment.creditor_account if is_creditor else payment.debtor_account,
        currency=payment.currency,
        entry=entry,
        created_at=now,
    )


def _headed(
    facts: PaymentFacts, form: AdviceFormat, side: Side, content: bytes, now: datetime
) -> bytes:
    """Return the message behind its business application header."""
    from settlement.documents.iso20022.header import enveloped, header, identity

    payment = facts.payment
    owner = payment.creditor if side is Side.CREDITOR else payment.debtor
    sender, receiver = {
        AdviceFormat.REMT001: (payment.debtor, payment.creditor),
        AdviceFormat.CAMT054: (RAIL, owner),
        AdviceFormat.PACS008: (payment.debtor, payment.creditor),
        AdviceFormat.PACS002: (RAIL, payment.debtor),
        AdviceFormat.PAIN002: (RAIL, payment.debtor),
    }[form]
    definition, message_id = identity(content)
    head = header(
        message_id=message_id,
        definition=definition,
        sender=sender,
        receiver=receiver,
        created_at=now,
    )
    return enveloped(head, content)
