"""Reconciliation: settlements, chain and ledger compared; each disagreement is a break.

Corrects nothing: neither a settlement, nor an entry, nor the chain.
"""

from settlement.reconciliation.bank_sides import stated
from settlement.reconciliation.breaks import BreakKind, Finding, OpenBreak
from settlement.reconciliation.evidence import Evidence, explain
from settlement.reconciliation.matching import Matched, match, newest_settled_block
from settlement.reconciliation.news import news
from settlement.reconciliation.tie_out import TieOut, TieOutRow, differing, tie_out, tie_out_banks

__all__ = [
    "BreakKind",
    "Evidence",
    "Finding",
    "Matched",
    "OpenBreak",
    "TieOut",
    "TieOutRow",
    "differing",
    "explain",
    "match",
    "newest_settled_block",
    "news",
    "stated",
    "tie_out",
    "tie_out_banks",
]
