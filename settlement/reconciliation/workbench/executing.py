"""Doing what was approved: the entry, the invoice, the effect, the break's end, in one commit."""

from __future__ import annotations

from typing import NamedTuple

import orjson
from sqlmodel import Session

from settlement import ledger
from settlement.invoices import attributions
from settlement.reconciliation.workbench import corrections, effects, undoing
from settlement.reconciliation.workbench import desk as desks
from settlement.reconciliation.workbench.corrections import Terms
from settlement.reconciliation.workbench.desk import Deed, Desk, Means
from settlement.reconciliation.workbench.effects import Effect
from settlement.reconciliation.workbench.errors import NothingLeft, ProposalOutdated
from settlement.reconciliation.workbench.rules import Act
from settlement.reconciliation.workbench.standing import (
    explain,
    require_unmatched,
    standing,
    unused,
)


class Proposal(NamedTuple):
    """A stored proposal."""

    id: str
    break_id: str
    act: str
    terms: str
    what_hash: str
    needed: int
    state: str
    reason: str
    proposed_by: str


def execute(session: Session, desk: Desk, proposal: Proposal, deed: Deed, means: Means) -> None:
    """Do what was approved, in the name of the proposer and for the proposer's reason."""
    terms = Terms(**orjson.loads(proposal.terms))
    if proposal.act == Act.UNDO.value:
        effect = effects.live(session, desk.id, terms.effect)
        if effect is None:
            raise ProposalOutdated(proposal.id)
        undoing.take_back(session, desk, effect, deed, means)
        return
    if terms.code is not None:
        # Since it was proposed, the engine or another break of this money may have come first.
        require_unmatched(session, desk.subject)
        left = unused(session, desk, standing(session, desk))
        if terms.amount_minor > left:
            unit = desks.unit_of(session, terms.unit)
            raise NothingLeft("the money of the break", desks.shown(max(left, 0), unit))
    effect_id = means.ids("bef")
    reason = f"{proposal.reason} ({proposal.id})"
    entry = corrections.entry_of(session, terms, effect_id, reason)
    if terms.invoice_id is not None:
        attributions.pay(
            session,
            terms.invoice_id,
            terms.amount_minor,
            actor=deed.person.actor,
            reason=reason[:500],
            now=deed.now,
        )
    effect = Effect(
        effect_id,
        desk.id,
        proposal.act,
        amount_minor=terms.used_minor,
        part=terms.part,
        invoice_id=terms.invoice_id,
        claim_minor=terms.amount_minor if terms.invoice_id is not None else None,
        source_key=entry.source_key,
    )
    effects.store(session, effect, deed)
    closing = deed._replace(reason=proposal.reason)
    is_over = desks.settle(session, desk, closing, terms.used_minor or 0)
    if is_over or terms.code is not None:
        explain(session, desk.subject)
    desks.record(session, deed, proposal.act, {"effect": effect_id, "proposal": proposal.id})
    ledger.post(session, [entry], deed.now)
