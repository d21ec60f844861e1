"""The published XML Schemas, and whether a message obeys its own.

Knows nothing of what a message says.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lxml import etree

from settlement.documents.iso20022.errors import MessageInvalid

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"

_FOLDER = Path(__file__).parent / "schemas"
_ERRORS_MAX = 5


def namespace(message: str) -> str:
    """Return the XML namespace of a message such as `pacs.008.001.08`."""
    return NAMESPACE + message


def faults(content: bytes, message: str) -> list[str]:
    """Return what the message's schema says against `content`, line by line; none if it is valid.

    Raises:
        etree.XMLSyntaxError: it is no XML.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    document = etree.fromstring(content, parser)
    schema = _schema(message)
    if schema.validate(document):
        return []
    return [f"line {error.line}: {error.message}" for error in schema.error_log]


def require_valid(content: bytes, message: str) -> bytes:
    """Return `content` if it obeys the schema of `message`.

    Raises:
        MessageInvalid: it does not; the first faults are named.
    """
    found = faults(content, message)
    if found:
        raise MessageInvalid(
            f"the values do not make a valid {message}: " + "; ".join(found[:_ERRORS_MAX]),
            repair="correct the value that is named, or ask for another format",
        )
    return content


@lru_cache(maxsize=16)
def _schema(message: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_FOLDER / f"{message}.xsd"))
