"""The world that a bench of the rail needs: a founded rail, its companies, and issued invoices.

Measures nothing. What is heavy to import is imported where it is used.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from settlement.chain.evm import EvmChain
from settlement.chain.signing import KeyPair

CHUNK = 1000
"""Invoices in one issue, accept and instruct: what the API takes in one request."""
CURRENCIES = ("USD", "EUR", "AED", "CNY", "INR")


@contextmanager
def founded(folder: Path, url: str) -> Iterator[tuple[Any, EvmChain, Any, KeyPair]]:
    """A migrated database, a chain with rail, tokens, companies and mandates, and an operator."""
    from gateway import wiring
    from gateway.demo.world import demo_participants
    from gateway.sandbox import found
    from settlement.clock import new_id
    from settlement.config import Settings

    settings = Settings(home=folder, rpc_url=url)
    engine = wiring.open_database(settings, create=True)
    chain = EvmChain(url, 60)
    operator = KeyPair.of(secrets.token_bytes(32))
    sandbox = found(
        engine, chain, operators=[operator.address], companies=demo_participants(),
        ids=new_id, now=wiring.now(),
    )  # fmt: skip
    yield engine, chain, sandbox, operator
    engine.dispose()
    chain.close()


def bring_to_rest(
    worker: Any, mine: Callable[[int], None], settings: Any, clock: Callable[[], datetime]
) -> None:
    """Let the founding become final and be followed to its end.

    Starting balances that are not booked yet would put whoever spends them on hold.
    """
    mine(settings.finality_confirmations)
    while not worker.tick(clock()).idle:
        pass


def issue_invoices(engine: Any, sandbox: Any, invoices: int, *, now: datetime) -> list[str]:
    """Issue invoices among all companies in all currencies; some batches come out large."""
    from settlement.clock import new_id
    from settlement.invoices import Submission, issue
    from settlement.store import transaction

    ids: list[str] = []
    companies = len(sandbox.participant_ids)
    for start in range(0, invoices, CHUNK):
        submissions = []
        for number in range(start, min(start + CHUNK, invoices)):
            buyer = number % companies
            units = 3_000 + number % 977 if buyer == 0 else 20 + number % 613
            submissions.append(
                Submission(
                    _document(
                        number,
                        seller=(buyer + 1 + number // companies % (companies - 1)) % companies,
                        buyer=buyer,
                        currency=CURRENCIES[number // 7 % 5],
                        payable_minor=units * 100 + number % 100,
                    ),
                    b"{}" + str(number).encode(),
                    "application/json",
                )
            )
        with transaction(engine) as session:
            answers = issue(session, submissions, actor="exporter", ids=new_id, now=now)
        for each in answers:
            if isinstance(each, Exception):
                raise each
            ids.append(each.id)
    return ids


def _document(number: int, *, seller: int, buyer: int, currency: str, payable_minor: int) -> Any:
    """Return an invoice record between two of the demo's companies; no document is read here."""
    from gateway.demo.companies import COMPANIES
    from settlement.documents.model import DocumentAddress, DocumentParty, InvoiceDocument

    def party(place: int) -> DocumentParty:
        company = COMPANIES[place]
        address = DocumentAddress(company.country, company.street, "", company.city)
        return DocumentParty(company.name, address, lei=company.lei)

    return InvoiceDocument(
        kind="json", type_code="380", source_type_code="380", number=f"BENCH-{number:06d}",
        issue_date=date(2026, 11, 2), due_date=None, currency=currency, decimals=2,
        seller=party(seller), buyer=party(buyer), lines_net_minor=payable_minor,
        allowances_minor=0, charges_minor=0, tax_exclusive_minor=payable_minor, tax_minor=0,
        tax_inclusive_minor=payable_minor, prepaid_minor=0, rounding_minor=0,
        payable_minor=payable_minor, lines=(), adjustments=(), vat_breakdown=(),
        sha256=hashlib.sha256(b"{}" + str(number).encode()).hexdigest(),
    )  # fmt: skip
