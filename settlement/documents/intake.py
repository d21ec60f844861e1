"""The door for documents: which format the bytes have, and who reads them.

JSON is read here and now, in microseconds; XML and PDF go to the rules engine. Nothing is stored.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from concurrent.futures import Future
from enum import StrEnum

from settlement.documents.errors import DocumentRejected, RuleFailure, UnknownDocumentType
from settlement.documents.json_reading import read_json
from settlement.documents.model import InvoiceDocument
from settlement.documents.rules_engine import Outcome, RulesEngine, outcome
from settlement.documents.xml_source import check_size

_XML_STARTS = (b"<", b"\x00<", b"<\x00", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class DocumentFormat(StrEnum):
    """What the bytes look like."""

    XML = "xml"
    PDF = "pdf"
    JSON = "json"


def format_of(content: bytes, *, media_type: str | None = None) -> DocumentFormat:
    """Return the format of the bytes. They decide; `media_type` only helps to say what was wrong.

    Raises:
        DocumentTooLarge: more bytes than are accepted.
        DocumentUnreadable: nothing at all.
        UnknownDocumentType: neither XML, PDF nor a JSON object.
    """
    check_size(content)
    head = content[:1024].removeprefix(codecs.BOM_UTF8).lstrip()
    if head.startswith(b"{"):
        return DocumentFormat.JSON
    if head.startswith(_XML_STARTS):
        return DocumentFormat.XML
    if head.startswith(b"%PDF-"):
        return DocumentFormat.PDF
    found = f"{media_type or 'bytes'} beginning with {bytes(head[:20])!r}"
    raise UnknownDocumentType(
        [
            RuleFailure(
                "SR-FORMAT",
                "/",
                found,
                "the bytes are neither XML, a PDF nor a JSON object",
                "Send UBL 2.1, CII, a Factur-X PDF, or our JSON.",
            )
        ]
    )


def needs_rules(content: bytes, *, media_type: str | None = None) -> bool:
    """Whether the document goes to the rules engine; raises as `format_of` does."""
    return format_of(content, media_type=media_type) is not DocumentFormat.JSON


def read(content: bytes, *, engine: RulesEngine, media_type: str | None = None) -> InvoiceDocument:
    """Return the record of one document. XML and PDF block until a worker has judged them.

    Raises:
        DocumentRejected: with every failed rule; its subclasses say why nothing could be read.
        RulesEngineBusy, RulesEngineClosed: try again later.
    """
    return submit(content, engine=engine, media_type=media_type).result()


def submit(
    content: bytes, *, engine: RulesEngine, media_type: str | None = None
) -> Future[InvoiceDocument]:
    """Return a future of the record; JSON's is done already. Refusals are raised by the future.

    For an event loop: `await asyncio.wrap_future(intake.submit(content, engine=engine))`.

    Raises:
        RulesEngineBusy, RulesEngineClosed: try again later.
    """
    try:
        if needs_rules(content, media_type=media_type):
            return engine.submit(content)
        document = read_json(content)
    except DocumentRejected as refusal:
        refused: Future[InvoiceDocument] = Future()
        refused.set_exception(refusal)
        return refused
    done: Future[InvoiceDocument] = Future()
    done.set_result(document)
    return done


def read_many(contents: Sequence[bytes], *, engine: RulesEngine) -> list[Outcome]:
    """Return an outcome for each document, in order: its record, or its refusal.

    Raises:
        RulesEngineBusy, RulesEngineClosed: try again later; nothing was decided.
    """
    futures = [submit(content, engine=engine) for content in contents]
    return [outcome(future) for future in futures]
