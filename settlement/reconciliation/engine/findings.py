"""Findings in words: each kind's reason, the fields that differ with both values, the amounts.

Decides nothing: `classifying` has said what it is. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from settlement.money import format_minor
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.reconciliation.engine.leftovers import GapOf, Leftover, micro_of_minor
from settlement.reconciliation.kinds import Action

_MICRO_DECIMALS = 6
_DAY_ZERO = date(1970, 1, 1)
MEMBERS_MAX = 50
"""So many records are listed in a break; the others are counted."""
_WORDS = {
    BreakKind.PAYEE: "arrived with another party",
    BreakKind.CURRENCY: "arrived in another currency",
    BreakKind.AMOUNT: "arrived with another amount",
    BreakKind.SHORT: "is less than was expected",
    BreakKind.OVER: "is more than was expected",
    BreakKind.FEE: "is less than was expected by what the bank says it has kept",
}

Group = Sequence[Leftover]
Differing = list[dict[str, str | int | None]]


def disagreeing(kind: BreakKind, ours: Group, told: Group, field: str) -> Finding:
    """Records name the same payment, and differ in `field`: owner, currency or amount."""
    came = sum(each.amount_micro for each in told)
    wanted = sum(each.amount_micro for each in ours)
    if field == "amount":
        values = (_said(wanted), _said(came))
        in_question = came - wanted
    else:
        values = (str(getattr(ours[0], field)), _others(told, field, ours[0]))
        in_question = came
    differs: Differing = [{"field": field, "ours": values[0], "theirs": values[1]}]
    if kind is BreakKind.PAYEE and {each.account for each in told} != {ours[0].account}:
        accounts = ", ".join(sorted({each.account for each in told}))
        differs.append({"field": "account", "ours": ours[0].account, "theirs": accounts})
    reason = (
        f"{_named(ours[0])}: {_said(came)} {told[0].currency} {_WORDS[kind]};"
        f" {field} is {values[1]}, expected was {values[0]}"
    )
    return _finding(kind, told[0], reason, ours, told, in_question, differs=differs)


def late(ours: Group, told: Group) -> Finding:
    """All of it came, after the last day on which it was expected."""
    last = ours[0].last_day if ours[0].last_day is not None else ours[0].due_day
    came = max(each.value_day for each in told)
    days = came - (last or came)
    differs: Differing = [
        {"field": "value_date", "ours": None if last is None else _day(last), "theirs": _day(came)}
    ]
    reason = f"{_named(ours[0])}: it came in full, {days} days after its last day"
    return _finding(BreakKind.LATE, told[0], reason, ours, told, None, differs=differs)


def ambiguous(ours: Group, told: Group, why: str) -> Finding:
    """Nothing says which belongs to which."""
    reason = f"{len(ours)} expected and {len(told)} arrived with {_amounts(told)}: {why}"
    return _finding(BreakKind.AMBIGUOUS, told[0], reason, ours, told, None)


def twice(ours: Group, told: Group, settled: Group) -> Finding:
    """One payment, and more than one record of it at the other side."""
    if ours:
        reason = f"{_named(ours[0])} arrived {len(told)} times with {_amounts(told[:1])}"
        # One of them is right: what is in question is the others.
        over = sum(each.amount_micro for each in told[1:])
        action = Action.REVIEW
    else:
        reason = f"{_named(told[0])} arrived again with {_amounts(told)}: it is matched already"
        over = sum(each.amount_micro for each in told)
        action = Action.ASK_BANK
    members = (*ours, *settled)
    return _finding(BreakKind.DUPLICATE, told[0], reason, members, told, over, proposed=action)


def unattributed(record: Leftover, settled: Group = ()) -> Finding:
    """A bank entry that nothing of ours answers to; `settled` is what it names all the same."""
    if record.amount_micro > 0:
        kind, what = BreakKind.UNATTRIBUTED_BANK_CREDIT, "came to"
    else:
        kind, what = BreakKind.UNATTRIBUTED_BANK_DEBIT, "left"
    from_whom = f", counterparty {record.counterparty}" if record.counterparty else ""
    why = "nothing says why"
    if settled:
        named = record.end_to_end_id or record.reference
        why = f"it names {named}, which is matched: sent back, or charged for it"
    reason = f"{_amounts([record])} {what} account {record.account}{from_whom}; {why}"
    return _finding(kind, record, reason, settled, (record,), None)


def missing(record: Leftover) -> Finding:
    """Something of ours that no bank entry answers to, past its day."""
    due = record.value_day if record.due_day is None else record.due_day
    reason = (
        f"{_named(record)}: {_amounts([record])}, due at the bank on {_day(due)}, and no entry"
        " answers to it"
    )
    return _finding(BreakKind.MISSING_AT_BANK, record, reason, (record,), (), None)


def gap(found: GapOf) -> Finding:
    """A statement that does not go on where the one before has ended."""
    missing = found.gap.missing_sequences
    detail: dict[str, str | int | None] = {
        "account": found.gap.account_id,
        "after": found.gap.after,
        "before": found.gap.before,
        "first_missing": None if missing is None else missing[0],
        "last_missing": None if missing is None else missing[1],
    }
    return Finding(
        BreakKind.STATEMENT_GAP,
        found.gap.subject,
        found.gap.reason,
        detail,
        party=found.owner,
        amount_minor=found.gap.missing_minor,
        unit=found.currency,
    )


def _finding(
    kind: BreakKind,
    subject: Leftover,
    reason: str,
    ours: Group,
    told: Group,
    in_question: int | None,
    *,
    differs: Sequence[dict[str, str | int | None]] = (),
    proposed: Action | None = None,
) -> Finding:
    micro = subject.amount_micro if in_question is None else in_question
    every = [*ours, *told]
    members: list[dict[str, str | int | None]] = [
        {
            "origin": each.origin,
            "source": each.source,
            "amount": _said(each.amount_micro),
            "currency": each.currency,
            "value_date": _day(each.value_day),
        }
        for each in every[:MEMBERS_MAX]
    ]
    detail: dict[str, str | int | Sequence[dict[str, str | int | None]] | None] = {
        "records": members,
        "record_count": len(every),
    }
    if differs:
        detail["differs"] = list(differs)
    settlement = next((each.settlement_id for each in ours if each.settlement_id), None)
    if settlement is not None:
        detail["settlement"] = settlement
    for name in ("end_to_end_id", "reference"):
        value = next((getattr(each, name) for each in every if getattr(each, name)), None)
        if value is not None:
            detail[name] = value
    return Finding(
        kind,
        subject.origin,
        reason,
        detail,
        proposed=None if proposed is None else proposed.value,
        party=subject.owner or None,
        amount_minor=micro // micro_of_minor(subject.currency),
        unit=subject.currency,
    )


def _named(record: Leftover) -> str:
    name = record.end_to_end_id or record.reference
    return f"{record.source} {name}" if name else f"{record.source} {record.origin}"


def _others(told: Group, field: str, ours: Leftover) -> str:
    found = {str(getattr(each, field)) for each in told} - {str(getattr(ours, field))}
    return ", ".join(sorted(found))


def _amounts(records: Group) -> str:
    return ", ".join(f"{_said(each.amount_micro)} {each.currency}" for each in records[:3])


def _day(number: int) -> str:
    """ISO 8601 date of days since 1970-01-01."""
    return (_DAY_ZERO + timedelta(days=number)).isoformat()


def _said(micro: int) -> str:
    """Decimal text of millionths, signed, without more zeros than cents need."""
    text = format_minor(abs(micro), _MICRO_DECIMALS)
    whole, _, part = text.partition(".")
    return f"{'-' if micro < 0 else ''}{whole}.{part.rstrip('0').ljust(2, '0')}"
