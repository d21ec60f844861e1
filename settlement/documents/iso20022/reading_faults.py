"""Where a file that a parser or a schema refuses is wrong: line, path, and what to do.

Reads the file once more, from its beginning: only a refused file costs that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, BinaryIO, NamedTuple
from xml.parsers import expat

from lxml import etree

from settlement.documents.iso20022.reading_model import StatementUnreadable
from settlement.documents.iso20022.reading_source import Message, elements, schema_of

_BLOCK_BYTES = 65_536
_QUALIFIED = re.compile(r"\{[^}]*\}")
_AGAIN = re.compile(r"^line \d+: ")
_COUNTED = frozenset({"Stmt", "Ntfctn", "Ntry", "TxDtls"})
_CUT = "send the complete file as the bank made it; nothing may be cut off or re-encoded"
_SCHEMA = "ask the bank for a file that obeys its schema"


def refusal(file: BinaryIO, message: Message, error: etree.XMLSyntaxError) -> StatementUnreadable:
    """Return why a file is refused, with the place."""
    if error.code == etree.ErrorTypes.ERR_NO_MEMORY:
        raise MemoryError from error  # The file is not to blame for its form.
    line, text = error.lineno or 0, error.msg or "it is cut short"
    if line and not text.startswith("Element '"):
        return _told(_words(text), line, _path_at(file, line), _CUT)
    return schema_refusal(file, message, text)


def schema_refusal(file: BinaryIO, message: Message, text: str) -> StatementUnreadable:
    """Return which element breaks the schema first; a stream's own error does not say where."""
    schema = schema_of(message)
    try:
        for part in _parts(file, message) if schema is not None else ():
            assert schema is not None
            if not schema.validate(part.root):
                found: Any = schema.error_log[0]
                return _told(found.message, found.line, _path_of(part, found.path), _SCHEMA)
    except etree.XMLSyntaxError as error:
        return _told(error.msg or text, error.lineno or 1, _path_at(file, error.lineno or 1), _CUT)
    return _told(text, 0, "/Document", _SCHEMA)


class JudgedByShape:
    """Judges one entry of every shape by the schema: for files too large to judge every entry.

    Entries of one shape differ in their texts alone; the values that count are read by rule.
    """

    def __init__(self, schema: etree.XMLSchema) -> None:
        self._schema = schema
        self._frame: etree._Element | None = None
        self._place: etree._Element | None = None

    def require(self, element: etree._Element, numbers: dict[str, int]) -> None:
        """Return quietly if an entry of a new shape obeys the schema.

        Raises:
            StatementUnreadable: it does not.
        """
        if self._frame is None or self._place is None:
            self._frame, self._place = _frame(element)
        else:
            entry, owner = deepcopy(element), self._place.getparent()
            assert owner is not None
            owner.replace(self._place, entry)
            self._place = entry
        part = _Part(self._frame.getroottree(), numbers)
        if not self._schema.validate(part.root):
            found: Any = self._schema.error_log[0]
            raise _told(found.message, found.line, _path_of(part, found.path), _SCHEMA)


class _Part(NamedTuple):
    """A document of one entry, with all that stands around it."""

    root: etree._ElementTree
    numbers: dict[str, int]


def _parts(file: BinaryIO, message: Message) -> Iterator[_Part]:
    """Yield the file as small documents, each with one entry."""
    file.seek(0)
    holders = {"camt.053": "Stmt", "camt.054": "Ntfctn"}[message.name]
    numbers = {holders: 1, "Ntry": 0}
    frame: etree._Element | None = None
    place: etree._Element | None = None
    for element in elements(file, message, ("Ntry", holders), None):
        parent = element.getparent()
        if parent is None:
            return
        if etree.QName(element).localname == "Ntry":
            numbers["Ntry"] += 1
            if frame is None or place is None:
                frame, place = _frame(element)
            else:
                entry, owner = deepcopy(element), place.getparent()
                assert owner is not None
                owner.replace(place, entry)
                place = entry
            yield _Part(frame.getroottree(), dict(numbers))
        else:
            if frame is None:
                yield _Part(deepcopy(element.getroottree()), dict(numbers))
            numbers[holders] += 1
            numbers["Ntry"] = 0
            frame = place = None
        element.clear()
        while element.getprevious() is not None:
            del parent[0]


def _frame(element: etree._Element) -> tuple[etree._Element, etree._Element]:
    """Return a copy of the document up to an entry, and that entry in it.

    A parser is ahead of what it tells of: what comes behind the entry is cut off.
    """
    tree = element.getroottree()
    frame = deepcopy(tree).getroot()
    place = frame.find(tree.getelementpath(element))
    assert place is not None, "a copy has what it was copied from"
    node: etree._Element | None = place
    while node is not None:
        for later in list(node.itersiblings()):
            owner = later.getparent()
            if owner is not None:
                owner.remove(later)
        node = node.getparent()
    return frame, place


def _path_of(part: _Part, path: str) -> str:
    """Return the readable path of what an XPath without names finds, numbers of the whole file."""
    named = {prefix: name for prefix, name in part.root.getroot().nsmap.items() if prefix}
    found = part.root.xpath(path, namespaces=named)
    node = found[0] if isinstance(found, list) and found else part.root.getroot()
    steps: list[str] = []
    while node is not None:
        name, parent = etree.QName(node).localname, node.getparent()
        if name in part.numbers:
            name = f"{name}[{part.numbers[name]}]"
        elif name in _COUNTED and parent is not None:
            name = f"{name}[{parent.findall(node.tag).index(node) + 1}]"
        steps.append(name)
        node = parent
    return "/" + "/".join(reversed(steps))


def _words(text: str) -> str:
    """The parser's words; of some it gives the place again, and bytes as Python shows them."""
    return _AGAIN.sub("", text).removeprefix("b'").removesuffix("'")


def _told(text: str, line: int, path: str, repair: str) -> StatementUnreadable:
    return StatementUnreadable(
        _QUALIFIED.sub("", text)[:300], line=line or None, path=path, repair=repair
    )


class _Stack:
    """Follows a parser through a file and notes the path of the last element before a line ends."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._steps: list[str] = []
        self._counts: list[dict[str, int]] = [{}]
        self.reached = "/"

    def _start(self, name: str, _attributes: object) -> None:
        step = local = name.rpartition(" ")[2]
        if local in _COUNTED:
            self._counts[-1][local] = self._counts[-1].get(local, 0) + 1
            step = f"{local}[{self._counts[-1][local]}]"
        self._steps.append(step)
        self._counts.append({})
        if self.parser.CurrentLineNumber <= self.line:
            self.reached = "/" + "/".join(self._steps)

    def _end(self, _name: str) -> None:
        self._steps.pop()
        self._counts.pop()


def _path_at(file: BinaryIO, line: int) -> str:
    """Return the path of the last element that begins at `line` or before."""
    stack = _Stack(line)
    file.seek(0)
    try:
        while stack.parser.CurrentLineNumber <= line:
            block = file.read(_BLOCK_BYTES)
            stack.parser.Parse(block, not block)
            if not block:
                break
    except (expat.ExpatError, ValueError):
        pass  # The fault itself: the path so far is the answer.
    return stack.reached
