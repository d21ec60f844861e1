"""camt.054.001.08: one side of a payment is told of it, by itself and at once.

Knows no state: an entry that is not final comes with the status PDNG.
"""

from __future__ import annotations

from datetime import datetime

from settlement.documents.iso20022.entries import StatedEntry, entry_tree
from settlement.documents.iso20022.filling import message
from settlement.documents.iso20022.values import (
    CashAccount,
    Party,
    account,
    identifier,
    moment,
    party,
)

NAME = "camt.054.001.08"


def camt054(
    *,
    message_id: str,
    owner: Party,
    own_account: CashAccount,
    currency: str,
    entry: StatedEntry,
    created_at: datetime,
) -> bytes:
    """Return the notification of one entry to the account's owner.

    Raises:
        MessageInvalid: a value does not fit.
    """
    key = identifier(message_id, field="message id")
    at = moment(created_at)
    receiver = party(owner)
    tree = {
        "BkToCstmrDbtCdtNtfctn": {
            "GrpHdr": {"MsgId": key, "CreDtTm": at, "MsgRcpt": receiver},
            "Ntfctn": {
                "Id": key,
                "CreDtTm": at,
                "Acct": {**account(own_account), "Ownr": receiver},
                "Ntry": entry_tree(entry, currency),
            },
        }
    }
    return message(NAME, tree)
