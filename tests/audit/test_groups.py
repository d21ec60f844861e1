"""Requests that share a database transaction each keep what is theirs in the trail."""

from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session

from gateway.idempotency import Reply
from gateway.writer import one_by_one
from settlement import audit, store
from settlement.audit import Act, AuditFilter
from settlement.errors import Conflict

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def change(session: Session, subject: str, now: datetime) -> Reply:
    """Note a change and record an act, then refuse where the subject is bad."""
    audit.changed(session, subject, before={"state": "old"}, after={"state": "new"})
    audit.record(session, Act("per_anna", "admin", "change", (subject,)), now)
    if subject == "bad":
        raise Conflict("it is not to be changed")
    return Reply(200, b"{}")


def test_what_was_refused_leaves_neither_act_nor_change_with_the_next(engine: Engine) -> None:
    with store.transaction(engine) as session:
        outcomes = one_by_one(change)(session, ["bad", "good"], NOW)

    with store.reading(engine) as session:
        events = list(audit.every(session, AuditFilter()))
    refused, done = outcomes
    assert isinstance(refused, Conflict)
    assert isinstance(done, Reply)
    assert done.changes == {"good": {"state": ("old", "new")}}
    assert [each.subjects for each in events] == ['["good"]']
