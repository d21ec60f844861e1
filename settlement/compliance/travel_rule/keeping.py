"""Travel-rule payloads at rest: sealed by party, once for all payments that they are the same for.

Each side is sealed under a key of its party: deleting the key erases that side for good. The hash
of the whole stays true and tells nothing: each side holds a salt that only the installation makes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlmodel import Session

from settlement.access import Vault, open_secret, open_vault
from settlement.clock import Ids, to_micros
from settlement.compliance.travel_rule import ivms101 as ivms
from settlement.compliance.travel_rule.building import Registered, person, provider
from settlement.compliance.travel_rule.gaps import lacks
from settlement.compliance.travel_rule.registered import Pair, pairs
from settlement.store.bulk import insert_rows, rows_by_key
from settlement.store.outbox import OutboxEvent, record

READY = "travel_rule.ready"
_SALT_FILE = "travel-rule.key"
_PAYLOAD = (
    "id", "sha256", "originator_id", "beneficiary_id", "originator", "beneficiary", "version",
    "created_at",
)  # fmt: skip
_TRANSFER = ("settlement_id", "clearance_id", "payload_id", "state", "created_at")
_KNOWN = "SELECT sha256, id FROM travel_rule_payload WHERE sha256 {keys}"
_ATTACHED = "SELECT settlement_id FROM travel_rule_transfer WHERE settlement_id {keys}"


class Keeper(NamedTuple):
    """What one installation seals and salts with."""

    vault: Vault
    salts: bytes


class Sides(NamedTuple):
    """A payload in its two sides, each as JSON values with its salt."""

    originator: Mapping[str, Any]
    beneficiary: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """The hash of the canonical plaintext: sorted keys, no white space, UTF-8."""
        whole = {**self._asdict(), "version": ivms.VERSION}
        return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()


@lru_cache(maxsize=8)
def keeper_of(home: Path) -> Keeper:
    """Return the keeper of an installation; its secrets are files of mode 0600 in `home`.

    Raises:
        PepperExposed: others may read one of them.
    """
    return Keeper(open_vault(home), open_secret(home / _SALT_FILE))


def attach(
    session: Session, keeper: Keeper, cleared: Mapping[str, str], *, ids: Ids, now: datetime
) -> int:
    """Keep the payload of each settlement that was cleared with data; return how many are new.

    `cleared` has the clearance by settlement. One sealing for each pair of parties, however many
    payments there are between them; a settlement that is cleared anew keeps its place.
    """
    if not cleared:
        return 0
    known = pairs(session, cleared)
    distinct = {id(pair): pair for pair in known.values()}
    # What lacks something is no payload: the packs hold such a payment.
    made = {key: sides(keeper, pair) for key, pair in distinct.items() if not lacks(pair)}
    found = {key: pair for key, pair in known.items() if id(pair) in made}
    hashes = {key: both.sha256 for key, both in made.items()}
    payloads = _kept(session, keeper, _by_hash(found, made), ids=ids, now=now)
    there = {key for (key,) in rows_by_key(session, _ATTACHED, list(cleared))}
    at = to_micros(now)
    transfers = [
        (key, clearance, payloads[hashes[id(found[key])]], "ready", at)
        for key, clearance in cleared.items()
        if key in found
    ]
    insert_rows(
        session, "travel_rule_transfer", _TRANSFER, transfers,
        "ON CONFLICT (settlement_id) DO UPDATE SET clearance_id = excluded.clearance_id,"
        " payload_id = excluded.payload_id",
    )  # fmt: skip
    fresh = [key for key in found if key not in there]
    record(session, [OutboxEvent(READY, key) for key in fresh], now)
    return len(fresh)


def sides(keeper: Keeper, pair: Pair) -> Sides:
    """Return what travels between two parties, checked by the shapes of the standard."""
    debtor, creditor = pair
    payload = ivms.Payload(
        originator=ivms.Originator(originator_person=[person(debtor)]),
        beneficiary=ivms.Beneficiary(beneficiary_person=[person(creditor)]),
        originating_vasp=provider(debtor),
        beneficiary_vasp=provider(creditor),
        payload_metadata=ivms.Metadata(payload_version=ivms.VERSION),
    )
    plain = ivms.plain(payload)
    halves = [
        {name: plain[name] for name in names if name in plain}
        for names in (("originator", "originatingVASP"), ("beneficiary", "beneficiaryVASP"))
    ]
    return Sides(*({**half, "salt": _salt(keeper.salts, half)} for half in halves))


def subject_of(participant_id: str) -> str:
    """Return under which name a party's side has its key."""
    return f"travel:{participant_id}"


def _by_hash(
    found: Mapping[str, Pair], made: Mapping[int, Sides]
) -> dict[str, tuple[Registered, Registered, Sides]]:
    by_hash = {}
    for debtor_and_creditor in {id(pair): pair for pair in found.values()}.values():
        both = made[id(debtor_and_creditor)]
        by_hash[both.sha256] = (*debtor_and_creditor, both)
    return by_hash


def _kept(
    session: Session, keeper: Keeper,
    wanted: Mapping[str, tuple[Registered, Registered, Sides]], *, ids: Ids, now: datetime,
) -> dict[str, str]:  # fmt: skip
    """Return each payload's id by its hash; what is not there yet is sealed and stored."""
    known = dict(rows_by_key(session, _KNOWN, list(wanted)))
    rows: list[Sequence[Any]] = []
    for digest, (debtor, creditor, both) in wanted.items():
        if digest in known:
            continue
        known[digest] = ids("trp")
        sealed = [
            keeper.vault.seal(
                session, subject_of(party.participant_id), orjson.dumps(side).decode(), now
            )
            for party, side in ((debtor, both.originator), (creditor, both.beneficiary))
        ]
        rows.append((
            known[digest], digest, debtor.participant_id, creditor.participant_id, *sealed,
            ivms.VERSION, to_micros(now),
        ))  # fmt: skip
    insert_rows(session, "travel_rule_payload", _PAYLOAD, [tuple(row) for row in rows])
    return known


def _salt(secret: bytes, half: Mapping[str, Any]) -> str:
    content = orjson.dumps(half, option=orjson.OPT_SORT_KEYS)
    return hmac.new(secret, content, "sha256").hexdigest()[:32]
