"""A gateway's writing side in one thread: a command is planned, done and kept as over HTTP.

Below the routes: no event loop and no socket, but the plans, the writer and its idempotency keys
are those of the API. A client remembers what it was told, and asks again where it heard nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import orjson
from sqlalchemy.exc import OperationalError

from gateway.api import settlements
from gateway.api.operation import Command
from gateway.auth import Caller, Role
from gateway.idempotency import Reply, RequestKey
from gateway.problems import Asked
from gateway.trail import Origins
from gateway.writer import Order, Writer
from settlement.audit import Act
from settlement.errors import IdempotencyConflict, RailError
from tests.simulation.life import Crash, Orders
from tests.simulation.world import World

TREASURY = Caller("stk_simulated", Role.TREASURY, None)
_PLANS = {command.path.rpartition("/")[2]: command for command in settlements.COMMANDS}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends; it may send it again."""

    command: str
    """`settlements`, or the last word of a settlement's path."""
    settlement_id: str
    body: bytes
    key: str


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer that a client holds."""

    request: Request
    status: int
    body: bytes


class Door:
    """A gateway that may die and is then started anew."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.orders = Orders()
        self.heard: list[Heard] = []
        self.unanswered: list[Request] = []
        self.bugs: list[str] = []
        """What no refusal explains."""
        self.is_open = False
        """Whether a request is being worked on."""

    def ask(self, request: Request) -> str:
        """Send a request, again until it is answered; return what the client heard."""
        if request not in self.unanswered:
            self.unanswered.append(request)
        try:
            answer = self._answer(request)
        except Crash as crash:
            self._world.injected("crash.gateway")
            self._world.crashed[str(crash)] += 1
            self._world.files.gateway.dispose()
            return f"no answer: crashed at {crash}"
        if isinstance(answer, OperationalError):
            return f"no answer: {type(answer).__name__}"
        self.unanswered.remove(request)
        if isinstance(answer, Reply):
            self.heard.append(Heard(request, answer.status, answer.body))
            digest = hashlib.sha256(answer.body).hexdigest()[:12]
            return f"{answer.status} {digest}{' again' if answer.is_replay else ''}"
        if not isinstance(answer, RailError):
            self.bugs.append(f"a bug in the gateway: {type(answer).__name__}: {answer}")
        return f"{type(answer).__name__}: {answer}"

    def again(self, heard: Heard) -> str | None:
        """Send an answered request once more; return what is wrong with the answer."""
        answer = self._answer(heard.request)
        if not isinstance(answer, Reply):
            return f"{heard.request} was answered {heard.status}, and now {answer!r}"
        if (answer.status, answer.body) != (heard.status, heard.body) or not answer.is_replay:
            return f"{heard.request} was answered {heard.status} {heard.body!r}, now {answer}"
        return None

    def conflict(self, heard: Heard) -> str | None:
        """Send another body under an answered key; return what is wrong with the answer."""
        request = heard.request
        other = Request(request.command, request.settlement_id, request.body + b" ", request.key)
        answer = self._answer(other)
        if isinstance(answer, IdempotencyConflict):
            return None
        return f"{other} under the key of another body was answered {answer!r}"

    def passes(self, name: str) -> None:
        """Hear that the gateway passes a failpoint.

        Raises:
            Crash, DiskError: as it was ordered.
        """
        self.orders.reach(name, self._world.injected)

    def _answer(self, request: Request) -> Any:
        world = self._world
        command = _PLANS[request.command]
        path = command.path.replace("{settlement_id}", request.settlement_id)
        asked = Asked(path, "req_simulated")
        sent = Command(
            caller=TREASURY,
            path={"settlement_id": request.settlement_id},
            content=request.body,
            media_type="application/json",
            asked=asked,
        )
        gateway: Any = SimpleNamespace(ids=world.ids)
        planning = command.plan(gateway, sent)
        try:
            planning.send(None)  # type: ignore[attr-defined]
        except StopIteration as done:
            work = done.value
        else:
            raise AssertionError("a plan of these commands waits for nothing")
        key = RequestKey(TREASURY.prefix, f"{command.method} {path}", request.key)
        body_hash = hashlib.sha256(request.body).hexdigest()
        nobody: Any = None
        act = Act(TREASURY.hand, TREASURY.role.value, command.name)
        order = Order(work, key, body_hash, asked, nobody, act)
        writer = Writer(world.files.gateway, clock=lambda: world.now, origins=Origins(None))
        self.is_open = True
        try:
            (answer,) = writer._group([order])
        finally:
            self.is_open = False
        return answer


def instructing(key: str, wanted: list[tuple[str, str | None]]) -> Request:
    """Return a request to pay invoices: (id, amount or None for all that is open)."""
    listed = [
        {"invoice_id": invoice_id} | ({"amount": amount} if amount else {})
        for invoice_id, amount in wanted
    ]
    return Request("settlements", "", orjson.dumps({"settlements": listed}), key)


def moving(key: str, move: str, settlement_id: str) -> Request:
    """Return a request to hold, cancel, release or retry a settlement."""
    body = {"reason": "as the schedule says"} if move in ("hold", "cancel") else {}
    return Request(move, settlement_id, orjson.dumps(body), key)
