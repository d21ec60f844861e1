"""The workbench: what people do about breaks, each act with actor, reason, event and undo.

Finds no break; the engine, matching and tie-out do. What moves money or books is never one
person's alone, or is bounded by what is open.
"""

from settlement.reconciliation.workbench.acts import assign, close, comment, reopen, split
from settlement.reconciliation.workbench.attributing import Wanted, attribute
from settlement.reconciliation.workbench.bulk import Outcome, SheetRow, apply_rows
from settlement.reconciliation.workbench.corrections import Correction
from settlement.reconciliation.workbench.desk import Deed, Means, Rail
from settlement.reconciliation.workbench.limits import Person
from settlement.reconciliation.workbench.pairing import match, unmatch
from settlement.reconciliation.workbench.proposals import approve, propose, refuse, withdraw
from settlement.reconciliation.workbench.reading import Opened, opened
from settlement.reconciliation.workbench.returning import Refund, send_back
from settlement.reconciliation.workbench.undoing import undo

__all__ = [
    "Correction",
    "Deed",
    "Means",
    "Opened",
    "Outcome",
    "Person",
    "Rail",
    "Refund",
    "SheetRow",
    "Wanted",
    "apply_rows",
    "approve",
    "assign",
    "attribute",
    "close",
    "comment",
    "match",
    "opened",
    "propose",
    "refuse",
    "reopen",
    "send_back",
    "split",
    "undo",
    "unmatch",
    "withdraw",
]
