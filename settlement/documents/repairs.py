"""What to do about a broken rule: one plain sentence a rule, from `repairs.json`.

Knows the sentences and which values a rule compares. It judges nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class RepairHint:
    """`repair` says what to do; `ubl` and `cii` are XPaths of the values compared."""

    repair: str
    ubl: tuple[str, ...] = ()
    cii: tuple[str, ...] = ()


def hint(rule_id: str) -> RepairHint:
    """Return the hint of a rule; of its family where the rule has none of its own."""
    book = _book()
    own = book["rules"].get(rule_id)
    if own is not None:
        return RepairHint(own["repair"], tuple(own.get("ubl", ())), tuple(own.get("cii", ())))
    families: dict[str, str] = book["families"]
    return RepairHint(next(text for start, text in families.items() if rule_id.startswith(start)))


@lru_cache(maxsize=1)
def _book() -> dict[str, Any]:
    text = files("settlement.documents").joinpath("repairs.json").read_text(encoding="utf-8")
    book: dict[str, Any] = json.loads(text)
    return book
