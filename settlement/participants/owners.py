"""Who owns and controls a participant: declared as a whole, with shares in basis points.

Reading is `profiles`'; persons' fields are `people`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.errors import Invalid
from settlement.participants import identity, people
from settlement.participants.people import NewPerson
from settlement.store.bulk import insert_rows, rows, rows_by_key

OWNERS_MAX = 100
WHOLE_BP = 10_000
ROLES = ("owner", "controller")
KINDS = ("participant", "person", "company")

_COLUMNS = (
    "id", "participant_id", "role", "share_bp", "owner_participant_id", "person_id",
    "company_name", "company_country", "company_number", "live", "created_at",
)  # fmt: skip
_RETIRE = text("UPDATE participant_owner SET live = false WHERE participant_id = :id AND live")
_NUMBER_MAX = 40


@dataclass(frozen=True, slots=True)
class NewOwner:
    """One line of a declaration. `kind` says which of the other fields count."""

    kind: str
    share_bp: int
    role: str = "owner"
    participant_id: str | None = None
    name: str | None = None
    country: str | None = None
    birth_date: str | None = None
    number: str | None = None
    """A company's LEI or number in its register."""


Salts = Callable[[], str]
"""Gives `people.SALT_DIGITS` random hexadecimal digits."""


def declare(
    session: Session,
    participant_id: str,
    declared: Sequence[NewOwner],
    *,
    salts: Salts,
    ids: Ids,
    now: datetime,
) -> list[str]:
    """Store a declaration that does not count yet; return the ids of its lines.

    Raises:
        Invalid: a line is wrong, somebody stands twice, or the shares are more than the whole.
    """
    _check(session, participant_id, declared, now)
    made = []
    for place, each in enumerate(declared):
        person_id = None
        if each.kind == "person":
            person = NewPerson(str(each.name), str(each.country), each.birth_date)
            person_id = people.store(
                session, person, salt=salts(), ids=ids, now=now, prefix=f"owners/{place}/"
            )
        is_company = each.kind == "company"
        key = ids("own")
        row = (
            key, participant_id, each.role, each.share_bp,
            each.participant_id if each.kind == "participant" else None, person_id,
            each.name if is_company else None, each.country if is_company else None,
            each.number if is_company else None, False, to_micros(now),
        )  # fmt: skip
        insert_rows(session, "participant_owner", _COLUMNS, [row])
        made.append(key)
    return made


def count_from_now(session: Session, participant_id: str, owner_ids: Sequence[str]) -> None:
    """Let a stored declaration count in place of the one before.

    Raises:
        PersonErasedAlready: one of its persons is: nobody would know who owns it.
    """
    named = rows_by_key(
        session, "SELECT person_id FROM participant_owner WHERE id {keys}", owner_ids
    )
    people.require_known(session, [person for (person,) in named if person is not None])
    session.execute(_RETIRE, {"id": participant_id})
    for key in owner_ids:
        session.execute(
            text(
                "UPDATE participant_owner SET live = true WHERE id = :id AND participant_id = :of"
            ),
            {"id": key, "of": participant_id},
        )


def digests(session: Session, participant_id: str) -> list[tuple[str, int, str]]:
    """Return of each owner that counts its role, share and who it is: a person by its digest.

    A company by all that is said of it, a line each.
    """
    found = rows(
        session,
        "SELECT o.role, o.share_bp, COALESCE(o.owner_participant_id, n.digest, o.company_name),"
        " o.company_country, o.company_number FROM participant_owner o"
        " LEFT JOIN natural_person n ON n.id = o.person_id"
        " WHERE o.participant_id = ? AND o.live ORDER BY o.id",
        (participant_id,),
    )
    return [(role, share_bp, "\n".join(filter(None, who))) for role, share_bp, *who in found]


def _check(
    session: Session, participant_id: str, declared: Sequence[NewOwner], now: datetime
) -> None:
    if not 1 <= len(declared) <= OWNERS_MAX:
        raise Invalid(
            f"{len(declared)} owners", field="owners", repair=f"name from 1 to {OWNERS_MAX}"
        )
    for place, each in enumerate(declared):
        _check_line(each, f"owners/{place}/")
    whole = sum(each.share_bp for each in declared if each.role == "owner")
    if whole > WHOLE_BP:
        raise Invalid(
            f"the shares come to {whole} basis points, more than {WHOLE_BP}",
            field="owners",
            repair="send each owner's share of the whole in basis points, 2500 for a quarter",
        )
    named = [each.participant_id for each in declared if each.kind == "participant"]
    if participant_id in named:
        raise Invalid(
            "a participant does not own itself", field="owners", repair="name who owns it"
        )
    lines = [(each.role, each.participant_id) for each in declared if each.kind == "participant"]
    if len(set(lines)) != len(lines):
        raise Invalid(
            "a participant stands twice among the owners",
            field="owners",
            repair="add its shares up",
        )
    keys = [key for key in named if key is not None]
    known = {
        key for (key,) in rows_by_key(session, "SELECT id FROM participant WHERE id {keys}", keys)
    }
    for place, each in enumerate(declared):
        if each.kind == "participant" and each.participant_id not in known:
            raise Invalid(
                f"there is no participant {each.participant_id}",
                field=f"owners/{place}/participant_id",
                repair="name a registered one, or its name and country as a company",
            )
        if each.kind == "person":
            person = NewPerson(str(each.name), str(each.country), each.birth_date)
            people.check(person, f"owners/{place}/", now.date())


def _check_line(each: NewOwner, prefix: str) -> None:
    is_named = each.kind != "participant"
    identity.refuse(
        [
            ("kind", each.kind, "" if each.kind in KINDS else f"one of {', '.join(KINDS)}"),
            ("role", each.role, "" if each.role in ROLES else f"one of {', '.join(ROLES)}"),
            ("share_bp", each.share_bp, _share_fault(each)),
            ("participant_id", each.participant_id,
             "it is needed" if not is_named and not each.participant_id
             else "only where kind is participant" if is_named and each.participant_id else ""),
            ("name", None, identity.line_fault(each.name or "") if is_named else ""),
            ("country", each.country,
             identity.country_fault(each.country or "") if is_named else ""),
            ("number", each.number,
             identity.line_fault(each.number or "", most=_NUMBER_MAX, needed=False)),
        ],
        prefix,
    )  # fmt: skip


def _share_fault(each: NewOwner) -> str:
    least = 1 if each.role == "owner" else 0
    return "" if least <= each.share_bp <= WHOLE_BP else f"{least} to {WHOLE_BP} basis points"
