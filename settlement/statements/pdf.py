"""Advice and statements on paper: PDF with an embedded font, the same bytes for the same input.

Only lays out; every figure and word is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from settlement.documents.iso20022.values import Party
from settlement.money import format_minor
from settlement.statements.entries import DayEntry
from settlement.statements.errors import StatementTooLong
from settlement.statements.figures import Basis, DayFigures, midnight

if TYPE_CHECKING:
    from fpdf import FPDF

    from settlement.statements.payments import PaymentFacts

ENTRIES_MAX = 2000

_FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_FAMILY = "DejaVu"
_GREY = 110
_LABEL_MM = 42
_WIDTHS = (22, 24, 38, 38, 66)


class Fact(NamedTuple):
    """A line of a page: what it is called, and what it is."""

    label: str
    value: str


def advice_pdf(facts: PaymentFacts) -> bytes:
    """Return the remittance advice of a payment, for the creditor to keep or hand on."""
    from settlement.documents.identifiers import minor_units

    payment = facts.payment
    digits = minor_units(payment.currency) or 0
    money = partial(_money, decimals=digits, currency=payment.currency)
    pdf = _document(f"Remittance advice {payment.end_to_end_id}", facts.created_at)
    _title(pdf, "Remittance advice")
    _words(pdf, _finality(facts))
    _section(pdf, "Payment")
    _facts(
        pdf,
        [
            Fact("Amount", money(payment.amount_minor)),
            Fact("On the chain", payment.token_amount),
            Fact("Value date", payment.value_date.isoformat() if payment.value_date else "none"),
            Fact("Requested for", payment.execution_date.isoformat()),
        ],
    )
    for heading, party, account in (
        ("From", payment.debtor, payment.debtor_account),
        ("To", payment.creditor, payment.creditor_account),
    ):
        _section(pdf, heading)
        _facts(pdf, [*_party(party), Fact("Wallet", account.alias or account.address or "")])
    _section(pdf, "For")
    _facts(
        pdf,
        [
            Fact("Invoice", payment.invoice.number),
            Fact("Issued on", payment.invoice.issue_date.isoformat()),
            Fact("Invoiced", money(payment.invoice.payable_minor)),
            Fact("By this payment", money(payment.invoice.paid_minor)),
            Fact("Document SHA-256", payment.invoice.document_sha256),
        ],
    )
    _section(pdf, "References")
    _facts(pdf, _references(facts))
    return bytes(pdf.output())


def statement_pdf(figures: DayFigures, entries: Iterable[DayEntry]) -> bytes:
    """Return the statement of an account and a day.

    Raises:
        StatementTooLong: paper has an end.
    """
    account, day = figures.account, figures.day.isoformat()
    basis = "booking date" if figures.basis is Basis.BOOKING else "value date"
    money = partial(_money, decimals=account.unit.decimals, currency=account.unit.code)
    shown = _bounded(entries)
    moved = figures.closing_minor - figures.opening_minor
    pdf = _document(f"Statement {account.code} {day}", midnight(figures.day))
    _title(pdf, "Statement of account")
    about = [
        Fact("Account", account.code),
        *_party(account.owner),
        Fact("Day", f"{day}, UTC, by {basis}" + ("" if figures.is_over else ", not over yet")),
        Fact("Opening balance", money(figures.opening_minor)),
        Fact("Movements", f"{money(moved)} in {len(shown)} entries"),
        Fact("Closing balance", money(figures.closing_minor)),
    ]
    _facts(pdf, about)
    _section(pdf, "Entries")
    _row(pdf, ("Entry", "Value date", "Amount", "Balance", "Of"), is_heading=True)
    for entry in shown:
        stated = entry.stated
        other = stated.other_party.name if stated.other_party else ""
        what = " ".join(
            word for word in (stated.kind, "reversed" if stated.is_reversal else "", other) if word
        )
        decimals = account.unit.decimals
        cells = (
            stated.reference,
            stated.value_date.isoformat(),
            format_minor(entry.minor, decimals),
            format_minor(entry.balance_minor, decimals),
            what,
        )
        _row(pdf, cells)
    return bytes(pdf.output())


def _bounded(entries: Iterable[DayEntry]) -> Sequence[DayEntry]:
    shown: list[DayEntry] = []
    count = 0
    for entry in entries:
        count += 1
        if count <= ENTRIES_MAX:
            shown.append(entry)
    if count > ENTRIES_MAX:
        raise StatementTooLong(count, ENTRIES_MAX)
    return shown


def _finality(facts: PaymentFacts) -> str:
    if facts.payment.is_final:
        return "Paid. The block that holds the payment is final: it does not change any more."
    return (
        "NOT FINAL. The payment stands on the chain, in a block that a reorganisation can still"
        " replace. Do not count on it before it is final."
    )


def _references(facts: PaymentFacts) -> list[Fact]:
    payment, place = facts.payment, facts.payment.chain
    found = [
        Fact("Settlement", facts.settlement_id),
        Fact("End-to-end id", payment.end_to_end_id),
        Fact("UETR", payment.uetr),
        Fact("Reference", payment.reference),
        Fact("Journal entry", payment.entry or "none"),
    ]
    if place is not None:
        found += [
            Fact("Chain", f"eip155:{place.chain_id}"),
            Fact("Chain transaction", place.tx_hash),
            Fact("Block", str(place.block_number)),
            Fact("Block hash", place.block_hash),
        ]
    return found


def _party(party: Party) -> list[Fact]:
    address = [party.street, " ".join(w for w in (party.post_code, party.town or "") if w)]
    place = ", ".join(word for word in (*address, party.country or "") if word)
    found = [Fact("Name", party.name)]
    found += [Fact("Address", place)] if place else []
    return [*found, Fact("LEI", party.lei)] if party.lei else found


def _money(minor: int, *, decimals: int, currency: str) -> str:
    return f"{format_minor(minor, decimals)} {currency}"


def _document(title: str, made_at: datetime) -> FPDF:
    import fpdf

    pdf = fpdf.FPDF()
    # The moment is the payment's own: the same facts give the same bytes.
    pdf.set_creation_date(made_at.astimezone(UTC))
    pdf.set_title(title)
    pdf.set_producer("settlement rail")
    pdf.add_font(_FAMILY, fname=str(_FONT))
    pdf.set_auto_page_break(True, margin=15)
    pdf.add_page()
    return pdf


def _title(pdf: FPDF, text: str) -> None:
    pdf.set_font(_FAMILY, size=18)
    pdf.cell(0, 12, text, new_x="LMARGIN", new_y="NEXT")


def _section(pdf: FPDF, text: str) -> None:
    pdf.ln(3)
    pdf.set_font(_FAMILY, size=11)
    pdf.cell(0, 7, text, border="B", new_x="LMARGIN", new_y="NEXT")


def _words(pdf: FPDF, text: str) -> None:
    pdf.set_font(_FAMILY, size=10)
    pdf.multi_cell(0, 6, text, new_x="LMARGIN", new_y="NEXT")


def _facts(pdf: FPDF, facts: Iterable[Fact]) -> None:
    for fact in facts:
        pdf.set_font(_FAMILY, size=8)
        pdf.set_text_color(_GREY)
        pdf.cell(_LABEL_MM, 5.5, fact.label)
        pdf.set_text_color(0)
        pdf.multi_cell(0, 5.5, _printable(fact.value), new_x="LMARGIN", new_y="NEXT")


def _row(pdf: FPDF, cells: Sequence[str], *, is_heading: bool = False) -> None:
    pdf.set_font(_FAMILY, size=7)
    pdf.set_text_color(_GREY if is_heading else 0)
    for place, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True)):
        align = "R" if place in (2, 3) else "L"
        # Words may be cut; an amount or an id never.
        text = _fitting(pdf, _printable(cell), width) if place == len(cells) - 1 else cell
        pdf.cell(width, 5, text, align=align)
    pdf.ln()
    pdf.set_text_color(0)


def _fitting(pdf: FPDF, text: str, width: int) -> str:
    """Return as much of a text as its column holds."""
    kept = text
    while kept and pdf.get_string_width(kept) > width - 2:
        kept = kept.removesuffix("…")[:-1] + "…"
    return kept


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text)
