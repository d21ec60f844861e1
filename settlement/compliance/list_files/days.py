"""Days as lists write them, in ISO."""

from __future__ import annotations

import re

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_SLASHED = re.compile(r"(\d\d)/(\d\d)/(\d{4})")
_DAY = re.compile(r"(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})")


def day_of(words: str) -> str:
    """Return `21 Sep 1979` and `21/09/1979` as ISO; anything else as it is."""
    found = _DAY.fullmatch(words.strip().rstrip("."))
    if found and found[2] in _MONTHS:
        return f"{found[3]}-{_MONTHS[found[2]]:02d}-{int(found[1]):02d}"
    found = _SLASHED.fullmatch(words.strip())
    if found and found[1] != "00" and found[2] != "00":
        return f"{found[3]}-{found[2]}-{found[1]}"
    return words
