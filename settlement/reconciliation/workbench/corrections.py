"""Write-offs and adjustments: what a proposal says is to be booked, checked, and turned to entries.

Pure but for looking accounts up; who approves is `proposals`'. Mirrors of chain and bank are never
adjusted: they show what is there.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlmodel import Session

from settlement.errors import Invalid
from settlement.invoices.returns import RETURN
from settlement.ledger import Entry, accounts, entries
from settlement.money import parse_minor
from settlement.reconciliation.kinds import BreakKind
from settlement.reconciliation.workbench import acts
from settlement.reconciliation.workbench import desk as desks
from settlement.reconciliation.workbench.attributing import Claim, find_claim
from settlement.reconciliation.workbench.desk import Desk
from settlement.reconciliation.workbench.errors import NothingLeft, NotThisMoney
from settlement.reconciliation.workbench.rules import Act
from settlement.reconciliation.workbench.standing import (
    Standing,
    require_unmatched,
    standing,
    unused,
)
from settlement.store.bulk import rows_by_key

AGAINST = ("write_off", "fees", "fx_difference", "rounding")
"""Kinds of account that bear a write-off."""
ADJUSTABLE = frozenset(
    {"suspense", "clearing", "fees", "fx_difference", "rounding", "write_off", "adjustment"}
)
"""Kinds of account that an adjustment may touch."""


_NOT_LET_GO = frozenset({"381", RETURN})
_MONEY_THAT_STANDS = frozenset(
    {
        BreakKind.UNATTRIBUTED_DEPOSIT,
        BreakKind.UNATTRIBUTED_BANK_CREDIT,
        BreakKind.UNATTRIBUTED_BANK_DEBIT,
    }
)


class Terms(NamedTuple):
    """What is to be booked, and how much of the break it deals with."""

    act: str
    amount_minor: int
    unit: str
    used_minor: int | None
    """Of the break's own amount; None where it names none."""
    part: int | None = None
    invoice_id: str | None = None
    debit: str | None = None
    credit: str | None = None
    code: str | None = None
    """Of a write-off: where it stands now."""
    standing_minor: int = 0
    """Signed as it stands there."""
    against: str | None = None
    effect: str | None = None
    """Of an undoing: what is to be taken back."""


class Correction(NamedTuple):
    """What a person asks for; amounts are decimal strings."""

    act: str
    amount: str | None = None
    part: int | None = None
    invoice: str | None = None
    against: str | None = None
    debit: str | None = None
    credit: str | None = None
    effect: str | None = None


def write_off_terms(session: Session, desk: Desk, wanted: Correction) -> Terms:
    """Return the terms of a write-off: the rest of a claim, or money that stands unexplained.

    Raises:
        Invalid, NotThisMoney, NothingLeft: it is none.
    """
    against = wanted.against or ("fees" if desk.kind is BreakKind.FEE else "write_off")
    if against not in AGAINST:
        raise Invalid(
            f"{against[:40]!r} bears no write-off",
            field="against",
            repair=f"name one of {', '.join(AGAINST)}",
        )
    require_unmatched(session, desk.subject)
    if wanted.invoice is not None:
        return _claim_terms(session, desk, wanted)
    money = standing(session, desk)
    unit = desks.unit_of(session, money.unit)
    left = min(acts.portion(session, desk, wanted.part), unused(session, desk, money))
    minor = _amount(wanted, left, unit)
    return Terms(
        Act.WRITE_OFF.value,
        minor,
        money.unit,
        minor,
        part=wanted.part,
        code=money.received_in,
        # What came in stands on the other side of the entry that brought it; what did not come
        # (short, fee) is below 0 in the break though money came, and costs.
        standing_minor=-minor if _came(desk, money) > 0 else minor,
        against=f"{against}:{money.owner}:{money.unit}",
    )


def adjustment_terms(session: Session, desk: Desk, wanted: Correction) -> Terms:
    """Return the terms of an adjustment between two accounts of one unit.

    Raises:
        Invalid: an account is unknown or no such account is ever adjusted, or the units differ.
    """
    if not wanted.debit or not wanted.credit or not wanted.amount:
        raise Invalid(
            "an adjustment names two accounts and an amount",
            field="debit",
            repair="name debit, credit and amount",
        )
    codes = (wanted.debit, wanted.credit)
    _require_adjustable(session, codes)
    unit = desks.unit_of(session, accounts.unit_of(wanted.debit))
    minor = parse_minor(wanted.amount, unit.decimals, field="amount")
    used = minor if desk.unit == unit.code and desk.amount_minor is not None else None
    if used is not None:
        left = acts.portion(session, desk, wanted.part)
        _amount(wanted, left, unit)
    return Terms(
        Act.ADJUST.value,
        minor,
        unit.code,
        used,
        part=wanted.part,
        debit=wanted.debit,
        credit=wanted.credit,
    )


def entry_of(session: Session, terms: Terms, act_id: str, reason: str) -> Entry:
    """Return the entry that books the terms."""
    if terms.act == Act.ADJUST.value:
        assert terms.debit is not None and terms.credit is not None, "checked when proposed"
        return entries.adjustment(
            act_id, debit=terms.debit, credit=terms.credit, minor=terms.amount_minor, reason=reason
        )
    if terms.invoice_id is not None:
        claim = find_claim(session, terms.invoice_id, None)
        let_go = entries.Claim(
            claim.id,
            claim.seller_id,
            claim.buyer_id,
            claim.currency,
            terms.amount_minor,
            None,  # type: ignore[arg-type]  # The day of posting.
        )
        return entries.claim_write_off(act_id, let_go, reason=reason)
    assert terms.code is not None and terms.against is not None, "checked when proposed"
    return entries.write_off(
        act_id,
        code=terms.code,
        minor=terms.standing_minor,
        against=terms.against,
        reason=reason,
    )


def _came(desk: Desk, money: Standing) -> int:
    """Return the signed amount in question: a bank's break says by itself what lacks."""
    if desk.subject.startswith("bank:") and desk.amount_minor is not None:
        return desk.amount_minor
    return money.minor


def _claim_terms(session: Session, desk: Desk, wanted: Correction) -> Terms:
    assert wanted.invoice is not None
    claim: Claim = find_claim(session, wanted.invoice, desk.party)
    if claim.state not in ("ACCEPTED", "PARTLY_PAID") or claim.type_code in _NOT_LET_GO:
        raise NotThisMoney(
            f"invoice {claim.number} is {claim.state}: nothing of it is written off",
            field="invoice",
            repair="name an accepted invoice with something open; a return is undone",
        )
    minor = claim.open_minor
    if wanted.amount is not None:
        minor = parse_minor(wanted.amount, claim.decimals, field="amount")
    if not 0 < minor <= claim.open_minor:
        raise NothingLeft(f"invoice {claim.number}", claim.amount(claim.open_minor))
    used = None
    # Money that came is not dealt with by letting go of a claim: it still stands there.
    is_of_claims = desk.amount_minor is not None and desk.kind not in _MONEY_THAT_STANDS
    if is_of_claims and desk.unit == claim.currency:
        left = acts.portion(session, desk, wanted.part)
        used = min(minor, left)
        if wanted.part is not None and used != left:
            raise NothingLeft(f"part {wanted.part}, which is dealt with whole", claim.amount(left))
    return Terms(
        Act.WRITE_OFF.value,
        minor,
        claim.currency,
        used,
        part=wanted.part,
        invoice_id=claim.id,
    )


def _amount(wanted: Correction, left: int, unit: desks.UnitOf) -> int:
    minor = left
    if wanted.amount is not None:
        minor = parse_minor(wanted.amount, unit.decimals, field="amount")
    if not 0 < minor <= left or (wanted.part is not None and minor != left):
        raise NothingLeft("the break", desks.shown(left, unit))
    return minor


def _require_adjustable(session: Session, codes: tuple[str, str]) -> None:
    for name, code in zip(("debit", "credit"), codes, strict=True):
        kind, _, rest = code.partition(":")
        if kind not in ADJUSTABLE or not rest.rpartition(":")[0]:
            raise Invalid(
                f"{code[:80]!r} is not adjusted by hand",
                field=name,
                repair=f"name an account of kind {', '.join(sorted(ADJUSTABLE))}",
            )
    if codes[0] == codes[1] or len({accounts.unit_of(code) for code in codes}) != 1:
        raise Invalid(
            "an adjustment moves money between two accounts of one unit",
            field="credit",
            repair="name another account of the same unit",
        )
    found = rows_by_key(session, "SELECT code FROM account WHERE code {keys}", codes)
    owners = {code.partition(":")[2].rpartition(":")[0] for code in codes}
    known = {code.partition(":")[2].rpartition(":")[0] for (code,) in found}
    if not found or not owners <= known | _participants(session, owners):
        raise Invalid(
            f"nothing was ever booked to {codes[0]} or {codes[1]}",
            field="debit",
            repair="name an account that the journal knows",
        )


def _participants(session: Session, named: set[str]) -> set[str]:
    found = rows_by_key(session, "SELECT id FROM participant WHERE id {keys}", named)
    return {key for (key,) in found}
