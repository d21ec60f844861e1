"""A new version of a list: in force at once, and compared first with whoever has open payments.

All in the caller's database transaction: nothing is signed between the version and what it stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.compliance import lists
from settlement.compliance.list_files.reading import ListFile
from settlement.compliance.lists import Loaded
from settlement.compliance.screening import bind, records, rounds
from settlement.compliance.screening.comparing import after_lapse, serialise
from settlement.compliance.screening.finding import Counts, record
from settlement.compliance.screening.in_force import ListsInForce, listed, lists_in_force
from settlement.compliance.screening.index import Index
from settlement.compliance.screening.matching import matches
from settlement.compliance.screening.ownership import owning
from settlement.compliance.screening.stopping import OPEN, stop
from settlement.compliance.screening.subjects import Subject, subjects
from settlement.store.bulk import insert_rows, rows, rows_by_key

_OPEN_PARTIES = (
    f"SELECT debtor_id FROM settlement WHERE state IN ({OPEN})"
    f" UNION SELECT creditor_id FROM settlement WHERE state IN ({OPEN})"
)
_CURRENT = (
    "SELECT participant_id, content_hash FROM screening_subject WHERE participant_id {keys}"
    " AND lists_hash = ?"
)
_CARRY = (
    "UPDATE screening_subject SET lists_hash = ? WHERE participant_id {keys}"
    " RETURNING participant_id"
)
_RUN = (
    "id", "kind", "state", "actor", "list_versions", "lists_hash", "after_id", "compared", "found",
    "reopened", "lapsed", "held", "started_at", "finished_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InForce:
    """What a version in force has come to, before the next block is processed."""

    loaded: Loaded
    counts: Counts
    settlements: tuple[str, ...] = ()
    """Open payments of those newly hit: none of them is signed for any more."""
    wallets: tuple[str, ...] = ()
    """Wallets of those newly hit, to be unlisted on the chain."""


def put_in_force(
    session: Session,
    *,
    name: str,
    content: bytes,
    ids: Ids,
    now: datetime,
    actor: str = "rail",
    accept_shrinking: bool = False,
    accept_format: bool = False,
    found: ListFile | None = None,
) -> InForce:
    """Load a list file and stop the open payments of whom it newly lists.

    A round over everybody is begun; the worker goes on with it. Raises as `lists.load`.
    """
    serialise(session)
    before = lists_in_force(session)
    loaded = lists.load(
        session, name=name, content=content, ids=ids, now=now, actor=actor,
        accept_shrinking=accept_shrinking, accept_format=accept_format, found=found,
    )  # fmt: skip
    if not loaded.is_new:
        return InForce(loaded, Counts())
    after = lists_in_force(session)
    parties = subjects(session, compared_first(session))
    counts = _compare_changes(session, parties, loaded, actor=actor, ids=ids, now=now)
    _carry(session, parties, before, after)
    after_lapse(session, counts, actor=actor, now=now)
    against = sorted(counts.against)
    settlements = stop(session, against, now)
    wallets = tuple(records.wallets(session, against))
    bind.unlist(session, wallets, reason=f"newly on {name}", actor=actor, now=now)
    _log(session, after, counts, len(settlements), actor=actor, ids=ids, now=now)
    rounds.begin(session, actor=actor, ids=ids, now=now)
    return InForce(loaded, counts, tuple(settlements), wallets)


def compared_first(session: Session) -> list[str]:
    """Return the ids of those with open payments, and of who owns them: a new version's first."""
    return owning(session, [row[0] for row in rows(session, _OPEN_PARTIES)])


def make_ready(session: Session, participant_ids: Sequence[str]) -> None:
    """Read and spell the names of participants, so that this process has them at hand later."""
    nobody = Index()
    for each in subjects(session, participant_ids):
        matches(each, nobody)


def store_list(
    session: Session, *, name: str, content: bytes, ids: Ids, now: datetime
) -> str | None:
    """Put a list file in force; return its version's id, None if it was in force already."""
    found = put_in_force(session, name=name, content=content, ids=ids, now=now).loaded
    return found.version_id if found.is_new else None


def _compare_changes(
    session: Session,
    found: Sequence[Subject],
    loaded: Loaded,
    *,
    actor: str,
    ids: Ids,
    now: datetime,
) -> Counts:
    """Compare participants with what a version changed alone."""
    index = Index(listed(session, loaded.party_ids))
    entries = frozenset(
        (loaded.name, key) for key in (*loaded.added, *loaded.changed, *loaded.removed)
    )
    compared = [(each.participant_id, matches(each, index)) for each in found]
    return record(session, compared, entries=entries, actor=actor, ids=ids, now=now)


def _carry(
    session: Session, found: Sequence[Subject], before: ListsInForce, after: ListsInForce
) -> None:
    """Whoever was compared with all before, and now with the change, was compared with all."""
    hashes = {each.participant_id: each.content_hash for each in found}
    current = [
        key
        for key, content in rows_by_key(session, _CURRENT, sorted(hashes), before.hash)
        if hashes[key] == content
    ]
    rows_by_key(session, _CARRY, current, after.hash)


def _log(
    session: Session,
    after: ListsInForce,
    counts: Counts,
    held: int,
    *,
    actor: str,
    ids: Ids,
    now: datetime,
) -> None:
    at = to_micros(now)
    versions = orjson.dumps(dict(after.versions)).decode()
    row = (
        ids("scr"), "diff", "done", actor, versions, after.hash, "", counts.compared,
        counts.found, counts.reopened, counts.lapsed, held, at, at,
    )  # fmt: skip
    insert_rows(session, "screening_run", _RUN, [row])
