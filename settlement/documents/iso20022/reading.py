"""Statements (camt.053) and notifications (camt.054) of a bank, read as a stream.

Gives heads, entries and ends one after the other in bounded memory; keeps and books nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from settlement.documents.iso20022 import reading_entry, reading_faults, reading_source
from settlement.documents.iso20022.reading_entry import Place
from settlement.documents.iso20022.reading_head import head_of
from settlement.documents.iso20022.reading_model import (
    ReadEnd,
    ReadEntry,
    ReadHead,
    StatementUnreadable,
)
from settlement.documents.iso20022.reading_plan import Shapes
from settlement.documents.iso20022.reading_schema import APART_BYTES, JudgedApart
from settlement.documents.iso20022.reading_source import Message, message_of, schema_of
from settlement.documents.iso20022.reading_values import decimals_of

ROWS_AT_ONCE = 500

Read = ReadHead | list[ReadEntry] | ReadEnd
_CONTAINERS = {"camt.053": ("Stmt", "statement"), "camt.054": ("Ntfctn", "notification")}


def read(file: BinaryIO, message: Message, path: Path | None = None) -> Iterator[Read]:
    """Yield each statement's head, its entries by the hundred, and its end.

    `path` is the file's own: with it, a large file is judged by its schema beside the reading.
    Raises:
        StatementUnreadable: no XML, cut short, mis-encoded, or not by its schema.
        StatementInvalid, StatementContradicts: a value, or a batch's sum, is wrong.
    """
    schema_file = message.schema_file
    apart = (
        path is not None
        and schema_file is not None
        and os.fstat(file.fileno()).st_size >= APART_BYTES
    )
    schema = None if apart else schema_of(message)
    with JudgedApart(path) if apart and path else nullcontext() as judge:
        try:
            yield from _read(file, message, schema)
        except etree.XMLSyntaxError as error:
            raise reading_faults.refusal(file, message, error) from error
        if judge is not None:
            judge.result(file, message)


def _read(file: BinaryIO, message: Message, schema: etree.XMLSchema | None) -> Iterator[Read]:
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
            plan, texts = shapes.read(element)
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


def _forget(element: etree._Element) -> None:
    """Let go of an element and of all that stand before it: memory stays that of one entry."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


__all__ = ["Read", "message_of", "read"]
