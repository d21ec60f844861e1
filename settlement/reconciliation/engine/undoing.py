"""Undoing matches: they stay, with who undid them and why; their records are open again.

Decides nothing: a person, a rule or a reorg does.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.store.bulk import rows_by_key, run_many

RAIL = "rail"
"""Who acts where no person does."""
WITHDRAWN = "a record in it is gone: orphaned, reversed, cancelled or closed"


def undo(
    session: Session, match_ids: Collection[int], *, actor: str, reason: str, now: datetime
) -> int:
    """Undo live matches; return how many records are open again."""
    undone = rows_by_key(
        session, "SELECT id FROM recon_match WHERE id {keys} AND live", sorted(match_ids)
    )
    keys = sorted(key for (key,) in undone)
    members = rows_by_key(
        session, "SELECT record_id FROM recon_member WHERE match_id {keys} AND live", keys
    )
    run_many(
        session,
        "UPDATE recon_match SET live = false, undone_at = :at, undone_by = :actor,"
        " undone_reason = :reason WHERE id = :id AND live",
        [{"id": key, "at": to_micros(now), "actor": actor, "reason": reason} for key in keys],
    )
    run_many(
        session,
        "UPDATE recon_member SET live = false WHERE match_id = :id AND live",
        [{"id": key} for key in keys],
    )
    return run_many(
        session,
        "UPDATE recon_record SET state = 'open', fresh = true WHERE id = :id AND state = 'matched'",
        [{"id": key} for key in sorted(record for (record,) in members)],
    )


def undo_of_records(session: Session, record_ids: Collection[int], now: datetime) -> int:
    """Undo what withdrawn records were in; return how many others are open again."""
    found = rows_by_key(
        session,
        "SELECT DISTINCT match_id FROM recon_member WHERE record_id {keys} AND live",
        sorted(record_ids),
    )
    return undo(session, [key for (key,) in found], actor=RAIL, reason=WITHDRAWN, now=now)
