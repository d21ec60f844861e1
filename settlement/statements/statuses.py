"""How far a settlement has come, in ISO 20022's words: a label, and why it stands there.

Only what is final is ACSC. Pure: knows no database.
"""

from __future__ import annotations

from collections.abc import Mapping

from settlement.chain.rail_abi import Rejection
from settlement.documents.iso20022.status import Reason
from settlement.states import SettlementState, iso_20022_status

S = SettlementState

REGULATORY, NARRATIVE = "RR04", "NARR"

REJECTION_CODES: Mapping[Rejection, str] = {
    Rejection.ALREADY_SETTLED: "AM05",  # Duplication.
    Rejection.MANDATE_MISSING: "MD01",  # No mandate.
    Rejection.MANDATE_EXPIRED: "MD01",
    Rejection.OVER_PAYMENT_CAP: "AM14",  # Amount exceeds the agreed limit.
    Rejection.OVER_DAY_CAP: "AM14",
    Rejection.DEBTOR_NOT_LISTED: "AG01",  # Transaction forbidden.
    Rejection.CREDITOR_NOT_LISTED: "AG01",
    Rejection.TOKEN_REFUSED: "AC06",  # Blocked account.
    Rejection.AMOUNT_INVALID: "AM12",  # Invalid amount.
}
"""Why the rail did not pay. Source: ISO 20022 ExternalStatusReason1Code."""

_TOLD = frozenset({S.HELD, S.REJECTED, S.CANCELLED, S.NEEDS_REVIEW})
"""States that nobody understands without a reason."""


def label(state: SettlementState, *, is_approved: bool) -> str:
    """Return the label of a state. Source: ISO 20022 ExternalPaymentTransactionStatus1Code."""
    return iso_20022_status(state, is_approved=is_approved)


def reasons(
    state: SettlementState, *, words: str | None, outcome_code: int | None, clearance: str | None
) -> tuple[Reason, ...]:
    """Return why a settlement stands where it does; none where the label says enough.

    `clearance` is the outcome of its last decision, `outcome_code` the rail's own reason.
    """
    if state not in _TOLD:
        return ()
    if state is S.REJECTED and outcome_code in set(Rejection):
        return (Reason(REJECTION_CODES[Rejection(outcome_code)], words),)
    is_policy = state in (S.HELD, S.REJECTED) and clearance in ("HOLD", "REJECT", "BLOCK")
    return (Reason(REGULATORY if is_policy else NARRATIVE, words),)
