"""A payment on the rail as messages tell of it, and the parts that several of them share.

Knows no state: whether it was paid is said by whoever gathered the facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from settlement.documents.iso20022.filling import Fixed
from settlement.documents.iso20022.values import (
    ID_MAX,
    CashAccount,
    Party,
    Tree,
    amount,
    clean,
    identifier,
)


@dataclass(frozen=True, slots=True)
class ChainPlace:
    """Where on a chain something happened."""

    chain_id: int
    tx_hash: str
    """0x and 64 hexadecimal digits; so is `block_hash`."""
    block_number: int
    block_hash: str
    log_index: int | None = None


@dataclass(frozen=True, slots=True)
class InvoicePart:
    """The invoice that a payment pays, and how much of it; minor units of the currency."""

    number: str
    issue_date: date
    payable_minor: int
    paid_minor: int
    document_sha256: str


@dataclass(frozen=True, slots=True)
class Payment:
    """Who pays whom, how much, for what, and where on the chain."""

    key: str
    """32 hexadecimal digits of the settlement's id: message and instruction ids are made of it."""
    end_to_end_id: str
    uetr: str
    debtor: Party
    debtor_account: CashAccount
    creditor: Party
    creditor_account: CashAccount
    currency: str
    amount_minor: int
    token_amount: str
    """As moved on the chain: `4320.000000 TEUR`."""
    reference: str
    """The 32 bytes on the chain that commit to the terms."""
    execution_date: date
    invoice: InvoicePart
    value_date: date | None = None
    """The day of the block that paid it; None: not paid."""
    booked_at: datetime | None = None
    entry: str | None = None
    """Its journal entry, such as `je_12`."""
    chain: ChainPlace | None = None
    is_final: bool = False


def message_id(prefix: str, key: str) -> str:
    """Return a message's id: a prefix of up to three characters and the settlement's key."""
    return identifier(prefix + key, field="message id")


def halves(kind: str, digest: str) -> list[Tree]:
    """Return a 32-byte hash as two references of 32 characters: one reference holds only 35."""
    digits = digest.removeprefix("0x")
    return [
        {"Tp": f"{kind}-1", "Ref": digits[:32]},
        {"Tp": f"{kind}-2", "Ref": digits[32:]},
    ]


def chain_references(place: ChainPlace | None) -> list[Tree]:
    """Return proprietary references to a place on a chain."""
    if place is None:
        return []
    found = _of_chain_tx(place.chain_id, place.tx_hash, place.block_number, place.block_hash)
    if place.log_index is None:
        return found
    return [*found, {"Tp": "LOG", "Ref": str(place.log_index)}]


@lru_cache(maxsize=64)
def _of_chain_tx(chain_id: int, tx_hash: str, block_number: int, block_hash: str) -> list[Tree]:
    """Return what all payments of a batch have in common."""
    found = [{"Tp": "CHAIN", "Ref": f"eip155:{chain_id}"}, *halves("TX", tx_hash)]
    found += [{"Tp": "BLOCK", "Ref": str(block_number)}, *halves("BLOCK", block_hash)]
    return [Fixed(one) for one in found]


def chain_words(place: ChainPlace | None) -> str | None:
    """Return a place on a chain in words."""
    if place is None:
        return None
    log = "" if place.log_index is None else f" log {place.log_index}"
    return f"chain transaction {place.tx_hash} block {place.block_number} {place.block_hash}{log}"


def remittance(part: InvoicePart, currency: str) -> Tree:
    """Return structured remittance information: number, date, amounts, the document's hash.

    Source: ISO 20022, StructuredRemittanceInformation16.
    """
    return {
        "RfrdDocInf": {
            "Tp": {"CdOrPrtry": {"Cd": "CINV"}},
            "Nb": part.number if len(part.number) <= ID_MAX else None,
            "RltdDt": part.issue_date.isoformat(),
        },
        "RfrdDocAmt": {
            "DuePyblAmt": amount(part.payable_minor, currency),
            "RmtdAmt": amount(part.paid_minor, currency),
        },
        "AddtlRmtInf": further_words(part),
    }


def further_words(part: InvoicePart) -> list[str]:
    """Return what the structured elements have no room for."""
    found = [f"document SHA-256 {part.document_sha256}"]
    if len(part.number) > ID_MAX:
        found.append(clean(f"invoice {part.number}", 140, field="invoice number"))
    return found
