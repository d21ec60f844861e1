"""What people do to matches: match by hand, undo a match, split a record in parts.

Every act takes who and why; nothing is deleted, and a part's way back is a record of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.errors import Conflict, Invalid, NotFound
from settlement.money import format_minor
from settlement.reconciliation.engine.dialect import take_turn
from settlement.reconciliation.engine.undoing import undo
from settlement.store.bulk import insert_rows, rows, rows_by_key

RECORDS_MAX = 1_000
PARTS_MAX = 100
_DECIMALS = 6


class RecordNotOpen(Conflict):
    """Only what is open can be matched or split."""

    def __init__(self, record_id: int, state: str) -> None:
        super().__init__(
            f"record {record_id} is {state}",
            field="records",
            repair="undo the match that it is in" if state == "matched" else "choose another one",
        )


class MatchNotLive(Conflict):
    """The match was undone before."""


class CannotBeSplit(Conflict):
    """The record is a part itself, or the parts are no parts of it."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is asked of a record that a person has chosen."""

    id: int
    source: str
    currency: str
    amount_micro: int
    state: str
    parent_id: int | None


def match_by_hand(
    session: Session, record_ids: Sequence[int], *, actor: str, reason: str | None, now: datetime
) -> int:
    """Match records that a person says are the same money; return the match's id.

    The sums of the two sides may differ, or stand on one side alone, only with a reason. One side
    is what banks say (`bank`), or else what moved; the other is all the rest.

    Raises:
        Invalid: fewer than two, more than RECORDS_MAX, two currencies, or sums that differ without
            a reason.
        NotFound: a record does not exist.
        RecordNotOpen: one is matched, withdrawn, split or explained.
    """
    wanted = sorted(set(record_ids))
    if len(wanted) != len(record_ids) or not 2 <= len(wanted) <= RECORDS_MAX:
        raise Invalid(
            f"{len(record_ids)} records, {len(wanted)} of them different",
            field="records",
            repair=f"name 2 to {RECORDS_MAX} records, each once",
        )
    take_turn(session)
    chosen = _chosen(session, wanted)
    currencies = sorted({each.currency for each in chosen})
    if len(currencies) > 1:
        raise Invalid(
            f"records in {' and '.join(currencies)}: a match has one currency",
            field="records",
            repair="leave out those of the other currency",
        )
    difference = _difference(chosen)
    said = (reason or "").strip()
    if difference and not said:
        amount = format_minor(abs(difference), _DECIMALS)
        raise Invalid(
            f"the two sides differ by {amount} {currencies[0]}",
            field="reason",
            repair="say why they are the same money all the same",
        )
    return _store(session, chosen, difference, actor=actor, reason=said, now=now)


def unmatch(session: Session, match_id: int, *, actor: str, reason: str, now: datetime) -> int:
    """Undo a live match; its records are open again. Returns how many.

    Raises:
        NotFound: there is no such match.
        MatchNotLive: it was undone before.
        Invalid: no reason was given.
    """
    if not reason.strip():
        raise Invalid("no reason", field="reason", repair="say why the match is undone")
    take_turn(session)
    found = rows(session, "SELECT live FROM recon_match WHERE id = ?", (match_id,))
    if not found:
        raise NotFound("match", str(match_id))
    if not found[0][0]:
        raise MatchNotLive(
            f"match {match_id} was undone before", field="match", repair="read it again"
        )
    return undo(session, [match_id], actor=actor, reason=reason.strip(), now=now)


def split(
    session: Session, record_id: int, amounts_micro: Sequence[int], *, now: datetime
) -> list[int]:
    """Split an open record in parts that are matched one by one; return the parts' ids.

    Raises:
        CannotBeSplit: it is a part itself; or the amounts are not two or more of its own sign that
            sum to it.
        NotFound, RecordNotOpen: there is no such open record.
    """
    take_turn(session)
    (whole,) = _chosen(session, [record_id])
    if whole.parent_id is not None:
        raise CannotBeSplit(
            f"record {record_id} is a part already",
            field="record",
            repair="join the whole again and split it otherwise",
        )
    has_sign = all((part > 0) == (whole.amount_micro > 0) and part != 0 for part in amounts_micro)
    is_whole = sum(amounts_micro) == whole.amount_micro
    if not (2 <= len(amounts_micro) <= PARTS_MAX and has_sign and is_whole):
        total = format_minor(whole.amount_micro, _DECIMALS)
        raise CannotBeSplit(
            f"these are no parts of {total} {whole.currency}",
            field="parts",
            repair=f"2 to {PARTS_MAX} amounts of the same sign that sum to it",
        )
    ((tries,),) = rows(
        session, "SELECT COUNT(*) FROM recon_record WHERE parent_id = ?", (record_id,)
    )
    for place, amount in enumerate(amounts_micro, 1):
        session.connection().execute(
            text(
                "INSERT INTO recon_record (source, origin, owner, account, currency, amount_micro,"
                " unit, end_to_end_id, reference, counterparty, value_day, due_day, settlement_id,"
                " invoice_id, parent_id, state, fresh, created_at) SELECT source, :origin, owner,"
                " account, currency, :amount, unit, end_to_end_id, reference, counterparty,"
                " value_day, due_day, settlement_id, invoice_id, id, 'open', true, :at"
                " FROM recon_record WHERE id = :id"
            ),
            {
                "origin": f"part:{record_id}:{place}:{tries}",
                "amount": amount,
                "at": to_micros(now),
                "id": record_id,
            },
        )
    _set_state(session, [record_id], "split")
    made = rows(
        session,
        "SELECT id FROM recon_record WHERE parent_id = ? AND state = 'open' ORDER BY id",
        (record_id,),
    )
    return [key for (key,) in made]


def join(session: Session, record_id: int) -> None:
    """Take a split back: the whole is open again, its parts are withdrawn.

    Raises:
        NotFound: there is no such record.
        CannotBeSplit: it is not split, or one of its parts is matched.
    """
    take_turn(session)
    (whole,) = _known(session, [record_id])
    parts = rows(
        session,
        "SELECT id, state FROM recon_record WHERE parent_id = ? AND state <> 'withdrawn'",
        (record_id,),
    )
    if whole.state != "split" or any(state != "open" for _key, state in parts):
        raise CannotBeSplit(
            f"record {record_id} is not split, or a part of it is matched",
            field="record",
            repair="undo the matches of its parts",
        )
    _set_state(session, [key for key, _state in parts], "withdrawn")
    _set_state(session, [record_id], "open")


def _known(session: Session, record_ids: Sequence[int]) -> list[_Chosen]:
    found = {
        row[0]: _Chosen(*row)
        for row in rows_by_key(
            session,
            "SELECT id, source, currency, amount_micro, state, parent_id FROM recon_record"
            " WHERE id {keys}",
            list(record_ids),
        )
    }
    for key in record_ids:
        if key not in found:
            raise NotFound("record", str(key))
    return [found[key] for key in record_ids]


def _chosen(session: Session, record_ids: Sequence[int]) -> list[_Chosen]:
    chosen = _known(session, record_ids)
    for each in chosen:
        if each.state != "open":
            raise RecordNotOpen(each.id, each.state)
    return chosen


def _difference(chosen: Sequence[_Chosen]) -> int:
    """What the banks' side is more than the other; without banks, the first source's side."""
    sources = {each.source for each in chosen}
    theirs = "bank" if "bank" in sources else min(sources)
    more = sum(each.amount_micro for each in chosen if each.source == theirs)
    return more - sum(each.amount_micro for each in chosen if each.source != theirs)


def _store(
    session: Session,
    chosen: Sequence[_Chosen],
    difference: int,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> int:
    reasons = {"by": actor, "reason": reason or None, "difference_micro": str(difference)}
    match_id = session.connection().execute(
        text(
            "INSERT INTO recon_match (rule_id, score, reasons, kind, lead_id, size, live,"
            " created_at, created_by) VALUES ('manual', 100, :reasons, 'manual', :lead, :size,"
            " true, :at, :actor) RETURNING id"
        ),
        {
            "reasons": orjson.dumps(reasons).decode(),
            "lead": chosen[0].id,
            "size": len(chosen),
            "at": to_micros(now),
            "actor": actor,
        },
    ).scalar_one()  # fmt: skip
    insert_rows(
        session,
        "recon_member",
        ("match_id", "record_id", "live"),
        [(match_id, each.id, True) for each in chosen],
    )
    _set_state(session, [each.id for each in chosen], "matched")
    return int(match_id)


def _set_state(session: Session, record_ids: Sequence[int], state: str) -> None:
    if record_ids:
        session.connection().execute(
            text("UPDATE recon_record SET state = :state, fresh = :fresh WHERE id = :id"),
            [{"state": state, "fresh": state == "open", "id": key} for key in record_ids],
        )
