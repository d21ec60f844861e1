"""The kinds of break as data: how grave each is, what it means, what to do, and by when.

Finds and opens nothing: `breaks` does that, and fills a break's columns from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class BreakKind(StrEnum):
    """What kind of disagreement a break is."""

    MISSING_ON_CHAIN = "missing_on_chain"
    """Booked or settled, or an entry, without one canonical Settled log and its Transfer."""
    MISSING_IN_LEDGER = "missing_in_ledger"
    """Paid on the chain, and no entry for it."""
    UNPAIRED = "unpaired"
    """The rail says settled, and the token did not move exactly that: not paid."""
    AMOUNT = "amount"
    """The same settlement with another amount."""
    PAYEE = "payee"
    """The same settlement with another creditor, debtor, token or sequence."""
    DUPLICATE = "duplicate"
    """One payment that is there twice."""
    NOT_BOOKED = "not_booked"
    """Paid on the chain and in the ledger, final, and the settlement stands elsewhere."""
    UNMATCHED = "unmatched"
    """Nothing above, and still no match."""
    UNKNOWN_SETTLEMENT = "unknown_settlement"
    """The rail settled under a reference that no settlement has."""
    UNATTRIBUTED_DEPOSIT = "unattributed_deposit"
    """A wallet of ours received tokens that no settlement explains."""
    UNATTRIBUTED_WITHDRAWAL = "unattributed_withdrawal"
    """A wallet of ours paid tokens that no settlement explains."""
    REJECTED = "rejected"
    """The rail refused the payment, and that is final."""
    REORGED = "reorged"
    """A booked payment was thrown out by a reorg and has not come back."""
    TIE_OUT = "tie_out"
    """A balance of the ledger is not the chain's at a final block."""
    MISSING_AT_BANK = "missing_at_bank"
    """Paid on the rail, or minted or burnt, and past its day no bank entry answers to it."""
    CURRENCY = "currency"
    """The same payment in another currency."""
    UNATTRIBUTED_BANK_CREDIT = "unattributed_bank_credit"
    """Money came to a bank account and nothing says why."""
    UNATTRIBUTED_BANK_DEBIT = "unattributed_bank_debit"
    """Money left a bank account and nothing says why."""
    LATE = "late"
    """Paid in full, after the last day on which it was expected."""
    SHORT = "short"
    """Paid, but less than was expected."""
    OVER = "over"
    """Paid, and more than was expected."""
    FEE = "fee"
    """Short by what a bank on the way has kept."""
    STUCK = "stuck"
    """Under way for longer than any step takes."""
    UNFOLLOWED = "unfollowed"
    """A wallet is not on the chain what it is to be, for longer than the admin's lane takes."""
    WRONG_TOKEN = "wrong_token"
    """Paid in a token that is not the invoice's."""
    AMBIGUOUS = "ambiguous"
    """Several records would match equally well: none was matched."""
    STATEMENT_GAP = "statement_gap"
    """A bank statement is missing, or does not begin where the one before has ended."""
    REPORT_DUE = "report_due"
    """A report to a supervisor has to be filed soon, or is late."""
    INQUIRY_OVERDUE = "inquiry_overdue"
    """What was asked about a payment has not been answered by its date."""


class Severity(StrEnum):
    """How grave a break is, from low to critical."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Action(StrEnum):
    """What is proposed to be done about a break."""

    ATTRIBUTE = "attribute"
    """Say which invoice the money pays."""
    RETURN = "return"
    """Send back what was paid too much."""
    MATCH = "match"
    """Match it by hand."""
    WRITE_OFF = "write_off"
    """Book a small difference away; a second person approves."""
    ADJUST = "adjust"
    """Correct the books by an entry; a second person approves."""
    RETRY = "retry"
    """Pay the settlement again: `settle settlement retry`."""
    WAIT = "wait"
    """It heals by itself when the chain or the bank goes on."""
    REVIEW = "review"
    """A person finds out what happened before anything is booked."""
    ASK_BANK = "ask_bank"
    """The bank has to explain, or to send a statement again."""


class About(NamedTuple):
    """What is known of a kind. `due_days` count from the day the break was opened."""

    severity: Severity
    meaning: str
    proposed: Action
    due_days: int


_K, _S, _A = BreakKind, Severity, Action

ABOUT: Mapping[BreakKind, About] = {
    _K.MISSING_ON_CHAIN: About(
        _S.CRITICAL, "our books call it paid, and the chain knows nothing of it", _A.REVIEW, 0
    ),
    _K.MISSING_IN_LEDGER: About(
        _S.CRITICAL, "the chain has paid it, and our books do not have it", _A.REVIEW, 0
    ),
    _K.UNPAIRED: About(
        _S.CRITICAL, "the rail reported a payment that the token did not make", _A.REVIEW, 0
    ),
    _K.AMOUNT: About(_S.HIGH, "the sides have it with different amounts", _A.REVIEW, 1),
    _K.PAYEE: About(_S.CRITICAL, "the sides have it with different parties", _A.REVIEW, 0),
    _K.DUPLICATE: About(_S.CRITICAL, "one payment is there twice", _A.REVIEW, 0),
    _K.NOT_BOOKED: About(
        _S.HIGH, "it is paid for good, and its settlement does not say so", _A.REVIEW, 1
    ),
    _K.UNMATCHED: About(_S.HIGH, "all sides agree, and it was not matched", _A.REVIEW, 1),
    _K.UNKNOWN_SETTLEMENT: About(
        _S.CRITICAL, "somebody else used the operator's key, or this is an old backup", _A.REVIEW, 0
    ),
    _K.UNATTRIBUTED_DEPOSIT: About(
        _S.MEDIUM, "tokens came to a wallet outside the rail", _A.ATTRIBUTE, 5
    ),
    _K.UNATTRIBUTED_WITHDRAWAL: About(
        _S.HIGH, "tokens left a wallet outside the rail", _A.REVIEW, 1
    ),
    _K.REJECTED: About(_S.MEDIUM, "the rail refused to pay it, for good", _A.RETRY, 2),
    _K.REORGED: About(_S.HIGH, "its block was replaced, and it has not come back", _A.WAIT, 1),
    _K.TIE_OUT: About(_S.CRITICAL, "a balance is not what the other side says", _A.REVIEW, 0),
    _K.MISSING_AT_BANK: About(_S.HIGH, "the bank does not have it, past its day", _A.ASK_BANK, 2),
    _K.CURRENCY: About(_S.HIGH, "the sides have it in different currencies", _A.REVIEW, 1),
    _K.UNATTRIBUTED_BANK_CREDIT: About(
        _S.MEDIUM, "money came to the bank account, and nothing says why", _A.ATTRIBUTE, 5
    ),
    _K.UNATTRIBUTED_BANK_DEBIT: About(
        _S.HIGH, "money left the bank account, and nothing says why", _A.ASK_BANK, 1
    ),
    _K.LATE: About(_S.LOW, "it came in full, after its last day", _A.MATCH, 10),
    _K.SHORT: About(_S.MEDIUM, "less came than was expected", _A.MATCH, 5),
    _K.OVER: About(_S.MEDIUM, "more came than was expected", _A.RETURN, 5),
    _K.FEE: About(_S.LOW, "a bank on the way has kept its fee", _A.WRITE_OFF, 10),
    _K.UNFOLLOWED: About(
        _S.HIGH,
        "the chain lists or frees a wallet that is to be stopped, or not yet one that is to be let",
        _A.REVIEW,
        0,
    ),
    _K.STUCK: About(_S.HIGH, "it is under way for too long", _A.REVIEW, 1),
    _K.WRONG_TOKEN: About(
        _S.HIGH, "it was paid in a token that is not the invoice's", _A.RETURN, 2
    ),
    _K.AMBIGUOUS: About(_S.MEDIUM, "several records fit equally well", _A.MATCH, 3),
    _K.STATEMENT_GAP: About(
        _S.HIGH, "a statement is missing, or does not begin where one ended", _A.ASK_BANK, 1
    ),
    _K.REPORT_DUE: About(
        _S.HIGH, "a report to a supervisor has to be filed soon, or is late", _A.REVIEW, 0
    ),
    _K.INQUIRY_OVERDUE: About(
        _S.MEDIUM, "a party has not answered what was asked about a payment", _A.REVIEW, 2
    ),
}
"""Every kind has its row; a test holds it."""
