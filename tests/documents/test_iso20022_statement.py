"""camt.053: opening and movements make the closing balance, however long, page by page."""

from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from settlement.documents.iso20022.camt053 import Movements, StatementOff, camt053
from settlement.documents.iso20022.reading import read
from settlement.documents.iso20022.reading_model import ReadHead
from settlement.documents.iso20022.reading_source import message_of
from settlement.documents.iso20022.schema import faults
from tests.documents.iso20022_builders import (
    NOW,
    a_head,
    a_notification,
    a_statement,
    an_entry,
)

MINORS = st.lists(st.integers(-(10**12), 10**12), max_size=12)


@settings(max_examples=60)
@given(minors=MINORS, opening=st.integers(-(10**12), 10**12))
def test_the_figures_of_any_statement_add_up(minors: list[int], opening: int) -> None:
    content = a_statement(minors, opening=opening)

    assert faults(content, "camt.053.001.08") == []
    root = etree.fromstring(content)
    first, last = (_signed(node) for node in root.iterfind(".//{*}Bal"))
    moved = [_signed(node) for node in root.iterfind(".//{*}Ntry")]
    assert first == Decimal(opening) / 100
    assert first + sum(moved) == last
    assert root.findtext(".//{*}TtlNtries/{*}NbOfNtries") == str(len(minors))
    assert _sum(root, "TtlCdtNtries") == sum((m for m in moved if m > 0), Decimal(0))
    assert _sum(root, "TtlDbtNtries") == -sum((m for m in moved if m < 0), Decimal(0))


@settings(max_examples=25)
@given(minors=MINORS, opening=st.integers(-(10**12), 10**12))
def test_the_banks_reader_finds_the_same_figures(minors: list[int], opening: int) -> None:
    heads, entries = _read(a_statement(minors, opening=opening))

    (head,) = heads
    assert head.opening and head.closing
    assert head.opening.minor == opening
    assert head.closing.minor == opening + sum(minors)
    assert [entry["amount_minor"] for entry in entries] == minors
    assert {entry["uetr"] for entry in entries} <= {an_entry().uetr}
    assert {entry["end_to_end_id"] for entry in entries} <= {an_entry().end_to_end_id}


def test_the_banks_reader_takes_a_notification_too() -> None:
    heads, (entry,) = _read(a_notification(an_entry(-123, status="PDNG")))

    assert heads[0].kind == "notification" and heads[0].opening is None
    assert (entry["amount_minor"], entry["status"]) == (-123, "PDNG")
    assert entry["counterparty_name"] == "شركة النور للتجارة"


@pytest.mark.parametrize(
    "change",
    [
        {"closing_minor": 1},
        {"opening_minor": -1},
        {"movements": Movements(2, 301, 1, 50)},
        {"movements": Movements(2, 300, 1, 51)},
    ],
)
def test_a_statement_that_does_not_add_up_has_not_one_byte(change: dict[str, object]) -> None:
    head = replace(a_head([100, 200, -50]), **change)  # type: ignore[arg-type]
    out = io.BytesIO()

    with pytest.raises(StatementOff):
        camt053(head, (an_entry(minor) for minor in (100, 200, -50)), out, created_at=NOW)

    assert out.getvalue() == b""


@pytest.mark.parametrize("minors", [(100, 200), (100, 200, -49), (100, 200, -50, 1)])
def test_entries_that_are_not_those_of_the_head_never_make_a_whole_file(
    minors: tuple[int, ...],
) -> None:
    out = io.BytesIO()

    with pytest.raises(StatementOff):
        head = a_head([100, 200, -50])
        camt053(head, (an_entry(minor) for minor in minors), out, created_at=NOW)

    assert b"</Document>" not in out.getvalue()


def test_a_lost_entry_of_nothing_is_noticed_too() -> None:
    with pytest.raises(AssertionError, match="lost"):
        camt053(a_head([0, 5]), iter([an_entry(5)]), io.BytesIO(), created_at=NOW)


def test_pages_have_interim_balances_between_and_say_which_is_the_last() -> None:
    first = etree.fromstring(a_statement([5], is_last=False))
    last = etree.fromstring(a_statement([7], opening=5, page=2))
    running = etree.fromstring(a_statement([7], is_over=False))

    assert [_codes(root) for root in (first, last, running)] == [
        ["OPBD", "ITBD"],
        ["ITBD", "CLBD"],
        ["OPBD", "ITBD"],
    ]
    pages = [root.findtext(".//{*}StmtPgntn/{*}LastPgInd") for root in (first, last)]
    assert pages == ["false", "true"]


def test_a_long_statement_costs_no_more_memory_than_a_short_one() -> None:
    peaks = []
    for count in (1_000, 8_000):
        head = a_head([5] * count)
        tracemalloc.start()
        camt053(head, (an_entry(5) for _ in range(count)), _Nowhere(), created_at=NOW)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < peaks[0] + 500_000


class _Nowhere(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def write(self, content: object) -> int:
        return len(content)  # type: ignore[arg-type]


def _read(content: bytes) -> tuple[list[ReadHead], list[dict[str, object]]]:
    file = io.BytesIO(content)
    heads: list[ReadHead] = []
    entries: list[dict[str, object]] = []
    for part in read(file, message_of(file)):
        if isinstance(part, ReadHead):
            heads.append(part)
        elif isinstance(part, list):
            entries += [entry._asdict() for entry in part]
    return heads, entries


def _signed(node: etree._Element) -> Decimal:
    sign = 1 if node.findtext("{*}CdtDbtInd") == "CRDT" else -1
    return sign * Decimal(str(node.findtext("{*}Amt")))


def _sum(root: etree._Element, name: str) -> Decimal:
    return Decimal(str(root.findtext(f".//{{*}}{name}/{{*}}Sum")))


def _codes(root: etree._Element) -> list[str | None]:
    return [node.findtext(".//{*}Cd") for node in root.iterfind(".//{*}Bal")]
