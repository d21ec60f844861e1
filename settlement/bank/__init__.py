"""Accounts at banks and what the banks say of them: statements, entries, balances.

Reads files and stores what they hold; posts what is booked; matches nothing and pays nobody.
"""

from settlement.bank.accounts import (
    BankAccount,
    BankAccountExists,
    NewBankAccount,
    bank_account,
    bank_accounts,
    register,
)
from settlement.bank.importing import Prepared, Source, import_file, prepare
from settlement.bank.judging import Gap, StatementSpan, gaps
from settlement.bank.listing import (
    closing_balances,
    entries,
    first_opening,
    statement_gaps,
    statements,
)
from settlement.bank.mappings import NoBankMapping, mapping, set_mapping
from settlement.bank.posting import post_all, post_entries
from settlement.bank.spool import OtherBankAccount, UnknownBankAccount
from settlement.bank.storing import Imported, StatementConflict

__all__ = [
    "BankAccount",
    "BankAccountExists",
    "Gap",
    "Imported",
    "NewBankAccount",
    "NoBankMapping",
    "OtherBankAccount",
    "Prepared",
    "Source",
    "StatementConflict",
    "StatementSpan",
    "UnknownBankAccount",
    "bank_account",
    "bank_accounts",
    "closing_balances",
    "entries",
    "first_opening",
    "gaps",
    "import_file",
    "mapping",
    "post_all",
    "post_entries",
    "prepare",
    "register",
    "set_mapping",
    "statement_gaps",
    "statements",
]
