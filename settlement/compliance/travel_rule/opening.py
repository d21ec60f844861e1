"""Reading a payload back for those who may, telling that it was sent or taken, and erasing.

Who may see what is told by the caller; what was erased can be seen by nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlmodel import Session

from settlement import audit
from settlement.clock import to_micros
from settlement.compliance.travel_rule import ivms101 as ivms
from settlement.compliance.travel_rule.keeping import Keeper, subject_of
from settlement.errors import Conflict, NotFound, StoreCorrupt
from settlement.store.bulk import rows
from settlement.store.outbox import OutboxEvent, record

REDACTED = "[redacted]"
ERASED = "[erased]"
STATES = ("ready", "sent", "received", "refused")
_MOVES = {"sent": ("ready", "refused"), "received": ("sent",), "refused": ("sent",)}
_PLAIN = frozenset(
    {
        "country", "countryOfRegistration", "countryOfResidence", "countryOfIssue", "addressType",
        "legalPersonNameIdentifierType", "naturalPersonNameIdentifierType",
        "nationalIdentifierType", "registrationAuthority",
    }
)  # fmt: skip
"""What says nothing of who somebody is: shown to everybody who sees the payment."""
_FOUND = (
    "SELECT t.settlement_id, t.clearance_id, t.state, t.created_at, p.id, p.sha256,"
    " p.originator_id, p.beneficiary_id, p.originator, p.beneficiary FROM travel_rule_transfer t"
    " JOIN travel_rule_payload p ON p.id = t.payload_id JOIN settlement s ON s.id = t.settlement_id"
    " WHERE t.settlement_id = ?"
    " AND (CAST(? AS TEXT) IS NULL OR s.debtor_id = ? OR s.creditor_id = ?)"
)


class NotInTurn(Conflict):
    """What was not sent cannot have been taken."""

    def __init__(self, settlement_id: str, state: str, wanted: str) -> None:
        super().__init__(
            f"the travel-rule data of {settlement_id} are {state}, and cannot be {wanted}",
            field="state",
            repair="tell what happened in its order: sent, then received or refused",
        )


class NotClosed(Conflict):
    """The data of somebody who still takes part are needed for the next payment."""

    def __init__(self, participant_id: str, state: str) -> None:
        super().__init__(
            f"participant {participant_id} is {state}: its travel-rule data are still needed",
            field="participant_id",
            repair="close the participant first",
        )


class Opened(NamedTuple):
    """A payload as its reader may see it; `created_at` in microseconds."""

    settlement_id: str
    clearance_id: str
    state: str
    created_at: int
    sha256: str
    is_intact: bool | None
    """Whether the hash is that of what is stored; None: a side was erased."""
    payload: Mapping[str, Any]


def opened(
    session: Session, keeper: Keeper, settlement_id: str, *, party: str | None, sees_all: bool
) -> Opened:
    """Return what travels with a payment; a company sees its own side, others' are redacted.

    Raises:
        NotFound: there is none, or it is not this party's payment.
        StoreCorrupt: the bytes are not what was sealed.
    """
    found = rows(session, _FOUND, (settlement_id, party, party, party))
    if not found:
        raise NotFound("travel-rule payload of settlement", settlement_id)
    key, clearance, state, at, _id, sha256, originator_id, beneficiary_id, *sealed = found[0]
    sides = [
        _unsealed(session, keeper, owner, bytes(content))
        for owner, content in zip((originator_id, beneficiary_id), sealed, strict=True)
    ]
    payload: dict[str, Any] = {"payloadMetadata": {"payloadVersion": ivms.VERSION}}
    for name, owner, side in zip(
        ("originator", "beneficiary"), (originator_id, beneficiary_id), sides, strict=True
    ):
        if side is None:
            payload[name] = ERASED
            continue
        shown = {each: value for each, value in side.items() if each != "salt"}
        payload |= shown if sees_all or owner == party else redacted(shown)
    return Opened(key, clearance, state, at, sha256, _is_intact(sha256, sides), payload)


def tell(session: Session, settlement_id: str, state: str, *, actor: str, now: datetime) -> None:
    """Say that a payload was sent to the other side's provider, or what that one said.

    Raises:
        NotFound, NotInTurn: nothing is changed.
    """
    found = rows(
        session, "SELECT state FROM travel_rule_transfer WHERE settlement_id = ?", (settlement_id,)
    )
    if not found:
        raise NotFound("travel-rule payload of settlement", settlement_id)
    before = found[0][0]
    changed = before in _MOVES.get(state, ()) and rows(
        session,
        "UPDATE travel_rule_transfer SET state = ? WHERE settlement_id = ? AND state = ?"
        " RETURNING settlement_id",
        (state, settlement_id, before),
    )
    if not changed:
        raise NotInTurn(settlement_id, before, state)
    body = orjson.dumps({"by": actor}).decode()
    record(session, [OutboxEvent(f"travel_rule.{state}", settlement_id, body)], now)


def erase(session: Session, keeper: Keeper, participant_id: str, now: datetime) -> None:
    """Make a party's side of every payload unreadable for good; the hashes stay.

    Raises:
        NotFound, NotClosed: nothing is erased.
    """
    found = rows(session, "SELECT state FROM participant WHERE id = ?", (participant_id,))
    if not found:
        raise NotFound("participant", participant_id)
    if found[0][0] != "closed":
        raise NotClosed(participant_id, found[0][0])
    keeper.vault.erase(session, subject_of(participant_id), now)
    audit.changed(
        session, participant_id, before={"travel_rule_data": "kept"},
        after={"travel_rule_data": f"erased at {to_micros(now)}"},
    )  # fmt: skip


def redacted(value: Any, name: str = "") -> Any:
    """Return JSON values with every text replaced that says who somebody is. Pure."""
    if isinstance(value, dict):
        return {each: redacted(inner, each) for each, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner, name) for inner in value]
    return value if name in _PLAIN else REDACTED


def _unsealed(session: Session, keeper: Keeper, owner: str, content: bytes) -> Any:
    plain = keeper.vault.opened(session, subject_of(owner), content)
    return None if plain is None else orjson.loads(plain)


def _is_intact(sha256: str, sides: list[Any]) -> bool | None:
    if any(side is None for side in sides):
        return None
    whole = {"originator": sides[0], "beneficiary": sides[1], "version": ivms.VERSION}
    made = hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()
    if made != sha256:
        raise StoreCorrupt("a travel-rule payload is not what its hash was made of")
    return True
