"""Entries of statements and notifications (camt.053, camt.054): one shape for both.

Amounts are signed minor units of the account's currency: + received, - paid.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from settlement.documents.iso20022.payments import (
    ChainPlace,
    InvoicePart,
    chain_references,
    chain_words,
    remittance,
)
from settlement.documents.iso20022.values import (
    CashAccount,
    Party,
    Tree,
    account,
    amount,
    clean,
    identifier,
    party,
)

BOOKED, PENDING = "BOOK", "PDNG"
ISSUER = "SETTLEMENT-RAIL"

_WORDS_MAX = 500


class StatedEntry(NamedTuple):
    """A movement of an account, as its owner is told of it."""

    reference: str
    """The journal entry, such as `je_12`."""
    minor: int
    booking_date: date
    value_date: date
    kind: str
    """What it is in the ledger: payment, mint, transfer, …"""
    status: str = BOOKED
    is_reversal: bool = False
    is_payment: bool = False
    key: str | None = None
    """32 hexadecimal digits of the settlement's id."""
    end_to_end_id: str | None = None
    uetr: str | None = None
    other_party: Party | None = None
    other_account: CashAccount | None = None
    chain: ChainPlace | None = None
    invoice: InvoicePart | None = None
    note: str | None = None
    """What there is to say besides: an exact amount of tokens, that it is not final."""


def entry_tree(entry: StatedEntry, currency: str) -> Tree:
    """Return the element `Ntry`. Source: ISO 20022, ReportEntry10."""
    worth = amount(abs(entry.minor), currency)
    side = _side(entry.minor)
    return {
        "NtryRef": identifier(entry.reference, field="reference"),
        "Amt": worth,
        "CdtDbtInd": side,
        # The side is the entry's own; with this mark the payment that it takes back had the other.
        "RvslInd": True if entry.is_reversal else None,
        "Sts": {"Cd": entry.status},
        "BookgDt": {"Dt": entry.booking_date.isoformat()},
        "ValDt": {"Dt": entry.value_date.isoformat()},
        "AcctSvcrRef": entry.reference,
        "BkTxCd": _transaction_code(entry),
        "NtryDtls": {
            "TxDtls": {
                "Refs": {
                    "AcctSvcrRef": entry.reference,
                    "InstrId": entry.key,
                    "EndToEndId": entry.end_to_end_id,
                    "UETR": entry.uetr,
                    "TxId": entry.key,
                    "Prtry": chain_references(entry.chain),
                },
                "Amt": worth,
                "CdtDbtInd": side,
                "RltdPties": _parties(entry),
                "RmtInf": {"Strd": remittance(entry.invoice, currency)} if entry.invoice else None,
                "AddtlTxInf": chain_words(entry.chain),
            }
        },
        "AddtlNtryInf": clean(entry.note, _WORDS_MAX, field="note") if entry.note else None,
    }


def _side(minor: int) -> str:
    return "CRDT" if minor >= 0 else "DBIT"


def _transaction_code(entry: StatedEntry) -> Tree:
    """Return the bank transaction code. Source: ISO 20022 external code sets, PMNT."""
    own = {"Cd": identifier(entry.kind, field="kind"), "Issr": ISSUER}
    if not entry.is_payment:
        return {"Prtry": own}
    received = (entry.minor >= 0) != entry.is_reversal
    family = {"Cd": "RCDT" if received else "ICDT", "SubFmlyCd": "XBCT"}
    return {"Domn": {"Cd": "PMNT", "Fmly": family}, "Prtry": own}


def _parties(entry: StatedEntry) -> Tree | None:
    """Return the other side, as the debtor or creditor that it was in the payment itself."""
    if entry.other_party is None:
        return None
    other_paid = (entry.minor >= 0) != entry.is_reversal
    role = "Dbtr" if other_paid else "Cdtr"
    return {
        role: {"Pty": party(entry.other_party)},
        f"{role}Acct": account(entry.other_account) if entry.other_account else None,
    }
