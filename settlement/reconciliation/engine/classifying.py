"""What is left over after matching becomes typed breaks: one for each trouble, with what differs.

Pure rules over records that share a strong key, then over those of equal amount, then over the
rest. What is not yet due is expected and no break; what has a break elsewhere gets none here.
Opens nothing: `runs` does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.reconciliation.engine import leftovers
from settlement.reconciliation.engine.findings import (
    ambiguous,
    disagreeing,
    gap,
    late,
    missing,
    twice,
    unattributed,
)
from settlement.reconciliation.engine.leftovers import Excuses, Leftover

KINDS = (
    BreakKind.MISSING_AT_BANK,
    BreakKind.UNATTRIBUTED_BANK_CREDIT,
    BreakKind.UNATTRIBUTED_BANK_DEBIT,
    BreakKind.AMOUNT,
    BreakKind.CURRENCY,
    BreakKind.PAYEE,
    BreakKind.DUPLICATE,
    BreakKind.SHORT,
    BreakKind.OVER,
    BreakKind.FEE,
    BreakKind.LATE,
    BreakKind.AMBIGUOUS,
    BreakKind.STATEMENT_GAP,
)
"""What `classify` finds; of some kinds others find breaks too, about subjects of their own."""
_SUBJECTS = ("match_", "exp_", "bank:", "part:", "statement:")


class Group(NamedTuple):
    """Records that share a strong key, in a lasting order."""

    ours: tuple[Leftover, ...]
    """Open: payments, mints, burns, claims, expectations."""
    told: tuple[Leftover, ...]
    """Open: what banks and bare transfers tell."""
    settled: tuple[Leftover, ...]
    """Matched, or explained by a person."""


def is_found_here(kind: BreakKind, subject: str) -> bool:
    """Whether a break is one that `classify` opens, and has to close when it no longer finds it."""
    if kind is BreakKind.MISSING_AT_BANK and subject.startswith("log:"):
        return True  # Of a mint or a burn.
    return kind in KINDS and subject.startswith(_SUBJECTS)


def classify(session: Session, now: datetime, day: int) -> list[Finding]:
    """Return every break that is left over, as of `day` (days since 1970-01-01).

    `now` is not looked at: what is due is a matter of days.
    """
    del now
    every = leftovers.leftovers(session)
    named = [each for each in every if each.end_to_end_id or each.reference]
    settled = leftovers.companions(session, [each for each in named if is_due(each, day)])
    excused = leftovers.excuses(session, every)
    groups = [group for group in grouped(every, settled) if group.ours or group.told]
    both = [each for group in groups if group.ours and group.told for each in group.told]
    kept = leftovers.charges(session, both)
    found = explain_all(groups, kept, excused, day)
    return [*found, *(gap(each) for each in leftovers.gaps(session))]


def explain_all(
    groups: Iterable[Group], kept: Mapping[int, int], excused: Excuses, day: int
) -> list[Finding]:
    """Say what each group is; what no key holds together is compared by its amount. Pure.

    `kept` are the charges of a bank entry, by its record.
    """
    found: list[Finding] = []
    alone: list[Leftover] = []
    for group in groups:
        if group.ours and group.told:
            why = explain_pair(group, kept, day)
            if why is not None and not any(map(excused.excuse, group.told)):
                found.append(why)
        elif group.told and any(not each.is_told for each in group.settled):
            found += [
                _again(each, group.settled)
                for each in group.told
                if each.source == "bank" and not excused.excuse(each)
            ]
        elif not group.ours or not any(each.is_told for each in group.settled):
            alone += [*group.ours, *group.told]
    alone = [each for each in alone if not excused.excuse(each)]
    for ours, told in by_amount(alone):
        found.append(_of_equal_amount(ours, told))
        taken = {each.id for each in (*ours, *told)}
        alone = [each for each in alone if each.id not in taken]
    found += [why for each in alone if (why := explain_alone(each, day)) is not None]
    return found


def grouped(records: Sequence[Leftover], settled: Sequence[Leftover]) -> Iterator[Group]:
    """Yield the records that hang together by end-to-end id, or by owner and reference. Pure."""
    every = sorted((*records, *settled), key=lasting)
    root: dict[object, object] = {}

    def find(key: object) -> object:
        path = []
        while (up := root.setdefault(key, key)) != key:
            path.append(key)
            key = up
        for each in path:
            root[each] = key
        return key

    # What only banks write, such as PAYMENT, names nothing.
    known = {(each.owner, each.reference) for each in every if not each.is_told}
    for each in every:
        for key in _strong_keys(each, known):
            root[find(key)] = find(each.id)
    members: dict[object, list[Leftover]] = defaultdict(list)
    for each in every:
        members[find(each.id)].append(each)
    for group in members.values():
        is_open = [each for each in group if each.state == "open"]
        yield Group(
            tuple(each for each in is_open if not each.is_told),
            tuple(each for each in is_open if each.is_told),
            tuple(each for each in group if each.state != "open"),
        )


def explain_pair(group: Group, kept: Mapping[int, int], day: int) -> Finding | None:
    """Say why records that name the same payment were not matched. Pure."""
    ours, told = group.ours, group.told
    first = ours[0]
    if any(each.owner != first.owner for each in told):
        return disagreeing(BreakKind.PAYEE, group.ours, told, "owner")
    if any(each.currency != first.currency for each in told):
        return disagreeing(BreakKind.CURRENCY, ours, told, "currency")
    if len(ours) == 1 and len(told) > 1 and all(fits(first, each) for each in told):
        return twice(ours, told, group.settled)
    low, high = sum(each.low for each in ours), sum(each.high for each in ours)
    came = sum(each.amount_micro for each in told)
    if low <= came <= high:
        if first.last_day is not None and told[-1].value_day > first.last_day:
            return late(ours, told)
        return ambiguous(ours, told, "they add up, and no rule may join them")
    less = came < low if low > 0 else came > high
    if less and low <= came + _signed(first, sum(kept.get(each.id, 0) for each in told)) <= high:
        return disagreeing(BreakKind.FEE, ours, told, "amount")
    if less and not any(is_due(each, day) for each in ours):
        return None  # The rest may still come.
    is_exact = any(each.source in ("payment", "mint", "burn") for each in ours)
    if is_exact or came * first.amount_micro < 0:
        return disagreeing(BreakKind.AMOUNT, ours, told, "amount")
    return disagreeing(BreakKind.SHORT if less else BreakKind.OVER, ours, told, "amount")


def by_amount(
    records: Sequence[Leftover],
) -> list[tuple[tuple[Leftover, ...], tuple[Leftover, ...]]]:
    """Return what stands on both sides with one amount, and names nothing else. Pure."""
    sides: dict[tuple[object, ...], tuple[list[Leftover], list[Leftover]]] = {}
    for each in sorted(records, key=lasting):
        if each.source in ("deposit", "withdrawal") or each.low != each.high:
            continue
        if each.is_told and each.end_to_end_id:
            continue  # It names another payment.
        if each.source == "invoice":
            continue  # A claim has its own due day, and is paid on the rail.
        key = (each.owner, each.currency, each.amount_micro)
        sides.setdefault(key, ([], []))[each.is_told].append(each)
    return [(tuple(ours), tuple(told)) for ours, told in sides.values() if ours and told]


def explain_alone(record: Leftover, day: int) -> Finding | None:
    """Say what a record is that nothing answers to; None while it is expected. Pure."""
    if record.source == "bank":
        return unattributed(record)
    if record.is_told or record.source == "invoice" or not is_due(record, day):
        return None
    return missing(record)


def is_due(record: Leftover, day: int) -> bool:
    """Whether the last day on which the other side was expected has passed. Pure."""
    if record.is_told:
        return True
    return record.due_day is not None and record.due_day < day


def fits(ours: Leftover, told: Leftover) -> bool:
    """Whether the amount is what was expected. Pure."""
    return ours.low <= told.amount_micro <= ours.high


def lasting(record: Leftover) -> tuple[object, ...]:
    """What orders records the same way in whatever order they came in."""
    return (
        record.source, record.owner, record.account, record.value_day, record.amount_micro,
        record.end_to_end_id or "", record.reference or "", record.counterparty or "",
        record.settlement_id or "", record.id,
    )  # fmt: skip


def _again(told: Leftover, settled: Sequence[Leftover]) -> Finding:
    """Say what names a payment that is matched; what goes the other way is no second one."""
    if any(each.amount_micro * told.amount_micro > 0 for each in settled):
        return twice((), (told,), settled)
    return unattributed(told, settled)


def _of_equal_amount(ours: tuple[Leftover, ...], told: tuple[Leftover, ...]) -> Finding:
    if len(ours) == 1 and len(told) == 1:
        last = ours[0].last_day if ours[0].last_day is not None else ours[0].due_day
        if last is not None and told[0].value_day > last:
            return late(ours, told)
        return ambiguous(ours, told, "the amount agrees, and no rule may join them")
    return ambiguous(ours, told, "they fit equally well")


def _strong_keys(
    record: Leftover, known: Collection[tuple[str, str | None]]
) -> Iterator[tuple[str, ...]]:
    if record.end_to_end_id:
        yield "end_to_end_id", record.end_to_end_id
    # Two sellers may both have an invoice 1.
    if record.reference and (record.owner, record.reference) in known:
        yield "reference", record.owner, record.reference


def _signed(record: Leftover, micro: int) -> int:
    return micro if record.amount_micro > 0 else -micro
