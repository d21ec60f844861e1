"""A break on somebody's desk: read under a lock, changed once per version, with an event each time.

Decides nothing: the acts beside it do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.documents.identifiers import minor_units
from settlement.errors import Invalid, NotFound
from settlement.money import format_minor
from settlement.reconciliation.engine.dialect import take_turn
from settlement.reconciliation.kinds import BreakKind
from settlement.reconciliation.workbench import limits, rules
from settlement.reconciliation.workbench.errors import BreakChanged, BreakIsClosed
from settlement.reconciliation.workbench.limits import Person
from settlement.reconciliation.workbench.rules import Act
from settlement.store import row_lock

REASON_MAX = 500
MONEY = frozenset(
    {Act.MATCH, Act.UNMATCH, Act.ATTRIBUTE, Act.RETURN, Act.WRITE_OFF, Act.ADJUST, Act.UNDO}
)
"""Acts that rest on whether money is matched: they and the engine take turns. The turn is taken
before the break's lock, as the engine takes them."""

_FIND = (
    "SELECT k.id, k.kind, k.subject, k.party, k.amount_minor, k.unit, k.owner, k.version,"
    " k.detail, k.closed_at, k.closed_reason, k.closed_by"
    " FROM settlement_break k WHERE k.id = :id"
)
# Asked after the lock is held: what was dealt with while it was waited for counts.
_USED = text(
    "SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM break_effect"
    " WHERE break_id = :id AND live"
)
_DECIMALS = text("SELECT decimals, currency FROM token WHERE symbol = :unit")
_EVENT = text(
    "INSERT INTO break_event (break_id, move, actor, reason, detail, act_key, at)"
    " VALUES (:break_id, :move, :actor, :reason, :detail, :act_key, :at)"
)


class Desk(NamedTuple):
    """A break as it is at this moment, locked. `amount_minor` is signed: + came in."""

    id: str
    kind: BreakKind
    subject: str
    party: str | None
    amount_minor: int | None
    unit: str | None
    owner: str | None
    version: int
    detail: str
    closed_at: int | None
    closed_reason: str | None
    closed_by: str | None
    used_minor: int

    @property
    def left_minor(self) -> int:
        """What is left to be dealt with, unsigned."""
        return abs(self.amount_minor or 0) - self.used_minor


class Deed(NamedTuple):
    """Who acts on which break, as he saw it, and why. `act_key` makes it happen once."""

    break_id: str
    person: Person
    reason: str
    now: datetime
    version: int | None = None
    act_key: str | None = None


class Rail(Protocol):
    """What the workbench needs of settlements; the door hands it in."""

    def instruct(
        self, session: Session, invoice_id: str, *, actor: str, ids: Ids, now: datetime
    ) -> str:
        """Instruct all that is open of an invoice; return the settlement's id."""
        ...

    def cancel(
        self, session: Session, settlement_id: str, *, reason: str, actor: str, now: datetime
    ) -> None:
        """End a settlement that was not claimed. Raises IllegalMove once it was."""
        ...


class Means(NamedTuple):
    """What acts are done with: new ids, and the rail."""

    ids: Ids
    rail: Rail


class UnitOf(NamedTuple):
    """A currency or token: its decimals, and the currency it stands for."""

    code: str
    decimals: int
    currency: str


def lock(session: Session, deed: Deed, act: Act, *, closed: bool = False) -> Desk:
    """Return the break, which nobody else changes until this database transaction ends.

    Raises:
        Forbidden, Invalid: not the role's to do; no reason is given.
        NotFound, BreakChanged, BreakIsClosed, ActMakesNoSense: nothing is changed.
    """
    limits.require_role(deed.person, act.value)
    words(deed.reason)
    if act in MONEY:
        take_turn(session)
    desk = find(session, deed.break_id)
    require_version(desk, deed.version)
    rules.require(act, desk.kind, desk.subject)
    if desk.closed_at is not None and not closed:
        raise BreakIsClosed(desk.id, f"{desk.closed_reason} ({desk.closed_by})")
    return desk


def find(session: Session, break_id: str) -> Desk:
    """Return a break, locked.

    Raises:
        NotFound: there is none.
    """
    statement = _FIND + row_lock(session, "k")
    row = session.connection().execute(text(statement), {"id": break_id}).one_or_none()
    if row is None:
        raise NotFound("break", break_id)
    used = session.connection().execute(_USED, {"id": break_id}).scalar_one()
    return Desk._make((row.id, BreakKind(row.kind), *row[2:], used))


def require_version(desk: Desk, seen: int | None) -> None:
    """Return quietly if the break is what the person saw; None: nothing in particular was seen.

    Raises:
        BreakChanged: somebody else was first.
    """
    if seen is not None and seen != desk.version:
        raise BreakChanged(desk.id, seen, desk.version)


def change(session: Session, desk: Desk, changes: str = "", **values: object) -> None:
    """Move the break to its next version; fails if somebody else has."""
    statement = (
        f"UPDATE settlement_break SET version = version + 1{changes}"
        " WHERE id = :id AND version = :version"
    )
    moved = session.connection().execute(
        text(statement), {"id": desk.id, "version": desk.version, **values}
    )
    if moved.rowcount != 1:
        raise BreakChanged(desk.id, desk.version, desk.version + 1)


def close(session: Session, desk: Desk, deed: Deed) -> None:
    """Move the break to its next version, closed."""
    change(
        session,
        desk,
        ", closed_at = :at, closed_reason = :reason, closed_by = :actor",
        at=to_micros(deed.now),
        reason=words(deed.reason),
        actor=deed.person.actor,
    )


def settle(session: Session, desk: Desk, deed: Deed, used_minor: int) -> bool:
    """Move the break on after `used_minor` of it was dealt with; closed when nothing is left."""
    if desk.amount_minor is not None and used_minor == desk.left_minor:
        close(session, desk, deed)
        return True
    change(session, desk)
    return False


def record(
    session: Session, deed: Deed, move: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Write down what happened."""
    session.connection().execute(
        _EVENT,
        {
            "break_id": deed.break_id,
            "move": move,
            "actor": deed.person.actor,
            "reason": words(deed.reason),
            "detail": orjson.dumps(dict(detail or {}), option=orjson.OPT_SORT_KEYS).decode(),
            "act_key": deed.act_key,
            "at": to_micros(deed.now),
        },
    )


def words(reason: str) -> str:
    """Return the reason, of one line.

    Raises:
        Invalid: there is none, or it is too long.
    """
    said = reason.strip()
    if not 0 < len(said) <= REASON_MAX or not said.isprintable():
        raise Invalid(
            "every act on a break has its reason",
            field="reason",
            repair=f"say why in one line of up to {REASON_MAX} characters",
        )
    return said


def unit_of(session: Session, unit: str | None) -> UnitOf:
    """Return decimals and currency of a token's symbol or a currency's code.

    Raises:
        Invalid: the break names no amount, or a unit that is neither.
    """
    if unit is None:
        raise Invalid(
            "this break is about no one amount of money",
            field="action",
            repair="mend its cause, or close it with a reason",
        )
    row = session.connection().execute(_DECIMALS, {"unit": unit}).one_or_none()
    if row is not None:
        return UnitOf(unit, row.decimals, row.currency)
    decimals = minor_units(unit)
    if decimals is None:
        raise Invalid(f"{unit!r} is neither a token nor a currency", field="unit")
    return UnitOf(unit, decimals, unit)


def shown(minor: int, unit: UnitOf) -> str:
    """Return an amount as people read it."""
    return f"{format_minor(minor, unit.decimals)} {unit.code}"
