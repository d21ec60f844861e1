"""The driver: performs a schedule's actions one by one, then lets everything come to its end.

A step is one action that did something: one stage of a worker's tick (taking the lanes, following,
clearing, sending, reconciling) in a worker that ran, one request to the gateway, one event on the
chain or by a person or the clock, one fault. What is only ordered for later is no step; it becomes
a fault when it happens.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.exc import OperationalError

from settlement.errors import Fatal, LeaseLost, Retryable
from tests.simulation.door import Door, Request, instructing, moving
from tests.simulation.life import Life
from tests.simulation.outside import Outside
from tests.simulation.schedule import Action
from tests.simulation.template import OPERATORS
from tests.simulation.watching import Watch, strayed
from tests.simulation.world import Place, World

STANDBY_MILLISECONDS = 800
"""A worker with nothing to do looks again after a while, and time passes with every look."""
STAGES = ("follow", "clear", "send", "reconcile")
_GWEI = 10**9


class Driver:
    """Performs actions on a world, and writes the event log."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.door = Door(world)
        self.outside = Outside(world)
        self._watch = Watch(world)
        self.steps = 0
        self.violations: list[str] = []
        self._requests = 0
        self._was_left: set[int] = set()
        """Workers that were left in the midst of a stage: another may be ahead of them."""

    def perform(self, action: Action) -> None:
        """Do one action; what it did goes into the log."""
        kind, *words = action
        act: Callable[..., str | None] | None = getattr(self, f"_{kind}", None)
        said = act(*words) if act else getattr(self.outside, kind)(*words)
        self.world.log.append(f"{self.steps} {' '.join(map(str, action))}: {said or 'nothing'}")
        if said is not None:
            self.steps += 1

    # Workers

    def _step(self, number: int) -> str:
        place = self.world.places[number]
        before, was_left = self._watch.moment(), number in self._was_left
        life = self.world.step(place)
        self.world.later(40)
        if life.worker is not None:
            owner = life.worker.owner
            self.violations += strayed(owner, before, self._watch.moment(), was_left)
        return self._judged(place, life)

    def _judged(self, place: Place, life: Life) -> str:
        """Say where a worker has stopped; note what must not be."""
        if life.crashed_at is not None:
            self.world.injected("crash.worker")
            self.world.crashed[life.crashed_at] += 1
        if not life.alive:
            return life.at
        error = life.error
        self._judge_claim(place, life)
        self.violations += self._watch.miscounted()
        if error is None:
            done = life.progress
            if life.at != "idle" and life.at not in STAGES:
                self.world.injected("pause")
                return f"stopped at {life.at}"
            if life.at != "idle":
                return f"before {life.at}"
            if done.standby:
                self.world.later(STANDBY_MILLISECONDS)
            troubles = f" {done.troubles}" if done.troubles else ""
            return f"{life.at} {done.moved()}{troubles}"
        if isinstance(error, Fatal):
            # As in the shipped loop: this process ends, and nobody starts it again by itself.
            self.world.kill(place)
            if not self.world.may_halt(str(error)):
                self.violations.append(f"halted without a cause: {error}")
            return f"halted: {error}"
        if isinstance(error, LeaseLost):
            self.world.injected("zombie.fenced")
        if not isinstance(error, Retryable | OperationalError):
            self.violations.append(f"a bug in the worker: {type(error).__name__}: {error}")
        return f"tick failed: {type(error).__name__}: {error}"

    def _judge_claim(self, place: Place, life: Life) -> None:
        """Only who holds a lane claims on it: what the fencing number is for."""
        number = self.world.places.index(place)
        if life.at != "idle" and life.at not in STAGES:  # Inside a stage: others may come next.
            self._was_left.add(number)
        elif life.at == "idle":
            self._was_left.discard(number)
        if life.at != "reconcile" or not life.progress.claimed or number in self._was_left:
            return
        (newest,) = self.world.rows(
            "SELECT l.signer, l.lease_owner FROM chain_tx c JOIN lane l ON l.signer = c.signer"
            " ORDER BY c.id DESC LIMIT 1"
        )
        owner = life.worker.owner if life.worker else ""
        if newest.lease_owner != owner:
            self.violations.append(
                f"I8: {owner} claimed on lane {newest.signer}, which {newest.lease_owner} holds"
            )

    def _crash(self, number: int, point: str, nth: int) -> None:
        self.world.places[number].orders.crashes[point] = nth

    def _pause(self, number: int, point: str, nth: int) -> None:
        self.world.places[number].orders.pauses[point] = nth

    def _kill(self, number: int) -> str | None:
        place = self.world.places[number]
        if place.life is None:
            return None
        at = place.life.at
        self.world.kill(place)
        self.world.injected("kill")
        return f"killed at {at}"

    def _stop(self, number: int) -> str | None:
        place = self.world.places[number]
        if place.life is None or place.life.at != "idle":
            return None
        return self._judged(place, self.world.stop(place))

    def _rpc(self, number: int, method: str, fault: str, amount: int) -> None:
        self.world.places[number].node.plan(method, fault, amount)

    def _signer(self, number: int, fault: str) -> None:
        self.world.places[number].signer_faults.append(fault)

    def _disk(self, who: int, point: str, nth: int) -> None:
        """Order that a commit of a worker, or of the gateway, fails or is not answered."""
        gateway = who == len(self.world.places)
        orders = self.door.orders if gateway else self.world.places[who].orders
        orders.errors[point] = nth

    # Clients and people

    def _instruct(self, first: int, count: int, part: int) -> str:
        deals = self.world.template.deals
        chosen = [deals[(first + place) % len(deals)] for place in range(count)]
        wanted: list[tuple[str, str | None]]
        if part:  # A third, or half of it: the rest may be instructed later.
            amounts: list[str | None] = [
                _decimal(each.payable_minor // (4 - part)) for each in chosen
            ]
        else:
            amounts = [None for _ in chosen]
        wanted = [(each.invoice_id, amount) for each, amount in zip(chosen, amounts, strict=True)]
        return self._ask(instructing(self._key(), wanted))

    def _move(self, move: str, nth: int) -> str | None:
        found = self.world.rows("SELECT id FROM settlement ORDER BY id")
        if not found:
            return None
        return self._ask(moving(self._key(), move, found[nth % len(found)].id))

    def _ask(self, request: Request) -> str:
        """Ask, and once more where the gateway died: a client gives up, but not at once."""
        said = self.door.ask(request)
        if said.startswith("no answer"):
            said += f"; asked again: {self.door.ask(request)}"
        return said

    def _key(self) -> str:
        self._requests += 1
        return f"key-{self._requests}"

    def _again(self, nth: int) -> str | None:
        if not self.door.heard:
            return None
        self.world.injected("api.duplicate")
        wrong = self.door.again(self.door.heard[nth % len(self.door.heard)])
        if wrong:
            self.violations.append(f"I6: {wrong}")
        return "the same answer"

    def _conflict(self, nth: int) -> str | None:
        if not self.door.heard:
            return None
        self.world.injected("api.conflict")
        wrong = self.door.conflict(self.door.heard[nth % len(self.door.heard)])
        if wrong:
            self.violations.append(f"I6: {wrong}")
        return "refused"

    def _crash_gateway(self, point: str) -> None:
        self.door.orders.crashes[point] = 1

    def _lane(self, lane: int) -> str:
        """Let an operator pause a lane, or let it go on."""
        signer = OPERATORS[lane].address
        self.world.write(
            "UPDATE lane SET state = CASE state WHEN 'active' THEN 'paused' ELSE 'active' END"
            " WHERE signer = :signer AND state IN ('active', 'paused')",
            signer=signer,
        )
        return "turned"

    # The end

    def recover(self) -> None:
        """Let faults cease: nodes answer, fees fall, what people forbade is allowed again."""
        world, hands = self.world, self.outside.hands
        for place in world.places:
            place.orders.clear()
            place.node.recover()
            place.signer_faults.clear()
        self.door.orders.clear()
        for request in list(self.door.unanswered):
            self.door.ask(request)
        world.chain.drop_all()
        world.chain.set_next_base_fee(_GWEI)
        for company in range(4):
            hands.allow(company, 5_000_000 * 10**6, 45_000_000 * 10**6)
            hands.freeze(company, False)
            hands.list_company(company, True)
            self.outside.unblock_party(company)
        hands.pause(False)
        for lane in range(len(OPERATORS)):
            hands.fuel(lane)
        self.outside.mine(1, 1000)
        world.later(timedelta(seconds=6) // timedelta(milliseconds=1))  # Old leases run out.
        for row in world.rows("SELECT signer, state, reason FROM lane ORDER BY signer"):
            world.log.append(f"lane {row.signer[:8]}: {row.state} {row.reason or ''}")
            if row.state == "halted" and not world.may_halt(row.reason or ""):
                self.violations.append(f"halted without a cause: lane {row.signer}: {row.reason}")
        world.write("UPDATE lane SET state = 'active', reason = NULL")


def _decimal(minor: int) -> str:
    """Return an amount of cents as the API takes it; at least one."""
    minor = max(minor, 1)
    return f"{minor // 100}.{minor % 100:02d}"
