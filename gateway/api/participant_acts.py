"""Acts about participants over HTTP: who may, for whom, and what follows.

A company's own people offer and propose; staff register, suspend and ask; nobody activates alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson
from sqlmodel import Session

from gateway import json_body
from gateway.api import participant_bodies as bodies
from gateway.api import participant_views as views
from gateway.api.operation import Command
from gateway.api.parties import shown as shown_participant
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.writer import Work, one_by_one
from settlement import participants
from settlement.compliance.screening import listed_persons
from settlement.documents.identifiers import text_fault
from settlement.errors import NotFound
from settlement.participants import activation, changes, moves, papers, people
from settlement.participants.dossier import Actor
from settlement.participants.identity import NewParticipant, refuse
from settlement.participants.papers import NewDocument


class Act(NamedTuple):
    """Who does what to which participant."""

    gateway: Gateway
    caller: Caller
    body: Any
    participant_id: str = ""
    other_id: str = ""

    @property
    def actor(self) -> Actor:
        return Actor(self.caller.role.value, self.caller.hand)


async def plan_apply(gateway: Gateway, command: Command) -> Work:
    """Register somebody as applied; a second person activates."""
    body = json_body.read(command.content, bodies.ApplyBody)
    return Work(_APPLY, Act(gateway, command.caller, body))


async def plan_ask_activation(gateway: Gateway, command: Command) -> Work:
    """Ask a second person to activate, or to renew with what was offered since."""
    return Work(_ASK, act(gateway, command, bodies.ActivationBody))


async def plan_reinstate(gateway: Gateway, command: Command) -> Work:
    """Ask a second person to end a suspension."""
    return Work(_ASK, act(gateway, command, bodies.ActivationBody))


async def plan_suspend(gateway: Gateway, command: Command) -> Work:
    """Let somebody neither pay nor be paid, at once; one person is enough for that."""
    return Work(_SUSPEND, act(gateway, command, bodies.ReasonBody))


async def plan_close(gateway: Gateway, command: Command) -> Work:
    """End a participation, or refuse an application, for good."""
    return Work(_CLOSE, act(gateway, command, bodies.ReasonBody))


async def plan_offer(gateway: Gateway, command: Command) -> Work:
    """Offer a document: it counts once a second person has accepted it with the activation."""
    return Work(_OFFER, act(gateway, command, bodies.DocumentBody))


async def plan_withdraw_document(gateway: Gateway, command: Command) -> Work:
    """Take a document back that nobody has accepted."""
    return Work(_TAKE_BACK, act(gateway, command, bodies.ReasonBody, "document_id"))


async def plan_withdraw_change(gateway: Gateway, command: Command) -> Work:
    """Take a change back before money follows it; one person is enough to stop it."""
    return Work(_WITHDRAW, act(gateway, command, bodies.ReasonBody, "change_id"))


async def plan_erase(gateway: Gateway, command: Command) -> Work:
    """Overwrite a person's fields for good; hashes and events stay."""
    return Work(_ERASE, act(gateway, command, bodies.ReasonBody, "person_id"))


def act(gateway: Gateway, command: Command, model: type[json_body.Body], other: str = "") -> Act:
    """Return what a command wants done.

    Raises:
        NotFound: a company names another's participant.
        BodyUnreadable, BodyInvalid: the body is not of this model.
    """
    participant_id = command.path["participant_id"]
    if command.caller.party not in (None, participant_id):
        raise NotFound("participant", participant_id)
    body = json_body.read(command.content, model)
    # Others read it: nothing in it may hide or reorder what they see.
    refuse([("reason", None, text_fault(getattr(body, "reason", "")))])
    return Act(gateway, command.caller, body, participant_id, command.path.get(other, ""))


def _apply(session: Session, done: Act, now: datetime) -> Reply:
    said = done.body.model_dump()
    company = NewParticipant(**{**said, "aliases": tuple(said["aliases"])})
    key = participants.apply(
        session, company, actor=done.caller.hand, ids=done.gateway.ids, now=now
    )
    return Reply(201, orjson.dumps(shown_participant(session, key, now)))


def _ask(session: Session, done: Act, now: datetime) -> Reply:
    review = done.body.review_on
    asked = activation.ask(
        session,
        done.participant_id,
        by=done.actor,
        reason=done.body.reason,
        ids=done.gateway.ids,
        now=now,
        review_on=None if review is None else _day(review),
    )
    return Reply(202, orjson.dumps(views.asked(asked)))


def _moved(move: Callable[..., None]) -> Callable[[Session, Act, datetime], Reply]:
    def run(session: Session, done: Act, now: datetime) -> Reply:
        move(session, done.participant_id, done.body.reason, now, actor=done.caller.actor)
        return Reply(200, orjson.dumps(shown_participant(session, done.participant_id, now)))

    return run


def _offer(session: Session, done: Act, now: datetime) -> Reply:
    participants.participant(session, done.participant_id)
    key = papers.offer(
        session,
        done.participant_id,
        NewDocument(**done.body.model_dump()),
        by=done.caller.hand,
        salt=salt(),
        ids=done.gateway.ids,
        now=now,
    )
    papers.note_offer(session, done.participant_id, key, actor=done.caller.actor, now=now)
    return Reply(201, orjson.dumps(_document(done.participant_id, key, "offered")))


def _take_back(session: Session, done: Act, now: datetime) -> Reply:
    papers.withdraw(session, done.participant_id, done.other_id)
    moves.note(
        session, done.participant_id, "document_withdrawn", actor=done.caller.actor, now=now,
        reason=done.body.reason, detail={"document": done.other_id},
    )  # fmt: skip
    return Reply(200, orjson.dumps(_document(done.participant_id, done.other_id, "withdrawn")))


def _withdraw(session: Session, done: Act, now: datetime) -> Reply:
    found = changes.withdraw(
        session, done.participant_id, done.other_id, by=done.actor, reason=done.body.reason, now=now
    )
    return Reply(200, orjson.dumps(views.change(found)))


def _erase(session: Session, done: Act, now: datetime) -> Reply:
    listed_persons.require_unlisted(session, done.participant_id, done.other_id)
    people.erase(
        session, done.participant_id, done.other_id, actor=done.caller.actor,
        reason=done.body.reason, now=now,
    )  # fmt: skip
    said = {
        "object": "erasure",
        "participant_id": done.participant_id,
        "person_id": done.other_id,
    }
    return Reply(200, orjson.dumps(said))


def salt() -> str:
    """Return fresh random digits that make a person's digest say nothing once they are gone."""
    return secrets.token_hex(people.SALT_DIGITS // 2)


def _document(participant_id: str, document_id: str, state: str) -> dict[str, Any]:
    return {
        "object": "participant_document",
        "id": document_id,
        "participant_id": participant_id,
        "state": state,
    }


def _day(value: str) -> date:
    from settlement.errors import Invalid

    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Invalid(
            f"{value!r} is no date", field="review_on", repair="a date as YYYY-MM-DD"
        ) from None


_APPLY = one_by_one(_apply)
_ASK = one_by_one(_ask)
_SUSPEND = one_by_one(_moved(moves.suspend))
_CLOSE = one_by_one(_moved(moves.close))
_OFFER = one_by_one(_offer)
_TAKE_BACK = one_by_one(_take_back)
_WITHDRAW = one_by_one(_withdraw)
_ERASE = one_by_one(_erase)
