"""What screening has to say about participants when their payments are judged.

Reads what was found; compares nothing and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson
from sqlmodel import Session

from settlement.compliance.screening import ownership
from settlement.store.bulk import rows_by_key

_WAITING = (
    "SELECT h.participant_id, h.state, h.subject_kind, h.subject_text, h.list_name, h.entry_key,"
    " h.entry_text, h.score FROM screening_hit h WHERE h.participant_id {keys}"
    " AND h.state IN ('open', 'confirmed') ORDER BY h.participant_id, h.id"
)
_OWNERS_WAITING = (
    "SELECT o.participant_id, h.participant_id, h.list_name, h.entry_key, h.score"
    " FROM participant_owner o JOIN screening_hit h ON h.participant_id = o.owner_participant_id"
    " WHERE o.participant_id {keys} AND o.live AND h.state = 'open' AND h.subject_kind <> 'owner'"
    " ORDER BY o.participant_id, h.id"
)
_OWNERS = (
    "SELECT participant_id, owner_participant_id FROM participant_owner"
    " WHERE participant_id {keys} AND live AND owner_participant_id IS NOT NULL"
    " ORDER BY participant_id, id"
)
_OWNED = (
    "SELECT participant_id, listed_ownership_bp, listed_owners, listed_controllers"
    " FROM screening_subject WHERE participant_id {keys}"
    " AND (listed_ownership_bp > 0 OR listed_controllers <> '[]')"
)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What stands against a participant."""

    open: tuple[str, ...] = ()
    """A text for each hit on it, or on a participant that owns it, that waits for a person, and
    for each owner that would count as listed if those on its own owners were confirmed."""
    confirmed: tuple[str, ...] = ()
    """A text for each hit on the participant itself that a person confirmed."""
    names: tuple[str, ...] = ()
    """Of the confirmed ones those on its names."""
    listed_ownership_bp: int = 0
    """Basis points of it that listed parties own together, as far as hits are confirmed."""
    owners: tuple[str, ...] = ()
    """A text for each of these owners."""
    controllers: tuple[str, ...] = ()
    """A text for each listed one who controls it, whatever it owns."""


NOTHING = Exposure()


def exposures(session: Session, participant_ids: Iterable[str]) -> dict[str, Exposure]:
    """Return what stands against each participant; those with nothing have `NOTHING`."""
    ids = sorted(set(participant_ids))
    found = dict.fromkeys(ids, NOTHING)
    open_texts: dict[str, list[str]] = {}
    confirmed: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for key, state, kind, shown, list_name, entry_key, entry, score in rows_by_key(
        session, _WAITING, ids
    ):
        # A person is not named: decisions keep these texts, and a person's fields can be erased.
        who = f"{kind} {shown} may be {entry}" if shown else f"its {kind} may be a person"
        words = f"{who} on {list_name} ({entry_key}, score {score})"
        if state == "open":
            open_texts.setdefault(key, []).append(words)
        elif kind != "owner":  # A listed owner counts by its share.
            words = words.replace(" may be ", " is ", 1)
            confirmed.setdefault(key, []).append(words)
            if kind == "name":
                names.setdefault(key, []).append(words)
    for key, words in _of_owners(session, ids):
        open_texts.setdefault(key, []).append(words)
    owned = {row[0]: row[1:] for row in rows_by_key(session, _OWNED, ids)}
    for key in open_texts.keys() | confirmed.keys() | owned.keys():
        share_bp, owners, controllers = owned.get(key, (0, "[]", "[]"))
        found[key] = Exposure(
            tuple(open_texts.get(key, ())),
            tuple(confirmed.get(key, ())),
            tuple(names.get(key, ())),
            share_bp,
            tuple(orjson.loads(owners)),
            tuple(orjson.loads(controllers)),
        )
    return found


def _of_owners(session: Session, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield a text for each participant that owns one of these, and may be listed itself."""
    above = rows_by_key(session, _OWNERS, ids)
    if not above:
        return
    for key, owner, list_name, entry_key, score in rows_by_key(session, _OWNERS_WAITING, ids):
        yield key, f"its owner {owner} may be on {list_name} ({entry_key}, score {score})"
    in_doubt = set(ownership.in_doubt(session, {owner for _, owner in above}))
    for key, owner in dict.fromkeys(map(tuple, above)):
        if owner in in_doubt:
            yield key, f"its owner {owner} may be half or more in listed hands"
