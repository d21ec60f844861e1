"""The second person of a payment: asked for at instruct, between INSTRUCTED and CLEARED.

Who has to approve is the approval matrix's; where it asks for none the policy gives it. What is
seen and bound is all that is fixed for life: invoice, parties, wallets, token, amount, day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement import approvals
from settlement.approvals import Approval, Question, SeenOutdated
from settlement.clock import Ids
from settlement.documents.identifiers import minor_units
from settlement.money import Money, Unit
from settlement.settlements import control
from settlement.store import row_lock

KIND = "settlement"
POLICY = "policy"
"""Who has approved what the matrix asks nobody about."""

_SEEN = (
    "invoice_id", "document_sha256", "rail", "token", "debtor_id", "creditor_id", "debtor_wallet",
    "creditor_wallet", "sequence", "reference", "amount_minor", "claim_minor", "execution_date",
)  # fmt: skip
_CURRENT = (
    f"SELECT {', '.join(f's.{column}' for column in _SEEN)}, i.currency, s.state, s.approved_by"
    " FROM settlement s JOIN invoice i ON i.id = s.invoice_id WHERE s.id = :id"
)
_GIVE = text(
    "UPDATE settlement SET approved_by = :who, version = version + 1"
    " WHERE id = :id AND approved_by IS NULL AND state IN ('INSTRUCTED', 'HELD')"
)


def terms(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Return what an approver sees of a settlement's row. Pure."""
    unit = _unit(currency)
    return {
        **{column: row[column] for column in _SEEN},
        "amount": str(Money(row["claim_minor"], unit)),
    }


def role_of(actor: str) -> str:
    """Return the role of an event row's `role:hand`. Pure."""
    return actor.partition(":")[0]


def where_needed(
    rows: Sequence[dict[str, Any]], currencies: Sequence[str], *, role: str
) -> list[Question]:
    """Mark the rows that the policy approves, and return the questions about all others.

    Raises:
        NoApprovalRule: the matrix lets this role instruct no such amount.
    """
    questions = []
    for row, currency in zip(rows, currencies, strict=True):
        unit, minor = _unit(currency), row["claim_minor"]
        question = Question(KIND, row["id"], {}, minor, unit)
        if approvals.rule_of(question, role).needed:
            row["approved_by"] = None
            questions.append(Question(KIND, row["id"], terms(row, currency), minor, unit))
        else:
            row["approved_by"] = POLICY
    return questions


def ask(
    session: Session, questions: Sequence[Question], *, actor: str, ids: Ids, now: datetime
) -> None:
    """Ask about settlements that were just instructed by a hand."""
    if questions:
        approvals.ask_each(
            session,
            questions,
            maker=approvals.hand_of(actor),
            role=role_of(actor),
            reason="instructed",
            ids=ids,
            now=now,
        )


def seen_now(session: Session, approval: Approval) -> Mapping[str, Any] | None:
    """Return what is to be seen of a settlement at this moment, locked; None: it waits no more."""
    statement = text(_CURRENT + row_lock(session, "s"))
    row = session.connection().execute(statement, {"id": approval.subject}).one_or_none()
    if row is None or row.state not in ("INSTRUCTED", "HELD") or row.approved_by is not None:
        return None
    return terms(dict(row._mapping), row.currency)


def give(session: Session, approval: Approval, now: datetime) -> None:
    """Let an approved settlement be cleared; `approved_by` names the hands.

    Raises:
        SeenOutdated: it does not wait for an approval any more.
    """
    values = {"id": approval.subject, "who": ", ".join(approval.approvers)}
    if session.connection().execute(_GIVE, values).rowcount != 1:
        raise SeenOutdated(approval.id)


def end(session: Session, approval: Approval, now: datetime) -> None:
    """Cancel a settlement that is not approved: its part of the invoice is free again."""
    words = {"refused": "not approved", "lapsed": "nobody approved it in time"}
    why = f"{words.get(approval.state, approval.state)}: {approval.ended_reason or approval.id}"
    control.cancel(session, [approval.subject], reason=why, actor=_ended_by(approval), now=now)


def of_settlement(session: Session, settlement_id: str) -> list[Approval]:
    """Return every request about a settlement, oldest first."""
    return approvals.of_subjects(session, [settlement_id], kind=KIND)


def _ended_by(approval: Approval) -> str:
    refused = [each for each in approval.decisions if each.verdict == "refuse"]
    return f"{refused[-1].checker_role}:{refused[-1].checker}" if refused else "rail"


def _unit(currency: str) -> Unit:
    decimals = minor_units(currency)
    assert decimals is not None, "an invoice's currency was checked when it came in"
    return Unit(currency, decimals)
