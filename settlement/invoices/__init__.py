"""An invoice's life: issued from a document, moved by seller and buyer, reduced by credit notes.

How much of it is in flight or settled is `amounts`; paying it is `settlements`.
"""

from settlement.invoices.errors import (
    CreditNoteHasNoMoves,
    CreditNoteTooLarge,
    CurrencyNotListed,
    DuplicateInvoice,
    IssueDateFarOff,
    NothingPayable,
    NotTheBuyer,
    NotTheSeller,
    PartiesIdentical,
    PartyNotActive,
    PartyUnknown,
    PayableTooLarge,
    PrecedingInvoiceUnknown,
    ReasonMissing,
)
from settlement.invoices.issue import Submission, issue
from settlement.invoices.moves import accept, cancel, query, reject
from settlement.invoices.records import (
    InvoiceEventRecord,
    InvoiceFilter,
    InvoiceRecord,
    StoredDocument,
    document,
    events,
    find,
    find_many,
    page,
    record_json,
)

__all__ = [
    "CreditNoteHasNoMoves",
    "CreditNoteTooLarge",
    "CurrencyNotListed",
    "DuplicateInvoice",
    "InvoiceEventRecord",
    "InvoiceFilter",
    "InvoiceRecord",
    "IssueDateFarOff",
    "NotTheBuyer",
    "NotTheSeller",
    "NothingPayable",
    "PartiesIdentical",
    "PartyNotActive",
    "PartyUnknown",
    "PayableTooLarge",
    "PrecedingInvoiceUnknown",
    "ReasonMissing",
    "StoredDocument",
    "Submission",
    "accept",
    "cancel",
    "document",
    "events",
    "find",
    "find_many",
    "issue",
    "page",
    "query",
    "record_json",
    "reject",
]
