"""remt.001.001.06: what a payment was for, sent to the creditor apart from the payment.

Says which payment it belongs to; the amounts are those of the invoice's currency.
"""

from __future__ import annotations

from datetime import datetime

from settlement.documents.iso20022.filling import message
from settlement.documents.iso20022.payments import (
    Payment,
    further_words,
    message_id,
)
from settlement.documents.iso20022.values import (
    ID_MAX,
    Tree,
    account,
    amount,
    identifier,
    moment,
    party,
)

NAME = "remt.001.001.06"


def remt001_id(payment: Payment) -> str:
    """Return the message's id, always the same of one payment."""
    return message_id("RA-", payment.key)


def remt001(payment: Payment, *, created_at: datetime) -> bytes:
    """Return the remittance advice of a payment.

    Raises:
        MessageInvalid: a value does not fit.
    """
    debtor = party(payment.debtor)
    tree = {
        "RmtAdvc": {
            "GrpHdr": {
                "MsgId": remt001_id(payment),
                "CreDtTm": moment(created_at),
                "InitgPty": debtor,
                "MsgRcpt": party(payment.creditor),
            },
            "RmtInf": {
                "RmtId": payment.key,
                "Strd": _structured(payment),
                "OrgnlPmtInf": {
                    "Refs": {
                        "InstrId": payment.key,
                        "EndToEndId": identifier(payment.end_to_end_id, field="end_to_end_id"),
                        "TxId": payment.key,
                        "UETR": payment.uetr,
                    },
                    "Amt": {"InstdAmt": amount(payment.amount_minor, payment.currency)},
                    "ReqdExctnDt": {"Dt": payment.execution_date.isoformat()},
                    "Dbtr": debtor,
                    "DbtrAcct": account(payment.debtor_account),
                    "Cdtr": party(payment.creditor),
                    "CdtrAcct": account(payment.creditor_account),
                },
            },
        }
    }
    return message(NAME, tree)


def _structured(payment: Payment) -> Tree:
    part, currency = payment.invoice, payment.currency
    words = further_words(part)
    if payment.chain is not None:
        where = f"{payment.chain.tx_hash} block {payment.chain.block_number}"
        words.append(f"moved {payment.token_amount} in {where}")
    return {
        "RfrdDocInf": {
            "Tp": {"CdOrPrtry": {"Cd": "CINV"}},
            "Nb": part.number if len(part.number) <= ID_MAX else None,
            "RltdDt": {"Tp": {"Prtry": "IssueDate"}, "Dt": part.issue_date.isoformat()},
        },
        "RfrdDocAmt": {
            "RmtAmtAndTp": [
                _typed("DuePayableAmount", part.payable_minor, currency),
                _typed("RemittedAmount", part.paid_minor, currency),
            ]
        },
        "AddtlRmtInf": words,
    }


def _typed(kind: str, minor: int, currency: str) -> Tree:
    return {"Tp": {"Prtry": kind}, "Amt": amount(minor, currency)}
