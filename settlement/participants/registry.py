"""Companies: registering them, suspending, reinstating and closing them.

Lists nobody on the rail's own contract: the owner's key does that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.documents.identifiers import COUNTRIES, lei_fault, text_fault, vat_fault
from settlement.errors import Conflict, IllegalMove, Invalid, NotFound
from settlement.participants.wallets import add_wallet
from settlement.store import outbox
from settlement.store.outbox import OutboxEvent

TEXT_MAX = 140
"""Characters of a name or an address line. Source: ISO 20022, Max140Text."""

_MOVES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "suspend": (("active",), "suspended"),
    "reinstate": (("suspended",), "active"),
    "close": (("active", "suspended"), "closed"),
}
_INSERT = text(
    "INSERT INTO participant (id, lei, name, country, street, post_code, town, vat_id, state,"
    " created_at) VALUES (:id, :lei, :name, :country, :street, :post_code, :town, :vat_id,"
    " 'active', :at) ON CONFLICT (lei) DO NOTHING RETURNING id"
)


class ParticipantExists(Conflict):
    """One legal entity is one participant."""

    def __init__(self, lei: str, participant_id: str) -> None:
        super().__init__(
            f"the company with LEI {lei} is registered already, as {participant_id}",
            field="lei",
            repair=f"use {participant_id}, or check the LEI",
        )
        self.lei, self.participant_id = lei, participant_id


@dataclass(frozen=True, slots=True)
class NewParticipant:
    """A company as it asks to take part. Source: ISO 20022, PostalAddress24."""

    lei: str
    name: str
    country: str
    """ISO 3166-1 alpha-2."""
    town: str
    street: str = ""
    post_code: str = ""
    vat_id: str | None = None
    wallets: tuple[str, ...] = ()
    """Addresses as a person writes them."""


@dataclass(frozen=True, slots=True)
class Participant:
    """A registered company; `created_at` in microseconds."""

    id: str
    lei: str
    name: str
    country: str
    street: str
    post_code: str
    town: str
    vat_id: str | None
    state: str
    created_at: int


_COLUMNS = ", ".join(Participant.__slots__)


def register(
    session: Session, companies: Sequence[NewParticipant], *, ids: Ids, now: datetime
) -> list[str]:
    """Register companies with their wallets, all or none; return their ids in order.

    Raises:
        Invalid: a field is wrong; it says which.
        AddressInvalid, WalletRefused: a wallet is.
        ParticipantExists: the LEI is registered.
    """
    registered = []
    for place, company in enumerate(companies):
        prefix = f"{place}/" if len(companies) > 1 else ""
        _check(company, prefix)
        row = {
            "id": ids("par"),
            "lei": company.lei,
            "name": company.name,
            "country": company.country,
            "street": company.street,
            "post_code": company.post_code,
            "town": company.town,
            "vat_id": company.vat_id,
            "at": to_micros(now),
        }
        if session.execute(_INSERT, row).scalar() is None:
            raise ParticipantExists(company.lei, _id_of(session, company.lei))
        for address in company.wallets:
            add_wallet(session, str(row["id"]), address, field=f"{prefix}wallets", now=now)
        registered.append(str(row["id"]))
    outbox.record(session, [OutboxEvent("participant.registered", key) for key in registered], now)
    return registered


def suspend(session: Session, participant_id: str, reason: str, now: datetime) -> None:
    """Let a participant neither pay nor be paid until it is reinstated.

    Raises:
        NotFound, IllegalMove: nothing was changed.
    """
    _move(session, participant_id, "suspend", reason, now)


def reinstate(session: Session, participant_id: str, reason: str, now: datetime) -> None:
    """End a suspension. Raises as `suspend`."""
    _move(session, participant_id, "reinstate", reason, now)


def close(session: Session, participant_id: str, reason: str, now: datetime) -> None:
    """End a participation for good; its records stay. Raises as `suspend`."""
    _move(session, participant_id, "close", reason, now)


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
    session: Session, *, after: str = "", limit: int = 100, search: str = ""
) -> list[Participant]:
    """Return up to `limit` participants with an id above `after`, in order of their ids.

    `search` is part of a name, an LEI or a VAT number, in any case.
    """
    statement = text(
        f"SELECT {_COLUMNS} FROM participant WHERE id > :after AND (:search = ''"
        " OR LOWER(name) LIKE :like OR LOWER(lei) LIKE :like OR LOWER(vat_id) LIKE :like)"
        " ORDER BY id LIMIT :limit"
    )
    values = {"after": after, "limit": limit, "search": search, "like": f"%{search.lower()}%"}
    return [Participant(*row) for row in session.execute(statement, values)]


def _move(session: Session, participant_id: str, move: str, reason: str, now: datetime) -> None:
    starts, end = _MOVES[move]
    states = ", ".join(f"'{state}'" for state in starts)
    moved = session.execute(
        text(
            f"UPDATE participant SET state = :end WHERE id = :id AND state IN ({states})"
            " RETURNING id"
        ),
        {"id": participant_id, "end": end},
    )
    if moved.scalar() is None:
        found = participant(session, participant_id)
        raise IllegalMove("participant", participant_id, found.state, move)
    body = orjson.dumps({"reason": reason}).decode()
    outbox.record(session, [OutboxEvent(f"participant.{end}", participant_id, body)], now)


def _id_of(session: Session, lei: str) -> str:
    return str(
        session.execute(text("SELECT id FROM participant WHERE lei = :lei"), {"lei": lei}).scalar()
    )


def _check(company: NewParticipant, prefix: str) -> None:
    """Return quietly if every field of a company is what its standard says."""
    faults: list[tuple[str, Any, str]] = [("lei", company.lei, lei_fault(company.lei))]
    if company.country not in COUNTRIES:
        faults.append(("country", company.country, "no ISO 3166-1 alpha-2 country code"))
    if company.vat_id is not None:
        faults.append(("vat_id", company.vat_id, vat_fault(company.vat_id)))
    for field, needed in (("name", True), ("town", True), ("street", False), ("post_code", False)):
        value = getattr(company, field)
        if needed and not value.strip():
            faults.append((field, value, "it is needed"))
        elif len(value) > TEXT_MAX:
            faults.append((field, value, f"it has more than {TEXT_MAX} characters"))
        else:
            faults.append((field, value, text_fault(value)))
    for field, value, fault in faults:
        if fault:
            raise Invalid(
                f"{field} {str(value)[:64]!r}: {fault}", field=prefix + field, repair="correct it"
            )
