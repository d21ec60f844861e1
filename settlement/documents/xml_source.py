"""Bytes to a safe XML tree: bounded, one encoding, no DOCTYPE, no entity, no network.

Knows nothing of invoices: rules and records come after it.
"""

from __future__ import annotations

import codecs
import re

from lxml import etree

from settlement.documents.errors import DocumentTooLarge, DocumentUnreadable, RuleFailure

BYTES_MAX = 10_000_000
"""The largest document that is accepted, of any kind."""

ELEMENTS_MAX = 200_000
"""The most elements of one XML document; 3,000 invoice lines have about 60,000."""

PREFIXES = {
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2": "",
    "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2": "",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2": "cac",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2": "cbc",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2": "ext",
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100": "rsm",
    "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100": "ram",
    "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100": "udt",
    "urn:un:unece:uncefact:data:standard:QualifiedDataType:100": "qdt",
}
"""How a namespace is shown to people: cbc:ID, ram:TypeCode."""

_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "utf-16", "iso-8859-1", "latin-1"})
_ENCODINGS_BY_MARK = (
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def check_size(content: bytes) -> None:
    """Refuse what is empty or larger than is accepted.

    Raises:
        DocumentTooLarge: more than `BYTES_MAX` bytes.
        DocumentUnreadable: nothing at all.
    """
    if len(content) > BYTES_MAX:
        raise DocumentTooLarge([size_failure(f"{len(content)} bytes")])
    if not content.strip():
        raise DocumentUnreadable(
            [RuleFailure("SR-EMPTY", "/", "nothing", "the document is empty", "Send the document.")]
        )


def size_failure(found: str) -> RuleFailure:
    """Return the failure of a document that is too large."""
    return RuleFailure(
        "SR-SIZE",
        "/",
        found,
        f"a document has at most {BYTES_MAX} bytes and {ELEMENTS_MAX} XML elements",
        "Leave out embedded attachments, or split the invoice.",
    )


def parse(content: bytes) -> etree._Element:
    """Return the root element of an XML document.

    Raises:
        DocumentTooLarge: too many bytes or elements.
        DocumentUnreadable: not well-formed, a strange encoding, or any DOCTYPE.
    """
    check_size(content)
    _check_encoding(content)
    # Before the parser sees it: no definition is read, so none can be expanded. A CDATA section
    # that quotes one is refused too; no invoice needs it.
    if _has_doctype(content):
        raise DocumentUnreadable([_doctype_failure()])
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        dtd_validation=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error  # The document is not to blame for its form.
        raise DocumentUnreadable([_syntax_failure(error)]) from error
    if root.getroottree().docinfo.doctype:
        raise DocumentUnreadable([_doctype_failure()])
    count = sum(1 for _ in root.iter())
    if count > ELEMENTS_MAX:
        raise DocumentTooLarge([size_failure(f"{count} elements")])
    return root


def name(tag: str) -> str:
    """Return a tag as people write it: cbc:ID."""
    namespace, _, local = tag.rpartition("}")
    prefix = PREFIXES.get(namespace.removeprefix("{"), "?" if namespace else "")
    return f"{prefix}:{local}" if prefix else local


def location(element: etree._Element) -> str:
    """Return the readable XPath of an element: /Invoice/cac:InvoiceLine[2]/cbc:ID."""
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None:
        step, parent = name(node.tag), node.getparent()
        if parent is not None:
            twins = parent.findall(node.tag)
            if len(twins) > 1:
                step += f"[{twins.index(node) + 1}]"
        steps.append(step)
        node = parent
    return "/" + "/".join(reversed(steps))


def _check_encoding(content: bytes) -> None:
    for mark, encoding in _ENCODINGS_BY_MARK:
        if content.startswith(mark):
            if not encoding:
                raise DocumentUnreadable([_encoding_failure("UTF-32")])
            return
    declared = _DECLARED.match(content[:400])
    found = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    if found not in _ENCODINGS:
        raise DocumentUnreadable([_encoding_failure(found)])
    if found in ("utf-8", "utf8"):
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            place = f"byte {error.start}: 0x{content[error.start]:02x}"
            raise DocumentUnreadable([_encoding_failure(place)]) from error


def _has_doctype(content: bytes) -> bool:
    head = content.replace(b"\x00", b"") if content[:2] in _UTF16_MARKS else content
    return b"<!DOCTYPE" in head or b"<!ENTITY" in head


_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\x00", b"\x00<")


def _encoding_failure(found: str) -> RuleFailure:
    return RuleFailure(
        "SR-ENCODING",
        "/",
        found,
        "the bytes are not in a known encoding, or not in the one that is declared",
        'Save the document as UTF-8 and declare it: <?xml version="1.0" encoding="UTF-8"?>.',
    )


def _doctype_failure() -> RuleFailure:
    return RuleFailure(
        "SR-DOCTYPE",
        "/",
        "<!DOCTYPE …>",
        "a document type declaration or entity is never accepted",
        "Remove the DOCTYPE; write characters themselves instead of entities.",
    )


def _syntax_failure(error: etree.XMLSyntaxError) -> RuleFailure:
    line, column = error.position
    return RuleFailure(
        "SR-XML",
        f"line {line}, column {column}",
        (error.msg or "nothing")[:200],
        "the document is not well-formed XML, or is cut short",
        "Send the complete file as it was exported; check that nothing was cut off on the way.",
    )
