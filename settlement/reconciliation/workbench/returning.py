"""Sending money back: a return claim of the debtor, paid over the rail like any other.

The rail pays it only under the creditor's own mandate, and never more than came in and was not
sent back. Whether it is due at all is a person's decision.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.errors import IllegalMove, Invalid
from settlement.invoices import returns
from settlement.money import parse_minor, rescale_exact
from settlement.reconciliation.workbench import desk as desks
from settlement.reconciliation.workbench import effects
from settlement.reconciliation.workbench.attributing import Claim, find_claim
from settlement.reconciliation.workbench.desk import Deed, Desk, Means
from settlement.reconciliation.workbench.effects import Effect
from settlement.reconciliation.workbench.errors import NothingToUndo, ReturnImpossible
from settlement.reconciliation.workbench.rules import Act

_OF_SUBJECT = text(
    "SELECT invoice_id FROM settlement WHERE id = :subject"
    " UNION SELECT COALESCE(r.invoice_id, s.invoice_id) FROM recon_record r"
    " LEFT JOIN settlement s ON s.id = r.settlement_id WHERE r.origin = :subject"
)
_CLAIM_OF = text("SELECT invoice_id, state FROM settlement WHERE id = :id")


class Refund(NamedTuple):
    """What goes back: of which invoice (None: the break's own), and how much of its currency."""

    invoice: str | None = None
    amount: str | None = None


def send_back(session: Session, deed: Deed, wanted: Refund, means: Means) -> str:
    """Instruct a linked payment from the creditor back to the debtor; return its settlement's id.

    Raises:
        ReturnImpossible: no invoice is known for the break's money, or the rail cannot pay it.
        ReturnTooLarge: more than came in and was not sent back.
    """
    desk = desks.lock(session, deed, Act.RETURN)
    claim = find_claim(session, wanted.invoice or _invoice_of(session, desk), None)
    minor = _minor(session, desk, claim, wanted)
    why, actor = desks.words(deed.reason), deed.person.actor
    return_id = returns.claim_back(
        session,
        claim.id,
        minor,
        actor=actor,
        reason=why,
        ids=means.ids,
        now=deed.now,
        let_go_minor=effects.let_go(session, claim.id),
    )
    settlement_id = means.rail.instruct(
        session, return_id, actor=actor, ids=means.ids, now=deed.now
    )
    effect = Effect(
        means.ids("bef"),
        desk.id,
        Act.RETURN.value,
        invoice_id=claim.id,
        settlement_id=settlement_id,
    )
    effects.store(session, effect, deed)
    desks.close(session, desk, deed)
    detail = {
        "effect": effect.id,
        "invoice": claim.id,
        "return_claim": return_id,
        "settlement": settlement_id,
    }
    desks.record(session, deed, "return", detail)
    return settlement_id


def take_back(session: Session, settlement_id: str, deed: Deed, means: Means) -> None:
    """Stop a return that is not under way yet.

    Raises:
        NothingToUndo: it was claimed for the chain, or is paid.
    """
    why, actor = desks.words(deed.reason), deed.person.actor
    row = session.connection().execute(_CLAIM_OF, {"id": settlement_id}).one()
    if row.state not in ("REJECTED", "CANCELLED"):
        try:
            means.rail.cancel(session, settlement_id, reason=why, actor=actor, now=deed.now)
        except IllegalMove as error:
            raise NothingToUndo(
                f"the return {settlement_id} is {row.state}: it cannot be called back",
                repair="wait for its end; what was sent back is paid anew, not undone",
            ) from error
    returns.drop(session, row.invoice_id, actor=actor, reason=why, now=deed.now)


def _minor(session: Session, desk: Desk, claim: Claim, wanted: Refund) -> int:
    """Return how much goes back, in the claim's currency; never all there is by default."""
    if wanted.amount is not None:
        return parse_minor(wanted.amount, claim.decimals, field="amount")
    if desk.amount_minor is not None and desk.unit is not None:
        unit = desks.unit_of(session, desk.unit)
        if unit.currency == claim.currency:
            return rescale_exact(
                desk.left_minor, from_decimals=unit.decimals, to_decimals=claim.decimals
            )
    raise Invalid(
        f"break {desk.id} does not say how much of {claim.currency} goes back",
        field="amount",
        repair="name the amount",
    )


def _invoice_of(session: Session, desk: Desk) -> str:
    found = session.connection().execute(_OF_SUBJECT, {"subject": desk.subject}).scalars().all()
    known = {each for each in found if each is not None}
    if len(known) != 1:
        raise ReturnImpossible(
            f"break {desk.id} does not say which invoice's money goes back",
            field="invoice",
            repair="name the paid invoice; a deposit is attributed to one first",
        )
    return str(known.pop())
