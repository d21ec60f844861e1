"""One schedule of real kills: which failpoints, in what weather, and the verdict once all is calm.

The seed decides the plan; processes then run as they do. The verdict is the checker's, and the
wallets': each creditor holds exactly what was instructed.
"""

from __future__ import annotations

import contextlib
import io
import json
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from gateway.processes import HALTED
from settlement.verify.__main__ import main as verify
from tests.simulation.failpoints import FAILPOINTS
from tests.simulation.real_intake import Intake, NoAnswer
from tests.simulation.real_lives import Lives
from tests.simulation.real_patience import Patience
from tests.simulation.real_rail import RealRail
from tests.simulation.real_recovery import Recovery
from tests.simulation.real_weather import Weather
from tests.simulation.real_zygote import Life, Zygote

KILL_SECONDS = 6.0
"""So long a failpoint is waited for; then the process is killed wherever it is."""
LEASE_SECONDS = 6.0
"""So much longer where a lease has to lapse first."""
RECOVERY_SECONDS = 12.0
"""So long a restarted worker is watched for what it has to reach; more than any bar."""
CALM_SECONDS = 60.0
CALM_BLOCKS = 60
ANYWHERE = "anywhere"
_GATEWAY = ("api.", "instruct.")
_SIGNER = ("tx.mid_slot", "tx.after_slot")
_OFTEN = ("commit.", "follow.", "node.", "lease.", "tx.", "tie.", "match.")
_LIVE = "SELECT COUNT(*) FROM settlement WHERE state NOT IN ('SETTLED', 'REJECTED', 'CANCELLED')"
_UNPAID = "SELECT id, state, reason FROM settlement WHERE state <> 'SETTLED'"
_UNMATCHED = (
    "SELECT COUNT(*) FROM settlement s WHERE NOT EXISTS"
    " (SELECT 1 FROM settlement_match m WHERE m.settlement_id = s.id AND m.live)"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the seed decided."""

    number: int
    seed: int
    failpoints: tuple[str, ...]
    ends_by_exec: bool
    weather: tuple[str, ...]
    """One for each kill: `calm`, `reorgs`, `rpc`, `zombie`, `database`, `disk`."""


@dataclass
class Outcome:
    """What one schedule showed."""

    plan: Plan
    kills: Counter[str] = field(default_factory=Counter)
    unreached: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    restarts_by_exec: int = 0
    settlements: int = 0
    violations: list[str] = field(default_factory=list)
    unfinished: int = 0
    recovery_seconds: list[float] = field(default_factory=list)
    first_send_seconds: list[float] = field(default_factory=list)
    rss_mb: float = 0.0
    """The most memory that the last worker has held."""
    unmeasured: int = 0
    """Restarts during which the machine stood still, or was starved of its processors."""
    blocks_to_rest: int = 0
    seconds: float = 0.0


def planned(number: int, *, seed: int, kills: int, weathers: Sequence[str]) -> Plan:
    """Return the plan of the schedule of this number; one after the other takes each failpoint."""
    names = sorted(FAILPOINTS)
    first = number * kills
    taken: list[str] = []
    while len(taken) < kills:
        turn, place = divmod(first + len(taken), len(names))
        order = Random(f"{seed}:{turn}").sample(names, len(names))
        taken.append(order[place])
    draw = Random(f"{seed}:{number}:plan")
    weather = tuple(draw.choice(weathers) for _ in taken)
    return Plan(number, seed, tuple(taken), draw.random() < 0.3, weather)


class Schedule:
    """One schedule on a rail at rest, which it leaves at rest."""

    def __init__(
        self, rail: RealRail, zygote: Zygote, plan: Plan, *, asks_checker: bool = True
    ) -> None:
        self.rail, self.plan, self._asks_checker = rail, plan, asks_checker
        self.draw = Random(f"{plan.seed}:{plan.number}")
        self.lives = Lives(rail, zygote)
        self.intake = Intake(self.lives, self.draw, f"{plan.seed}-{plan.number}")
        self.weather = Weather(rail, self.lives, self.draw)
        self.outcome = Outcome(plan)

    def run(self) -> Outcome:
        """Kill, restart, let it come to rest, judge."""
        began = time.monotonic()
        before = self.balances()
        try:
            self.lives.start("signer")
            self.lives.start("gateway")
            self.intake.pay(2)
            for failpoint, weather in zip(self.plan.failpoints, self.plan.weather, strict=True):
                self._kill_at(failpoint, weather)
            self.come_to_rest()
            self.judge(before)
        except NoAnswer as error:
            self.outcome.violations.append(f"I6: {error}")
        finally:
            self.weather.clear()
            self.lives.end_all()
            self.intake.close()
        outcome = self.outcome
        outcome.violations += self.lives.bad_ends
        outcome.restarts_by_exec = self.lives.restarts_by_exec
        outcome.settlements = self.intake.instructed
        outcome.faults = self.weather.struck
        outcome.seconds = time.monotonic() - began
        return outcome

    def _kill_at(self, failpoint: str, weather: str) -> None:
        """Bring work in, start the one that is to die, and lead it to where it dies."""
        role = _role(failpoint)
        self.intake.pay(1 + self.draw.randrange(2))
        if self.draw.random() < 0.5:
            self.rail.controls.mine(self.draw.randint(1, 2))
            # Then another price: what is signed anew instead of sent again is other bytes.
            self.rail.controls.set_next_base_fee(self.draw.randint(1, 10) * 10**9)
            self.rail.controls.mine()
        passes = self.draw.choice((1, 1, 2, 4)) if failpoint.startswith(_OFTEN) else 1
        passes = self.draw.randint(1, 40) if failpoint.startswith("commit.") else passes
        self.weather.begin(weather)
        if role != "worker" and not self.lives.is_alive("worker"):
            self.lives.start("worker")
        recovery = Recovery(self.rail) if role == "worker" and weather == "calm" else None
        doomed = self.lives.start(role, failpoint=failpoint, passes=passes)
        if role == "gateway":
            self.intake.pay(1)
        self._lead(doomed, failpoint, recovery)
        if recovery is not None and doomed.code is None and not recovery.is_over:
            recovery.give_up()
        if doomed.code is not None:
            self.lives.judge_end(doomed)
        self.weather.clear()
        if doomed.code is None:
            self.outcome.unreached[failpoint] += 1
            self.lives.end(doomed)
            failpoint = ANYWHERE
        elif signal.SIGKILL in doomed.asked:
            failpoint = ANYWHERE
        if doomed.code == -signal.SIGKILL:
            self.outcome.kills[failpoint] += 1
        if recovery is not None:
            self._note(recovery)
        if role != "worker":
            self.lives.start(role)

    def _lead(self, doomed: Life, failpoint: str, recovery: Recovery | None) -> None:
        """Let the chain go on in the way that leads to the failpoint."""
        recovering = Patience(RECOVERY_SECONDS)
        while recovery is not None and doomed.code is None and recovering.lasts():
            self.lives.look(0.01)
            recovery.look()
            if recovery.is_over:
                break
        is_late = self.weather.kind == "zombie"
        patience = Patience(KILL_SECONDS + (LEASE_SECONDS if is_late else 0))
        while doomed.code is None and patience.lasts():
            self.lives.look(0.01)
            if self.weather.is_due:
                self.weather.strike(doomed)
                continue
            if failpoint.startswith("stop."):
                doomed.signal(signal.SIGTERM)
                self.lives.look(0.5)
                continue
            if self.weather.step(failpoint) and not self.rail.one(_LIVE):
                self.intake.pay(1)

    def _note(self, recovery: Recovery) -> None:
        if not recovery.is_sound:
            self.outcome.unmeasured += 1
            return
        if recovery.known_seconds is not None:
            self.outcome.recovery_seconds.append(round(recovery.known_seconds, 3))
        if recovery.first_send_seconds is not None:
            self.outcome.first_send_seconds.append(round(recovery.first_send_seconds, 3))

    def come_to_rest(self) -> None:
        """No more faults: all that was instructed is paid, booked, final and matched."""
        self.intake.pay(1)
        for role in ("signer", "gateway"):
            if not self.lives.is_alive(role):
                self.lives.start(role)
        self.lives.kill("worker")
        recovery = Recovery(self.rail)
        start = self.lives.start_installed if self.plan.ends_by_exec else self.lives.start
        worker = start("worker")
        first = self.rail.chain.head().number
        patience = Patience(CALM_SECONDS)
        while patience.lasts() and worker.code is None:
            self.lives.look(0.01)
            if not recovery.is_over:
                recovery.look()
                continue
            if not (self.rail.one(_LIVE) or self.rail.one(_UNMATCHED)):
                break
            if self.rail.chain.head().number < first + CALM_BLOCKS:
                self.weather.step("")
        if not recovery.is_over:
            recovery.give_up()
        self.outcome.blocks_to_rest = self.rail.chain.head().number - first
        self._note(recovery)
        self.outcome.rss_mb = _peak_mb(worker.pid)
        if worker.code == HALTED:
            self.outcome.violations.append(f"the worker halted: {self._lanes()}")
        self.outcome.unfinished = len(self.rail.rows(_UNPAID))

    def judge(self, before: dict[tuple[str, str], int]) -> None:
        """Ask the checker, the wallets, and for every acknowledged write again."""
        if self._asks_checker:
            self.outcome.violations += self._checked()
        self.outcome.violations += self.intake.lost()
        if self.outcome.unfinished:
            rows = self.rail.rows(_UNPAID)
            self.outcome.violations += [
                f"I11: {row.id} is {row.state}: {row.reason}" for row in rows
            ]
            return
        for side, held in self.balances().items():
            due = self.intake.paid_minor.get(side, 0) * 10_000
            if held - before[side] != due:
                self.outcome.violations.append(
                    f"I1: {side} has moved by {held - before[side]}, instructed were {due}"
                )

    def _checked(self) -> list[str]:
        found = io.StringIO()
        words = ["--database", self.rail.database.url, "--rpc", self.rail.anvil.url]
        with contextlib.redirect_stdout(found), contextlib.redirect_stderr(found):
            code = verify([*words, "--quiescent", "--json"])
        return _offences(found.getvalue()) if code else []

    def balances(self) -> dict[tuple[str, str], int]:
        """Return what each wallet holds of each currency, by the node itself."""
        wallets = zip(("seller", "buyer", "stranger"), self.rail.sandbox.wallets, strict=True)
        return {
            (side, currency): self.rail.balance(pair.address, f"T{currency}")
            for side, pair in wallets
            for currency in ("USD", "EUR", "AED")
        }

    def _lanes(self) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self.rail.rows("SELECT state, reason FROM lane")]


def _role(failpoint: str) -> str:
    if failpoint.startswith(_GATEWAY):
        return "gateway"
    return "signer" if failpoint in _SIGNER else "worker"


def _peak_mb(pid: int) -> float:
    """Return the most memory that a process has held; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _offences(said: str) -> list[str]:
    """Return the checker's findings against, or what it said instead."""
    try:
        checks = json.loads(said[said.index("{") :])["checks"]
    except ValueError:
        return [f"the checker could not judge: {said[-500:]}"]
    return [
        f"{check['name']} {check['title']}: {check['evidence']['offenders']}"
        for check in checks
        if check["ok"] is not True
    ]
