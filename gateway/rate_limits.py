"""How often is too often: by address for strangers and sign-ins, by key where a key says so.

In memory, for this process; a moving window. Requests with a good key are not counted unless the
key has a limit of its own.
"""

from __future__ import annotations

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from gateway.refusals import TooManyRequests
from settlement.config import Settings


class Limits:
    """The counters of one gateway."""

    def __init__(self, settings: Settings) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._items = {
            "failed-keys": RateLimitItemPerMinute(settings.failed_keys_per_minute),
            "sign-ins": RateLimitItemPerMinute(settings.sign_ins_per_minute),
            "open": RateLimitItemPerMinute(settings.open_per_minute),
        }

    def spend(self, kind: str, address: str) -> None:
        """Count a request of an address.

        Raises:
            TooManyRequests: it has sent too many of that kind.
        """
        self._spend(self._items[kind], kind, address)

    def spend_key(self, prefix: str, per_minute: int) -> None:
        """Count a request of a key that has a limit.

        Raises:
            TooManyRequests: it has used it up.
        """
        self._spend(RateLimitItemPerMinute(per_minute), "key", prefix)

    def _spend(self, item: RateLimitItemPerMinute, kind: str, whose: str) -> None:
        if not self._window.hit(item, kind, whose):
            raise self._refused(item, kind, whose)

    def _refused(self, item: RateLimitItemPerMinute, kind: str, whose: str) -> TooManyRequests:
        ends = self._window.get_window_stats(item, kind, whose).reset_time
        return TooManyRequests(item.amount, max(1, int(ends - time.time())))
