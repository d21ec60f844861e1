"""Factur-X PDFs: the XML inside is taken out within bounds, whatever the PDF tries."""

import io
import random
import time
import zlib

import pypdf
import pytest

from gateway.demo.facturx_pdf import facturx_pdf
from settlement.documents.errors import DocumentRejected, DocumentTooLarge, DocumentUnreadable
from settlement.documents.model import InvoiceDocument
from settlement.documents.pdf_source import ATTACHMENTS_MAX, embedded_xml
from settlement.documents.rules_engine import RulesEngine
from tests.documents.builders import a_document, an_xml, outcome, rule_ids

PDF = "facturx-01-winding-head"
SECONDS = 10


def a_pdf(attachments: dict[str, bytes]) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    for name, content in attachments.items():
        writer.add_attachment(name, content)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def a_pdf_bomb(*, layers: int) -> bytes:
    """200 MB of spaces under one or more layers of compression, in a PDF written by hand."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b" " * 1_000_000) for _ in range(200)) + packer.flush()
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    filters = b"/FlateDecode " * layers
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles"
        b" << /Names [(factur-x.xml) 4 0 R] >> >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        b"<< /Type /Filespec /F (factur-x.xml) /EF << /F 5 0 R >> >>",
        b"<< /Type /EmbeddedFile /Filter [%s] /Length %d >>\nstream\n%s\nendstream"
        % (filters, len(data), data),
    ]
    body, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        body
        + b"xref\n0 6\n0000000000 65535 f \n%s" % table
        + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    )


def test_a_factur_x_pdf_gives_the_record_of_the_xml_inside(rules: RulesEngine) -> None:
    document = outcome(a_document(PDF), rules)

    assert isinstance(document, InvoiceDocument)
    assert document.kind == "facturx"
    assert str(document.payable) == "6098.00 EUR"
    assert document.buyer.lei == "2138005NOORMTL84QX03"


def test_the_same_xml_is_printed_to_the_same_bytes() -> None:
    xml = embedded_xml(a_document(PDF))

    assert facturx_pdf(xml) == a_document(PDF)


@pytest.mark.parametrize("name", ["zugferd-invoice.xml", "xrechnung.xml", "Rechnung-4711.XML"])
def test_other_names_of_the_invoice_are_found(name: str, rules: RulesEngine) -> None:
    xml = embedded_xml(a_document(PDF))

    assert isinstance(outcome(a_pdf({"notes.txt": b"hello", name: xml}), rules), InvoiceDocument)


def test_rules_hold_for_the_xml_inside(rules: RulesEngine) -> None:
    xml = an_xml("cii-01-knitting-machine-parts", (r"(<ram:DuePayableAmount>)[\d.]+", r"\g<1>1"))

    assert "BR-CO-16" in rule_ids(outcome(a_pdf({"factur-x.xml": xml}), rules))


def test_an_entity_inside_a_pdf_is_refused(rules: RulesEngine) -> None:
    xml = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'

    assert rule_ids(outcome(a_pdf({"factur-x.xml": xml}), rules)) == {"SR-DOCTYPE"}


def test_a_pdf_without_an_invoice_is_refused(rules: RulesEngine) -> None:
    for attachments in ({}, {"a.txt": b"a"}, {"a.xml": b"<a/>", "b.xml": b"<b/>"}):
        assert rule_ids(outcome(a_pdf(attachments), rules)) == {"SR-PDF"}


def test_an_encrypted_pdf_is_refused(rules: RulesEngine) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(a_document(PDF)))
    writer.encrypt("secret", algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)

    result = outcome(target.getvalue(), rules)

    assert isinstance(result, DocumentUnreadable)
    assert rule_ids(result) == {"SR-PDF"}


def test_a_stream_that_unpacks_without_end_is_refused(rules: RulesEngine) -> None:
    bomb = a_pdf_bomb(layers=1)
    assert len(bomb) < 300_000
    began = time.monotonic()

    result = outcome(bomb, rules)

    assert isinstance(result, DocumentTooLarge)
    assert time.monotonic() - began < SECONDS


def test_a_bomb_inside_a_bomb_is_refused(rules: RulesEngine) -> None:
    bomb = a_pdf_bomb(layers=2)
    assert len(bomb) < 10_000

    result = outcome(bomb, rules)

    assert isinstance(result, DocumentTooLarge)


def test_too_many_attachments_are_refused(rules: RulesEngine) -> None:
    many = {f"{number:03}.xml": b"<a/>" for number in range(ATTACHMENTS_MAX + 1)}

    assert isinstance(outcome(a_pdf(many), rules), DocumentTooLarge)


def test_a_pdf_cut_anywhere_is_refused(rules: RulesEngine) -> None:
    whole = a_document(PDF)

    for end in range(5, len(whole) - 200, 397):
        assert isinstance(outcome(whole[:end], rules), DocumentRejected), end


def test_damaged_pdfs_end_in_a_record_or_a_refusal_in_time() -> None:
    chooser, whole = random.Random(7), a_document(PDF)
    began = time.monotonic()

    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chooser.randint(1, 40)):
            damaged[chooser.randrange(len(damaged))] = chooser.randrange(256)
        try:
            embedded_xml(bytes(damaged))
        except DocumentRejected as refusal:
            assert refusal.failures

    assert time.monotonic() - began < 60
