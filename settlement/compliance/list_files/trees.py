"""XML in pieces: each element of interest as it ends, without entities, documents or networks.

Knows the form; what the elements mean is each reader's.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from lxml import etree

from settlement.compliance.list_files.record import FileFault

TEXT_MAX = 20_000


class Node:
    """An element whose names are read without their namespace."""

    __slots__ = ("element",)

    def __init__(self, element: etree._Element) -> None:
        self.element = element

    @property
    def line(self) -> int | None:
        """Where in the file it begins."""
        return self.element.sourceline

    @property
    def name(self) -> str:
        """Its local name."""
        return local(self.element)

    def text(self, *path: str) -> str:
        """Return the text at a path of local names; empty where there is none."""
        found = next(self.all(*path), None)
        return "" if found is None else " ".join((found.element.text or "").split())[:TEXT_MAX]

    def texts(self, *path: str) -> list[str]:
        """Return every text at a path that is not empty."""
        found = (" ".join((each.element.text or "").split())[:TEXT_MAX] for each in self.all(*path))
        return [text for text in found if text]

    def get(self, name: str) -> str:
        """Return an attribute; empty where there is none."""
        return " ".join((self.element.get(name) or "").split())[:TEXT_MAX]

    def all(self, *path: str) -> Iterator[Node]:
        """Yield every element at a path of local names."""
        if not path:
            yield self
            return
        for child in self.element:
            if isinstance(child.tag, str) and local(child) == path[0]:
                yield from Node(child).all(*path[1:])


def local(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def root_name(content: bytes) -> str:
    """Return the local name of the first element.

    Raises:
        FileFault: it is no XML, or it declares a document type.
    """
    for _, element in _events(content, ("start",)):
        return local(element)
    raise FileFault("it is no XML")


def pieces(content: bytes, names: tuple[str, ...]) -> Iterator[Node]:
    """Yield each element of these names, whole; what was yielded is forgotten.

    Raises:
        FileFault: the file breaks off, is not well-formed, is in another encoding than it says,
            or declares a document type.
    """
    depth = 0
    for event, element in _events(content, ("start", "end")):
        wanted = local(element) in names
        if event == "start":
            depth += wanted
            continue
        if wanted:
            depth -= 1
            if not depth:
                yield Node(element)
        if not depth:
            element.clear()
            parent = element.getparent()
            while parent is not None and element.getprevious() is not None:
                del parent[0]


def _events(content: bytes, events: tuple[str, ...]) -> Iterator[tuple[str, etree._Element]]:
    if b"<!DOCTYPE" in content[:4096] or b"<!ENTITY" in content:
        raise FileFault("it declares a document type: lists have none")
    parser = etree.iterparse(
        io.BytesIO(content), events=events, resolve_entities=False, no_network=True,
        load_dtd=False, dtd_validation=False, huge_tree=False, recover=False, remove_pis=True,
        remove_comments=True,
    )  # fmt: skip
    try:
        yield from parser
    except etree.XMLSyntaxError as error:
        raise FileFault(
            f"the XML breaks off: {error.msg}",
            line=error.lineno,
            repair="download the file again: it has to be whole, in the encoding that it names",
        ) from error
