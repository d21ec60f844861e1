"""Accounts at banks and what the banks say of them: statements, entries, balances.

Reads files and stores what they hold; matches nothing and pays nobody.
"""

from settlement.bank.accounts import (
    BankAccount,
    BankAccountExists,
    NewBankAccount,
    bank_account,
    bank_accounts,
    register,
)

__all__ = [
    "BankAccount",
    "BankAccountExists",
    "NewBankAccount",
    "bank_account",
    "bank_accounts",
    "register",
]
