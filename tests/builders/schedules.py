"""Random days of a rail with many reorgs, all from one seed, brought to rest at their end."""

from __future__ import annotations

import random
from collections.abc import Callable

from settlement.chain import admin_abi, mandate_abi
from settlement.chain.signing import KeyPair, read_eip1559
from settlement.clock import to_micros
from settlement.settlements import control
from tests.builders.ports import BrokenChain
from tests.builders.rail import OPERATOR
from tests.builders.reorgs import FINALITY, SECOND, Scene
from tests.builders.three_companies import NAMES

CURRENCIES = ("USD", "EUR", "CNY")
STEPS = 60
ROUNDS_MAX = 150
_EXPIRY = 2**39


class Day:
    """A day that takes its course by a seed; `log` says what happened."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene, self.rail = scene, scene.rail
        self.chance = random.Random(seed)
        self.log: list[str] = []
        self.calls: list[bytes] = []
        """Calls that admin and debtors have signed: any branch may hold them."""
        self.chain = BrokenChain(self.rail.chain)
        self.payments = self.reorgs = 0
        scene.use_lane(OPERATOR, SECOND)
        scene.restart(self.chain)

    def run(self) -> None:
        """So many steps, then everything that stood in the way is taken away, and all ends."""
        acts: list[tuple[int, Callable[[], None]]] = [
            (5, self.tick), (5, self.mine), (4, self.pay), (5, self.reorg), (2, self.party),
            (1, self.revoke), (1, self.lose_pool), (1, self.bid_low), (1, self.restart),
            (1, self.people),
        ]  # fmt: skip
        weights = [weight for weight, _ in acts]
        for _ in range(STEPS):
            (act,) = self.chance.choices([act for _, act in acts], weights)
            self.log.append(act.__name__)
            act()
        self.come_to_rest()

    def tick(self) -> None:
        self.rail.tick(self.scene.worker)

    def mine(self) -> None:
        self.rail.controls.mine(self.chance.randint(1, 3))

    def pay(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            seller, buyer = self.chance.sample(NAMES, 2)
            minor = self.chance.choice((1_000, 70_000, 150_000_000)) + self.payments
            word = f"payment {self.payments}"
            self.scene.pay(
                word, minor, self.chance.choice(CURRENCIES), seller=seller, buyer=buyer
            )  # fmt: skip
            self.payments += 1

    def reorg(self) -> None:
        """Throw out up to the last block that is not final; bring back some of what is known."""
        depth = self.chance.randint(1, FINALITY - 1)
        known = [bytes(row.raw) for row in self.rail.rows("SELECT raw FROM attempt")] + self.calls
        chosen = [raw for raw in known if self.chance.random() < 0.6]
        self.chance.shuffle(chosen)
        if self.chance.random() < 0.7:  # Else most do not fit, for their nonces.
            chosen.sort(key=lambda raw: read_eip1559(raw).nonce)
        places = sorted(self.chance.randrange(depth) for _ in chosen)
        self.rail.controls.reorg(depth, list(zip(chosen, places, strict=True)))
        self.log[-1] = f"reorg {depth}, {len(chosen)} back"
        self.reorgs += 1

    def party(self) -> None:
        """Admin or a debtor calls token or rail, now or on some branch only."""
        rail, chance = self.rail, self.chance
        token = rail.token(f"T{chance.choice(CURRENCIES)}")
        pair, other = chance.sample(list(rail.sandbox.wallets), 2)
        contract, admin = rail.sandbox.deployment.rail, rail.sandbox.admin
        calls: list[tuple[KeyPair, str, bytes]] = [
            (admin, token, admin_abi.freeze_calldata(pair.address)),
            (admin, token, admin_abi.unfreeze_calldata(pair.address)),
            (admin, token, bytes.fromhex(admin_abi.PAUSE[2:])),
            (admin, token, bytes.fromhex(admin_abi.UNPAUSE[2:])),
            (admin, contract, admin_abi.unlist_participants_calldata([pair.address])),
            (admin, contract, admin_abi.list_participants_calldata([pair.address])),
            (admin, token, admin_abi.mint_calldata(pair.address, 10**6 + self.payments)),
            (pair, token, admin_abi.transfer_calldata(other.address, 10**6 + self.payments)),
            (pair, contract, mandate_abi.revoke_mandate_calldata(token)),
            (pair, contract, _mandate(token, per_day=10**9)),
            (pair, contract, _mandate(token, per_day=10**13)),
        ]  # fmt: skip
        signer, to, data = chance.choice(calls)
        self.calls.append(rail.signed(signer, to, data))  # type: ignore[arg-type]
        if chance.random() < 0.7:
            rail.chain.send([self.calls[-1]])

    def revoke(self) -> None:
        """End a clearance under a batch that is on its way: it is cancelled, if in time."""
        found = self.rail.rows(
            "SELECT clearance_id FROM settlement WHERE state IN ('CLAIMED', 'SUBMITTED')"
            " ORDER BY id"
        )
        if found:
            self.rail.write(
                "UPDATE clearance SET revoked_at = COALESCE(revoked_at, :at) WHERE id = :id",
                at=to_micros(self.rail.now), id=self.chance.choice(found).clearance_id,
            )  # fmt: skip

    def lose_pool(self) -> None:
        self.rail.controls.drop_all()

    def bid_low(self) -> None:
        self.chain.plan.append("transaction underpriced")

    def restart(self) -> None:
        self.scene.restart(self.chain)

    def people(self) -> None:
        """Release what is held, retry what is rejected."""
        for state, act in (("HELD", control.release), ("REJECTED", control.retry)):
            found = self.rail.rows("SELECT id FROM settlement WHERE state = :state", state=state)
            if found:
                self.rail.act(act, *(row.id for row in found))

    def come_to_rest(self) -> None:
        """Rounds until every settlement has ended and every chain transaction is final."""
        self.chain.plan.clear()
        self.rail.controls.drop_all()
        self.scene.find_the_lost()
        for currency in CURRENCIES:
            self._allow(f"T{currency}")
        for _ in range(ROUNDS_MAX):
            held = self.rail.rows("SELECT id FROM settlement WHERE state = 'HELD'")
            if held:
                self.rail.act(control.release, *(row.id for row in held))
            open_txs = self.rail.one(
                "SELECT COUNT(*) FROM chain_tx WHERE state NOT IN ('FINAL', 'REVERTED', 'REPLACED')"
            )
            ended = {"SETTLED", "REJECTED", "CANCELLED", "NEEDS_REVIEW"}
            if set(self.rail.states().values()) <= ended and not open_txs:
                break
            self.rail.round(self.scene.worker)
        else:
            lanes = self.rail.rows("SELECT * FROM lane")
            raise AssertionError(f"unfinished: {self.scene.states()} {lanes}")
        self.rail.controls.mine(FINALITY)
        self.rail.tick(self.scene.worker)
        self.rail.tick(self.scene.worker)

    def _allow(self, symbol: str) -> None:
        rail, token = self.rail, self.rail.token(symbol)
        wallets = [pair.address for pair in rail.sandbox.wallets]
        contract, admin = rail.sandbox.deployment.rail, rail.sandbox.admin
        acts = [(admin, token, admin_abi.unfreeze_calldata(each)) for each in wallets]
        acts.append((admin, token, bytes.fromhex(admin_abi.UNPAUSE[2:])))
        acts.append((admin, contract, admin_abi.list_participants_calldata(wallets)))
        acts += [(pair, contract, _mandate(token, per_day=10**13)) for pair in rail.sandbox.wallets]
        for signer, to, data in acts:
            rail.chain.send([rail.signed(signer, to, data)])
            rail.controls.mine()


def _mandate(token: str, *, per_day: int) -> bytes:
    return mandate_abi.set_mandate_calldata(
        token=token, cap_per_payment=10**13, cap_per_day=per_day, expiry=_EXPIRY  # type: ignore[arg-type]
    )  # fmt: skip
