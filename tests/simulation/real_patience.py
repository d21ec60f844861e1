"""Waiting with a bound, on a machine that may stand still for a while: that time does not count.

Decides nothing about what is waited for.
"""

from __future__ import annotations

import time

STILL_SECONDS = 1.0
"""Between two looks of a loop that looks every few milliseconds: longer, and it did not run."""


class Patience:
    """So many seconds, of which a gap between two questions takes `STILL_SECONDS` at most."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._asked = time.monotonic()
        self.stood_still = False
        """This process was stopped or starved meanwhile: what it timed is not to be believed."""

    def lasts(self) -> bool:
        """Whether there is time left."""
        now = time.monotonic()
        gap, self._asked = now - self._asked, now
        self.stood_still = self.stood_still or gap > STILL_SECONDS
        self._left -= min(gap, STILL_SECONDS)
        return self._left > 0
