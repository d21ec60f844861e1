"""Acts that move no money: assign, comment, split into parts, close with a reason, re-open."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.errors import Invalid
from settlement.money import format_minor, parse_minor
from settlement.reconciliation.kinds import ABOUT
from settlement.reconciliation.workbench import desk as desks
from settlement.reconciliation.workbench.desk import Deed, Desk
from settlement.reconciliation.workbench.errors import BreakIsOpen, NothingLeft, NothingToUndo
from settlement.reconciliation.workbench.rules import Act
from settlement.store.bulk import insert_rows, rows

OWNER_MAX = 100
PARTS_MAX = 100

_DAY_MICROS = 86_400 * 1_000_000
_PARTS = (
    "SELECT p.place, p.amount_minor, f.id FROM break_part p LEFT JOIN break_effect f"
    " ON f.break_id = p.break_id AND f.part = p.place AND f.live"
    " WHERE p.break_id = ? AND p.live ORDER BY p.place"
)
_JOIN = text("UPDATE break_part SET live = false WHERE break_id = :id AND live")


def assign(session: Session, deed: Deed, owner: str) -> None:
    """Give a break to somebody to work on; an empty name gives it back to nobody."""
    desk = desks.lock(session, deed, Act.ASSIGN)
    name = owner.strip()
    if len(name) > OWNER_MAX or not name.isprintable():
        raise Invalid(
            f"{owner[:40]!r} is no name",
            field="owner",
            repair=f"name a person or a desk in up to {OWNER_MAX} printable characters",
        )
    desks.change(session, desk, ", owner = :owner", owner=name or None)
    desks.record(session, deed, "assign", {"from": desk.owner, "to": name or None})


def comment(session: Session, deed: Deed) -> None:
    """Say something about a break, open or closed; what was decided about it still counts."""
    desk = desks.lock(session, deed, Act.COMMENT, closed=True)
    session.connection().execute(
        text("UPDATE settlement_break SET comment_count = comment_count + 1 WHERE id = :id"),
        {"id": desk.id},
    )
    desks.record(session, deed, "comment")


def close(session: Session, deed: Deed) -> None:
    """Close a break with a reason: it stays closed while it is the same trouble."""
    desk = desks.lock(session, deed, Act.CLOSE)
    desks.close(session, desk, deed)
    desks.record(session, deed, "close", {"left_minor": str(desk.left_minor)})


def reopen(session: Session, deed: Deed) -> None:
    """Open a closed break again, with its history and with what was done about it."""
    desk = desks.lock(session, deed, Act.REOPEN, closed=True)
    if desk.closed_at is None:
        raise BreakIsOpen(desk.id)
    open_again(session, desk, deed)
    desks.record(session, deed, "reopen")


def open_again(session: Session, desk: Desk, deed: Deed) -> None:
    """Move the break to its next version, open and due anew."""
    at = to_micros(deed.now)
    desks.change(
        session,
        desk,
        ", closed_at = NULL, closed_reason = NULL, closed_by = NULL, opened_at = :at,"
        " due_at = :due, reopened_count = reopened_count + 1",
        at=at,
        due=at + ABOUT[desk.kind].due_days * _DAY_MICROS,
    )


def split(session: Session, deed: Deed, parts: Sequence[str]) -> None:
    """Split what is left of a break into parts that sum to it, each to be dealt with on its own.

    Raises:
        Invalid, NothingLeft, Conflict: they do not sum to it, or it is split already.
    """
    desk = desks.lock(session, deed, Act.SPLIT)
    unit = desks.unit_of(session, desk.unit)
    if not 2 <= len(parts) <= PARTS_MAX:
        raise Invalid(
            f"{len(parts)} parts", field="parts", repair=f"name from 2 to {PARTS_MAX} amounts"
        )
    if _parts(session, desk.id):
        raise NothingToUndo(
            f"break {desk.id} is split already", field="parts", repair="undo the split first"
        )
    minors = [
        parse_minor(part, unit.decimals, field=f"parts/{place}") for place, part in enumerate(parts)
    ]
    if sum(minors) != desk.left_minor:
        left = f"{format_minor(desk.left_minor, unit.decimals)} {unit.code}"
        raise NothingLeft(f"break {desk.id}, and the parts must sum to it", left)
    at = to_micros(deed.now)
    # Places go on behind those of an earlier split: a part's number never changes its meaning.
    used = rows(session, "SELECT MAX(place) FROM break_part WHERE break_id = ?", (desk.id,))
    first = (used[0][0] or 0) + 1
    insert_rows(
        session,
        "break_part",
        ("break_id", "place", "amount_minor", "note", "live", "created_at"),
        [(desk.id, first + n, minor, "", True, at) for n, minor in enumerate(minors)],
    )
    desks.change(session, desk)
    detail = {"parts": [{"part": first + n, "minor": str(m)} for n, m in enumerate(minors)]}
    desks.record(session, deed, "split", detail)


def join(session: Session, deed: Deed) -> None:
    """Undo a split of which no part is in use.

    Raises:
        NothingToUndo: it is not split, or something was done about a part.
    """
    desk = desks.lock(session, deed, Act.SPLIT)
    parts = _parts(session, desk.id)
    if not parts or any(effect for _place, _minor, effect in parts):
        raise NothingToUndo(
            f"break {desk.id} has no split of which nothing was used",
            field="action",
            repair="undo what was done about its parts first",
        )
    session.connection().execute(_JOIN, {"id": desk.id})
    desks.change(session, desk)
    desks.record(session, deed, "join")


def portion(session: Session, desk: Desk, part: int | None) -> int:
    """Return how much of a break an act is about: one of its parts, or all that is left.

    Raises:
        Invalid: it is split and no part is named, or there is no such part, or it is used.
    """
    parts = _parts(session, desk.id)
    free = {place: minor for place, minor, effect in parts if effect is None}
    if part is None and not parts:
        return desk.left_minor
    if part is not None and part in free:
        return int(free[part])
    known = ", ".join(str(place) for place in sorted(free)) or "none"
    raise Invalid(
        f"break {desk.id} has no unused part {part}" if part else f"break {desk.id} is split",
        field="part",
        repair=f"name one of its parts: {known}",
    )


def _parts(session: Session, break_id: str) -> list[tuple[int, int, str | None]]:
    return [(place, minor, effect) for place, minor, effect in rows(session, _PARTS, (break_id,))]
