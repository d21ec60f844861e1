"""A Factur-X PDF around a CII document: a plain page for people, the XML inside for machines.

Reads a few fields of its own XML for the page. The same XML gives the same bytes every time.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import fpdf
    from lxml import etree

_RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
_MADE = datetime(2026, 1, 1, tzinfo=UTC)
_PDF_TIME = re.compile(rb"(?<=Date \(D\\072)\d{14}")
_XMP_TIME = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


def facturx_pdf(xml: bytes) -> bytes:
    """Return a PDF with a page that shows the document and the XML attached as factur-x.xml."""
    import facturx  # Loads a PDF library: only who makes a PDF pays for it.

    logging.getLogger("factur-x").setLevel(logging.ERROR)
    content: bytes = facturx.generate_from_binary(
        _page(xml),
        xml,
        flavor="factur-x",
        level="en16931",
        check_xsd=False,
        pdf_metadata={"author": "", "keywords": "", "title": "Invoice", "subject": "Invoice"},
        lang="en",
        xmp_compression=False,
    )
    # The writer stamps the present moment; a fixed one of the same length keeps the offsets.
    content = _PDF_TIME.sub(b"20260101000000", content)
    return _XMP_TIME.sub(b"2026-01-01T00:00:00+00:00", content)


def _page(xml: bytes) -> bytes:
    import fpdf
    from lxml import etree

    root = etree.fromstring(xml)
    pdf = fpdf.FPDF()
    pdf.set_creation_date(_MADE)
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 16)
    _row(pdf, 10, f"Invoice {_first(root, 'ID', 'ExchangedDocument')}")
    pdf.set_font("Helvetica", size=10)
    for label, tag in (("Seller", "SellerTradeParty"), ("Buyer", "BuyerTradeParty")):
        _row(pdf, 6, f"{label}: {_first(root, 'Name', tag)}")
    pdf.ln(4)
    for line in root.iter(f"{_RAM}IncludedSupplyChainTradeLineItem"):
        quantity, net = _text(line, "BilledQuantity"), _text(line, "LineTotalAmount")
        row = f"{_text(line, 'LineID')}  {_text(line, 'Name')}  x {quantity}  =  {net}"
        _row(pdf, 6, row)
    pdf.ln(4)
    due, currency = _text(root, "DuePayableAmount"), _text(root, "InvoiceCurrencyCode")
    pdf.set_font("Helvetica", "B", 11)
    _row(pdf, 8, f"Amount due: {due} {currency}")
    return bytes(pdf.output())


def _row(pdf: fpdf.FPDF, height: int, text: str) -> None:
    pdf.cell(0, height, text, new_x="LMARGIN", new_y="NEXT")


def _first(root: etree._Element, tag: str, inside: str) -> str:
    """Return the first text of a tag inside the first element of another one."""
    parent = next(node for node in root.iter("{*}" + inside))
    return _text(parent, tag)


def _text(node: etree._Element, tag: str) -> str:
    return next((one.text or "" for one in node.iter(f"{_RAM}{tag}")), "")
