"""What a new version of a list lacks of the one in force, by counts alone.

Reads no file and no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_PERCENT = 80
_COUNTED_FROM = {
    "parties": 100, "names": 100, "strong_names": 10, "weak_names": 10, "identifiers": 10,
    "wallets": 10,
}  # fmt: skip
"""A list of few parties may well change by more; names and numbers of a kind vanish with a file."""
_VANISHED_FROM = 2


@dataclass(frozen=True, slots=True)
class Loss:
    """How many of a kind were in force, and how many a new version holds."""

    kind: str
    then: int
    now: int

    def __str__(self) -> str:
        return f"{self.now} of {self.then} {self.kind.replace('_', ' ')}"


def losses(*, then: Mapping[str, int], now: Mapping[str, int]) -> list[Loss]:
    """Return of what kinds less than 80 % are left, or nothing at all. Counts by `ListFile.stats`.

    A kind that was not counted then is not compared.
    """
    found = (Loss(kind, then.get(kind, 0), now.get(kind, 0)) for kind in _COUNTED_FROM)
    return [
        each
        for each in found
        if (each.then >= _COUNTED_FROM[each.kind] and each.now * 100 < each.then * _PERCENT)
        or (each.then >= _VANISHED_FROM and not each.now)
    ]
