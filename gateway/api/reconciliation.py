"""The matching engine over HTTP: records, matches, runs and rule sets, and acting on them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import Query
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api import reconciliation_shapes as shapes
from gateway.api.answers import TheGateway, json_answer
from gateway.api.operation import Command
from gateway.api.paging import Limit
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.writer import Work, one_by_one
from settlement.errors import Conflict, Invalid, NotFound
from settlement.money import parse_minor
from settlement.reconciliation import engine
from settlement.reconciliation.engine import listing, rule_sets, rules
from settlement.store import reading

_NUMBER_MAX = 2**62
State = Literal["open", "matched", "withdrawn", "explained", "split"]
Origin = Literal["payment", "mint", "burn", "deposit", "withdrawal", "invoice", "expected", "bank"]
After = Annotated[int, Query(ge=0, le=_NUMBER_MAX, description="An id, from a page before.")]
Word = Annotated[str | None, Query(max_length=64)]


class Act(NamedTuple):
    """What somebody does in the engine: to the match or record `number`, with `body`."""

    actor: str
    body: Any
    number: int = 0


def list_records(
    gateway: TheGateway,
    limit: Limit = 100,
    starting_after: After = 0,
    state: Annotated[State | None, Query(description="What became of it.")] = None,
    source: Annotated[Origin | None, Query(description="What it was made of.")] = None,
    owner: Word = None,
) -> Response:
    """What is to be matched, and what was; oldest first."""
    with reading(gateway.engine) as session:
        found = listing.records(
            session, limit=limit + 1, after=starting_after, state=state, source=source, owner=owner
        )
    return _listed([shapes.record_shown(row) for row in found], limit)


def list_matches(
    gateway: TheGateway,
    limit: Limit = 100,
    starting_after: After = _NUMBER_MAX,
    live: Annotated[bool | None, Query(description="Only live, or only undone ones.")] = None,
    rule: Word = None,
    kind: Annotated[str | None, Query(pattern="^(auto|manual)$")] = None,
) -> Response:
    """Matches with their reasons, newest first."""
    with reading(gateway.engine) as session:
        found = listing.matches(
            session, limit=limit + 1, before=starting_after, live=live, rule_id=rule, kind=kind
        )
    return _listed([shapes.match_shown(row) for row in found], limit)


def list_runs(gateway: TheGateway, limit: Limit = 20) -> Response:
    """The newest runs of the engine, newest first."""
    with reading(gateway.engine) as session:
        found = listing.runs(session, limit=limit + 1)
    return _listed([shapes.run_shown(row) for row in found], limit)


def list_rules(gateway: TheGateway) -> Response:
    """Every version of the rules, newest first; before the first run there is none."""
    with reading(gateway.engine) as session:
        found = rule_sets.listed(session)
    return _listed([shapes.rule_set_shown(row) for row in found], len(found))


async def plan_run(gateway: Gateway, command: Command) -> Work:
    """Match what is new, now; the worker does it by itself when it is idle."""
    return Work(_RUN, Act(command.caller.actor, json_body.read(command.content, shapes.NoBody)))


async def plan_match(gateway: Gateway, command: Command) -> Work:
    """Match records by hand."""
    return Work(
        _MATCH, Act(command.caller.actor, json_body.read(command.content, shapes.MatchBody))
    )


async def plan_unmatch(gateway: Gateway, command: Command) -> Work:
    """Undo a match; its records are open again."""
    body = json_body.read(command.content, shapes.UnmatchBody)
    return Work(_UNMATCH, Act(command.caller.actor, body, _number(command, "match_id", "match")))


async def plan_split(gateway: Gateway, command: Command) -> Work:
    """Split an open record in parts that are matched one by one."""
    body = json_body.read(command.content, shapes.SplitBody)
    return Work(_SPLIT, Act(command.caller.actor, body, _number(command, "record_id", "record")))


async def plan_join(gateway: Gateway, command: Command) -> Work:
    """Take a split back, while none of its parts is matched."""
    body = json_body.read(command.content, shapes.NoBody)
    return Work(_JOIN, Act(command.caller.actor, body, _number(command, "record_id", "record")))


async def plan_dry_run(gateway: Gateway, command: Command) -> Work:
    """Say what a rule set would change, and change nothing."""
    return Work(_TRY, Act(command.caller.actor, _rules(command)))


async def plan_propose(gateway: Gateway, command: Command) -> Work:
    """Keep a rule set as a draft, with its dry run, for a second person to approve."""
    return Work(_PROPOSE, Act(command.caller.actor, _rules(command)))


async def plan_approve(gateway: Gateway, command: Command) -> Work:
    """Put a draft in force; not by the one who proposed it."""
    body = json_body.read(command.content, shapes.ApproveRulesBody)
    return Work(_APPROVE, Act(command.caller.actor, body))


def _listed(data: list[dict[str, Any]], limit: int) -> Response:
    return json_answer({"object": "list", "has_more": len(data) > limit, "data": data[:limit]})


def _number(command: Command, name: str, noun: str) -> int:
    said = command.path[name]
    if not (said.isascii() and said.isdigit() and len(said) <= 18):
        raise NotFound(noun, said[:40])
    return int(said)


def _rules(command: Command) -> rules.RuleSet:
    body = json_body.read(command.content, shapes.RulesBody)
    return rules.load(body.content.encode())


def _run(session: Session, act: Act, now: datetime) -> Reply:
    ran = engine.run_within(session, now)
    (row,) = [each for each in listing.runs(session, limit=1) if each.id == ran.id]
    return _answer(shapes.run_shown(row))


def _match(session: Session, act: Act, now: datetime) -> Reply:
    body: shapes.MatchBody = act.body
    match_id = engine.match_by_hand(
        session, body.records, actor=act.actor, reason=body.reason, now=now
    )
    return _answer(shapes.match_shown(listing.match(session, match_id)))


def _unmatch(session: Session, act: Act, now: datetime) -> Reply:
    engine.unmatch(session, act.number, actor=act.actor, reason=act.body.reason, now=now)
    return _answer(shapes.match_shown(listing.match(session, act.number)))


def _split(session: Session, act: Act, now: datetime) -> Reply:
    amounts = [_amount(said, f"/amounts/{i}") for i, said in enumerate(act.body.amounts)]
    made = engine.split(session, act.number, amounts, now=now)
    return _answer({"object": "parts", "records": made})


def _join(session: Session, act: Act, now: datetime) -> Reply:
    engine.join(session, act.number)
    return _answer({"object": "parts", "records": []})


def _try(session: Session, act: Act, now: datetime) -> Reply:
    return _answer(shapes.dry_run_shown(engine.dry_run(session, act.body)))


def _propose(session: Session, act: Act, now: datetime) -> Reply:
    stored = engine.draft(session, act.body, actor=act.actor, now=now)
    return _answer(shapes.rule_set_shown(stored))


def _approve(session: Session, act: Act, now: datetime) -> Reply:
    body: shapes.ApproveRulesBody = act.body
    if rule_sets.get(session, body.version).sha256 != body.sha256:
        raise Conflict(
            f"rule set {body.version} has another hash",
            field="sha256",
            repair="read the rule set again, then approve the hash that was read",
        )
    stored = engine.approve(session, body.version, actor=act.actor, now=now)
    return _answer(shapes.rule_set_shown(stored))


def _amount(said: str, field: str) -> int:
    minor = parse_minor(said.removeprefix("-"), shapes.DECIMALS, field=field)
    if minor > _NUMBER_MAX:
        raise Invalid(f"{said[:40]} is too large", field=field, repair="send a smaller amount")
    return -minor if said.startswith("-") else minor


def _answer(body: dict[str, Any]) -> Reply:
    return Reply(200, orjson.dumps(body))


_RUN = one_by_one(_run)
_MATCH = one_by_one(_match)
_UNMATCH = one_by_one(_unmatch)
_SPLIT = one_by_one(_split)
_JOIN = one_by_one(_join)
_TRY = one_by_one(_try)
_PROPOSE = one_by_one(_propose)
_APPROVE = one_by_one(_approve)
