"""A large statement read without a tree where it is plain, and as a tree from where it is not.

Both ways give the same heads, entries and ends. Says itself what is wrong only with values: of all
else the tree's reader says what and where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from settlement.documents.iso20022 import reading_entry
from settlement.documents.iso20022.reading_apart import FORM, JudgedApart
from settlement.documents.iso20022.reading_cut import NotPlain, Plain
from settlement.documents.iso20022.reading_entry import Place
from settlement.documents.iso20022.reading_head import head_of
from settlement.documents.iso20022.reading_model import Read, ReadEnd, ReadEntry, ReadHead
from settlement.documents.iso20022.reading_patterns import Patterns
from settlement.documents.iso20022.reading_source import Message
from settlement.documents.iso20022.reading_values import decimals_of


@dataclass(slots=True)
class _Given:
    """What was handed on already."""

    head: bool = False
    entries: int = 0


def read(
    file: BinaryIO,
    message: Message,
    path: Path,
    schema: etree.XMLSchema | None,
    as_tree: Callable[[], Iterator[Read]],
) -> Iterator[Read]:
    """Yield a file's head, its entries by the hundred, and its end; `as_tree` reads it all anew.

    Raises:
        StatementUnreadable, StatementInvalid, StatementContradicts: as `reading.read`.
    """
    given = _Given()
    try:
        yield from _plainly(file, message, path, schema, given)
    except NotPlain:
        file.seek(0)
        yield from _rest(as_tree(), given)


def _plainly(
    file: BinaryIO,
    message: Message,
    path: Path,
    schema: etree.XMLSchema | None,
    given: _Given,
) -> Iterator[Read]:
    plain = Plain(file, message)
    patterns = Patterns(message.namespace, lambda text: _require_schema(plain, schema, text))
    head: ReadHead | None = None
    decimals = number = 0
    with JudgedApart(path, FORM) as judge:
        for pieces in plain.pieces():
            if head is None:
                head = _head(plain, message, pieces[0][0])
                decimals = decimals_of(head.currency)
                yield head
                given.head = True
            waiting: list[ReadEntry] = []
            for text, line in pieces:
                number += 1
                plan, texts = patterns.read(text)
                waiting += reading_entry.rows(plan, texts, Place(line, number, head, decimals))
            yield waiting
            given.entries = number
        plain.require_end()
        if head is None or judge.fault():
            raise NotPlain
        yield ReadEnd(head.line)


def _head(plain: Plain, message: Message, text: str) -> ReadHead:
    _tree, entry = plain.document(text)
    holder = entry.getparent()
    assert holder is not None, "a plain file's entry stands in its statement"
    is_statement = message.name == "camt.053"
    kind, step = ("statement", "Stmt[1]") if is_statement else ("notification", "Ntfctn[1]")
    return head_of(holder, message, kind, step)


def _require_schema(plain: Plain, schema: etree.XMLSchema | None, text: str) -> None:
    """Judge one entry of a shape, with all that stands before it.

    Raises:
        NotPlain: it does not obey the schema; the tree's reader says where.
    """
    tree, _entry = plain.document(text)
    if schema is not None and not schema.validate(tree):
        raise NotPlain


def _rest(everything: Iterator[Read], given: _Given) -> Iterator[Read]:
    """Yield what was not given yet; only the first statement can have been begun."""
    is_first = True
    for each in everything:
        if isinstance(each, ReadHead):
            if not (is_first and given.head):
                yield each
        elif isinstance(each, ReadEnd):
            is_first = False
            yield each
        elif is_first and each[0].entry_index <= given.entries:
            left = [row for row in each if row.entry_index > given.entries]
            if left:
                yield left
        else:
            yield each
