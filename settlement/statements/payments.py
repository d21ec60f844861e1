"""All that messages tell of one settlement, gathered in a fixed number of queries.

Changes nothing. A party sees what it pays or is paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import from_micros
from settlement.documents.iso20022.payments import ChainPlace, InvoicePart, Payment
from settlement.documents.iso20022.status import InstructionStatus
from settlement.documents.iso20022.values import Party
from settlement.errors import NotFound, StoreCorrupt
from settlement.money import Money, Unit
from settlement.statements.accounts import find_party, wallet_account
from settlement.statements.entries import chain_id
from settlement.statements.identifiers import message_key, uetr
from settlement.statements.statuses import label, reasons
from settlement.states import SettlementState

_FIND = text(
    "SELECT s.id, s.end_to_end_id, s.debtor_id, s.creditor_id, s.debtor_wallet,"
    " s.creditor_wallet, s.amount_minor, s.claim_minor, s.reference, s.execution_date, s.state,"
    " s.approved_by,"
    " s.reason, s.outcome_code, s.block_number, s.block_hash, s.tx_hash, s.log_index,"
    " s.created_at, t.symbol, t.decimals, i.number, i.issue_date, i.currency, i.payable_minor,"
    " i.document_sha256, c.outcome AS clearance"
    " FROM settlement s JOIN invoice i ON i.id = s.invoice_id JOIN token t ON t.address = s.token"
    " LEFT JOIN clearance c ON c.id = (SELECT MAX(l.id) FROM clearance l"
    " WHERE l.settlement_id = s.id) WHERE s.id = :id"
)
_ENTRY = text(
    "SELECT e.seq, e.value_date, e.booked_at FROM journal_entry e"
    " LEFT JOIN journal_entry r ON r.reverses_seq = e.seq"
    " WHERE e.settlement_id = :id AND e.kind = 'payment' AND r.seq IS NULL"
    " ORDER BY e.seq DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """A settlement as messages tell of it, its state, and who its sides are."""

    settlement_id: str
    state: SettlementState
    payment: Payment
    debtor_id: str
    creditor_id: str
    reason: str | None
    outcome_code: int | None
    clearance: str | None
    created_at: datetime
    is_approved: bool

    def status(self) -> InstructionStatus:
        """Return how far it has come."""
        payment = self.payment
        return InstructionStatus(
            key=payment.key,
            end_to_end_id=payment.end_to_end_id,
            uetr=payment.uetr,
            label=label(self.state, is_approved=self.is_approved),
            currency=payment.currency,
            amount_minor=payment.amount_minor,
            execution_date=payment.execution_date,
            debtor=payment.debtor,
            creditor=payment.creditor,
            received_at=self.created_at,
            reasons=reasons(
                self.state,
                words=self.reason,
                outcome_code=self.outcome_code,
                clearance=self.clearance,
            ),
            settled_on=payment.value_date if payment.is_final else None,
        )


def payment_facts(
    session: Session, settlement_id: str, *, party: str | None = None
) -> PaymentFacts:
    """Return a settlement's facts.

    Raises:
        NotFound: there is none, or it is not the party's.
    """
    connection = session.connection()
    row = connection.execute(_FIND, {"id": settlement_id}).one_or_none()
    if row is None or (party is not None and party not in (row.debtor_id, row.creditor_id)):
        raise NotFound("settlement", settlement_id)
    entry = connection.execute(_ENTRY, {"id": settlement_id}).one_or_none()
    state = SettlementState(row.state)
    if state is SettlementState.SETTLED and entry is None:
        raise StoreCorrupt(f"settlement {settlement_id} is SETTLED and has no entry")
    return PaymentFacts(
        settlement_id=row.id,
        state=state,
        payment=_payment(session, row, entry, state),
        debtor_id=row.debtor_id,
        creditor_id=row.creditor_id,
        reason=row.reason,
        outcome_code=row.outcome_code,
        clearance=row.clearance,
        created_at=from_micros(row.created_at),
        is_approved=row.approved_by is not None,
    )


def _payment(session: Session, row: Any, entry: Any, state: SettlementState) -> Payment:
    return Payment(
        key=message_key(row.id),
        end_to_end_id=row.end_to_end_id,
        uetr=uetr(row.id),
        debtor=_party(session, row.debtor_id),
        debtor_account=wallet_account(row.debtor_wallet, row.currency),
        creditor=_party(session, row.creditor_id),
        creditor_account=wallet_account(row.creditor_wallet, row.currency),
        currency=row.currency,
        amount_minor=row.claim_minor,
        token_amount=str(Money(row.amount_minor, Unit(row.symbol, row.decimals))),
        reference=row.reference,
        execution_date=date.fromisoformat(row.execution_date),
        invoice=InvoicePart(
            number=row.number,
            issue_date=date.fromisoformat(row.issue_date),
            payable_minor=row.payable_minor,
            paid_minor=row.claim_minor,
            document_sha256=row.document_sha256,
        ),
        value_date=None if entry is None else date.fromisoformat(entry.value_date),
        booked_at=None if entry is None else from_micros(entry.booked_at),
        entry=None if entry is None else f"je_{entry.seq}",
        chain=None if entry is None else _place(session, row),
        is_final=state is SettlementState.SETTLED,
    )


def _party(session: Session, participant_id: str) -> Party:
    found = find_party(session, participant_id)
    assert found is not None, "a settlement's sides are participants: the database says so"
    return found


def _place(session: Session, row: Any) -> ChainPlace | None:
    if row.tx_hash is None or row.block_hash is None:
        return None
    return ChainPlace(
        chain_id(session), row.tx_hash, row.block_number, row.block_hash, row.log_index
    )
