"""Which act mends which kind of break, and what to do where it does not. Pure: data and look-ups.

Who may do it, and up to what amount, is in `limits`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from settlement.reconciliation.kinds import BreakKind
from settlement.reconciliation.workbench.errors import ActMakesNoSense


class Act(StrEnum):
    """What people do about a break."""

    ASSIGN = "assign"
    COMMENT = "comment"
    MATCH = "match"
    UNMATCH = "unmatch"
    SPLIT = "split"
    ATTRIBUTE = "attribute"
    RETURN = "return"
    WRITE_OFF = "write_off"
    ADJUST = "adjust"
    REOPEN = "reopen"
    CLOSE = "close"
    UNDO = "undo"


ALWAYS = frozenset({Act.ASSIGN, Act.COMMENT, Act.REOPEN, Act.UNDO})

_A, _K = Act, BreakKind
_BOOKS = frozenset({_A.WRITE_OFF, _A.ADJUST})
_PAIRING = frozenset({_A.MATCH, _A.UNMATCH})
_DIFFERENCE = _PAIRING | _BOOKS | {_A.CLOSE}
_CREDIT = _PAIRING | _BOOKS | {_A.SPLIT, _A.ATTRIBUTE, _A.CLOSE}
_NONE: frozenset[Act] = frozenset()

ALLOWED: Mapping[BreakKind, frozenset[Act]] = {
    _K.MISSING_ON_CHAIN: _NONE,
    _K.MISSING_IN_LEDGER: _NONE,
    _K.UNPAIRED: _NONE,
    _K.AMOUNT: _DIFFERENCE,
    _K.PAYEE: _PAIRING | {_A.ADJUST, _A.CLOSE},
    _K.DUPLICATE: _PAIRING | {_A.ADJUST, _A.CLOSE, _A.RETURN},
    _K.NOT_BOOKED: _NONE,
    _K.UNMATCHED: _PAIRING | {_A.CLOSE},
    _K.UNKNOWN_SETTLEMENT: _NONE,
    _K.UNATTRIBUTED_DEPOSIT: _CREDIT,
    _K.UNATTRIBUTED_WITHDRAWAL: _PAIRING | {_A.ADJUST, _A.CLOSE},
    _K.REJECTED: frozenset({_A.CLOSE}),
    _K.REORGED: _NONE,
    _K.TIE_OUT: _NONE,
    _K.MISSING_AT_BANK: _PAIRING | {_A.ADJUST, _A.CLOSE},
    _K.CURRENCY: _PAIRING | {_A.ADJUST, _A.CLOSE},
    _K.UNATTRIBUTED_BANK_CREDIT: _CREDIT,
    _K.UNATTRIBUTED_BANK_DEBIT: _PAIRING | _BOOKS | {_A.SPLIT, _A.CLOSE},
    _K.LATE: _PAIRING | {_A.CLOSE},
    _K.SHORT: _DIFFERENCE,
    _K.OVER: _DIFFERENCE | {_A.RETURN},
    _K.FEE: _DIFFERENCE,
    _K.STUCK: frozenset({_A.CLOSE}),
    _K.UNFOLLOWED: frozenset({_A.CLOSE}),
    _K.WRONG_TOKEN: frozenset({_A.MATCH, _A.UNMATCH, _A.RETURN, _A.ADJUST, _A.CLOSE}),
    _K.AMBIGUOUS: _PAIRING | {_A.CLOSE},
    _K.STATEMENT_GAP: frozenset({_A.CLOSE}),
    _K.REPORT_DUE: frozenset({_A.CLOSE}),
    _K.INQUIRY_OVERDUE: frozenset({_A.CLOSE}),
}
"""Beside ALWAYS. A kind of identity on the rail is mended by its cause, and then heals."""

_OF_THE_RAIL = "find the cause: it heals by itself when settlement, chain and ledger agree"
_INSTEAD: Mapping[BreakKind, str] = {
    _K.MISSING_ON_CHAIN: "look for its payment with `settle trace`; it heals when the chain has it",
    _K.MISSING_IN_LEDGER: "let the worker run; it heals when the payment is booked",
    _K.UNPAIRED: "decide with `settle review`: the token did not move what the rail reported",
    _K.NOT_BOOKED: "decide with `settle review`, or let the worker run",
    _K.UNKNOWN_SETTLEMENT: "pause the lane, and find out who holds the operator's key",
    _K.REJECTED: "retry it with `settle settlement retry`, or close the break",
    _K.REORGED: "wait: the stored bytes are sent again; it heals when it is paid or has ended",
    _K.TIE_OUT: "find the missing or wrong posting; mirrors of the chain are never adjusted",
    _K.UNATTRIBUTED_DEPOSIT: "attribute it to an invoice first; what is too much is then returned",
    _K.UNFOLLOWED: "look with `settle registry list --differs` and `settle lane list`: is the"
    " admin's signer there, and has it gas money? It heals when the chain follows",
    _K.STUCK: "look with `settle lane list` and `settle review list`; it heals when it moves",
    _K.WRONG_TOKEN: "return it, or match it by hand to what it paid",
    _K.STATEMENT_GAP: "get the statement from the bank and import it: `settle bank import FILE`",
    _K.LATE: "match it, or close it with a reason: it came in full",
    _K.AMBIGUOUS: "match by hand the records that belong together",
    _K.MISSING_AT_BANK: "ask the bank; match it by hand when its entry is there",
}


WHEN_CLOSED = frozenset({Act.COMMENT, Act.REOPEN, Act.UNMATCH, Act.UNDO})
"""What may be done with a break that is closed; to open it again only then."""


def allowed(kind: BreakKind, subject: str) -> frozenset[Act]:
    """Return the acts that make sense. Pure."""
    if _is_identity(kind, subject):
        return ALWAYS
    return ALWAYS | ALLOWED[kind]


def require(act: Act, kind: BreakKind, subject: str) -> None:
    """Return quietly if the act mends such a break.

    Raises:
        ActMakesNoSense: it does not; says what does.
    """
    if act in allowed(kind, subject):
        return
    default = _OF_THE_RAIL if _is_identity(kind, subject) else _others(kind)
    raise ActMakesNoSense(act.value, kind.value, _INSTEAD.get(kind, default))


def _is_identity(kind: BreakKind, subject: str) -> bool:
    """Whether it is a disagreement about one settlement, which no hand settles."""
    of_settlement = subject.startswith("stl_")
    return of_settlement and kind in {_K.AMOUNT, _K.PAYEE, _K.DUPLICATE, _K.UNMATCHED}


def _others(kind: BreakKind) -> str:
    return "what helps here: " + ", ".join(sorted(act.value for act in ALLOWED[kind]))
