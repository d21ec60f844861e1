"""Journal entries as values: lines, and one builder for each kind of thing that is booked.

Pure: knows signs and source keys, stores nothing.
"""

from settlement.ledger.entries.bank import bank_movement, reserve_movement
from settlement.ledger.entries.corrections import (
    Attribution,
    adjustment,
    attribution,
    claim_write_off,
    write_off,
)
from settlement.ledger.entries.rail import (
    accept,
    burn,
    claim_back,
    credit,
    funding,
    gas,
    mint,
    payment,
    transfer,
)
from settlement.ledger.entries.values import (
    PENDING,
    POSTED,
    Claim,
    Entry,
    Line,
    Payment,
    Side,
    Source,
)

__all__ = [
    "PENDING",
    "POSTED",
    "Attribution",
    "Claim",
    "Entry",
    "Line",
    "Payment",
    "Side",
    "Source",
    "accept",
    "adjustment",
    "attribution",
    "bank_movement",
    "burn",
    "claim_back",
    "claim_write_off",
    "credit",
    "funding",
    "gas",
    "mint",
    "payment",
    "reserve_movement",
    "transfer",
    "write_off",
]
