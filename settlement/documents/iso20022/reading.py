"""Statements (camt.053) and notifications (camt.054) of a bank, read as a stream.

Gives heads, entries and ends one after the other in bounded memory; keeps and books nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from settlement.documents.iso20022 import (
    reading_entry,
    reading_faults,
    reading_large,
    reading_source,
)
from settlement.documents.iso20022.reading_apart import SCHEMA, JudgedApart
from settlement.documents.iso20022.reading_entry import Place
from settlement.documents.iso20022.reading_faults import JudgedByShape
from settlement.documents.iso20022.reading_head import head_of
from settlement.documents.iso20022.reading_model import (
    Read,
    ReadEnd,
    ReadEntry,
    ReadHead,
    StatementUnreadable,
)
from settlement.documents.iso20022.reading_plan import Shapes
from settlement.documents.iso20022.reading_source import Message, message_of, schema_of
from settlement.documents.iso20022.reading_values import decimals_of

ROWS_AT_ONCE = 500
APART_BYTES = 4_000_000
"""A smaller file is judged while it is read: starting a process would cost more."""
BY_SHAPE_BYTES = 64_000_000
"""In a larger file one entry of each shape is judged by the schema, not every one: that would cost
as much again as reading it. Values, sums and balances are judged of every entry all the same."""

_CONTAINERS = {"camt.053": ("Stmt", "statement"), "camt.054": ("Ntfctn", "notification")}


def read(file: BinaryIO, message: Message, path: Path | None = None) -> Iterator[Read]:
    """Yield each statement's head, its entries by the hundred, and its end.

    `path` is the file's own: with it, a large file is judged by its schema beside the reading.
    Raises:
        StatementUnreadable: no XML, cut short, mis-encoded, or not by its schema.
        StatementInvalid, StatementContradicts: a value, or a batch's sum, is wrong.
    """
    schema = schema_of(message)
    size = os.fstat(file.fileno()).st_size if path is not None else 0
    if path is not None and size >= BY_SHAPE_BYTES:
        by_shape = None if schema is None else JudgedByShape(schema)
        as_tree = partial(_as_tree, file, message, None, by_shape)
        yield from reading_large.read(file, message, path, schema, as_tree)
        return
    if path is None or schema is None or size < APART_BYTES:
        yield from _as_tree(file, message, schema)
        return
    with JudgedApart(path, SCHEMA) as judge:
        yield from _as_tree(file, message, None)
        told = judge.fault()
    if told:
        raise reading_faults.schema_refusal(file, message, told)


def _as_tree(
    file: BinaryIO,
    message: Message,
    schema: etree.XMLSchema | None,
    by_shape: JudgedByShape | None = None,
) -> Iterator[Read]:
    try:
        yield from _read(file, message, schema, by_shape)
    except etree.XMLSyntaxError as error:
        raise reading_faults.refusal(file, message, error) from error


def _read(
    file: BinaryIO,
    message: Message,
    schema: etree.XMLSchema | None,
    by_shape: JudgedByShape | None,
) -> Iterator[Read]:
    container, kind = _CONTAINERS[message.name]
    shapes, head, index, count = Shapes(), None, 0, 0
    waiting: list[ReadEntry] = []
    has_ended, decimals = False, 0
    for element in reading_source.elements(file, message, ("Ntry", container), schema):
        parent = element.getparent()
        if parent is None:
            has_ended = True
            continue
        is_entry = element.tag.endswith("}Ntry")
        if head is None:
            count += 1
            head = head_of(parent if is_entry else element, message, kind, f"{container}[{count}]")
            decimals = decimals_of(head.currency)
            yield head
        if is_entry:
            index += 1
            if by_shape is not None:
                _require_entry_before(element, index, head)
            numbers = {container: count, "Ntry": index}
            plan, texts = shapes.read(element, partial(_meet, by_shape, numbers))
            place = Place(element.sourceline or 0, index, head, decimals)
            waiting += reading_entry.rows(plan, texts, place)
            if len(waiting) >= ROWS_AT_ONCE:
                yield waiting
                waiting = []
        else:
            if waiting:
                yield waiting
            yield ReadEnd(element.sourceline or 1)
            head, index, waiting = None, 0, []
        _forget(element)
    if count == 0 or head is not None or not has_ended:
        raise StatementUnreadable(
            f"it holds no complete {container}", line=None, path="/Document",
            repair="send a complete file with at least one statement",
        )  # fmt: skip


def _meet(by_shape: JudgedByShape | None, numbers: dict[str, int], element: etree._Element) -> None:
    if by_shape is not None:
        by_shape.require(element, numbers)


def _require_entry_before(element: etree._Element, index: int, head: ReadHead) -> None:
    """Refuse what stands between two entries: no entry's shape shows it."""
    before = element.getprevious()
    if index > 1 and (before is None or before.tag != element.tag):
        raise StatementUnreadable(
            "something else stands between two entries", line=element.sourceline,
            path=f"{head.path}/Ntry[{index}]", repair="ask the bank for a file by its schema",
        )  # fmt: skip


def _forget(element: etree._Element) -> None:
    """Let go of an element and of all that stand before it: memory stays that of one entry."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


__all__ = ["Read", "message_of", "read"]
