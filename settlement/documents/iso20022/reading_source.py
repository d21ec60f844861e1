"""A bank's XML file as a stream: what it says it is, its elements one by one.

No DOCTYPE, no entity, no network. Knows no element but those that it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn
from xml.parsers import expat

from lxml import etree

from settlement.documents.iso20022.reading_model import StatementUnreadable

_PROLOG_BYTES = 65_536
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[34])\.001\.(\d\d)\Z", re.ASCII)
_SCHEMAS = Path(__file__).parent / "schemas"


class Message(NamedTuple):
    """Which message a file holds: `camt.053`, version `08`."""

    name: str
    version: str
    namespace: str

    @property
    def full_name(self) -> str:
        """As people write it: camt.053.001.08."""
        return f"{self.name}.001.{self.version}"

    @property
    def schema_file(self) -> Path | None:
        """The published schema, where we have it."""
        path = _SCHEMAS / f"{self.full_name}.xsd"
        return path if path.exists() else None


def message_of(file: BinaryIO) -> Message:
    """Return which message a file holds; the file stands at its beginning again.

    Raises:
        StatementUnreadable: no XML, a DOCTYPE, or another message.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    roots: list[str] = []

    def note_root(name: str, _attributes: object) -> None:
        roots.append(name)
        parser.StartElementHandler = None

    def refuse_doctype(*_definition: object) -> NoReturn:
        raise doctype_refusal(parser.CurrentLineNumber)

    parser.StartElementHandler = note_root
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.EntityDeclHandler = refuse_doctype
    try:
        parser.Parse(file.read(_PROLOG_BYTES), False)
    except (expat.ExpatError, ValueError, LookupError) as error:
        # ValueError, LookupError: an encoding that expat, or nobody, knows.
        if not roots:
            raise _no_xml(getattr(error, "lineno", 1)) from error
    finally:
        file.seek(0)
    if not roots:
        raise _no_xml(1)
    namespace, _, root = roots[0].rpartition(" ")
    found = _NAMESPACE.match(namespace)
    if root != "Document" or found is None:
        raise StatementUnreadable(
            f"the root is {root} of {namespace[:100] or 'no namespace'}",
            line=1, path=f"/{root}", repair="send a camt.053.001.08 or camt.054.001.08, or a CSV"
            " with a saved mapping",
        )  # fmt: skip
    return Message(found[1], found[2], namespace)


def schema_of(message: Message) -> etree.XMLSchema | None:
    """Return the message's published schema, where we have it."""
    path = message.schema_file
    return None if path is None else etree.XMLSchema(etree.parse(path))


def elements(
    file: BinaryIO, message: Message, names: tuple[str, ...], schema: etree.XMLSchema | None
) -> Iterator[etree._Element]:
    """Yield each element of `names`, and the root at last; whoever takes one clears it.

    Raises:
        etree.XMLSyntaxError: not well-formed, cut short, mis-encoded or not by the schema.
        StatementUnreadable: a DOCTYPE that the prolog's check did not see.
    """
    prefix = f"{{{message.namespace}}}"
    is_checked = False
    for _event, element in etree.iterparse(
        file,
        events=("end",),
        tag=tuple(prefix + name for name in (*names, "Document")),
        schema=schema,
        # Not False: with it a file that is cut short ends as if it were whole (lxml 6.1.3).
        resolve_entities="internal",
        no_network=True,
        load_dtd=False,
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
        # Only lifts the limits on depth and text that a million entries would meet; what one
        # entry may hold is bounded by memory, and there is no entity to expand.
        huge_tree=True,
    ):
        if not is_checked and element.getroottree().docinfo.doctype:
            raise doctype_refusal(None)
        is_checked = True
        yield element


def doctype_refusal(line: int | None) -> StatementUnreadable:
    """Return why a file with a document type declaration is not read."""
    return StatementUnreadable(
        "a document type declaration or entity is never accepted",
        line=line, path="/", repair="remove the DOCTYPE; a bank's statement has none",
    )  # fmt: skip


def _no_xml(line: int) -> StatementUnreadable:
    return StatementUnreadable(
        "it is no well-formed XML, or not in the encoding that it declares",
        line=line, path="/", repair="send the complete file as the bank made it",
    )  # fmt: skip
