"""pain.001.001.09: credit transfers that we ask our bank to make.

Checks sums and ids; does not decide what is paid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from settlement.documents.iso20022.errors import MessageInvalid
from settlement.documents.iso20022.filling import message
from settlement.documents.iso20022.values import (
    Agent,
    CashAccount,
    Party,
    Tree,
    account,
    agent,
    amount,
    amount_text,
    clean,
    identifier,
    moment,
    party,
)

NAME = "pain.001.001.09"
PAYMENTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class BankPayment:
    """One credit transfer. `amount_minor`: minor units of the order's currency."""

    end_to_end_id: str
    amount_minor: int
    creditor: Party
    creditor_account: CashAccount
    creditor_agent: Agent | None = None
    remittance: str | None = None
    uetr: str | None = None
    """A UUID of version 4, with its dashes."""
    instruction_id: str | None = None
    """Ours; the end-to-end id where there is none."""


@dataclass(frozen=True, slots=True)
class BankOrder:
    """All that one debtor's account is to pay on one day, in one currency."""

    message_id: str
    debtor: Party
    debtor_account: CashAccount
    currency: str
    execution_date: date
    payments: Sequence[BankPayment]
    debtor_agent: Agent | None = None


def pain001(order: BankOrder, *, created_at: datetime) -> bytes:
    """Return the order as a message with one payment information block.

    Raises:
        MessageInvalid: nothing to pay, an end-to-end id twice, or a value that does not fit.
    """
    _check(order)
    count = str(len(order.payments))
    total = amount_text(sum(one.amount_minor for one in order.payments), order.currency)
    debtor = party(order.debtor)
    tree = {
        "CstmrCdtTrfInitn": {
            "GrpHdr": {
                "MsgId": identifier(order.message_id, field="message_id"),
                "CreDtTm": moment(created_at),
                "NbOfTxs": count,
                "CtrlSum": total,
                "InitgPty": debtor,
            },
            "PmtInf": {
                "PmtInfId": order.message_id,
                "PmtMtd": "TRF",
                "NbOfTxs": count,
                "CtrlSum": total,
                "ReqdExctnDt": {"Dt": order.execution_date.isoformat()},
                "Dbtr": debtor,
                "DbtrAcct": account(order.debtor_account),
                "DbtrAgt": agent(order.debtor_agent),
                "CdtTrfTxInf": [_transfer(one, order.currency) for one in order.payments],
            },
        }
    }
    return message(NAME, tree)


def _transfer(one: BankPayment, currency: str) -> Tree:
    remittance = one.remittance and clean(one.remittance, 140, field="remittance")
    return {
        "PmtId": {
            "InstrId": identifier(one.instruction_id or one.end_to_end_id, field="instruction_id"),
            "EndToEndId": identifier(one.end_to_end_id, field="end_to_end_id"),
            "UETR": one.uetr,
        },
        "Amt": {"InstdAmt": amount(one.amount_minor, currency)},
        "CdtrAgt": agent(one.creditor_agent) if one.creditor_agent else None,
        "Cdtr": party(one.creditor),
        "CdtrAcct": account(one.creditor_account),
        "RmtInf": {"Ustrd": [remittance]} if remittance else None,
    }


def _check(order: BankOrder) -> None:
    if not 1 <= len(order.payments) <= PAYMENTS_MAX:
        raise MessageInvalid(
            f"an order has 1 to {PAYMENTS_MAX} payments, not {len(order.payments)}",
            field="payments",
            repair="split the order",
        )
    if any(one.amount_minor <= 0 for one in order.payments):
        raise MessageInvalid(
            "a payment is of more than zero", field="amount_minor", repair="leave it out"
        )
    counts = Counter(one.end_to_end_id for one in order.payments)
    end_to_end_id, count = counts.most_common(1)[0]
    if count > 1:
        raise MessageInvalid(
            f"the end-to-end id {end_to_end_id!r} stands there {count} times",
            field="end_to_end_id",
            repair="give each payment its own",
        )
