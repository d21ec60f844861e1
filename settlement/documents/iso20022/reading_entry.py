"""One entry of a bank's file, as rows: itself, or each detail of its batch booking.

A batch's details sum up to their entry, charges that were taken out included, or it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from settlement.documents.iso20022.reading_model import (
    TEXT_MAX,
    ReadEntry,
    ReadHead,
    StatementContradicts,
)
from settlement.documents.iso20022.reading_plan import Charge, DetailPlan, EntryPlan, Texts
from settlement.documents.iso20022.reading_values import (
    Misfit,
    day,
    identification,
    minor,
    provided,
    sign,
    status,
)
from settlement.money import format_minor

CHARGES_CODE = "CHARGES"
"""The transaction code of the row that holds what was taken out of a batch."""


class Place(NamedTuple):
    """Where an entry stands."""

    line: int
    number: int
    """In its statement, from 1."""
    head: ReadHead
    decimals: int
    """Of the statement's currency."""

    @property
    def path(self) -> str:
        """As it is told to people."""
        return f"{self.head.path}/Ntry[{self.number}]"


class _Entry(NamedTuple):
    """What all rows of an entry share."""

    minor: int
    sign: int
    decimals: int
    status: str
    booking_date: str
    value_date: str
    reference: str | None
    code: str | None
    batch: str | None
    more: str | None
    charges_minor: int
    is_reversal: bool


class _Detail(NamedTuple):
    """One detail; `minor` is None where its amount is not the entry's kind."""

    minor: int | None
    reference: str | None
    instruction: str | None
    end_to_end: str | None
    uetr: str | None
    creditor_reference: str | None
    name: str | None
    account: str | None
    code: str | None
    reason: str | None
    remittance: str | None
    charges_minor: int


_NO_DETAIL = _Detail(None, None, None, None, None, None, None, None, None, None, None, 0)


def rows(plan: EntryPlan, texts: Texts, place: Place) -> list[ReadEntry]:
    """Return an entry's rows.

    Raises:
        StatementInvalid: a value is wrong.
        StatementContradicts: the details do not sum up to the entry.
    """
    try:
        entry = _entry(plan, texts, place)
        details = [_detail(each, texts, entry, place) for each in plan.details]
    except Misfit as misfit:
        raise misfit.at(place.line, place.path) from misfit
    if len(details) > 1 and all(each.minor is not None for each in details):
        return _batch(entry, details, place)
    single = details[0] if len(details) == 1 else _NO_DETAIL
    return [_row(entry, single, place, 0, entry.minor, _reference(entry, details))]


def _entry(plan: EntryPlan, texts: Texts, place: Place) -> _Entry:
    (amount, indicator, reversal, state, booked, valued, reference, domain, family, sub_family,
     own_code, batch, more) = plan.pick(texts)  # fmt: skip
    if plan.currency != place.head.currency:
        raise Misfit(
            f"the entry is in {plan.currency or 'no currency'}, not in {place.head.currency}",
            "import it for the account of its currency",
        )
    decimals = place.decimals
    direction = sign(indicator)
    first_day = booked or valued
    if first_day is None:
        raise Misfit("the entry has neither BookgDt nor ValDt", "an entry has a day")
    return _Entry(
        direction * minor(amount, decimals), direction, decimals, status(state), day(first_day),
        day(valued or first_day), provided(reference),
        _code(domain, family, sub_family, own_code), provided(batch), more,
        _charged(plan.charges, texts, plan.currency, decimals) if plan.charges else 0,
        reversal in ("true", "1"),
    )  # fmt: skip


def _detail(plan: DetailPlan, texts: Texts, entry: _Entry, place: Place) -> _Detail:
    (amount, indicator, reference, instruction, end_to_end, uetr, creditor_reference, debtor,
     debtor_account, creditor, creditor_account, domain, family, sub_family, own_code, reason,
     more) = plan.pick(texts)  # fmt: skip
    direction = entry.sign if indicator is None else sign(indicator)
    is_ours = plan.currency == place.head.currency
    takes_debtor = direction > 0
    # What comes back names its parties as they were first: the other side is who we are not.
    if (debtor_account if takes_debtor else creditor_account) == place.head.account:
        takes_debtor = not takes_debtor
    remittance = " ".join(text for each in plan.remittance if (text := texts[each])) or more
    return _Detail(
        direction * minor(amount, entry.decimals) if is_ours else None,
        provided(reference),
        provided(instruction),
        provided(end_to_end),
        uetr.lower() if uetr else None,
        identification(creditor_reference),
        debtor if takes_debtor else creditor,
        debtor_account if takes_debtor else creditor_account,
        _code(domain, family, sub_family, own_code),
        reason,
        remittance,
        _charged(plan.charges, texts, place.head.currency, entry.decimals) if plan.charges else 0,
    )


def _batch(entry: _Entry, details: Sequence[_Detail], place: Place) -> list[ReadEntry]:
    total = sum(each.minor or 0 for each in details)
    charged = entry.charges_minor or sum(each.charges_minor for each in details)
    reference = _reference(entry, details)
    found = [
        _row(entry, each, place, number, each.minor or 0, reference)
        for number, each in enumerate(details, start=1)
    ]
    if total == entry.minor:
        return found
    if charged and total - charged == entry.minor:
        fee = _NO_DETAIL._replace(code=CHARGES_CODE, reference=entry.reference)
        return [*found, _row(entry, fee, place, len(found) + 1, -charged, reference)]
    shown = [format_minor(each, entry.decimals) for each in (total, entry.minor)]
    raise StatementContradicts(
        f"the details sum up to {shown[0]}, their entry is {shown[1]}",
        line=place.line, path=f"{place.path}/NtryDtls", repair="ask the bank for a corrected file",
    )  # fmt: skip


def _row(
    entry: _Entry, detail: _Detail, place: Place, number: int, amount: int, reference: str
) -> ReadEntry:
    text = detail.remittance or entry.more
    name = detail.name
    return ReadEntry(
        place.line,
        place.number,
        number,
        amount,
        place.head.currency,
        entry.status,
        entry.booking_date,
        entry.value_date,
        detail.end_to_end,
        detail.instruction or entry.batch,
        detail.uetr,
        detail.reference or entry.reference,
        detail.creditor_reference,
        text[:TEXT_MAX] if text else None,
        name[:TEXT_MAX] if name else None,
        detail.account,
        detail.code or entry.code,
        detail.charges_minor or (0 if number else entry.charges_minor),
        entry.is_reversal,
        detail.reason,
        entry.minor,
        reference,
    )


def _reference(entry: _Entry, details: Sequence[_Detail]) -> str:
    """Return what tells an entry from others of its day and amount, in whatever file it comes."""
    if entry.reference:
        return entry.reference
    if len(details) == 1 and details[0].reference:
        return details[0].reference
    named = [each.uetr or each.end_to_end or "" for each in details]
    if any(named):
        return "\x1f".join(named)
    told = [f"{each.account or each.name or ''}\x1f{each.remittance or ''}" for each in details]
    return "\x1e".join(told) or entry.more or ""


def _code(
    domain: str | None, family: str | None, sub_family: str | None, own: str | None
) -> str | None:
    if domain:
        return f"{domain}/{family}/{sub_family}"
    return own


def _charged(charges: Sequence[Charge], texts: Texts, currency: str, decimals: int) -> int:
    """Return the charges that are in the account's currency; others cannot be added."""
    return sum(minor(texts[each.place], decimals) for each in charges if each.currency == currency)
