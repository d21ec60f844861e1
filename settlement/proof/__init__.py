"""Proof of one paid invoice: a file that anybody can check without us.

Made here from database and chain; checked by `settlement/verify/proof_standalone.py`, which shares
no code with it.
"""

from settlement.proof.facts import NothingPaid, NotProvable
from settlement.proof.journal_tree import JournalTree
from settlement.proof.making import FORMAT, prove, sealed

__all__ = ["FORMAT", "JournalTree", "NotProvable", "NothingPaid", "prove", "sealed"]
