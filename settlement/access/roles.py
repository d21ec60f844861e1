"""What a caller may be on the rail. What each may do is the gateway's table.

Knows no key and no person.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody does on the rail."""

    EXPORTER = "exporter"
    IMPORTER = "importer"
    TREASURY = "treasury"
    APPROVER = "approver"
    COMPLIANCE = "compliance"
    OVERSEER = "overseer"
    ADMIN = "admin"


OF_A_COMPANY = frozenset({Role.EXPORTER, Role.IMPORTER})
"""Roles whose holders see only what their own company takes part in."""
CHECKERS = frozenset({Role.APPROVER, Role.COMPLIANCE})
"""Roles that decide about what others made: theirs are people, never machines."""
