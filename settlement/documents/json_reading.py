"""Our own JSON invoice: bytes to the record, or every rule that it breaks.

The hot path: thousands a second on one core, so a good document is touched once and no failure is
worked out before it is needed. The shape is pydantic's; amounts become integers here.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import orjson
from pydantic import ValidationError

from settlement.documents import arithmetic
from settlement.documents.errors import DocumentRejected, DocumentUnreadable, RuleFailure
from settlement.documents.json_failures import shape_failures
from settlement.documents.json_invoice import INVOICE_SHAPE
from settlement.documents.json_record import JsonReading
from settlement.documents.model import InvoiceDocument
from settlement.documents.xml_source import check_size

_HIDDEN = re.compile(
    rb"[\xc2\xe2\xef](?:(?<=\xc2)[\x80-\x9f]|(?<=\xe2)(?:\x80[\x8e\x8f\xaa-\xae]|\x81[\xa6-\xa9])"
    rb"|(?<=\xef)(?:\xbb\xbf|\xbf[\xb9-\xbf]))"
)
"""In UTF-8, the characters that `identifiers.text_fault` refuses."""


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
        plain = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise DocumentUnreadable([_no_json(error)]) from error
    _refuse_twins(content, plain)
    try:
        invoice = INVOICE_SHAPE.validate_python(plain)
    except ValidationError as error:
        raise DocumentRejected(shape_failures(error)) from error
    reading = JsonReading(invoice["currency"], has_plain_text=_is_plain(content))
    document = reading.document(invoice, hashlib.sha256(content).hexdigest())
    failures = [*reading.failures, *arithmetic.failures_of(document)]
    if failures:
        raise DocumentRejected(failures)
    return document


def _is_plain(content: bytes) -> bool:
    """Whether no text can hold a control or hidden character: no escape, and none in the bytes.

    Raw controls are no JSON; the one that is allowed, DEL, is looked for.
    """
    if b"\\" in content or b"\x7f" in content:
        return False
    return content.isascii() or _HIDDEN.search(content) is None


def _refuse_twins(content: bytes, plain: Any) -> None:
    """Refuse a key that stands twice in one object: readers differ in which one they believe.

    Without escapes every string has two quotes, and a lost twin shows in their count; with escapes
    the slow reader looks at every pair.
    """
    if b"\\" not in content:
        if orjson.dumps(plain).count(b'"') != content.count(b'"'):
            raise DocumentUnreadable([_twin("a key")])
        return
    json.loads(content, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise DocumentUnreadable([_twin(next(n for n in names if names.count(n) > 1))])
    return found


def _twin(name: str) -> RuleFailure:
    message = "a key stands twice in one object"
    return RuleFailure("SR-TWIN", "/", repr(name[:60]), message, "Write each key once.")


def _no_json(error: orjson.JSONDecodeError) -> RuleFailure:
    return RuleFailure(
        "SR-JSON",
        f"line {error.lineno}, column {error.colno}",
        error.msg[:200],
        "the document is not JSON in UTF-8, or is cut short",
        "Send one complete JSON object in UTF-8; NaN and Infinity are no JSON.",
    )
