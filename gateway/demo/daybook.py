"""What the trading day writes down for the report, and what it says when it cannot go on.

Plays nothing: `day` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from settlement.errors import Fatal


class DayFailed(Fatal):
    """Something that the day is there to show did not happen."""


@dataclass(slots=True)
class DayBook:
    """What happened, for the report."""

    invoices: int = 0
    credit_notes: int = 0
    refused: int = 0
    reorgs: int = 0
    reversed_payments: int = 0
    stages: dict[str, float] = field(default_factory=dict)
    approved: dict[str, Any] = field(default_factory=dict)
    """What needed a second person, and who it was."""
    oversight: dict[str, Any] = field(default_factory=dict)
    """A limit that refused, a question that held its payment, what the overseer sees."""
    retried: dict[str, Any] = field(default_factory=dict)
    bank: dict[str, Any] = field(default_factory=dict)
    """What the banks' statements came to, the breaks of them, the proof."""
