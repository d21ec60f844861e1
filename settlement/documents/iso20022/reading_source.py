"""A bank's XML file as a stream: what it says it is, its elements one by one, faults with places.

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
_ELEMENT = re.compile(r"Element '(?:\{[^}]*\})?(\w+)'")
_QUALIFIED = re.compile(r"\{[^}]*\}")
_COUNTED = frozenset({"Stmt", "Ntfctn", "Ntry", "TxDtls"})
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
        raise StatementUnreadable(
            "a document type declaration or entity is never accepted",
            line=parser.CurrentLineNumber, path="/",
            repair="remove the DOCTYPE; a bank's statement has none",
        )  # fmt: skip

    parser.StartElementHandler = note_root
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.EntityDeclHandler = refuse_doctype
    try:
        parser.Parse(file.read(_PROLOG_BYTES), False)
    except expat.ExpatError as error:
        if not roots:
            raise _no_xml(error.lineno) from error
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
    file: BinaryIO, tags: tuple[str, ...], schema: etree.XMLSchema | None
) -> Iterator[etree._Element]:
    """Yield each element of `tags` when it has ended; whoever takes it clears it.

    Raises:
        StatementUnreadable: not well-formed, cut short, mis-encoded or not by the schema.
    """
    try:
        for _event, element in etree.iterparse(
            file,
            events=("end",),
            tag=tags,
            schema=schema,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_blank_text=True,
            remove_comments=True,
            remove_pis=True,
            # Only lifts the limits on depth and text that a million entries would meet; what
            # each entry may hold is bounded by the reader, and no entity is ever expanded.
            huge_tree=True,
        ):
            yield element
    except etree.XMLSyntaxError as error:
        raise fault(file, error.lineno or 1, error.msg or "it is cut short") from error


def fault(file: BinaryIO, line: int, message: str) -> StatementUnreadable:
    """Return the refusal of what a parser or schema found at a line, with the element's path."""
    named = _ELEMENT.search(message)
    path = _path_at(file, line, named[1] if named else None)
    told = _QUALIFIED.sub("", message)[:300]
    repair = (
        "ask the bank for a file that obeys its schema"
        if named
        else "send the complete file as the bank made it; nothing may be cut off or re-encoded"
    )
    return StatementUnreadable(told, line=line, path=path, repair=repair)


def _no_xml(line: int) -> StatementUnreadable:
    return StatementUnreadable(
        "it is no well-formed XML, or not in the encoding that it declares",
        line=line, path="/", repair="send the complete file as the bank made it",
    )  # fmt: skip


class _Places:
    """Follows a parser through a file and notes the paths of elements that begin at one line."""

    def __init__(self, line: int, name: str | None) -> None:
        self.line, self.name = line, name
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._stack: list[str] = []
        self._counts: list[dict[str, int]] = [{}]
        self.found: list[str] = []
        self.reached = "/"

    def _start(self, name: str, _attributes: object) -> None:
        local = name.rpartition(" ")[2]
        step = local
        if local in _COUNTED:
            self._counts[-1][local] = self._counts[-1].get(local, 0) + 1
            step = f"{local}[{self._counts[-1][local]}]"
        self._stack.append(step)
        self._counts.append({})
        line = self.parser.CurrentLineNumber
        if line <= self.line:
            self.reached = "/" + "/".join(self._stack)
        if line == self.line and self.name == local and len(self.found) < 2:
            self.found.append(self.reached)

    def _end(self, _name: str) -> None:
        self._stack.pop()
        self._counts.pop()


def _path_at(file: BinaryIO, line: int, name: str | None) -> str:
    """Return the path of the element of `name` that begins at `line`, or what is nearest."""
    places = _Places(line, name)
    file.seek(0)
    try:
        while places.parser.CurrentLineNumber <= line:
            block = file.read(_PROLOG_BYTES)
            places.parser.Parse(block, not block)
            if not block:
                break
    except expat.ExpatError:
        pass  # The fault itself: the path so far is the answer.
    if len(places.found) > 1:
        # A file of one line: which of them it is, the line does not say.
        return re.sub(r"\[\d+\]", "", places.found[0])
    return places.found[0] if places.found else places.reached
