"""Builders with defaults: a small rail, three companies, five tokens, and documents for it."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session
from stdnum.iso7064 import mod_97_10

from settlement import invoices
from settlement.chain.deployment import Deployment
from settlement.chain.port import Address, Hash
from settlement.clock import Ids, counted_ids
from settlement.documents.model import (
    DocumentAddress,
    DocumentLine,
    DocumentParty,
    InvoiceDocument,
    VatBreakdown,
)
from settlement.participants import NewParticipant, register

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
RAIL = "0x" + "11" * 20
ADMIN = Address("0x" + "22" * 20)
CURRENCIES = ("USD", "EUR", "AED", "CNY", "INR")


def an_lei(seed: str) -> str:
    """Return a Legal Entity Identifier whose check digits are right."""
    stem = seed.upper().ljust(18, "0")[:18]
    return stem + mod_97_10.calc_check_digits(stem)


@dataclass(frozen=True, slots=True)
class Companies:
    """Ids of the registered companies, and the LEI of each."""

    seller: str
    buyer: str
    stranger: str
    leis: dict[str, str]


def a_rail(session: Session, ids: Ids | None = None) -> Companies:
    """Store a deployment, its tokens and three companies with a wallet each."""
    connection = session.connection()
    deployed = Deployment(31337, Hash("0x00"), 0, Address(RAIL), Hash("0x00"), ADMIN, (), ())
    connection.execute(
        text(
            "INSERT INTO deployment (rail, chain_id, genesis_hash, code_hash, first_block, record,"
            " created_at) VALUES (:rail, 31337, '0x00', '0x00', 0, :record, 0)"
        ),
        {"rail": RAIL, "record": deployed.to_json()},
    )
    for place, currency in enumerate(CURRENCIES):
        connection.execute(
            text(
                "INSERT INTO token (address, symbol, currency, decimals, kind, code_hash, listed)"
                " VALUES (:address, :symbol, :currency, 6, 'exact', '0x00', true)"
            ),
            {
                "address": f"0x{place + 0xA0:040x}",
                "symbol": f"T{currency}",
                "currency": currency,
            },
        )
    names = {
        "seller": "Nordlicht Pumpen GmbH",
        "buyer": "Al Noor Trading LLC",
        "stranger": "Zhejiang",
    }
    leis = {side: an_lei(f"5299{side}") for side in names}
    companies = [
        NewParticipant(
            lei=leis[side],
            name=name,
            country="DE",
            town="Hamburg",
            wallets=(f"0x{place + 0xC0:040x}",),
        )
        for place, (side, name) in enumerate(names.items())
    ]
    registered = register(session, companies, ids=ids or counted_ids(1), now=NOW)
    return Companies(*registered, leis=leis)


def a_party(companies: Companies, side: str, **changes: Any) -> DocumentParty:
    """Return a company as a document names it."""
    party = DocumentParty(side, DocumentAddress("DE", city="Hamburg"), lei=companies.leis[side])
    return replace(party, **changes)


def a_document(companies: Companies, **changes: Any) -> InvoiceDocument:
    """Return a valid invoice of 1,190.00 EUR from seller to buyer."""
    payable = changes.get("payable_minor", 119_000)
    line = DocumentLine(
        "1", "Centrifugal pump", "1", "H87", payable, vat_category="Z", vat_rate="0"
    )
    number = changes.get("number", "RE-1")
    plain: dict[str, Any] = {
        "kind": "json",
        "type_code": "380",
        "source_type_code": "380",
        "number": number,
        "issue_date": date(2026, 11, 1),
        "due_date": date(2026, 12, 1),
        "currency": "EUR",
        "decimals": 2,
        "seller": a_party(companies, "seller"),
        "buyer": a_party(companies, "buyer"),
        "lines_net_minor": payable,
        "allowances_minor": 0,
        "charges_minor": 0,
        "tax_exclusive_minor": payable,
        "tax_minor": 0,
        "tax_inclusive_minor": payable,
        "prepaid_minor": 0,
        "rounding_minor": 0,
        "payable_minor": payable,
        "lines": (line,),
        "adjustments": (),
        "vat_breakdown": (VatBreakdown("Z", "0", payable, 0),),
    }
    plain |= changes
    plain.setdefault(
        "sha256", hashlib.sha256(repr(sorted(changes)).encode() + number.encode()).hexdigest()
    )
    return InvoiceDocument(**plain)


def a_submission(companies: Companies, **changes: Any) -> invoices.Submission:
    """Return a document with bytes of its own."""
    document = a_document(companies, **changes)
    content = document.as_json_bytes()
    hashed = replace(document, sha256=hashlib.sha256(content).hexdigest())
    return invoices.Submission(hashed, content, "application/json")


def a_credit_note(
    companies: Companies, number: str = "GS-1", **changes: Any
) -> invoices.Submission:
    """Return a credit note on RE-1."""
    noted = {"type_code": "381", "source_type_code": "381", "preceding_number": "RE-1"}
    return a_submission(companies, number=number, **{**noted, **changes})


def issued(
    session: Session, companies: Companies, *, ids: Ids, **changes: Any
) -> invoices.InvoiceRecord:
    """Issue one invoice and return it."""
    (answer,) = invoices.issue(
        session, [a_submission(companies, **changes)], actor="test", ids=ids, now=NOW
    )
    assert isinstance(answer, invoices.InvoiceRecord), answer
    return answer


def accepted(
    session: Session, companies: Companies, *, ids: Ids, **changes: Any
) -> invoices.InvoiceRecord:
    """Issue and accept one invoice and return it."""
    invoice = issued(session, companies, ids=ids, **changes)
    invoices.accept(session, [invoice.id], "test", NOW)
    return invoices.find(session, invoice.id)
