"""The books: an append-only journal in double entry, chained by hashes. Knows signs, not decisions.

Every entry sums to zero in each unit by itself; what must not stand is reversed, never changed.
"""

from settlement.ledger import accounts, entries, monitors, periods
from settlement.ledger.account_statement import AccountStatement, Basis, account_statement
from settlement.ledger.balances import available, balances, balances_at, codes_of
from settlement.ledger.entries import (
    PENDING,
    POSTED,
    Attribution,
    Claim,
    Entry,
    Line,
    Payment,
    Side,
    Source,
)
from settlement.ledger.journal import Head, Unbalanced, head, post
from settlement.ledger.reservations import Reservation, releases, reserve, void
from settlement.ledger.reversals import reverse
from settlement.ledger.trial_balance import TrialBalance, TrialRow, trial_balance
from settlement.ledger.verification import (
    BadEntry,
    ChainVerdict,
    JournalEdited,
    require_sound_head,
    verify_chain,
)

__all__ = [
    "PENDING",
    "POSTED",
    "AccountStatement",
    "Attribution",
    "BadEntry",
    "Basis",
    "ChainVerdict",
    "Claim",
    "Entry",
    "Head",
    "JournalEdited",
    "Line",
    "Payment",
    "Reservation",
    "Side",
    "Source",
    "TrialBalance",
    "TrialRow",
    "Unbalanced",
    "account_statement",
    "accounts",
    "available",
    "balances",
    "balances_at",
    "codes_of",
    "entries",
    "head",
    "monitors",
    "periods",
    "post",
    "releases",
    "require_sound_head",
    "reserve",
    "reverse",
    "trial_balance",
    "verify_chain",
    "void",
]
