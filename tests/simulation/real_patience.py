"""Waiting with a bound, on a machine that may stand still for a while: that time does not count.

Decides nothing about what is waited for.
"""

from __future__ import annotations

import time
from pathlib import Path

STILL_SECONDS = 1.0
"""Between two looks of a loop that looks every few milliseconds: longer, and it did not run."""


STARVED_SHARE = 0.5
"""Of a stretch of time: so long some process waited for a processor, and figures mean nothing."""
_PRESSURE = Path("/proc/pressure/cpu")


class Patience:
    """So many seconds, of which a gap between two questions takes `STILL_SECONDS` at most."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._began = self._asked = time.monotonic()
        self._stalled = _stalled_seconds()
        self.stood_still = False
        """This process was stopped or starved meanwhile: what it timed is not to be believed."""

    def lasts(self) -> bool:
        """Whether there is time left."""
        now = time.monotonic()
        gap, self._asked = now - self._asked, now
        self.stood_still = self.stood_still or gap > STILL_SECONDS
        self._left -= min(gap, STILL_SECONDS)
        return self._left > 0

    @property
    def was_starved(self) -> bool:
        """Whether processes of this machine waited for a processor most of the time since then."""
        seconds = max(time.monotonic() - self._began, 0.001)
        return (_stalled_seconds() - self._stalled) / seconds > STARVED_SHARE


def _stalled_seconds() -> float:
    """Return for how long some process has waited for a processor; 0 where nobody counts it."""
    try:
        words = _PRESSURE.read_text().partition("\n")[0].split()
    except OSError:
        return 0.0
    return int(words[-1].removeprefix("total=")) / 1e6
