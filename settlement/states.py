"""The life cycles: which move leads from which state to which, one table per noun.

Stores nothing: the module that owns the noun applies a move and writes its event row.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from settlement.errors import IllegalMove


class InvoiceState(StrEnum):
    """Where an invoice stands."""

    ISSUED = "ISSUED"
    QUERIED = "QUERIED"
    ACCEPTED = "ACCEPTED"
    PARTLY_PAID = "PARTLY_PAID"
    PAID = "PAID"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class SettlementState(StrEnum):
    """Where a settlement stands."""

    INSTRUCTED = "INSTRUCTED"
    HELD = "HELD"
    CLEARED = "CLEARED"
    CLAIMED = "CLAIMED"
    SUBMITTED = "SUBMITTED"
    CONFIRMING = "CONFIRMING"
    BOOKED = "BOOKED"
    SETTLED = "SETTLED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    NEEDS_REVIEW = "NEEDS_REVIEW"


class ParticipantState(StrEnum):
    """Where a participant stands. Only an active one pays and is paid."""

    APPLIED = "applied"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    CLOSED = "closed"


class ChainTxState(StrEnum):
    """Where a chain transaction stands: one nonce of one signer."""

    CLAIMED = "CLAIMED"
    SIGNED = "SIGNED"
    SENT = "SENT"
    SEEN = "SEEN"
    FINAL = "FINAL"
    REVERTED = "REVERTED"
    REPLACED = "REPLACED"


class InquiryState(StrEnum):
    """Where a request for information stands."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    OVERDUE = "OVERDUE"
    ACCEPTED = "ACCEPTED"
    CANCELLED = "CANCELLED"


I, S, C = InvoiceState, SettlementState, ChainTxState
P, Q = ParticipantState, InquiryState

INVOICE_MOVES: Mapping[tuple[InvoiceState, str], InvoiceState] = {
    (I.ISSUED, "accept"): I.ACCEPTED,
    (I.ISSUED, "query"): I.QUERIED,
    (I.ISSUED, "reject"): I.REJECTED,
    (I.ISSUED, "cancel"): I.CANCELLED,
    (I.QUERIED, "accept"): I.ACCEPTED,
    (I.QUERIED, "reject"): I.REJECTED,
    (I.QUERIED, "cancel"): I.CANCELLED,
    # Paid means final on the chain: what is only booked leaves the invoice where it is.
    (I.ACCEPTED, "part_paid"): I.PARTLY_PAID,
    (I.ACCEPTED, "paid"): I.PAID,
    (I.ACCEPTED, "credited"): I.CANCELLED,  # A credit note took the whole amount.
    (I.PARTLY_PAID, "part_paid"): I.PARTLY_PAID,
    (I.PARTLY_PAID, "paid"): I.PAID,
    # Money from outside the rail was attributed, and the attribution is undone.
    (I.PARTLY_PAID, "taken_back"): I.PARTLY_PAID,
    (I.PAID, "taken_back"): I.PARTLY_PAID,
    (I.PARTLY_PAID, "unpaid"): I.ACCEPTED,
    (I.PAID, "unpaid"): I.ACCEPTED,
    # The creditor has sent a part of it back, and that is final.
    (I.PARTLY_PAID, "returned"): I.PARTLY_PAID,
    (I.PAID, "returned"): I.PARTLY_PAID,
    (I.ACCEPTED, "drop"): I.CANCELLED,  # A return claim alone, of which nothing was paid.
}

SETTLEMENT_MOVES: Mapping[tuple[SettlementState, str], SettlementState] = {
    (S.INSTRUCTED, "hold"): S.HELD,
    (S.INSTRUCTED, "clear"): S.CLEARED,
    (S.INSTRUCTED, "refuse"): S.REJECTED,
    (S.INSTRUCTED, "cancel"): S.CANCELLED,
    (S.HELD, "release"): S.INSTRUCTED,
    (S.HELD, "refuse"): S.REJECTED,
    (S.HELD, "cancel"): S.CANCELLED,
    (S.CLEARED, "hold"): S.HELD,
    (S.CLEARED, "lapse"): S.INSTRUCTED,  # The clearance expired before the claim.
    (S.CLEARED, "cancel"): S.CANCELLED,
    (S.CLEARED, "claim"): S.CLAIMED,
    (S.CLAIMED, "submit"): S.SUBMITTED,
    (S.CLAIMED, "seen"): S.CONFIRMING,  # Mined although the answer to the send never came.
    (S.SUBMITTED, "seen"): S.CONFIRMING,
    (S.CONFIRMING, "orphaned"): S.SUBMITTED,
    (S.CONFIRMING, "booked"): S.BOOKED,  # Policy depth met, money posted.
    (S.CONFIRMING, "unclaim"): S.INSTRUCTED,  # The batch reverted or was cancelled, finally.
    (S.CONFIRMING, "suspend"): S.HELD,  # The same, too often. No person can hold what is sent.
    (S.CONFIRMING, "rejected"): S.REJECTED,  # Rejected on chain, and that is final.
    (S.REJECTED, "retry"): S.INSTRUCTED,  # The same sequence: the rail pays it at most once.
    (S.BOOKED, "orphaned"): S.SUBMITTED,  # Ordinary until final: a reversal is posted.
    (S.BOOKED, "finalized"): S.SETTLED,  # Chain limit met, ISO 20022 ACSC.
    (S.CLAIMED, "review"): S.NEEDS_REVIEW,
    (S.SUBMITTED, "review"): S.NEEDS_REVIEW,
    (S.CONFIRMING, "review"): S.NEEDS_REVIEW,
    (S.BOOKED, "review"): S.NEEDS_REVIEW,
    # The ways out of a review: a person decides, with a reason.
    (S.NEEDS_REVIEW, "found"): S.CONFIRMING,  # The payment stands on the chain after all.
    (S.NEEDS_REVIEW, "resume"): S.INSTRUCTED,  # Not paid: tried again, with the same sequence.
    (S.NEEDS_REVIEW, "close"): S.REJECTED,  # Not paid, and not to be paid.
    # The chain shows it paid by a batch that the records had lost.
    (S.CANCELLED, "recover"): S.INSTRUCTED,
}

CHAIN_TX_MOVES: Mapping[tuple[ChainTxState, str], ChainTxState] = {
    (C.CLAIMED, "sign"): C.SIGNED,
    (C.SIGNED, "send"): C.SENT,
    (C.SIGNED, "see"): C.SEEN,
    (C.SENT, "see"): C.SEEN,
    (C.SEEN, "orphan"): C.SENT,
    (C.SEEN, "finalize"): C.FINAL,
    (C.SEEN, "revert"): C.REVERTED,  # Final, and the whole call reverted.
    (C.SEEN, "replace"): C.REPLACED,  # Final, and a declared cancel took the nonce.
}

PARTICIPANT_MOVES: Mapping[tuple[ParticipantState, str], ParticipantState] = {
    (P.APPLIED, "activate"): P.ACTIVE,
    (P.APPLIED, "close"): P.CLOSED,  # The application is refused, or given up.
    (P.ACTIVE, "renew"): P.ACTIVE,  # New documents count before the old ones have ended.
    (P.ACTIVE, "suspend"): P.SUSPENDED,
    (P.ACTIVE, "expire"): P.EXPIRED,  # A required document has ended, or the review is due.
    (P.ACTIVE, "close"): P.CLOSED,
    (P.SUSPENDED, "reinstate"): P.ACTIVE,
    (P.SUSPENDED, "close"): P.CLOSED,
    (P.EXPIRED, "renew"): P.ACTIVE,
    (P.EXPIRED, "suspend"): P.SUSPENDED,
    (P.EXPIRED, "close"): P.CLOSED,
}

INQUIRY_MOVES: Mapping[tuple[InquiryState, str], InquiryState] = {
    (Q.OPEN, "answer"): Q.ANSWERED,
    (Q.ANSWERED, "answer"): Q.ANSWERED,  # Something to add before it was read.
    (Q.OVERDUE, "answer"): Q.ANSWERED,
    (Q.OPEN, "lapse"): Q.OVERDUE,  # By time alone.
    (Q.OPEN, "ask_again"): Q.OPEN,
    (Q.ANSWERED, "ask_again"): Q.OPEN,
    (Q.OVERDUE, "ask_again"): Q.OPEN,
    (Q.ANSWERED, "accept"): Q.ACCEPTED,
    (Q.OPEN, "cancel"): Q.CANCELLED,
    (Q.ANSWERED, "cancel"): Q.CANCELLED,
    (Q.OVERDUE, "cancel"): Q.CANCELLED,
}

ISO_20022_STATUS: Mapping[SettlementState, str] = {
    S.INSTRUCTED: "RCVD",
    S.HELD: "PDNG",
    S.CLEARED: "ACCP",
    S.CLAIMED: "ACSP",
    S.SUBMITTED: "ACSP",
    S.CONFIRMING: "ACSP",
    S.BOOKED: "ACSP",
    S.SETTLED: "ACSC",
    S.REJECTED: "RJCT",
    S.CANCELLED: "CANC",
    S.NEEDS_REVIEW: "PDNG",
}
"""Label of each settlement state at the doors.

Source: ISO 20022 ExternalPaymentTransactionStatus1Code.
"""


def iso_20022_status(state: SettlementState, *, is_approved: bool) -> str:
    """Return the label: what waits for a second person is pending, not merely received."""
    if state is S.INSTRUCTED and not is_approved:
        return "PDNG"
    return ISO_20022_STATUS[state]


IN_FLIGHT = frozenset(S) - {S.SETTLED, S.REJECTED, S.CANCELLED}
"""States in which a settlement still reserves its part of the invoice."""

TERMINAL = frozenset({S.SETTLED, S.REJECTED, S.CANCELLED})

State = TypeVar(
    "State", InvoiceState, SettlementState, ChainTxState, ParticipantState, InquiryState
)


def advance(
    moves: Mapping[tuple[State, str], State], state: State, move: str, *, noun: str, key: str
) -> State:
    """Return the state that `move` leads to.

    Raises:
        IllegalMove: the table has no such move.
    """
    try:
        return moves[(state, move)]
    except KeyError:
        raise IllegalMove(noun, key, state, move) from None


def sources(moves: Mapping[tuple[State, str], State], move: str) -> dict[State, State]:
    """Return `{from: to}` of every place that `move` may start from: for guarded bulk updates."""
    return {start: end for (start, name), end in moves.items() if name == move}
