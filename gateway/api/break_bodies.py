"""What acts on breaks carry: their bodies as read, and as the workbench wants them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.json_body import Body
from settlement.reconciliation.workbench import Correction, Refund, Wanted
from settlement.reconciliation.workbench.bulk import ROWS_MAX

Reason = Annotated[str, Field(description="One line; it stays in the history.", max_length=500)]
Version = Annotated[int, Field(ge=1, le=2**31, description="Of the break as it was read.")]
Amount = Annotated[str | None, Field(max_length=40, description="Left out: all that is left.")]
Part = Annotated[int | None, Field(ge=1, le=2**31, description="Of a split break.")]
Named = Annotated[str | None, Field(max_length=200)]


class ActBody(Body):
    """An act on a break as it was read."""

    version: Version
    reason: Reason


class AssignBody(Body):
    """Who works on it; an empty name: nobody."""

    owner: Annotated[str, Field(max_length=100)]
    reason: Reason
    version: Version | None = None


class CommentBody(Body):
    """What is to be said."""

    reason: Reason


class MatchBody(ActBody):
    """The records that belong together with the break's own."""

    records: Annotated[
        list[Annotated[str, Field(max_length=200)]],
        Field(min_length=1, max_length=1000, description="Ids or origins."),
    ]


class UnmatchBody(ActBody):
    """A match to be undone; left out: that of the break's own record."""

    match: Annotated[int | None, Field(ge=1, le=2**62)] = None


class SplitBody(ActBody):
    """Amounts that sum to what is left of the break."""

    parts: Annotated[
        list[Annotated[str, Field(max_length=40)]], Field(min_length=2, max_length=100)
    ]


class AttributeBody(ActBody):
    """The invoice that the money pays."""

    invoice: Annotated[str, Field(max_length=200, description="Its id, or its number.")]
    amount: Amount = None
    part: Part = None


class ReturnBody(ActBody):
    """What goes back to the debtor, of which invoice."""

    invoice: Named = None
    amount: Amount = None


class UndoBody(ActBody):
    """The effect to be undone; left out: the newest."""

    effect: Named = None


class ProposeBody(ActBody):
    """What a second person is to approve."""

    act: Annotated[str, Field(max_length=40, description="write_off, adjust or undo.")]
    amount: Amount = None
    part: Part = None
    invoice: Named = None
    against: Annotated[
        str | None,
        Field(max_length=40, description="write_off, fees, fx_difference or rounding."),
    ] = None
    debit: Named = None
    credit: Named = None
    effect: Named = None


class DecideBody(ActBody):
    """Which proposal; left out: the open one."""

    proposal: Named = None


class BulkRow(Body):
    """A row of a sheet."""

    line: Annotated[int, Field(ge=1, le=2**31)]
    break_id: Annotated[str, Field(max_length=64)]
    version: Version | None = None
    action: Annotated[str, Field(max_length=40)]
    argument: Annotated[str, Field(max_length=4000)] = ""
    reason: Annotated[str, Field(max_length=500)] = ""


class BulkBody(Body):
    """Rows, each applied or refused on its own; a dry run changes nothing."""

    rows: Annotated[list[BulkRow], Field(min_length=1, max_length=ROWS_MAX)]
    dry_run: bool = False


def correction(body: ProposeBody) -> Correction:
    """Return what is proposed."""
    return Correction(
        body.act,
        body.amount,
        body.part,
        body.invoice,
        body.against,
        body.debit,
        body.credit,
        body.effect,
    )


def wanted(body: AttributeBody) -> Wanted:
    """Return what is to be paid by the money."""
    return Wanted(body.invoice, body.amount, body.part)


def refund(body: ReturnBody) -> Refund:
    """Return what goes back."""
    return Refund(body.invoice, body.amount)
