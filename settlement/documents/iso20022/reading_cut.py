"""A large plain file cut into its entries' texts, without a tree: one statement, UTF-8, no prefix.

Whatever is not as plain as that is `NotPlain`, never a guess: the file is then read as a tree.
That it is well-formed is judged elsewhere; a cut is right only where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from settlement.documents.iso20022.reading_source import Message, doctype_refusal

BLOCK_BYTES = 1 << 20
"""The opening, up to the first entry, has to fit into one block."""
ENTRY_BYTES_MAX = 16 << 20
_BEGIN, _END = b"<Ntry>", b"</Ntry>"
_ENCODINGS = frozenset({None, "UTF-8", "US-ASCII", "ASCII"})
_HOLDERS = {
    "camt.053": ("BkToCstmrStmt", "Stmt", "AddtlStmtInf"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "AddtlNtfctnInf"),
}


class NotPlain(Exception):
    """The file is read as a tree instead, which also says what is wrong with it, if anything is."""


Piece = tuple[str, int]
"""An entry's text from `<Ntry>` to what stands before `</Ntry>`, and its line."""


class Plain:
    """A file that begins plainly; `pieces` gives its entries, `require_end` judges its end."""

    def __init__(self, file: BinaryIO, message: Message) -> None:
        self._file, self._message = file, message
        file.seek(0)
        block = file.read(BLOCK_BYTES)
        begin = block.find(_BEGIN)
        if begin < 0:
            raise NotPlain
        self._opening, self._rest = block[:begin], block[begin:]
        root, holder, more = _HOLDERS[message.name]
        self._closing = f"</{holder}></{root}></Document>".encode()
        self._after = re.compile(
            rf"[ \t\n]*(?:<{more}>[^<&]*</{more}>[ \t\n]*)?</{holder}>[ \t\n]*</{root}>"
            rf"[ \t\n]*</Document>[ \t\n]*"
        )
        self.line = _lines(self._opening).count(b"\n") + 1
        self._end: str | None = None

    def document(self, text: str) -> tuple[etree._ElementTree, etree._Element]:
        """Return the file as if it had one entry alone, and that entry."""
        told = self._opening + text.encode() + _END + self._closing
        try:
            tree = etree.fromstring(told, _parser()).getroottree()
        except etree.XMLSyntaxError as error:
            raise NotPlain from error
        if tree.docinfo.doctype:
            raise doctype_refusal(None)
        prefix = f"{{{self._message.namespace}}}"
        holder = prefix + _HOLDERS[self._message.name][1]
        found = list(tree.iter(prefix + "Ntry"))
        if (
            tree.docinfo.encoding not in _ENCODINGS
            or len(found) != 1
            or len(list(tree.iter(holder))) != 1
            or _parent(found[0]).tag != holder
        ):
            raise NotPlain
        return tree, found[0]

    def pieces(self) -> Iterator[list[Piece]]:
        """Yield the entries, block by block.

        Raises:
            NotPlain: something else stands between them, or the bytes are no UTF-8.
        """
        waiting = block = self._rest
        while True:
            cut = waiting.rfind(_END, max(0, len(waiting) - len(block) - len(_END)))
            if cut >= 0:
                yield self._split(_text(waiting[:cut]))
                waiting = waiting[cut + len(_END) :]
            elif len(waiting) > ENTRY_BYTES_MAX:
                raise NotPlain
            block = self._file.read(BLOCK_BYTES)
            if not block:
                break
            waiting += block
        self._end = _text(waiting)

    def require_end(self) -> None:
        """Return quietly if the file ends where its only statement does.

        Raises:
            NotPlain: it does not.
        """
        if self._end is None or not self._after.fullmatch(self._end):
            raise NotPlain

    def _split(self, slab: str) -> list[Piece]:
        found: list[Piece] = []
        line = self.line
        for text in slab.split("</Ntry>"):
            before, _, _ = text.partition("<Ntry>")
            if len(before) == len(text) or before.strip(" \t\n"):
                raise NotPlain
            begin = line + before.count("\n")
            found.append((text[len(before) :], begin))
            line += text.count("\n")
        self.line = line
        return found


def _text(content: bytes) -> str:
    """Return what a parser makes of the bytes: line ends are one character."""
    try:
        return _lines(content).decode()
    except UnicodeDecodeError as error:
        raise NotPlain from error


def _lines(content: bytes) -> bytes:
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
        if b"\r" in content:
            raise NotPlain
    return content


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    if parent is None:
        raise NotPlain
    return parent


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False,
        remove_blank_text=True, remove_comments=True, remove_pis=True, huge_tree=True,
    )  # fmt: skip
