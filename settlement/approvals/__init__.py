"""The one way to a second person: asked for, bound to what was seen, decided by other hands.

Knows no noun: the room that asks says what is to be seen, and does what was approved.
"""

from settlement.approvals.deciding import decide, require_open
from settlement.approvals.errors import (
    ApprovalNotOpen,
    ApprovalOpen,
    MatrixInvalid,
    NoApprovalRule,
    NotAnApprover,
    NotTheMaker,
    SamePerson,
    SeenOutdated,
)
from settlement.approvals.hands import hand_of, same_hand
from settlement.approvals.records import (
    Approval,
    ApprovalFilter,
    Decision,
    canonical,
    find,
    of_subjects,
    page,
    several,
    what_hash,
)
from settlement.approvals.requests import (
    Question,
    ask,
    ask_each,
    lapse,
    make_void,
    rule_of,
    withdraw,
)

__all__ = [
    "Approval",
    "ApprovalFilter",
    "ApprovalNotOpen",
    "ApprovalOpen",
    "Decision",
    "MatrixInvalid",
    "NoApprovalRule",
    "NotAnApprover",
    "NotTheMaker",
    "Question",
    "SamePerson",
    "SeenOutdated",
    "ask",
    "ask_each",
    "canonical",
    "decide",
    "find",
    "hand_of",
    "lapse",
    "make_void",
    "of_subjects",
    "page",
    "require_open",
    "rule_of",
    "same_hand",
    "several",
    "what_hash",
    "withdraw",
]
