"""The trail of every act: who did what, about what, when, from where, and how it ended.

Written with the act itself, chained by hashes. Decides nothing.
"""

from settlement.audit.acts import FIRST_PREV_HASH, Act, Changes, differences, sealed
from settlement.audit.reading import AuditFilter, AuditRecord, every, page
from settlement.audit.recording import back_to, changed, head, mark, record, take_changes

__all__ = [
    "FIRST_PREV_HASH",
    "Act",
    "AuditFilter",
    "AuditRecord",
    "Changes",
    "back_to",
    "changed",
    "differences",
    "every",
    "head",
    "mark",
    "page",
    "record",
    "sealed",
    "take_changes",
]
