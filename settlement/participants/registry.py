"""Participants: taking them on, and reading them.

Lists nobody on the rail's own contract: the owner's key does that. Moves are `moves`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.errors import Conflict, NotFound
from settlement.participants import identity, moves
from settlement.participants.identity import NewParticipant
from settlement.participants.wallets import add_wallet
from settlement.store import outbox
from settlement.store.bulk import insert_rows
from settlement.store.outbox import OutboxEvent

OPERATOR = "operator"
"""Who acts at the machine itself: sandbox, demo, tests. Not a person at a door."""

_INSERT = text(
    "INSERT INTO participant (id, lei, legal_form, name, country, subdivision, street,"
    " building_number, post_code, town, vat_id, tax_id, state, known_by, applied_by, created_at)"
    " VALUES (:id, :lei, :legal_form, :name, :country, :subdivision, :street, :building_number,"
    " :post_code, :town, :vat_id, :tax_id, :state, :known_by, :applied_by, :at)"
    " ON CONFLICT (lei) DO NOTHING RETURNING id"
)
_TWIN = text(
    "SELECT id FROM participant WHERE state <> 'closed'"
    " AND (vat_id = :vat_id OR (tax_id = :tax_id AND country = :country))"
)


class ParticipantExists(Conflict):
    """One legal entity is one participant, and so is one taxpayer."""

    def __init__(self, number: str, participant_id: str, *, field: str = "lei") -> None:
        called = {"lei": "LEI", "vat_id": "VAT number"}.get(field, "tax number")
        super().__init__(
            f"the company with {called} {number} is registered already, as {participant_id}",
            field=field,
            repair=f"use {participant_id}, or check the {called}",
        )
        self.number, self.participant_id = number, participant_id


@dataclass(frozen=True, slots=True)
class Participant:
    """Who is registered; `created_at` and `kyb_valid_until` in microseconds."""

    id: str
    lei: str | None
    name: str
    country: str
    street: str
    post_code: str
    town: str
    vat_id: str | None
    state: str
    """As stored: `requirements.effective` says the one that counts."""
    created_at: int
    legal_form: str
    subdivision: str
    building_number: str
    tax_id: str | None
    known_by: str
    review_on: str | None
    kyb_valid_until: int | None
    applied_by: str


_COLUMNS = ", ".join(Participant.__slots__)
_EFFECTIVE = "CASE WHEN state = 'active' AND kyb_valid_until <= :at THEN 'expired' ELSE state END"


def register(
    session: Session, companies: Sequence[NewParticipant], *, ids: Ids, now: datetime
) -> list[str]:
    """Take companies on at once, all or none, on the operator's word; return their ids in order.

    For who sits at the machine: at the doors they apply, and a second person activates.

    Raises:
        Invalid: a field is wrong; it says which.
        AddressInvalid, WalletRefused: a wallet is.
        ParticipantExists: the LEI is registered.
    """
    registered = []
    for place, company in enumerate(companies):
        prefix = f"{place}/" if len(companies) > 1 else ""
        key = _insert(session, company, prefix, "active", OPERATOR, ids, now)
        for address in company.wallets:
            add_wallet(session, key, address, field=f"{prefix}wallets", now=now)
        moves.record(session, key, "register", "active", actor=OPERATOR, now=now)
        registered.append(key)
    outbox.record(session, [OutboxEvent("participant.registered", key) for key in registered], now)
    return registered


def apply(session: Session, company: NewParticipant, *, actor: str, ids: Ids, now: datetime) -> str:
    """Register somebody as applied, to be activated by a second person; return its id.

    Its wallets are proved later, each by a signature.

    Raises:
        Invalid: a field is wrong; it says which.
        ParticipantExists: the LEI, VAT or tax number is registered.
    """
    identity.require_tax_number(company)
    _refuse_twin(session, company)
    key = _insert(session, company, "", "applied", actor, ids, now)
    moves.record(session, key, "apply", "applied", actor=actor, now=now)
    outbox.record(session, [OutboxEvent("participant.applied", key)], now)
    return key


def participant(session: Session, participant_id: str) -> Participant:
    """Return a participant.

    Raises:
        NotFound: there is none of this id.
    """
    row = session.execute(
        text(f"SELECT {_COLUMNS} FROM participant WHERE id = :id"), {"id": participant_id}
    ).one_or_none()
    if row is None:
        raise NotFound("participant", participant_id)
    return Participant(*row)


def participants(
    session: Session,
    *,
    after: str = "",
    limit: int = 100,
    search: str = "",
    state: str = "",
    now: datetime | None = None,
) -> list[Participant]:
    """Return up to `limit` participants with an id above `after`, in order of their ids.

    `search` is part of a name, an LEI, a VAT or tax number, in any case; `state` the one that
    counts at `now`.
    """
    statement = text(
        f"SELECT {_COLUMNS} FROM participant WHERE id > :after AND (:search = ''"
        " OR LOWER(name) LIKE :like OR LOWER(lei) LIKE :like OR LOWER(vat_id) LIKE :like"
        " OR LOWER(tax_id) LIKE :like)"
        f" AND (:state = '' OR {_EFFECTIVE} = :state) ORDER BY id LIMIT :limit"
    )
    values = {
        "after": after,
        "limit": limit,
        "search": search,
        "like": f"%{search.lower()}%",
        "state": state,
        "at": 0 if now is None else to_micros(now),
    }
    return [Participant(*row) for row in session.execute(statement, values)]


def _insert(
    session: Session,
    company: NewParticipant,
    prefix: str,
    state: str,
    actor: str,
    ids: Ids,
    now: datetime,
) -> str:
    identity.check(company, prefix)
    row: dict[str, Any] = {
        name: getattr(company, name)
        for name in (
            "lei", "legal_form", "name", "country", "subdivision", "street", "building_number",
            "post_code", "town", "vat_id", "tax_id",
        )
    }  # fmt: skip
    row |= {
        "id": ids("par"),
        "state": state,
        "known_by": "operator" if actor == OPERATOR else "documents",
        "applied_by": actor,
        "at": to_micros(now),
    }
    if session.execute(_INSERT, row).scalar() is None:
        assert company.lei is not None, "only a LEI can be there already"
        raise ParticipantExists(company.lei, _id_of(session, company.lei))
    insert_rows(
        session,
        "participant_alias",
        ("id", "participant_id", "name", "kind", "live", "created_at"),
        [(ids("als"), row["id"], name, "trading", True, row["at"]) for name in company.aliases],
    )
    return str(row["id"])


def _refuse_twin(session: Session, company: NewParticipant) -> None:
    values = {"vat_id": company.vat_id, "tax_id": company.tax_id, "country": company.country}
    found = session.execute(_TWIN, values).scalar()
    if found is not None:
        field = "tax_id" if company.vat_id is None else "vat_id"
        raise ParticipantExists(str(values[field]), str(found), field=field)


def _id_of(session: Session, lei: str) -> str:
    return str(
        session.execute(text("SELECT id FROM participant WHERE lei = :lei"), {"lei": lei}).scalar()
    )
