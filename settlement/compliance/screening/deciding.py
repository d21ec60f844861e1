"""What people decide about hits: whose they are, cleared with a reason, confirmed.

Moves no payment: the caller lets what waited be judged anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.compliance.screening import bind
from settlement.compliance.screening.comparing import add_up
from settlement.compliance.screening.ownership import owned_by
from settlement.compliance.screening.records import Hit, hit, wallets
from settlement.compliance.screening.stopping import stop
from settlement.errors import Conflict, IllegalMove, Invalid
from settlement.store import row_lock
from settlement.store.bulk import insert_rows

SECOND_PERSON_FROM = 95
"""Clearing a hit that scores so much, or one that was confirmed, takes a second person."""
REASON_MAX = 2_000

_MOVES = {
    "clear": (("open", "confirmed"), "cleared"),
    "confirm": (("open", "cleared"), "confirmed"),
}
_DECIDE = text(
    "UPDATE screening_hit SET state = :state, decided_by = :by, decided_at = :at, reason = :reason,"
    " updated_at = :at WHERE id = :id AND state = :before RETURNING id"
)
_ASSIGN = text(
    "UPDATE screening_hit SET assigned_to = :to, updated_at = :at WHERE id = :id RETURNING id"
)


class WalletStaysListed(Conflict):
    """A wallet that is on a list is that very wallet: there is nothing to mistake."""

    def __init__(self, hit_id: str) -> None:
        super().__init__(
            f"hit {hit_id} is a wallet that equals a listed one",
            field="hit",
            repair="let the participant take another wallet; the hit ends when the list or the"
            " register no longer holds this one",
        )


class HitChanged(Conflict):
    """What was compared is not what was seen when this was asked for."""

    def __init__(self, hit_id: str) -> None:
        super().__init__(
            f"hit {hit_id} was compared anew since",
            field="hit",
            repair="look at it as it is now, and decide again",
        )


def needs_second_person(found: Hit) -> bool:
    """Return whether clearing a hit takes another pair of eyes."""
    return found.score >= SECOND_PERSON_FROM or found.state == "confirmed"


def clearing_terms(found: Hit, reason: str) -> dict[str, Any]:
    """Return all that whoever approves a clearing has to see."""
    return {
        "hit": found.id,
        "participant": found.participant_id,
        "list": found.list_name,
        "entry": found.entry_key,
        "entry_text": found.entry_text,
        "score": found.score,
        "state": found.state,
        "subject_hash": found.subject_hash,
        "entry_hash": found.entry_hash,
        "reason": reason,
    }


def require_clearable(found: Hit, reason: str) -> None:
    """Return quietly if a hit can be cleared with this reason.

    Raises:
        IllegalMove: it is cleared already, or has lapsed.
        WalletStaysListed: it is a wallet.
        Invalid: no reason.
    """
    _require(found, "clear", reason)
    if found.subject_kind == "wallet":
        raise WalletStaysListed(found.id)


def clear(
    session: Session,
    hit_id: str,
    *,
    reason: str,
    actor: str,
    now: datetime,
    seen: tuple[str, str] | None = None,
) -> Hit:
    """Say that a hit is somebody else; it stays so until a side that was compared changes.

    `seen`: hashes of both sides as they were when it was asked for. The caller has seen to the
    second person. Raises as `require_clearable`, and HitChanged.
    """
    found = hit(session, hit_id, lock=row_lock(session, "h"))
    if seen is not None and seen != (found.subject_hash, found.entry_hash):
        raise HitChanged(hit_id)
    require_clearable(found, reason)
    return _decide(session, found, "clear", reason, actor, now)


def confirm(session: Session, hit_id: str, *, reason: str, actor: str, now: datetime) -> Hit:
    """Say that a hit is the listed party: nothing is paid to it or by it.

    Raises:
        IllegalMove: it is confirmed already, or has lapsed.
        Invalid: no reason.
    """
    found = hit(session, hit_id, lock=row_lock(session, "h"))
    _require(found, "confirm", reason)
    return _decide(session, found, "confirm", reason, actor, now)


def assign(session: Session, hit_id: str, *, to: str, actor: str, now: datetime) -> Hit:
    """Say who looks at a hit."""
    words = to.strip()
    if not words or len(words) > 200:
        raise Invalid("nobody is named", field="to", repair="name who looks at it")
    hit(session, hit_id)
    session.connection().execute(_ASSIGN, {"id": hit_id, "to": words, "at": to_micros(now)})
    _note(session, hit_id, "assigned", actor, None, {"to": words}, now)
    return hit(session, hit_id)


def comment(session: Session, hit_id: str, *, words: str, actor: str, now: datetime) -> Hit:
    """Write down what was found out about a hit."""
    found = hit(session, hit_id)
    _note(session, hit_id, "commented", actor, _reason(words, "comment"), {}, now)
    return found


def _require(found: Hit, move: str, reason: str) -> None:
    if found.state not in _MOVES[move][0]:
        raise IllegalMove("hit", found.id, found.state, move)
    _reason(reason, "reason")


def _reason(words: str, field: str) -> str:
    text_ = words.strip()
    if not text_ or len(text_) > REASON_MAX:
        raise Invalid(
            f"a {field} is needed, of up to {REASON_MAX} characters",
            field=field,
            repair="say what it rests on",
        )
    return text_


def _decide(session: Session, found: Hit, move: str, reason: str, actor: str, now: datetime) -> Hit:
    state = _MOVES[move][1]
    values = {
        "id": found.id, "before": found.state, "state": state, "by": actor,
        "reason": reason.strip(), "at": to_micros(now),
    }  # fmt: skip
    if session.connection().execute(_DECIDE, values).scalar() is None:
        raise IllegalMove("hit", found.id, hit(session, found.id).state, move)
    detail = {"score": found.score, "subject": found.subject_hash, "entry": found.entry_hash}
    _note(session, found.id, state, actor, reason.strip(), detail, now)
    add_up(session, owned_by(session, [found.participant_id]))
    if move == "confirm":  # What was cleared before is judged anew.
        stop(session, [found.participant_id], now)
    _bind(session, found.participant_id, move, actor, now)
    return hit(session, found.id)


def _bind(session: Session, participant_id: str, move: str, actor: str, now: datetime) -> None:
    """Keep whoever is confirmed from the rail on the chain; let go whom nothing stands against."""
    if move == "confirm":
        own = wallets(session, [participant_id])
        bind.unlist(session, own, reason="a hit was confirmed", actor=actor, now=now)
    else:
        reason = "its hits were cleared"
        bind.let_go(session, [participant_id], reason=reason, actor=actor, now=now)


def _note(
    session: Session,
    hit_id: str,
    move: str,
    actor: str,
    reason: str | None,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    row = (hit_id, move, actor, reason, orjson.dumps(detail).decode(), to_micros(now))
    columns = ("hit_id", "move", "actor", "reason", "detail", "at")
    insert_rows(session, "screening_hit_event", columns, [row])
