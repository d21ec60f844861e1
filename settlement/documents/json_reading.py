"""Our own JSON invoice: bytes to the record, or every rule that it breaks.

The hot path: thousands a second on one core, so a good document is touched once and no failure is
worked out before it is needed. The shape is pydantic's; amounts become integers here.
"""

from __future__ import annotations

import codecs
import hashlib
import json
from typing import Any

import orjson
from pydantic import ValidationError

from settlement.documents import arithmetic
from settlement.documents.errors import DocumentRejected, DocumentUnreadable, RuleFailure
from settlement.documents.json_failures import shape_failures
from settlement.documents.json_invoice import INVOICE_SHAPE, JsonInvoice
from settlement.documents.json_record import JsonReading
from settlement.documents.model import InvoiceDocument
from settlement.documents.xml_source import check_size


def read_json(content: bytes) -> InvoiceDocument:
    """Return the record of a JSON invoice.

    Raises:
        DocumentTooLarge: more bytes than are accepted.
        DocumentUnreadable: no JSON, no UTF-8, a key twice in one object.
        DocumentRejected: with every rule that the document breaks. Amounts and sums are judged once
            the shape fits.
    """
    check_size(content)
    try:
        invoice = INVOICE_SHAPE.validate_json(content)
    except ValidationError as error:
        raise _refusal(error, content) from error
    has_plain_text = _refuse_twins(content, invoice)
    reading = JsonReading(invoice["currency"], has_plain_text=has_plain_text)
    document = reading.document(invoice, hashlib.sha256(content).hexdigest())
    failures = [*reading.failures, *arithmetic.failures_of(document)]
    if failures:
        raise DocumentRejected(failures)
    return document


def _refuse_twins(content: bytes, invoice: JsonInvoice) -> bool:
    """Refuse a key that stands twice in one object: readers differ in which one they believe.

    Without escapes every string has two quotes, and a lost twin shows in their count; with escapes
    the slow reader looks at every pair. Returns whether every text is sure to be free of control
    and hidden characters, so that none has to be looked at by itself.
    """
    if b"\\" in content:
        json.loads(content, object_pairs_hook=_unique)
        return False
    compact = orjson.dumps(invoice)
    if compact.count(b'"') != content.count(b'"'):
        raise DocumentUnreadable([_twin("a key")])
    # Raw controls are no JSON, but for DEL.
    if content.isascii():
        return b"\x7f" not in content
    return compact.decode().isprintable()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise DocumentUnreadable([_twin(next(n for n in names if names.count(n) > 1))])
    return found


def _twin(name: str) -> RuleFailure:
    message = "a key stands twice in one object"
    return RuleFailure("SR-TWIN", "/", repr(name[:60]), message, "Write each key once.")


def _refusal(error: ValidationError, content: bytes) -> DocumentRejected:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] != "json_invalid":
        return DocumentRejected(shape_failures(error))
    found = first["msg"][:200]
    repair = "Send one complete JSON object in UTF-8; NaN and Infinity are no JSON."
    if content.startswith(codecs.BOM_UTF8):
        found, repair = "a byte order mark", "Save it as UTF-8 without a byte order mark (BOM)."
    message = "the document is not JSON in UTF-8, or is cut short"
    failure = RuleFailure("SR-JSON", "/", found, message, repair)
    return DocumentUnreadable([failure])
