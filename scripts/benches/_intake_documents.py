"""The parties and documents of the intake bench: the demo's companies and two of its documents.

It does not measure anything.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

import gateway.demo
from gateway.app import system_clock
from gateway.demo.companies import COMPANIES
from settlement.clock import new_id
from settlement.participants import NewParticipant, register

_DOCUMENTS = Path(gateway.demo.__file__).parent / "documents"
_JSON, _JSON_SELLER = "json-05-controllers.json", "300300LINGYUNE7C4211"
_XML, _XML_SELLER = "ubl-02-aluminium-billets.xml", "2138005NOORMTL84QX03"
_XML_NUMBER = b"ANM-BASE-0201"


def a_rail(session: Session) -> tuple[str, str]:
    """Register companies and currencies; return the sellers of the JSON and the XML documents."""
    companies = [
        NewParticipant(
            lei=company.lei,
            name=company.name,
            country=company.country,
            town=company.city,
            wallets=(f"0x{place + 1:040x}",),
        )
        for place, company in enumerate(COMPANIES)
    ]
    made = register(session, companies, ids=new_id, now=system_clock())
    for place, currency in enumerate(("USD", "EUR", "AED", "CNY", "INR")):
        session.execute(
            text(
                "INSERT INTO token (address, symbol, currency, decimals, kind, code_hash, listed)"
                " VALUES (:address, :symbol, :currency, 6, 'exact', '0x00', true)"
            ),
            {"address": f"0x{place + 100:040x}", "symbol": f"T{currency}", "currency": currency},
        )
    by_lei = dict(zip((company.lei for company in companies), made, strict=True))
    return by_lei[_JSON_SELLER], by_lei[_XML_SELLER]


def an_invoice(number: str) -> dict[str, Any]:
    """The JSON invoice under another number: three lines, two kilobytes."""
    return {**_json_document(), "number": number}


def an_xml_invoice(number: str) -> bytes:
    """The UBL invoice under another number."""
    return _xml_document().replace(_XML_NUMBER, number.encode())


@cache
def _json_document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((_DOCUMENTS / _JSON).read_bytes())
    return document


@cache
def _xml_document() -> bytes:
    return (_DOCUMENTS / _XML).read_bytes()
