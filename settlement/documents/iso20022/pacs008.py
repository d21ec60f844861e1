"""pacs.008.001.08: a payment on the rail as one bank would send it to another.

An instruction: it says nothing about whether it was paid.
"""

from __future__ import annotations

from datetime import datetime

from settlement.documents.iso20022.filling import message
from settlement.documents.iso20022.payments import Payment, message_id, remittance
from settlement.documents.iso20022.values import account, agent, amount, identifier, moment, party

NAME = "pacs.008.001.08"
CLEARING_SYSTEM = "SETTLEMENT-RAIL"


def pacs008_id(payment: Payment) -> str:
    """Return the message's id, always the same of one payment."""
    return message_id("P8-", payment.key)


def pacs008(payment: Payment, *, created_at: datetime) -> bytes:
    """Return the payment as a customer credit transfer between agents.

    Raises:
        MessageInvalid: a value does not fit.
    """
    settled_on = (payment.value_date or payment.execution_date).isoformat()
    worth = amount(payment.amount_minor, payment.currency)
    tree = {
        "FIToFICstmrCdtTrf": {
            "GrpHdr": {
                "MsgId": pacs008_id(payment),
                "CreDtTm": moment(created_at),
                "NbOfTxs": "1",
                "TtlIntrBkSttlmAmt": worth,
                "IntrBkSttlmDt": settled_on,
                "SttlmInf": {"SttlmMtd": "CLRG", "ClrSys": {"Prtry": CLEARING_SYSTEM}},
            },
            "CdtTrfTxInf": {
                "PmtId": {
                    "InstrId": payment.key,
                    "EndToEndId": identifier(payment.end_to_end_id, field="end_to_end_id"),
                    "TxId": payment.key,
                    "UETR": payment.uetr,
                },
                "IntrBkSttlmAmt": worth,
                # The rail charges neither side: each bears its own, if there is any.
                "ChrgBr": "SHAR",
                "Dbtr": party(payment.debtor),
                "DbtrAcct": account(payment.debtor_account),
                "DbtrAgt": agent(None),
                "CdtrAgt": agent(None),
                "Cdtr": party(payment.creditor),
                "CdtrAcct": account(payment.creditor_account),
                "RmtInf": {"Strd": remittance(payment.invoice, payment.currency)},
            },
        }
    }
    return message(NAME, tree)
