"""Why an invoice is refused, or a move of it: one class a reason.

Knows no HTTP.
"""

from __future__ import annotations

from datetime import date

from settlement.errors import Conflict, Forbidden, Invalid


class DuplicateInvoice(Conflict):
    """The seller has used this number in this year already."""

    def __init__(self, *, number: str, seller: str, year: int, first_id: str) -> None:
        super().__init__(
            f"{seller} has issued an invoice {number} in {year} already: {first_id}",
            field="number",
            repair=f"read {first_id}: if it is the same document, there is nothing left to do;"
            " otherwise issue yours under its own number",
        )
        self.number, self.year, self.first_id = number, year, first_id


class PartyUnknown(Invalid):
    """A party of the document is no registered participant."""

    def __init__(self, side: str, found: str) -> None:
        super().__init__(
            f"the {side} {found} is no participant",
            field=side,
            repair="name the party by the LEI under which it is registered (identifier scheme"
            " 0199), or register it first",
        )
        self.side = side


class PartyNotActive(Conflict):
    """A party of the document is suspended or closed."""

    def __init__(self, side: str, name: str, state: str) -> None:
        super().__init__(
            f"the {side} {name} is {state}",
            field=side,
            repair="the operator of the rail must activate the participant first",
        )
        self.side, self.state = side, state


class PartiesIdentical(Invalid):
    """Seller and buyer are the same participant."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"seller and buyer are both {name}",
            field="buyer",
            repair="name the participant that owes the amount as the buyer",
        )


class CurrencyNotListed(Invalid):
    """No token of the invoice's currency is listed: it could never be paid here."""

    def __init__(self, currency: str, listed: tuple[str, ...]) -> None:
        super().__init__(
            f"no token of {currency} is listed",
            field="currency",
            repair=f"invoice in one of: {', '.join(listed) or 'none is listed yet'}",
        )
        self.currency = currency


class IssueDateFarOff(Invalid):
    """The document is dated so far from today that somebody mistyped the day."""

    def __init__(self, dated: date, first: date, last: date) -> None:
        super().__init__(
            f"the issue date is {dated}",
            field="issue_date",
            repair=f"give the day on which the document was issued: {first} to {last} are taken",
        )


class NothingPayable(Invalid):
    """The amount due is not above zero."""

    def __init__(self, payable: str) -> None:
        super().__init__(
            f"the amount due is {payable}",
            field="payable_amount",
            repair="an invoice asks for more than zero; to give something back send a credit"
            " note (381) with a positive amount",
        )


class PayableTooLarge(Invalid):
    """The amount due is more than one payment in the currency's token can carry."""

    def __init__(self, payable: str, most: str) -> None:
        super().__init__(
            f"the amount due is {payable}",
            field="payable_amount",
            repair=f"an invoice asks for at most {most}: issue several",
        )


class NotTheSeller(Forbidden):
    """A caller issues or withdraws only its own invoices."""

    def __init__(self, seller: str) -> None:
        super().__init__(
            f"the document's seller {seller} is not the caller",
            field="seller",
            repair="use the API key of the seller",
        )


class NotTheBuyer(Forbidden):
    """Only the buyer accepts, queries or rejects an invoice."""

    def __init__(self, invoice_id: str) -> None:
        super().__init__(
            f"the buyer of invoice {invoice_id} is not the caller",
            field="invoice_id",
            repair="use the API key of the buyer",
        )


class PrecedingInvoiceUnknown(Invalid):
    """A credit note names no invoice of the same seller, buyer and currency, or more than one."""

    def __init__(self, number: str, fault: str) -> None:
        super().__init__(
            f"preceding invoice {number!r}: {fault}",
            field="preceding_invoice",
            repair="name number and issue date (BT-25, BT-26) of the one invoice that is reduced",
        )


class CreditNoteTooLarge(Conflict):
    """A credit note reduces only what is neither in flight nor paid of an accepted invoice."""

    def __init__(self, invoice_id: str, fault: str, repair: str) -> None:
        super().__init__(
            f"invoice {invoice_id} cannot be reduced: {fault}",
            field="payable_amount",
            repair=repair,
        )
        self.invoice_id = invoice_id


class CreditNoteHasNoMoves(Conflict):
    """A credit note takes effect when it is issued; nobody accepts or rejects it."""

    def __init__(self, invoice_id: str, move: str) -> None:
        super().__init__(
            f"{invoice_id} is a credit note: {move!r} is not possible",
            field="invoice_id",
            repair="move the invoice that it reduces",
        )


class ReasonMissing(Invalid):
    """A query, rejection or cancellation needs words of up to 500 characters."""

    def __init__(self, move: str) -> None:
        super().__init__(
            f"{move!r} needs a reason",
            field="reason",
            repair="say why in 1 to 500 characters: the other side reads it",
        )
