"""Attributing money that came outside the rail to the invoice that it pays.

Posts the entry and counts the claim as settled, never more than is open (I16). Taking it back is
`undoing`'s.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement import ledger
from settlement.documents.identifiers import minor_units
from settlement.errors import Invalid, NotFound
from settlement.invoices import attributions
from settlement.invoices.returns import RETURN
from settlement.ledger import entries
from settlement.money import format_minor, parse_minor, rescale_exact
from settlement.reconciliation.workbench import acts, effects, pairing
from settlement.reconciliation.workbench import desk as desks
from settlement.reconciliation.workbench.desk import Deed, Desk, Means
from settlement.reconciliation.workbench.effects import Effect
from settlement.reconciliation.workbench.errors import NothingLeft, NotThisMoney
from settlement.reconciliation.workbench.rules import Act
from settlement.reconciliation.workbench.standing import (
    Standing,
    explain,
    matched_with,
    require_unmatched,
    standing,
    unused,
)

_INVOICE = (
    "SELECT id, number, seller_id, buyer_id, currency, state, type_code,"
    " payable_minor - credited_minor - settled_minor - in_flight_minor + returned_minor"
    " AS open_minor FROM invoice WHERE {} ORDER BY id LIMIT 2"
)


class Claim(NamedTuple):
    """What is known of an invoice that somebody names."""

    id: str
    number: str
    seller_id: str
    buyer_id: str
    currency: str
    state: str
    type_code: str
    open_minor: int

    @property
    def decimals(self) -> int:
        """Of its currency."""
        decimals = minor_units(self.currency)
        assert decimals is not None, "an invoice's currency was checked when it came in"
        return decimals

    def amount(self, minor: int) -> str:
        """Return an amount of it as people read it."""
        return f"{format_minor(minor, self.decimals)} {self.currency}"


class Wanted(NamedTuple):
    """Which invoice is paid by the money, how much of it, by which part of a split break."""

    invoice: str
    """Its id, or its number among those of the one who received the money."""
    amount: str | None = None
    """In the invoice's currency; None: all that it can pay."""
    part: int | None = None


def attribute(session: Session, deed: Deed, wanted: Wanted, means: Means) -> str:
    """Let the break's money pay an invoice; return the effect's id.

    Raises:
        NotFound, NotThisMoney, NothingLeft, Invalid, Conflict: nothing is changed.
    """
    desk = desks.lock(session, deed, Act.ATTRIBUTE)
    unit = desks.unit_of(session, desk.unit)
    money = standing(session, desk)
    claim = find_claim(session, wanted.invoice, money.owner)
    _require_its_own(money, claim, unit.currency)
    _give_up_match(session, desk, claim, deed)
    whole = acts.portion(session, desk, wanted.part)
    left = min(whole, unused(session, desk, money))
    claim_minor = _claim_minor(claim, wanted, left, unit.decimals)
    used = rescale_exact(claim_minor, from_decimals=claim.decimals, to_decimals=unit.decimals)
    if wanted.part is not None and used != whole:
        raise Invalid(
            f"part {wanted.part} is more than what it would pay",
            field="part",
            repair="split the break into other parts",
        )
    effect_id = means.ids("bef")
    why = desks.words(deed.reason)
    attributions.pay(
        session, claim.id, claim_minor, actor=deed.person.actor, reason=why, now=deed.now
    )
    entry = entries.attribution(
        entries.Attribution(
            act_id=effect_id,
            invoice_id=claim.id,
            creditor_id=claim.seller_id,
            debtor_id=claim.buyer_id,
            currency=claim.currency,
            claim_minor=claim_minor,
            received_in=money.received_in,
            paid_from=money.paid_from,
            reason=why,
        ),
        held_decimals=unit.decimals,
        claim_decimals=claim.decimals,
    )
    effect = Effect(
        effect_id,
        desk.id,
        Act.ATTRIBUTE.value,
        amount_minor=used,
        part=wanted.part,
        invoice_id=claim.id,
        claim_minor=claim_minor,
        source_key=entry.source_key,
    )
    effects.store(session, effect, deed)
    detail = {
        "effect": effect_id,
        "invoice": claim.id,
        "amount": claim.amount(claim_minor),
        "part": wanted.part,
    }
    desks.record(session, deed, "attribute", detail)
    desks.settle(session, desk, deed, used)
    explain(session, desk.subject)
    ledger.post(session, [entry], deed.now)
    return effect_id


def find_claim(session: Session, named: str, seller_id: str | None) -> Claim:
    """Return an invoice by its id, or by its number among a seller's.

    Raises:
        NotFound, Invalid: there is none, or more than one of that number.
    """
    values: dict[str, str | None] = {"named": named.strip(), "seller_id": seller_id}
    where = "id = :named"
    if not named.strip().startswith("inv_"):
        where = "number = :named AND (CAST(:seller_id AS TEXT) IS NULL OR seller_id = :seller_id)"
    found = session.connection().execute(text(_INVOICE.format(where)), values).all()
    if not found:
        raise NotFound("invoice", named[:80])
    if len(found) > 1:
        raise Invalid(
            f"several invoices have the number {named[:80]!r}",
            field="invoice",
            repair="name it by its id, inv_…",
        )
    return Claim(*found[0])


def _give_up_match(session: Session, desk: Desk, claim: Claim, deed: Deed) -> None:
    """Undo the engine's match of this money with this invoice: the attribution says it for good."""
    found = matched_with(session, desk.subject)
    if found is None:
        return
    match_id, invoice_ids = found
    if invoice_ids != {claim.id}:
        require_unmatched(session, desk.subject)
    pairing.take_back(session, match_id, deed)


def _require_its_own(money: Standing, claim: Claim, currency: str) -> None:
    if money.minor <= 0:
        raise NotThisMoney("the money went out: it pays nothing that is owed to its owner")
    if claim.seller_id != money.owner:
        raise NotThisMoney(
            f"{money.owner} received the money, invoice {claim.number} is {claim.seller_id}'s",
            field="invoice",
            repair="name an invoice of the one who received the money",
        )
    if claim.type_code == RETURN:
        raise NotThisMoney(
            f"{claim.number} is a return claim: it is paid over the rail alone",
            field="invoice",
            repair="undo the return first; what came back past the rail is adjusted",
        )
    if claim.currency != currency:
        raise NotThisMoney(
            f"invoice {claim.number} is in {claim.currency}, the money in {currency}",
            field="invoice",
            repair="name an invoice in that currency: another is never paid by it",
        )


def _claim_minor(claim: Claim, wanted: Wanted, left: int, decimals: int) -> int:
    """Return how much of the claim the money pays: exact, never more than is open or left."""
    # What is less than a minor unit of the claim's currency pays nothing, and stays.
    more = decimals - claim.decimals
    most = left // 10**more if more >= 0 else left * 10**-more
    if wanted.amount is None:
        claim_minor = min(most, claim.open_minor)
    else:
        claim_minor = parse_minor(wanted.amount, claim.decimals, field="amount")
    if claim_minor > most:
        raise NothingLeft("the money of the break", claim.amount(most))
    if claim_minor > claim.open_minor or claim_minor <= 0:
        raise NothingLeft(f"invoice {claim.number}", claim.amount(claim.open_minor))
    return claim_minor
