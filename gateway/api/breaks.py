"""Breaks over HTTP: the queue, one break, its age; and every act on one, or on many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import Query
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api import break_bodies as bodies
from gateway.api import break_shapes as shapes
from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.operation import Command
from gateway.api.paging import Limit
from gateway.api.units import token_decimals
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.clock import Ids, to_micros
from settlement.reconciliation import BreakKind, listing, workbench
from settlement.reconciliation.kinds import Severity
from settlement.reconciliation.workbench import Deed, Means, Person
from settlement.settlements import control, instruct
from settlement.settlements.instruct import Instruction
from settlement.store import reading


@dataclass(frozen=True, slots=True)
class Act:
    """An act that a caller wants done, with its body as read."""

    caller: Caller
    break_id: str
    body: Any
    ids: Ids


class TheRail:
    """Settlements, as the workbench asks for them."""

    def instruct(
        self, session: Session, invoice_id: str, *, actor: str, ids: Ids, now: datetime
    ) -> str:
        """Instruct all that is open of an invoice."""
        wanted = [Instruction(invoice_id)]
        (made,) = instruct.instruct(session, wanted, actor=actor, ids=ids, now=now)
        return made

    def cancel(
        self, session: Session, settlement_id: str, *, reason: str, actor: str, now: datetime
    ) -> None:
        """End a settlement that was not claimed."""
        control.cancel(session, [settlement_id], reason=reason, actor=actor, now=now)


def list_breaks(
    gateway: TheGateway,
    limit: Limit = 20,
    starting_after: Annotated[str | None, Query(max_length=64)] = None,
    is_open: Annotated[bool | None, Query(description="Left out: both.")] = None,
    kind: BreakKind | None = None,
    severity: Severity | None = None,
    owner: Annotated[str | None, Query(max_length=100, description="Empty: nobody's.")] = None,
    party: Annotated[str | None, Query(max_length=64)] = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    age_days: Annotated[
        int | None, Query(ge=0, le=36_500, description="Open for so many days, or more.")
    ] = None,
    due_before: Annotated[datetime | None, Query(description="Open, and due before.")] = None,
) -> Response:
    """Newest first: what does not agree, and what did not and has healed or was closed."""
    now = gateway.clock()
    wanted = listing.BreakFilter(
        is_open=is_open,
        kind=kind.value if kind else None,
        severity=severity.value if severity else None,
        owner=owner,
        party=party,
        subject=subject,
        opened_before=None if age_days is None else to_micros(now - timedelta(days=age_days)),
        due_before=None if due_before is None else to_micros(_aware(due_before)),
    )
    with reading(gateway.engine) as session:
        tokens = token_decimals(session)
        rows = listing.page(session, wanted, limit=limit + 1, before_id=starting_after)
    data = [shapes.shown(row, tokens, to_micros(now)) for row in rows[:limit]]
    return json_answer({"object": "list", "has_more": len(rows) > limit, "data": data})


def get_aging(gateway: TheGateway) -> Response:
    """Open breaks by kind, unit and age: under 30 days, from 30, from 60, from 90."""
    now = gateway.clock()
    with reading(gateway.engine) as session:
        tokens = token_decimals(session)
        rows = listing.aging(session, now)
    answer = {
        "object": "break_aging",
        "as_of": now.isoformat().replace("+00:00", "Z"),
        "count": sum(row.count for row in rows),
        "data": [shapes.shown_age(row, tokens) for row in rows],
    }
    return json_answer(answer)


def get_break(break_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """One break: what differs, its history, what was done about it, and where it leads."""
    with reading(gateway.engine) as session:
        return json_answer(_whole(session, break_id, gateway.clock()))


def plan(model: type[Body], do: Callable[[Session, Deed, Any, Means], object], about: str) -> Any:
    """Return the plan of one act: read the body, do it in the writer, answer with the break."""

    def run(session: Session, act: Act, now: datetime) -> Reply:
        deed = Deed(
            act.break_id,
            _person(act.caller),
            act.body.reason,
            now,
            getattr(act.body, "version", None),
        )
        do(session, deed, act.body, Means(act.ids, TheRail()))
        return Reply(200, orjson.dumps(_whole(session, act.break_id, now)))

    together = one_by_one(run)

    async def planned(gateway: Gateway, command: Command) -> Work:
        body = json_body.read(command.content, model)
        return Work(together, Act(command.caller, command.path["break_id"], body, gateway.ids))

    planned.__doc__ = about
    planned.__name__ = f"plan_{model.__name__.lower()}"
    return planned


async def plan_bulk(gateway: Gateway, command: Command) -> Work:
    """Do a sheet's rows, each applied or refused on its own with its line and reason."""
    body = json_body.read(command.content, bodies.BulkBody)
    return Work(_BULK, Act(command.caller, "", body, gateway.ids))


def _bulk(session: Session, act: Act, now: datetime) -> Reply:
    rows = [workbench.SheetRow(**row.model_dump()) for row in act.body.rows]
    means = Means(act.ids, TheRail())
    found = workbench.apply_rows(
        session, rows, _person(act.caller), means, now, is_dry_run=act.body.dry_run
    )
    counts = {name: sum(each.outcome == name for each in found) for name in _OUTCOMES}
    answer = {
        "object": "break_bulk",
        "is_dry_run": act.body.dry_run,
        **counts,
        "data": [each._asdict() for each in found],
    }
    return Reply(200, orjson.dumps(answer))


_OUTCOMES = ("applied", "already", "refused")
_BULK = one_by_one(_bulk)


def _whole(session: Session, break_id: str, now: datetime) -> dict[str, Any]:
    found = workbench.opened(session, break_id)
    return shapes.shown_whole(found, token_decimals(session), to_micros(now))


def _person(caller: Caller) -> Person:
    return Person(caller.actor, caller.role.value)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
