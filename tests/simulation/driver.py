"""The driver: performs a schedule's actions one by one, then lets everything come to its end.

A step is one action that did something: one stage of a worker's tick (taking the lanes, following,
clearing, sending, reconciling) in a worker that ran, one request to the gateway, one event on the
chain or by a person or the clock, one fault. What is only ordered for later is no step; it becomes
a fault when it happens.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.exc import OperationalError

from settlement.chain.signing import read_eip1559
from settlement.errors import Fatal, LeaseLost, Retryable
from tests.simulation.door import Door, Request, instructing, moving
from tests.simulation.hands import Hands
from tests.simulation.life import Life
from tests.simulation.schedule import Action
from tests.simulation.template import OPERATORS
from tests.simulation.world import Place, World

REORG_MAX = 11
"""Blocks that may be replaced: the twelfth is final."""
STANDBY_MILLISECONDS = 800
"""A worker with nothing to do looks again after a while, and time passes with every look."""
STAGES = ("follow", "clear", "send", "reconcile")
_GWEI = 10**9


class Driver:
    """Performs actions on a world, and writes the event log."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.door = Door(world)
        self.hands = Hands(world.template, world.chain)
        self.steps = 0
        self.violations: list[str] = []
        self.causes: set[str] = set()
        """Why a lane may stand still: what the schedule did that only a person can undo."""
        self._requests = 0

    def perform(self, action: Action) -> None:
        """Do one action; what it did goes into the log."""
        kind, *words = action
        act: Callable[..., str | None] = getattr(self, f"_{kind}")
        said = act(*words)
        self.world.log.append(f"{self.steps} {' '.join(map(str, action))}: {said or 'nothing'}")
        if said is not None:
            self.steps += 1

    # Workers

    def _step(self, number: int) -> str:
        place = self.world.places[number]
        life = self.world.step(place)
        self.world.later(40)
        return self._judged(place, life)

    def _judged(self, place: Place, life: Life) -> str:
        """Say where a worker has stopped; note what must not be."""
        if life.crashed_at is not None:
            self.world.injected("crash.worker")
            self.world.crashed[life.crashed_at] += 1
        if not life.alive:
            return life.at
        error = life.error
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
            if not self.causes:
                self.violations.append(f"halted without a cause: {error}")
            return f"halted: {error}"
        if isinstance(error, LeaseLost):
            self.world.injected("zombie.fenced")
        if not isinstance(error, Retryable | OperationalError):
            self.violations.append(f"a bug in the worker: {type(error).__name__}: {error}")
        return f"tick failed: {type(error).__name__}: {error}"

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
        if fault in ("foreign", "invalid chain id for signer"):
            self.causes.add(fault)
        self.world.places[number].node.plan(method, fault, amount)

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

    # The clock

    def _wait(self, milliseconds: int) -> str:
        self.world.later(milliseconds)
        return "waited"

    def _jump(self, milliseconds: int) -> str:
        """Let the chain's clock jump together with everybody's."""
        self.world.later(milliseconds)
        self.world.chain.increase_time(milliseconds // 1000)
        self.world.injected("clock.jump")
        return "jumped"

    # The chain

    def _mine(self, count: int, milliseconds: int) -> str:
        world = self.world
        for _ in range(count):
            world.later(milliseconds)
            at = int(world.now.timestamp())
            if not world.chain._ahead_seconds:
                world.chain.set_next_timestamp(max(at, world.chain.head().timestamp))
            world.chain.mine()
        head = world.chain.head()
        return f"block {head.number} {head.hash[:10]} with {head.tx_count}"

    def _reorg(self, depth: int, how: str, draw: int) -> str | None:
        chain, chance = self.world.chain, random.Random(draw)
        base = self.world.template.chain.head().number
        depth = min(depth, REORG_MAX, chain.head().number - base)
        if depth < 1:
            return None
        head = chain.head().number
        blocks = chain.headers(head - depth + 1, head)
        mined = [
            (receipt.tx_hash, place)
            for place, receipts in enumerate(chain.receipts(blocks))
            for receipt in receipts
        ]
        raws = chain.raw_transactions([tx_hash for tx_hash, _ in mined])
        again = [(raw, place) for raw, (_, place) in zip(raws, mined, strict=True) if raw]
        chain.reorg(depth, self._reincluded(again, depth, how, chance))
        self.world.injected(f"reorg.{how}")
        kept = sum(block.tx_count for block in chain.headers(head - depth + 1, head))
        return f"{depth} blocks, {len(again)} chain transactions out, {kept} in"

    def _reincluded(
        self, mined: list[tuple[bytes, int]], depth: int, how: str, chance: random.Random
    ) -> list[tuple[bytes, int]]:
        """Choose what stands in the new blocks. What cannot be included is left out in silence."""
        if how == "nothing":
            return []
        if how == "same":
            return mined
        if how == "shifted":
            shift = chance.randrange(1, depth + 1)
            return [(raw, min(place + shift, depth - 1)) for raw, place in mined]
        # Another attempt at the same nonces: a higher or lower bid, or a cancel of the batch.
        chosen: dict[tuple[str, int], bytes] = {}
        stored = self.world.rows("SELECT raw FROM attempt WHERE send_count > 0 ORDER BY hash")
        for row in stored:
            signed = read_eip1559(bytes(row.raw))
            slot = (signed.sender, signed.nonce)
            if slot not in chosen or (how == "cancels") == (not signed.data):
                chosen[slot] = signed.raw
        for raw, _ in mined:
            signed = read_eip1559(raw)
            chosen.setdefault((signed.sender, signed.nonce), raw)
        places = sorted(chance.randrange(depth) for _ in chosen)
        in_order = [raw for _, raw in sorted(chosen.items())]
        return list(zip(in_order, places, strict=True))

    def _drop(self, nth: int) -> str | None:
        chain = self.world.chain
        pooled = sorted(chain._pool.all(), key=lambda each: (each.sender, each.nonce))
        if not pooled:
            return None
        if nth == 0:
            chain.drop_all()
            self.world.injected("drop.all")
        else:
            chain.drop(pooled[nth % len(pooled)].hash)
            self.world.injected("drop.one")
        return f"{len(pooled) - chain.pooled_count()} of {len(pooled)} dropped"

    def _base_fee(self, gwei: int) -> str:
        self.world.chain.set_next_base_fee(max(gwei * _GWEI, 7))
        self.world.injected("fee.spike" if gwei >= 40 else "fee.change")
        return f"{gwei} gwei"

    # Debtors, the rail's owner, the tokens' admin, the gas station

    def _allow(self, company: int, cap: int, cap_per_day: int) -> str:
        self.hands.allow(company, cap * 10**6, cap_per_day * 10**6)
        self.world.injected("mandate.change")
        return "sent"

    def _revoke(self, company: int) -> str:
        self.hands.revoke(company)
        self.world.injected("mandate.revoked")
        return "sent"

    def _freeze(self, company: int, is_frozen: int) -> str:
        self.hands.freeze(company, bool(is_frozen))
        self.world.injected("token.freeze" if is_frozen else "token.unfreeze")
        return "sent"

    def _list(self, company: int, is_listed: int) -> str:
        self.hands.list_company(company, bool(is_listed))
        self.world.injected("rail.list" if is_listed else "rail.unlist")
        return "sent"

    def _pause_rail(self, is_paused: int) -> str:
        self.hands.pause(bool(is_paused))
        self.world.injected("rail.pause" if is_paused else "rail.unpause")
        return "sent"

    def _transfer(self, payer: int, payee: int, units: int) -> str:
        self.hands.transfer(payer, payee, units * 10**6)
        self.world.injected("token.stray_transfer")
        return "sent"

    def _fuel(self, lane: int) -> str:
        self.hands.fuel(lane)
        return "sent"

    # The end

    def recover(self) -> None:
        """Let faults cease: nodes answer, fees fall, what people forbade is allowed again."""
        world = self.world
        for place in world.places:
            place.orders.clear()
            place.node.recover()
        self.door.orders.clear()
        for request in list(self.door.unanswered):
            self.door.ask(request)
        world.chain.drop_all()
        world.chain.set_next_base_fee(_GWEI)
        for company in range(4):
            self.hands.allow(company, 5_000_000 * 10**6, 45_000_000 * 10**6)
            self.hands.freeze(company, False)
            self.hands.list_company(company, True)
        self.hands.pause(False)
        for lane in range(len(OPERATORS)):
            self.hands.fuel(lane)
        self._mine(1, 1000)
        world.later(timedelta(seconds=6) // timedelta(milliseconds=1))  # Old leases run out.
        for row in world.rows("SELECT signer, state, reason FROM lane ORDER BY signer"):
            world.log.append(f"lane {row.signer[:8]}: {row.state} {row.reason or ''}")
            if row.state == "halted" and not self.causes:
                self.violations.append(f"lane {row.signer} halted without a cause: {row.reason}")
        world.write("UPDATE lane SET state = 'active', reason = NULL")


def _decimal(minor: int) -> str:
    """Return an amount of cents as the API takes it; at least one."""
    minor = max(minor, 1)
    return f"{minor // 100}.{minor % 100:02d}"
