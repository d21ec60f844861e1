"""The invoice XML inside a PDF (Factur-X, ZUGFeRD 2, XRechnung), taken out within bounds.

Knows attachments only; what the page shows is not read. Runs in a worker with a limit on memory and
time, because a PDF can unpack to anything. Source: Factur-X 1.09, 6; ISO 32000-1, 7.11.4.
"""

from __future__ import annotations

import io
import logging
import struct
import zlib
from typing import TYPE_CHECKING, Any

from settlement.documents.errors import (
    DocumentRejected,
    DocumentTooLarge,
    DocumentUnreadable,
    RuleFailure,
)
from settlement.documents.xml_source import BYTES_MAX, check_size

ATTACHMENTS_MAX = 20
"""More attachments than this are not an invoice with its papers."""

INVOICE_NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
"""The names that the standards give to the invoice, in the order of preference."""

if TYPE_CHECKING:
    from pypdf import PdfReader

_UNPACKED_MAX = 2 * BYTES_MAX

_DAMAGED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What pypdf raises on a damaged file beside its own errors; none of it can be our fault there."""


def embedded_xml(content: bytes) -> bytes:
    """Return the bytes of the invoice that is attached to a PDF.

    Raises:
        DocumentTooLarge: it is, or unpacks to, more than is accepted.
        DocumentUnreadable: no PDF, cut short, encrypted, or no invoice in it.
    """
    check_size(content)
    import pypdf  # Takes 20 MB and a tenth of a second: only the process that reads PDFs loads it.
    from pypdf.errors import LimitReachedError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        with pypdf.apply_configuration(**_bounds()):
            return _invoice_of(pypdf.PdfReader(io.BytesIO(content), root_object_recovery_limit=100))
    except DocumentRejected:
        raise
    except (LimitReachedError, MemoryError) as error:
        raise DocumentTooLarge([_failure("SR-SIZE", "a stream that grows")]) from error
    except (PyPdfError, *_DAMAGED) as error:
        found = f"{type(error).__name__}: {error}"[:200]
        raise DocumentUnreadable([_failure("SR-PDF", found)]) from error


def _invoice_of(reader: PdfReader) -> bytes:
    if reader.is_encrypted:
        raise DocumentUnreadable([_failure("SR-PDF", "an encrypted PDF")])
    attachments = {}
    for count, attachment in enumerate(reader.attachment_list):
        if count >= ATTACHMENTS_MAX:
            raise DocumentTooLarge([_failure("SR-SIZE", f"over {ATTACHMENTS_MAX} attachments")])
        attachments[str(attachment.name).lower()] = attachment
    for name in INVOICE_NAMES:
        if name in attachments:
            return bytes(attachments[name].content)
    others = [name for name in attachments if name.endswith(".xml")]
    if len(others) == 1:
        return bytes(attachments[others[0]].content)
    found = ", ".join(sorted(attachments))[:200] or "no attachment"
    raise DocumentUnreadable([_failure("SR-PDF", found)])


def _bounds() -> dict[str, Any]:
    return {
        "maximum_declared_stream_length": _UNPACKED_MAX,
        "array_based_stream_maximum_output_length": _UNPACKED_MAX,
        "lzw_maximum_output_length": _UNPACKED_MAX,
        "run_length_maximum_output_length": _UNPACKED_MAX,
        "zlib_maximum_output_length": _UNPACKED_MAX,
        "brotli_maximum_output_length": _UNPACKED_MAX,
        "zlib_maximum_recovery_input_length": 1_000_000,
    }


def _failure(rule_id: str, found: str) -> RuleFailure:
    return RuleFailure(
        rule_id,
        "/",
        found,
        "the PDF has no invoice that can be taken out of it within bounds",
        f"Send a PDF/A-3 with one attachment named {INVOICE_NAMES[0]}, not encrypted, or its XML.",
    )
