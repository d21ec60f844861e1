"""pain.002.001.10 and pacs.002.001.10: how far an instruction has come.

Takes the label as it is; which state has which label is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from settlement.documents.iso20022.errors import MessageInvalid
from settlement.documents.iso20022.filling import message
from settlement.documents.iso20022.payments import message_id
from settlement.documents.iso20022.values import (
    NOT_PROVIDED,
    Party,
    Tree,
    amount,
    clean,
    identifier,
    moment,
    party,
)

CUSTOMER, INTERBANK = "pain.002.001.10", "pacs.002.001.10"
LABELS = frozenset({"RCVD", "ACCP", "PDNG", "ACSP", "ACSC", "RJCT", "CANC"})
"""Source: ISO 20022 ExternalPaymentTransactionStatus1Code."""

_WORDS_MAX = 105


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an instruction stands where it does. Source: ISO 20022 ExternalStatusReason1Code."""

    code: str
    words: str | None = None


@dataclass(frozen=True, slots=True)
class InstructionStatus:
    """An instruction and its label; `key` is 32 hexadecimal digits of the settlement's id."""

    key: str
    end_to_end_id: str
    uetr: str
    label: str
    currency: str
    amount_minor: int
    execution_date: date
    debtor: Party
    creditor: Party
    received_at: datetime
    reasons: Sequence[Reason] = ()
    settled_on: date | None = None
    """The day on which it was paid for good; with ACSC, and with nothing else."""


def pain002(status: InstructionStatus, *, created_at: datetime) -> bytes:
    """Return the report to the side that gave the instruction.

    Raises:
        MessageInvalid: a value does not fit.
    """
    _check(status)
    original = {"OrgnlMsgId": status.key, "OrgnlMsgNmId": NOT_PROVIDED}
    details = {
        "StsId": message_id("S2-", status.key),
        "OrgnlInstrId": status.key,
        "OrgnlEndToEndId": identifier(status.end_to_end_id, field="end_to_end_id"),
        "OrgnlUETR": status.uetr,
        "TxSts": status.label,
        "StsRsnInf": _reasons(status),
        "OrgnlTxRef": {
            "Amt": {"InstdAmt": amount(status.amount_minor, status.currency)},
            "ReqdExctnDt": {"Dt": status.execution_date.isoformat()},
            "Dbtr": {"Pty": party(status.debtor)},
            "Cdtr": {"Pty": party(status.creditor)},
        },
    }
    tree = {
        "CstmrPmtStsRpt": {
            "GrpHdr": {
                "MsgId": message_id("S2-", status.key),
                "CreDtTm": moment(created_at),
                "InitgPty": party(status.debtor),
            },
            "OrgnlGrpInfAndSts": original,
            "OrgnlPmtInfAndSts": {"OrgnlPmtInfId": status.key, "TxInfAndSts": details},
        }
    }
    return message(CUSTOMER, tree)


def pacs002(status: InstructionStatus, *, original_id: str, created_at: datetime) -> bytes:
    """Return the report between agents; `original_id` is the pacs.008's message id.

    Raises:
        MessageInvalid: a value does not fit.
    """
    _check(status)
    settled_on = {"Dt": status.settled_on.isoformat()} if status.settled_on else None
    tree = {
        "FIToFIPmtStsRpt": {
            "GrpHdr": {"MsgId": message_id("P2-", status.key), "CreDtTm": moment(created_at)},
            "TxInfAndSts": {
                "StsId": message_id("P2-", status.key),
                "OrgnlGrpInf": {"OrgnlMsgId": original_id, "OrgnlMsgNmId": "pacs.008.001.08"},
                "OrgnlInstrId": status.key,
                "OrgnlEndToEndId": identifier(status.end_to_end_id, field="end_to_end_id"),
                "OrgnlTxId": status.key,
                "OrgnlUETR": status.uetr,
                "TxSts": status.label,
                "StsRsnInf": _reasons(status),
                "AccptncDtTm": moment(status.received_at),
                "FctvIntrBkSttlmDt": settled_on,
                "OrgnlTxRef": {
                    "IntrBkSttlmAmt": amount(status.amount_minor, status.currency),
                    "Dbtr": {"Pty": party(status.debtor)},
                    "Cdtr": {"Pty": party(status.creditor)},
                },
            },
        }
    }
    return message(INTERBANK, tree)


def _check(status: InstructionStatus) -> None:
    if status.label not in LABELS:
        raise MessageInvalid(f"{status.label!r} is no status", field="label", repair="a bug")
    # Only what is final is called settled to anyone outside, and what is settled is final.
    assert (status.label == "ACSC") == (status.settled_on is not None), "settled means final"


def _reasons(status: InstructionStatus) -> list[Tree]:
    return [
        {
            "Rsn": {"Cd": reason.code},
            "AddtlInf": _words(reason.words) if reason.words else None,
        }
        for reason in status.reasons
    ]


def _words(words: str) -> list[str]:
    """Return a text in pieces that fit."""
    kept = clean(" ".join(words.split()), 10 * _WORDS_MAX, field="reason")
    pieces = [kept[at : at + _WORDS_MAX].strip() for at in range(0, len(kept), _WORDS_MAX)]
    return [piece for piece in pieces if piece]
