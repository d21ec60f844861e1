"""Acts by whoever stands at the machine and writes straight to the database: in the trail, too.

Who that is the operating system says, and nobody has proved it: the hand reads `os:name`.
"""

from __future__ import annotations

import getpass
from datetime import datetime

from sqlmodel import Session

from settlement import audit
from settlement.audit import Act

ROLE = "machine"


def hand() -> str:
    """Return the hand of whoever runs this process."""
    try:
        return f"os:{getpass.getuser()}"
    except (KeyError, OSError):  # A user without an entry of the system.
        return "os:unknown"


def record(
    session: Session, act: str, now: datetime, *subjects: str, outcome: str = "done"
) -> None:
    """Record an act of the command line in its own database transaction."""
    audit.record(session, Act(hand(), ROLE, act, subjects, outcome), now)
