"""Whether there is something new for the engine to look at: a handful of look-ups by key.

Matches nothing itself.
"""

from __future__ import annotations

from sqlmodel import Session

from settlement.store.bulk import rows

_HAS_WORK = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM bank_account)"
    " OR EXISTS (SELECT 1 FROM expected_payment)"
    " OR EXISTS (SELECT 1 FROM settlement_break WHERE kind = 'unattributed_deposit'"
    " AND closed_at IS NULL)"
)
_NEWEST = "SELECT " + ", ".join(
    f"(SELECT MAX({key}) FROM {table})"
    for table, key in (
        ("settlement_match", "id"),
        ("journal_entry", "seq"),
        ("bank_entry", "id"),
        ("statement", "id"),
        ("bank_account", "created_at"),
        ("expected_payment", "id"),
        ("outbox", "seq"),
        ("recon_rule_set", "version"),
    )
)


def news(session: Session) -> tuple[object, ...] | None:
    """Return what changes when there is something new to match; None where there is nothing at all.

    A rail without accounts at banks, expected payments and bare deposits has nothing.
    """
    if not rows(session, _HAS_WORK):
        return None
    return tuple(rows(session, _NEWEST)[0])
