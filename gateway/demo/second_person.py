"""The demo's approver: looks at what waits for a second person, and approves it in one go.

Knows no threshold: what needs approval is what the gateway says.
"""

from __future__ import annotations

from typing import Any

from gateway.demo.daybook import DayFailed
from gateway.demo.doors import Doors

_PAGE = 100


def approve_what_waits(doors: Doors) -> dict[str, Any]:
    """Return what was approved, by whom asked, and its totals; the maker's own try is refused.

    Raises:
        DayFailed: nothing waited, or whoever instructed could approve it.
    """
    path = f"/v1/approvals?mine=true&kind=settlement&limit={_PAGE}"
    waiting = doors.get("approver", path)["data"]
    if not waiting:
        raise DayFailed("no payment was large enough to need a second person")
    seen = [{"id": each["id"], "what_hash": each["what_hash"]} for each in waiting]
    own = doors.post("treasury", "/v1/approvals/approve", {"approvals": seen})
    if own.status != 403:
        raise DayFailed(f"who instructed could approve it: {own.status}")
    done = doors.must_post(
        "approver", "/v1/approvals/approve", {"approvals": seen, "reason": "as contracted"}
    )
    approved = [each for each in done["data"] if each["state"] == "approved"]
    if len(approved) != len(seen):
        raise DayFailed(f"{len(approved)} of {len(seen)} were approved by one person")
    return {
        "payments": len(approved),
        "totals": done["totals"],
        "maker_refused": True,
        "maker": approved[0]["maker"],
        "checker": approved[0]["decisions"][0]["checker"],
    }
