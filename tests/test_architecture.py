"""The map is that of the land: every path, table and state in docs/architecture.md is real."""

import re
from pathlib import Path

from settlement import tables
from settlement.states import (
    ChainTxState,
    InquiryState,
    InvoiceState,
    ParticipantState,
    SettlementState,
)

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATH = re.compile(r"`((?:settlement|gateway|contracts|tests|docs)/[\w./-]*)`")


def _names(line_start: str) -> list[str]:
    (line,) = [line for line in TEXT.splitlines() if line.startswith(line_start)]
    return line.split("|")[2].replace(" ", "").split(",")


def test_every_path_that_is_named_exists() -> None:
    named = PATH.findall(TEXT)

    assert len(named) > 40
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_room_is_on_the_map() -> None:
    rooms = [path for path in (ROOT / "settlement").iterdir() if (path / "__init__.py").exists()]

    missing = [room.name for room in rooms if f"`settlement/{room.name}/`" not in TEXT]

    assert missing == []


def test_every_table_is_named() -> None:
    assert [name for name in tables.metadata.tables if f"`{name}`" not in TEXT] == []


def test_every_state_is_named_and_no_other() -> None:
    for start, states in (
        ("| invoice |", InvoiceState),
        ("| settlement |", SettlementState),
        ("| chain transaction |", ChainTxState),
        ("| participant |", ParticipantState),
        ("| request for information |", InquiryState),
    ):
        assert _names(start) == [state.value for state in states]
