"""One XML or PDF document, judged by the official rules and read, in this process.

Needs an open rulebook, which is why `rules_engine` runs this in a worker. JSON never comes here.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from settlement.documents import xml_source
from settlement.documents.errors import DocumentRejected, RuleFailure, UnknownDocumentType
from settlement.documents.model import InvoiceDocument
from settlement.documents.pdf_source import embedded_xml
from settlement.documents.rulebook import CII, Rulebook, knows
from settlement.documents.xml_record import record_of


def read_official(content: bytes, rulebook: Rulebook) -> InvoiceDocument:
    """Return the record of a UBL or CII document, or of the CII document in a PDF.

    Raises:
        DocumentRejected: with every rule that the document breaks, the official ones and ours.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    is_pdf = content.lstrip()[:5] == b"%PDF-"
    root = xml_source.parse(embedded_xml(content) if is_pdf else content)
    if not knows(root):
        raise UnknownDocumentType([_unknown(xml_source.name(root.tag))])
    verdict = rulebook.judge(root)
    kind = "facturx" if is_pdf else "cii" if root.tag == CII else "ubl"
    document, own = record_of(root, kind, sha256)
    failures = (*verdict.failures, *_beside(own, verdict.failures))
    if failures:
        raise DocumentRejected(failures)
    return replace(document, warnings=(*verdict.warnings, *document.warnings))


def _beside(own: list[RuleFailure], official: tuple[RuleFailure, ...]) -> tuple[RuleFailure, ...]:
    """Leave out what the official rules have said of the same place already."""
    places = {failure.location for failure in official if failure.rule_id == "SR-XSD"}
    return tuple(failure for failure in own if failure.location not in places)


def _unknown(tag: str) -> RuleFailure:
    return RuleFailure(
        "SR-FORMAT",
        "/",
        tag[:100],
        "the XML is neither a UBL 2.1 Invoice or CreditNote nor a CII document",
        "Export the invoice as UBL 2.1 or UN/CEFACT CII (D22B) by EN 16931.",
    )
