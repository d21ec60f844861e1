"""Taking back what an act has done: by reversal, so that both stay to be seen.

What a second person approved is taken back the same way: by a proposal that another approves.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from settlement import ledger
from settlement.invoices import attributions
from settlement.reconciliation.workbench import acts, effects, pairing, returning, standing
from settlement.reconciliation.workbench import desk as desks
from settlement.reconciliation.workbench.desk import Deed, Desk, Means
from settlement.reconciliation.workbench.effects import Effect
from settlement.reconciliation.workbench.errors import NothingToUndo
from settlement.reconciliation.workbench.rules import Act

APPROVED = frozenset({Act.WRITE_OFF.value, Act.ADJUST.value})
"""Acts that one person alone does not take back."""

_SEQ = text("SELECT seq FROM journal_entry WHERE source_key = :source_key")


def undo(session: Session, deed: Deed, means: Means, effect_id: str | None = None) -> None:
    """Take back an act: the one named, else the newest that stands, else the split.

    Raises:
        NothingToUndo: none stands, or it needs a second person.
    """
    desk = desks.lock(session, deed, Act.UNDO, closed=True)
    effect = effects.live(session, desk.id, effect_id)
    if effect is None and effect_id is None:
        acts.join(session, deed)
        return
    if effect is None:
        raise NothingToUndo(
            f"no effect {effect_id} of break {desk.id} stands",
            field="effect",
            repair="read the break's effects again",
        )
    if effect.act in APPROVED:
        raise NothingToUndo(
            f"{effect.act} was approved by a second person, and so is its undoing",
            field="effect",
            repair=f"propose it: action undo, effect {effect.id}",
        )
    take_back(session, desk, effect, deed, means)


def take_back(session: Session, desk: Desk, effect: Effect, deed: Deed, means: Means) -> None:
    """Reverse what an act has changed; the break is open again, as old as it was."""
    why, actor = desks.words(deed.reason), deed.person.actor
    effects.end(session, effect, actor=actor, reason=why, now=deed.now)
    if effect.match_id is not None:
        pairing.take_back(session, effect.match_id, deed)
    if effect.settlement_id is not None:
        returning.take_back(session, effect.settlement_id, deed, means)
    elif effect.invoice_id is not None and effect.claim_minor is not None:
        attributions.take_back(
            session, effect.invoice_id, effect.claim_minor, actor=actor, reason=why, now=deed.now
        )
    reopening = ""
    if desk.closed_at is not None:
        reopening = ", closed_at = NULL, closed_reason = NULL, closed_by = NULL"
    standing.free(session, desk.subject)
    desks.change(session, desk, reopening)
    desks.record(session, deed, "undo", {"effect": effect.id, "act": effect.act})
    if effect.source_key is not None:
        values = {"source_key": effect.source_key}
        seq = session.connection().execute(_SEQ, values).scalar_one()
        ledger.reverse(session, [seq], deed.now, f"undone: {why}")
