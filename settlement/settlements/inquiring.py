"""What a request for information does to its payment: held when asked, cleared anew when accepted.

A hold by a person stays: only they, or the treasury, end it.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from settlement.clock import Ids
from settlement.compliance.inquiries import asking, open_inquiries
from settlement.compliance.inquiries.reading import Inquiry
from settlement.errors import Conflict, NotFound
from settlement.settlements import control
from settlement.states import SettlementState
from settlement.store import row_lock
from settlement.store.bulk import rows, rows_by_key

ACTOR = "inquiry"
"""Who holds a payment of which something was asked: its thread says which person it was."""
_ENDS_BY_ITSELF = (ACTOR, "policy")
"""Whose holds end with their cause: the policy looks again at once and holds for any other."""
_HOLDABLE = (SettlementState.INSTRUCTED, SettlementState.CLEARED)
_HELD_BY = (
    "SELECT actor FROM settlement_event WHERE settlement_id = ? AND state = 'HELD'"
    " ORDER BY id DESC LIMIT 1"
)


class PaymentUnderWay(Conflict):
    """A payment that is claimed already, or has ended, cannot be held by a question."""

    def __init__(self, settlement_id: str, state: str) -> None:
        super().__init__(
            f"settlement {settlement_id} is {state}: no question holds it any more",
            field="settlement_id",
            repair="ask before the payment is claimed for a batch",
        )


def ask(
    session: Session, settlement_id: str, *, asked_of: str, question: str, due: date,
    actor: str, ids: Ids, now: datetime,
) -> Inquiry:  # fmt: skip
    """Ask one of a payment's parties, and hold the payment until the answer is accepted.

    Raises:
        NotFound, Invalid: see `asking.ask`.
        PaymentUnderWay: it is too late to hold it.
    """
    state = _locked(session, settlement_id)
    if state not in (*_HOLDABLE, SettlementState.HELD):
        raise PaymentUnderWay(settlement_id, state)
    made = asking.ask(
        session, settlement_id, asked_of=asked_of, question=question, due=due,
        actor=actor, ids=ids, now=now,
    )  # fmt: skip
    if state in _HOLDABLE:
        reason = f"request for information {made.id}"
        control.hold(session, [settlement_id], reason=reason, actor=ACTOR, now=now)
    return made


def end(
    session: Session, inquiry_id: str, move: str, *, reason: str, actor: str, now: datetime
) -> Inquiry:
    """Accept an inquiry's answer or cancel it; its payment is cleared anew if nothing else holds.

    Raises:
        NotFound, IllegalMove, Invalid: see `asking.end`.
    """
    ended = asking.end(session, inquiry_id, move, reason=reason, actor=actor, now=now)
    key = ended.settlement_id
    if _locked(session, key) is SettlementState.HELD and not open_inquiries(session, [key]):
        held_by = rows(session, _HELD_BY, (key,))
        if held_by and held_by[0][0] in _ENDS_BY_ITSELF:
            control.release(session, [key], actor=ACTOR, now=now)
    return ended


def _locked(session: Session, settlement_id: str) -> SettlementState:
    sql = "SELECT state FROM settlement WHERE id {keys}" + row_lock(session, "settlement")
    found = rows_by_key(session, sql, [settlement_id])
    if not found:
        raise NotFound("settlement", settlement_id)
    return SettlementState(found[0][0])
