"""A rail with a settlement in every state, ready for a reorg.

Two lanes. What is on the chain stands in the oldest block that the reorg will throw out, each
payment with two attempts at its nonce, so that every branch can be made of bytes that are known.
"""

from __future__ import annotations

import copy
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.worker import Worker
from settlement.chain import admin_abi, mandate_abi
from settlement.chain.signing import KeyPair
from settlement.clock import counted_ids, to_micros
from settlement.config import BookingTier
from settlement.settlements import control, review
from settlement.store import open_engine, transaction
from tests.builders.approved import approve_all
from tests.builders.ports import BrokenChain, BrokenSigner, Killed
from tests.builders.rail import OPERATOR, Rail, a_rail
from tests.invoices.builders import a_party

SECOND = KeyPair.of(b"\x29" * 32)
FINALITY = 13
"""One more than the deepest reorg of the table."""
TIERS = (
    BookingTier(from_units=0, confirmations=1),
    BookingTier(from_units=1_000_000, confirmations=FINALITY),
)
MINED = ("booked", "confirming", "rejected", "first lane", "second lane", "raced")
"""Settlements that stand in a block that the reorg throws out, by the word that names them."""
ENDED = ("settled", "rejected for good", "needs review")
WAITING = ("submitted", "claimed", "cleared", "held", "cancelled", "instructed")
DATABASE = "settle.sqlite3"
_LONG_EXPIRY = 2**39


def a_template(folder: Path, migrated: Path) -> Scene:
    """A rail with what ended before any reorg: settled, rejected for good, under review."""
    shutil.copyfile(migrated, folder / DATABASE)
    engine = open_engine(f"sqlite:///{folder / DATABASE}")
    with a_rail(
        engine, folder, operators=(OPERATOR, SECOND),
        finality_confirmations=FINALITY, booking_tiers=TIERS,
    ) as rail:  # fmt: skip
        scene = Scene(rail)
        scene.use_lane(OPERATOR)
        rail.run_until(scene.worker, lambda: rail.rounds > 0)
        admin, stranger = rail.sandbox.admin, rail.sandbox.wallets[2].address
        scene.pay("settled", 40_000, "USD")
        rail.on_chain(admin, rail.token(), admin_abi.freeze_calldata(stranger))
        scene.pay("rejected for good", 50_000, "USD", seller="stranger")
        rail.tick(scene.worker)
        scene.pay("needs review", 60_000, "EUR")
        rail.tick(scene.worker)
        rail.controls.mine()
        rail.tick(scene.worker)
        # As if the chain transaction had succeeded without a word about this payment.
        rail.write(
            "UPDATE settlement SET outcome = 'missing', state = 'CONFIRMING' WHERE id = :id",
            id=scene.keys["needs review"],
        )
        rail.run_until(scene.worker, lambda: scene.state("needs review") == "NEEDS_REVIEW")
        rail.on_chain(admin, rail.token(), admin_abi.unfreeze_calldata(stranger))
        rail.controls.mine(FINALITY)
        rail.run_until(scene.worker, lambda: scene.state("rejected for good") == "REJECTED")
        rail.tick(scene.worker)
        scene.worker.stop()
    engine.dispose()
    return scene


@contextmanager
def a_copy(template: Scene, folder: Path) -> Iterator[Scene]:
    """The template's world again, free to be moved."""
    first = template.rail
    for file in first.folder.glob("*.sqlite3"):
        with (
            closing(sqlite3.connect(file)) as whole,
            closing(sqlite3.connect(folder / file.name)) as copied,
        ):
            whole.backup(copied)
    for key in first.folder.glob("*.key"):  # Without them nobody opens what is sealed.
        shutil.copy2(key, folder / key.name)
    engine = open_engine(f"sqlite:///{folder / DATABASE}")
    chain = copy.deepcopy(first.chain)
    rail = Rail(
        engine, chain, chain, first.sandbox, folder,
        first.settings.model_copy(update={"home": folder}), counted_ids(10**6), first.now,
    )  # fmt: skip
    rail._numbers = iter(range(10**4, 10**6))
    scene = Scene(rail, keys=dict(template.keys))
    yield scene
    rail.close()
    engine.dispose()


@dataclass
class Scene:
    """The settlements of a table's row, by word, and the bytes of every attempt at them."""

    rail: Rail
    keys: dict[str, str] = field(default_factory=dict)
    worker: Worker = field(init=False)
    parties: list[bytes] = field(default_factory=list)
    """Calls of admin and debtors in the block of the payments: a freeze, a lowered cap."""

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, chain: Any = None) -> None:
        """A worker that has seen nothing yet, with the same name."""
        signers = [
            self.rail.signer(slots=f"slots-{place}.sqlite3", keys=keys)
            for place, keys in enumerate((OPERATOR, SECOND))
        ]
        self.worker = self.rail.worker(signer=signers[0], chain=chain)
        self.worker.signers = list(signers)

    def state(self, word: str) -> str:
        return self.rail.state(self.keys[word])

    def states(self) -> dict[str, str]:
        found = self.rail.states()
        return {word: found[key] for word, key in self.keys.items()}

    def row(self, word: str) -> Any:
        return self.rail.one("SELECT * FROM settlement WHERE id = :id", id=self.keys[word])

    def use_lane(self, *active: KeyPair) -> None:
        """Let only these lanes claim."""
        for keys in (OPERATOR, SECOND):
            state = "active" if keys in active else "paused"
            self.rail.write(
                "UPDATE lane SET state = :state WHERE signer = :signer",
                state=state, signer=keys.address,
            )  # fmt: skip

    def pay(
        self, word: str, minor: int, currency: str, *, seller: str = "seller", buyer: str = "buyer"
    ) -> None:
        """Instruct a payment, named by a word."""
        sides = {
            "seller": a_party(self.rail.companies, seller),
            "buyer": a_party(self.rail.companies, buyer),
        }
        invoice_id = self.rail.accepted(minor, currency=currency, **sides)
        (self.keys[word],) = self.rail.instruct(invoice_id)
        approve_all(self.rail.engine, self.rail.now)

    def raws(self, word: str) -> list[bytes]:
        """Every attempt at the batch that a settlement is in, in order."""
        sql = (
            "SELECT a.raw FROM attempt a JOIN settlement s ON s.chain_tx_id = a.chain_tx_id"
            " WHERE s.id = :id ORDER BY a.created_seq"
        )
        return [bytes(row.raw) for row in self.rail.rows(sql, id=self.keys[word])]

    def arrange(self, depth: int, *, raced: str) -> None:
        """Bring a settlement into every state; what is mined has `depth` confirmations.

        `raced` says which attempt of the batch that is being cancelled is mined: pay or cancel.
        """
        self._send_what_is_mined()
        self.parties = self._acts_of_parties()
        mined = [*self.parties, *self.of_lanes(raced=raced)]
        self.rail.controls.drop_all()
        self.rail.chain.send(mined)
        self.rail.controls.mine(depth)
        self.rail.tick(self.worker)
        self._what_waits()

    def of_lanes(
        self, *, raced: str = "pay", attempt: int = 1, words: tuple[str, ...] = MINED
    ) -> list[bytes]:
        """One attempt at each batch of what is mined, in order of nonces by lane."""
        found = []
        for word in sorted(words, key=lambda word: (word in MINED[4:], self._nonce(word))):
            raws = self.raws(word)
            found.append(raws[-1 if raced == "cancel" else 0] if word == "raced" else raws[attempt])
        return found

    def mend(self) -> None:
        """Let nothing stand against a payment any more, whatever a branch has set."""
        rail, admin = self.rail, self.rail.sandbox.admin
        contract, token = rail.sandbox.deployment.rail, rail.token("TUSD")
        seller, _, stranger = (pair.address for pair in rail.sandbox.wallets)
        acts = [
            (admin, token, admin_abi.unfreeze_calldata(seller)),
            (admin, token, bytes.fromhex(admin_abi.UNPAUSE[2:])),
            (admin, contract, admin_abi.list_participants_calldata([seller])),
            (admin, rail.token("TAED"), admin_abi.unfreeze_calldata(stranger)),
        ]
        lowered = ((rail.sandbox.wallets[1], token), (rail.sandbox.wallets[2], rail.token("TCNY")))
        for pair, of in lowered:
            call = mandate_abi.set_mandate_calldata(
                token=of, cap_per_payment=10**12, cap_per_day=10**13, expiry=_LONG_EXPIRY
            )
            acts.append((pair, contract, call))
        for signer, to, call in acts:
            rail.chain.send([rail.signed(signer, to, call)])
            rail.controls.mine()

    def find_the_lost(self) -> None:
        """A person finds the payment that is under review on the chain."""
        with transaction(self.rail.engine) as session:
            review.resolve(
                session, [self.keys["needs review"]], review.Decision.PAID,
                reason="seen on the chain", actor="ana", now=self.rail.now,
            )  # fmt: skip

    def _nonce(self, word: str) -> int:
        sql = "SELECT c.nonce FROM chain_tx c JOIN settlement s ON s.chain_tx_id = c.id"
        return int(self.rail.one(f"{sql} WHERE s.id = :id", id=self.keys[word]))

    def _send_what_is_mined(self) -> None:
        """Sent, never mined: two attempts each, on the lane that the word says."""
        bids_low = BrokenChain(self.rail.chain, ["transaction underpriced"])
        self.restart(bids_low)
        self.use_lane(OPERATOR)
        self.pay("booked", 70_000, "USD")
        self.pay("confirming", 150_000_000, "EUR")
        self.pay("rejected", 80_000, "AED", seller="stranger")
        self.pay("first lane", 90_000, "CNY", seller="buyer", buyer="stranger")
        self.rail.tick(self.worker)
        self.rail.tick(self.worker)
        bids_low.plan.append("transaction underpriced")
        self.use_lane(SECOND)
        self.pay("second lane", 90_001, "CNY", seller="buyer", buyer="stranger")
        self.rail.tick(self.worker)
        self.rail.tick(self.worker)
        self.pay("raced", 100_000, "INR")
        self.rail.tick(self.worker)
        self.rail.write(
            "UPDATE clearance SET revoked_at = :at WHERE settlement_id = :id",
            at=to_micros(self.rail.now), id=self.keys["raced"],
        )  # fmt: skip
        self.rail.tick(self.worker)
        self.use_lane()
        assert all(len(self.raws(word)) == 2 for word in MINED)

    def _acts_of_parties(self) -> list[bytes]:
        """The stranger is frozen in AED, and lets the rail take one of two payments in CNY."""
        rail = self.rail
        stranger = rail.sandbox.wallets[2]
        freeze = admin_abi.freeze_calldata(stranger.address)
        lower = mandate_abi.set_mandate_calldata(
            token=rail.token("TCNY"), cap_per_payment=10**12, cap_per_day=1_000_000_000,
            expiry=_LONG_EXPIRY,
        )  # fmt: skip
        return [
            rail.signed(rail.sandbox.admin, rail.token("TAED"), freeze),
            rail.signed(stranger, rail.sandbox.deployment.rail, lower),
        ]

    def _what_waits(self) -> None:
        """Bring the others to where no block has them."""
        rail = self.rail
        self.use_lane(OPERATOR)
        self.pay("submitted", 110_000, "INR")
        rail.tick(self.worker)
        ends = [BrokenSigner(each, ["kill_before"] * 3) for each in self.worker.signers]
        self.worker.signers = list(ends)
        self.pay("claimed", 120_000, "INR")
        self._tick_killed()
        self.use_lane()
        self.pay("cleared", 130_000, "INR")
        self._tick_killed()
        for word, minor in (("held", 140_000), ("cancelled", 150_000), ("instructed", 160_000)):
            self.pay(word, minor, "INR")
        rail.act(control.hold, self.keys["held"], reason="looking")
        rail.act(control.cancel, self.keys["cancelled"], reason="not due")
        self.restart()

    def _tick_killed(self) -> None:
        try:
            self.rail.tick(self.worker)
        except Killed:
            return
        raise AssertionError("the signer was not asked")
