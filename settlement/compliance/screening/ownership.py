"""What listed owners hold together of a participant, directly and through others.

A participant that listed parties hold to half or more counts as listed itself, with all that it
owns; below half its owners count for nothing further down. Source: OFAC, FAQ 398 to 402.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from settlement.compliance.screening.subjects import digest
from settlement.participants.profiles import Owner, owners_of
from settlement.store.bulk import rows_by_key

HALF_BP = 5_000
WHOLE_BP = 10_000
DEPTH_MAX = 12
"""Owners of owners that are followed; a chain is cut where it comes back to itself."""
_PARTIES_MAX = 20_000

_HITS = (
    "SELECT participant_id, subject_kind, subject_key, list_name, entry_key FROM screening_hit"
    " WHERE participant_id {{keys}} AND state IN ({states})"
)
_CONFIRMED, _NOT_CLEARED = "'confirmed'", "'confirmed', 'open'"
_OWNED = (
    "SELECT DISTINCT participant_id FROM participant_owner WHERE owner_participant_id {keys}"
    " AND live"
)
_OWNING = (
    "SELECT DISTINCT owner_participant_id FROM participant_owner WHERE participant_id {keys}"
    " AND live AND owner_participant_id IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Holding:
    """What of a participant is in listed hands."""

    share_bp: int = 0
    owners: tuple[str, ...] = ()
    """A text for each listed owner, without any person's name."""
    controllers: tuple[str, ...] = ()
    """A text for each listed one who controls it, with a share or without."""


def holdings(session: Session, participant_ids: Iterable[str]) -> dict[str, Holding]:
    """Return what listed parties hold of each participant; four queries a step up."""
    return _holdings(session, participant_ids, _CONFIRMED)


def in_doubt(session: Session, participant_ids: Iterable[str]) -> list[str]:
    """Return those who would count as listed by their owners if what is open were confirmed."""
    doubted = _half(_holdings(session, participant_ids, _NOT_CLEARED))
    return sorted(doubted - _half(holdings(session, doubted))) if doubted else []


def _half(held: Mapping[str, Holding]) -> set[str]:
    return {key for key, each in held.items() if each.share_bp >= HALF_BP}


def _holdings(session: Session, participant_ids: Iterable[str], states: str) -> dict[str, Holding]:
    wanted = sorted(set(participant_ids))
    owners: dict[str, tuple[Owner, ...]] = {}
    step = wanted
    for _ in range(DEPTH_MAX):
        if not step or len(owners) > _PARTIES_MAX:
            break
        found = owners_of(session, step)
        owners |= {key: found.get(key, ()) for key in step}
        above = {each.participant_id for of in found.values() for each in of}
        step = sorted(key for key in above if key and key not in owners)
    confirmed: dict[str, dict[tuple[str, str], str]] = {}
    for key, kind, part, list_name, entry_key in rows_by_key(
        session, _HITS.format(states=states), sorted({*owners, *step})
    ):
        confirmed.setdefault(key, {})[kind, part] = f"{list_name} {entry_key}"
    return {key: _holding(key, owners, confirmed, frozenset()) for key in wanted}


def owned_by(session: Session, participant_ids: Iterable[str]) -> list[str]:
    """Return the participants themselves and all that they own, through any number of others."""
    return _followed(session, participant_ids, _OWNED)


def owning(session: Session, participant_ids: Iterable[str]) -> list[str]:
    """Return the participants themselves and all participants that own them, in the same way."""
    return _followed(session, participant_ids, _OWNING)


def _followed(session: Session, participant_ids: Iterable[str], sql: str) -> list[str]:
    known: set[str] = set(participant_ids)
    step = sorted(known)
    for _ in range(DEPTH_MAX):
        found = {row[0] for row in rows_by_key(session, sql, step)} - known
        if not found:
            break
        known |= found
        step = sorted(found)
    return sorted(known)


def _holding(
    key: str,
    owners: Mapping[str, tuple[Owner, ...]],
    confirmed: Mapping[str, Mapping[tuple[str, str], str]],
    below: frozenset[str],
) -> Holding:
    """Add up one participant's listed owners; `below` are those that led here."""
    share_bp = 0
    texts: list[str] = []
    controllers: list[str] = []
    owning = {
        each.participant_id or each.person_id or each.name
        for each in owners.get(key, ())
        if each.role == "owner"
    }
    for owner in owners.get(key, ()):
        listing = _listing(key, owner, owners, confirmed, below | {key})
        if not listing:
            continue
        who = owner.participant_id or owner.person_id or owner.name
        if owner.role == "controller":
            controllers.append(f"{who}, who is {listing}")
            if who in owning:  # One share, said twice.
                continue
        share_bp += owner.share_bp
        if owner.share_bp:
            percent = f"{owner.share_bp // 100}.{owner.share_bp % 100:02d}"
            texts.append(f"{who} owns {percent} % and is {listing}")
    return Holding(min(share_bp, WHOLE_BP), tuple(texts), tuple(controllers))


def _listing(
    key: str,
    owner: Owner,
    owners: Mapping[str, tuple[Owner, ...]],
    confirmed: Mapping[str, Mapping[tuple[str, str], str]],
    below: frozenset[str],
) -> str:
    """Say by what an owner counts as listed; empty where it does not."""
    if owner.participant_id:
        own = [each for (kind, _), each in confirmed.get(owner.participant_id, {}).items()
               if kind != "owner"]  # fmt: skip
        if own:
            return f"on {own[0]}"
        if owner.participant_id in below or len(below) > DEPTH_MAX:
            return ""
        held = _holding(owner.participant_id, owners, confirmed, below)
        return "half or more in listed hands" if held.share_bp >= HALF_BP else ""
    part = owner.person_id or digest(owner.name)
    found = confirmed.get(key, {}).get(("owner", part))
    return f"on {found}" if found else ""
