"""Expected payments: what somebody says will come or go, within bounds of amount and date.

Kept here, listed with how far they are reconciled, archived. Matching them is the rules'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.errors import Conflict, Invalid, NotFound
from settlement.reconciliation.engine.dialect import take_turn
from settlement.reconciliation.engine.expectation import Expectation, judged
from settlement.store.bulk import rows

STATUSES = ("unreconciled", "partially_reconciled", "reconciled", "archived")


class ExpectationNotOpen(Conflict):
    """Only an expected payment that nothing was matched with can be archived."""


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """An expected payment and how far it is reconciled; amounts in the currency's minor units."""

    id: int
    owner_id: str
    direction: str
    currency: str
    low_minor: int
    high_minor: int
    first_day: str
    last_day: str
    end_to_end_id: str | None
    reference: str | None
    counterparty: str | None
    description: str
    created_by: str
    created_at: int
    archived_by: str | None
    archived_at: int | None
    record_id: int | None
    """Of the record that is matched; None until a run has read it."""
    reconciled_minor: int
    """What has moved in its matches, up to the upper bound."""
    status: str

    @property
    def open_minor(self) -> int:
        """What is still missing of the lower bound."""
        return max(0, self.low_minor - self.reconciled_minor)


_INSERT = text(
    "INSERT INTO expected_payment (owner_id, account, direction, currency, low_minor, high_minor,"
    " first_day, last_day, end_to_end_id, reference, counterparty, description, created_by,"
    " created_at) VALUES (:owner_id, '', :direction, :currency, :low, :high, :first, :last,"
    " :end_to_end_id, :reference, :counterparty, :description, :actor, :at) RETURNING id"
)
# A split expectation is in the matches of its parts; what is owed or expected has not moved.
_MOVED = (
    "(SELECT COALESCE(SUM(p.amount_micro), 0) FROM recon_record p"
    " WHERE p.source NOT IN ('expected', 'invoice') AND p.id IN (SELECT t.record_id"
    " FROM recon_member t WHERE t.live AND t.match_id IN (SELECT m.match_id FROM recon_record o"
    " JOIN recon_member m ON m.record_id = o.id AND m.live"
    " WHERE o.id = r.id OR o.parent_id = r.id)))"
    " * CASE WHEN x.direction = 'credit' THEN 1 ELSE -1 END"
)
_PLAIN = (
    "id", "owner_id", "direction", "currency", "low_minor", "high_minor", "first_day", "last_day",
    "end_to_end_id", "reference", "counterparty", "description", "created_by", "created_at",
    "cancelled_by", "cancelled_at",
)  # fmt: skip
_SHOWN = ", ".join((*_PLAIN, "record_id"))
# Digits of the currency are in the record itself: its amount is the upper bound in millionths.
_PAGE = (
    f"SELECT {', '.join(f'x.{name}' for name in _PLAIN)}, r.id AS record_id, {_MOVED} AS moved,"
    " ABS(r.amount_micro) / x.high_minor AS scale FROM expected_payment x LEFT JOIN recon_record r"
    " ON r.origin = 'exp_' || x.id AND r.source = 'expected'"
)
_RECONCILED = (
    "CASE WHEN scale IS NULL OR moved <= 0 THEN 0 WHEN moved >= high_minor * scale THEN high_minor"
    " ELSE CAST(moved AS BIGINT) / scale END"
)
_STATUS = (
    "CASE WHEN cancelled_at IS NOT NULL THEN 'archived'"
    " WHEN scale IS NULL OR moved <= 0 THEN 'unreconciled'"
    " WHEN moved < low_minor * scale THEN 'partially_reconciled' ELSE 'reconciled' END"
)
_ARCHIVE = text(
    "UPDATE expected_payment SET cancelled_by = :actor, cancelled_at = :at"
    " WHERE id = :id AND cancelled_at IS NULL"
)
_WITHDRAW = text(
    "UPDATE recon_record SET state = 'withdrawn', fresh = false WHERE state <> 'withdrawn'"
    " AND (id = :id OR parent_id = :id)"
)


def expect(session: Session, said: Expectation, *, actor: str, now: datetime) -> int:
    """Keep an expected payment; the next run looks for it. Return its id.

    Raises:
        Invalid, AmountInvalid: see `judged`; or there is no such owner.
    """
    values = judged(said)
    # Before the row is there: whoever reads the rows keeps their turn first, too.
    take_turn(session)
    if not rows(session, "SELECT 1 FROM participant WHERE id = ?", (said.owner_id,)):
        raise Invalid(
            f"there is no participant {said.owner_id[:80]}",
            field="owner_id",
            repair="send the id of a participant, par_…",
        )
    made = session.connection().execute(
        _INSERT,
        {"owner_id": said.owner_id, **values, "actor": actor, "at": to_micros(now)},
    )
    return int(made.scalar_one())


def archive(session: Session, expected_id: int, *, actor: str, now: datetime) -> None:
    """Expect it no more; its record is withdrawn, and a break about it closes at the next run.

    Raises:
        NotFound: there is none of that id.
        ExpectationNotOpen: it is archived already, or something is matched with it.
    """
    take_turn(session)
    row = expected_payment(session, expected_id)
    if row.archived_at is not None:
        raise ExpectationNotOpen(
            f"exp_{expected_id} is archived already", field="id", repair="read it again"
        )
    if _is_matched(session, row.record_id):
        raise ExpectationNotOpen(
            f"exp_{expected_id} is matched",
            field="id",
            repair="undo the match before, where it is not the money that was expected",
        )
    session.connection().execute(
        _ARCHIVE, {"id": expected_id, "actor": actor, "at": to_micros(now)}
    )
    if row.record_id is not None:
        session.connection().execute(_WITHDRAW, {"id": row.record_id})


def expected_payment(session: Session, expected_id: int) -> ExpectedRow:
    """Return one of them.

    Raises:
        NotFound: there is none of that id.
    """
    found = _read(session, "id = :id", {"id": expected_id, "limit": 1})
    if not found:
        raise NotFound("expected payment", f"exp_{expected_id}")
    return found[0]


def expected_payments(
    session: Session,
    *,
    limit: int,
    before: int = 2**62,
    status: str | None = None,
    owner: str | None = None,
) -> list[ExpectedRow]:
    """Return up to `limit` of them with an id below `before`, newest first."""
    where = "id < :before"
    wanted: dict[str, object] = {"before": before, "limit": limit}
    if status is not None:
        where, wanted["status"] = f"{where} AND {_STATUS} = :status", status
    if owner is not None:
        where, wanted["owner"] = f"{where} AND owner_id = :owner", owner
    return _read(session, where, wanted)


def _read(session: Session, where: str, values: dict[str, object]) -> list[ExpectedRow]:
    statement = text(
        f"SELECT {_SHOWN}, {_RECONCILED}, {_STATUS} FROM ({_PAGE}) page WHERE {where}"
        " ORDER BY id DESC LIMIT :limit"
    )
    return [ExpectedRow(*each) for each in session.connection().execute(statement, values)]


def _is_matched(session: Session, record_id: int | None) -> bool:
    return record_id is not None and bool(
        rows(
            session,
            "SELECT 1 FROM recon_record WHERE (id = ? OR parent_id = ?) AND state = 'matched'",
            (record_id, record_id),
        )
    )
