"""What a list's columns hold, by their names: one rule for every list that is exported.

Knows the words of the API; an unknown column is text, which loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from settlement.statements.tables_out import Column, Kind

_AMOUNTS = frozenset(
    {
        "amount", "balance", "claim", "closing", "credited", "difference", "expected", "in_flight",
        "ledger", "chain", "charges", "opening", "open", "paid", "payable", "posted", "reserved",
        "returned", "settled", "amount_due", "fee", "total", "bank",
    }
)  # fmt: skip
_COUNTS = frozenset(
    {
        "attempts", "block_number", "count", "decimals", "entry_seq", "line", "log_index", "page",
        "reverses_seq", "score", "seq", "sequence", "version", "entry_count", "source_line",
        "entry_index", "detail_index", "nonce", "posted_seq", "rule_set_version",
    }
)  # fmt: skip
_FLAGS = frozenset({"is_open", "is_reversal", "live", "ties", "canonical"})
_DATES = frozenset({"day", "date"})


def column(name: str) -> Column:
    """Return a column with the kind that its name tells."""
    if name in _AMOUNTS or name.endswith("_amount"):
        return Column(name, Kind.AMOUNT)
    if name in _COUNTS or name.endswith("_count"):
        return Column(name, Kind.COUNT)
    if name in _FLAGS or name.startswith(("is_", "has_")):
        return Column(name, Kind.FLAG)
    if name.endswith("_at") or name == "at":
        return Column(name, Kind.MOMENT)
    if name in _DATES or name.endswith("_date"):
        return Column(name, Kind.DATE)
    return Column(name)


def columns(names: Iterable[str]) -> list[Column]:
    """Return the columns of these names."""
    return [column(name) for name in names]
