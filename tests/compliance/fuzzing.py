"""Random moves of people, lists, policies, clocks and workers, and a signer that is looked at.

Whatever happens, no chain transaction is signed that no live clearance covers.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from gateway.worker import Progress
from settlement import participants
from settlement.compliance import clearance, policies, registers, screening
from settlement.compliance.policies import StoredPolicies
from settlement.errors import RailError
from settlement.registry import wishes
from settlement.settlements import control
from settlement.signer.port import SigningRequest
from settlement.store import transaction
from settlement.store.bulk import rows
from tests.builders.rail import Rail
from tests.compliance.watched_signer import WatchedSigner

_SECOND = timedelta(seconds=1)
OUTCOMES = ("HOLD", "REJECT", "BLOCK", "FLAG")
PACK = """id: own
version: {number}
title: t
status: in_force
source: s
as_of: 2026-11-30
confidence: high
rules:
  - {{id: OWN-01, title: t, predicate: {predicate}, outcome: {outcome}, with: {options}}}
"""
PREDICATES = (
    ("country_in", "{countries: [DE]}"),
    ("amount_at_least", "{units: 500, currency: EUR}"),
    ("asset_in", "{assets: [TUSD]}"),
    ("party_in_register", "{register: watched}"),
    ("over_units", "{units: 100000000}"),
)
TAMPERED = (
    "UPDATE clearance SET outcome = 'HOLD' WHERE id = :id",
    "UPDATE clearance SET amount_minor = amount_minor + 1 WHERE id = :id",
    "UPDATE clearance SET creditor_wallet = debtor_wallet WHERE id = :id",
    "UPDATE clearance SET expires_at = 1 WHERE id = :id",
    "UPDATE clearance SET revoked_at = 1 WHERE id = :id",
    "UPDATE clearance SET reference = reference || '0' WHERE id = :id",
)


@dataclass
class Fuzz:
    """One seed's run over a rail on SQLite."""

    rail: Rail
    seed: int
    done: Counter[str] = field(default_factory=Counter)
    chance: random.Random = field(init=False)
    signer: WatchedSigner = field(init=False)
    worker: Any = field(init=False)
    _version: int = 0
    _is_listed: bool = False
    _is_harsh: bool = False

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        rail = self.rail
        inner = rail.signer()
        database = str(rail.engine.url.database)
        self.signer = WatchedSigner(inner, database, rail.folder / "slots.sqlite3")  # type: ignore[arg-type]
        self.worker = rail.worker(signer=self.signer)
        self.worker.policy = StoredPolicies()
        rail.tick(self.worker)

    def run(self, steps: int) -> list[str]:
        """Make so many moves; return every fault, of what was signed and of what nobody saw."""
        moves: list[tuple[int, Callable[[], None]]] = [
            (40, self.tick), (14, self.instruct), (10, self.mine), (10, self.ask_the_signer),
            (8, self.list_or_unlist), (7, self.publish), (8, self.move_party), (10, self.release),
            (2, self.revoke), (5, self.tamper), (1, self.expire), (2, self.register),
        ]  # fmt: skip
        weights, chosen = [weight for weight, _ in moves], [move for _, move in moves]
        for _ in range(steps):
            move = self.chance.choices(chosen, weights)[0]
            try:
                move()
                self.done[move.__name__] += 1
            except RailError as error:  # A refusal is an answer, and a lane may be halted.
                self.done[type(error).__name__] += 1
        return [*self.signer.faults, *self.signer.unseen()]

    def tick(self) -> None:
        """Let the worker do a round, or stop it between two stages."""
        self.rail.now += _SECOND
        if self.chance.random() < 0.8:
            self.worker.tick(self.rail.now)
            return
        stages = self.worker.stages(Progress(), self.rail.now)
        for _ in range(self.chance.randint(1, 3)):
            next(stages, None)
            if self.chance.random() < 0.2:
                self.revoke()

    def instruct(self) -> None:
        with transaction(self.rail.engine) as session:
            if rows(session, "SELECT 1 FROM participant WHERE state <> 'active'"):
                return  # Nobody takes an invoice of theirs.
        amount = self.chance.choice((1, 99_999, 100_000, 200_000, 299_999, 300_000))
        self.rail.instructed(self.chance.randint(1, 3), payable_minor=amount)

    def mine(self) -> None:
        self.rail.controls.mine()

    def ask_the_signer(self) -> None:
        """Ask for signatures out of turn, with any fees, as whoever took the worker over would."""
        with transaction(self.rail.engine) as session:
            known = rows(session, "SELECT id FROM chain_tx ORDER BY id DESC LIMIT 6")
        if known:
            wanted = [
                SigningRequest(key, self.chance.randint(1, 30) * 10**9, 10**9,
                               self.chance.random() < 0.1)
                for (key,) in self.chance.sample(known, min(len(known), 3))
            ]  # fmt: skip
            self.signer.sign(wanted, self.rail.now)

    def list_or_unlist(self) -> None:
        lines = ["0x" + "99" * 20]
        self._is_listed = not self._is_listed and self.chance.random() < 0.5
        if self._is_listed:
            lines.append(self.chance.choice((self.rail.seller_wallet, self.rail.buyer_wallet)))
        with transaction(self.rail.engine) as session:
            screening.store_list(
                session, name="ofac", content="\n".join(lines).encode(), ids=self.rail.ids,
                now=self.rail.now,
            )  # fmt: skip

    def publish(self) -> None:
        self._version += 1
        predicate, options = self.chance.choice(PREDICATES)
        content: bytes | None = PACK.format(
            number=self._version, predicate=predicate, options=options,
            outcome=self.chance.choice(OUTCOMES),
        ).encode()  # fmt: skip
        if self.chance.random() < 0.6:
            content = (
                f"# {self._version}\n".encode()
                + PACK.format(
                    number=1, predicate="country_in", options="{countries: [KP]}", outcome="FLAG"
                ).encode()
            )
        with transaction(self.rail.engine) as session:
            made = policies.draft(
                session, {"own.yaml": content}, note="x", actor="per_1", now=self.rail.now
            )
            policies.publish(
                session, made.version, actor="per_2", now=self.rail.now,
                in_force_from=self.rail.now + _SECOND * self.chance.choice((0, 0, 5)),
            )  # fmt: skip

    def move_party(self) -> None:
        with transaction(self.rail.engine) as session:
            found = rows(session, "SELECT id FROM participant WHERE state = 'suspended'")
            if found:
                participants.reinstate(session, found[0][0], "fuzz", self.rail.now)
                return
            both = (self.rail.companies.buyer, self.rail.companies.seller)
            participants.suspend(session, self.chance.choice(both), "fuzz", self.rail.now)

    def release(self) -> None:
        """Let a person lift what listing left behind, and judge anew what waits."""
        if not self._is_listed:
            with transaction(self.rail.engine) as session:
                wishes.want(
                    session, [self.rail.seller_wallet, self.rail.buyer_wallet],
                    source=wishes.Source.SCREENING, listed=True, reason="looked at", actor="per_1",
                    now=self.rail.now,
                )  # fmt: skip
        held = [key for key, state in self.rail.states().items() if state == "HELD"]
        if held:
            self.rail.act(control.release, *held[:20])
        refused = [key for key, state in self.rail.states().items() if state == "REJECTED"]
        if refused and not self._is_listed:
            self.rail.act(control.retry, *refused[-10:])

    def revoke(self) -> None:
        open_ = [key for key, state in self.rail.states().items()
                 if state in ("CLEARED", "CLAIMED", "SUBMITTED")]  # fmt: skip
        if open_:
            with transaction(self.rail.engine) as session:
                clearance.revoke(session, [self.chance.choice(open_)], self.rail.now)

    def tamper(self) -> None:
        """Change a clearance under a batch, ask for a signature, and put it back."""
        with transaction(self.rail.engine) as session:
            known = rows(
                session, "SELECT m.clearance_id, m.chain_tx_id FROM batch_member m WHERE m.live"
                " ORDER BY m.chain_tx_id DESC LIMIT 5",
            )  # fmt: skip
        if not known:
            return
        key, chain_tx = self.chance.choice(known)
        with transaction(self.rail.engine) as session:
            before = session.connection().execute(
                text("SELECT * FROM clearance WHERE id = :id"), {"id": key}
            ).one()._asdict()  # fmt: skip
            session.connection().execute(text(self.chance.choice(TAMPERED)), {"id": key})
        with suppress(RailError):
            self.signer.sign([SigningRequest(chain_tx, 10**10, 10**9, False)], self.rail.now)
        columns = ("outcome", "amount_minor", "creditor_wallet", "expires_at", "revoked_at",
                   "reference")  # fmt: skip
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        with transaction(self.rail.engine) as session:
            values = {name: before[name] for name in columns} | {"id": key}
            session.connection().execute(
                text(f"UPDATE clearance SET {changes} WHERE id = :id"), values
            )

    def expire(self) -> None:
        self.rail.later(self.chance.choice((10, 600, 3_700)))

    def register(self) -> None:
        entry = self.chance.choice((self.rail.companies.buyer, "nobody", "nobody"))
        content = f"{entry}\n# {self.chance.random()}".encode()
        with transaction(self.rail.engine) as session:
            registers.load(session, name="watched", content=content, actor="fuzz",
                           ids=self.rail.ids, now=self.rail.now)  # fmt: skip
