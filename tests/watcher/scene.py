"""A rail on a chain with one debtor and some creditors, recorded in a database.

It does not check anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine, text

from settlement.chain import mandate_abi
from settlement.chain.deploy import deploy
from settlement.chain.deployment import Deployment
from settlement.chain.deployment_plan import DeploymentPlan, Mint
from settlement.chain.dev_keys import dev_keys
from settlement.chain.port import Address, ChainControls, ChainPort, Hash
from settlement.chain.rail_abi import PaymentTerms, settle_calldata
from settlement.chain.signing import KeyPair, sign_eip1559
from settlement.clock import Ids, counted_ids
from settlement.config import Settings
from settlement.participants import NewParticipant, record_deployment, register
from settlement.store import transaction
from settlement.watcher import Followed, follow

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FOREVER = 2**40 - 1
GRANT_CALLS = 2
LEIS = ("529900T8BM49AURSDO55", "5493001KJTIIGC8Y1R12", "HWUPKR0MPOU8FGXBT394")

ADMIN, OPERATOR, DEBTOR, *CREDITORS = dev_keys(7)


@dataclass
class Scene:
    """A chain, a database, and what stands on both."""

    engine: Engine
    chain: ChainPort
    controls: ChainControls
    deployment: Deployment
    settings: Settings = field(default_factory=Settings)
    next_sequence: int = 1
    sent: list[bytes] = field(default_factory=list)

    @property
    def token(self) -> Address:
        return self.deployment.token("TUSD").address

    def follow(self, chain: ChainPort | None = None) -> Followed:
        return follow(self.engine, chain or self.chain, self.settings, NOW)

    def catch_up(self) -> Followed:
        """Follow until nothing is new; bounded."""
        for _ in range(100):
            done = self.follow()
            if not done.new_blocks:
                return done
        raise AssertionError("the chain never ends")

    def send(self, signer: KeyPair, to: Address, data: bytes) -> Hash:
        """Send a call, and mine a block with it."""
        raw, tx_hash = sign_eip1559(
            signer.key,
            chain_id=self.deployment.chain_id,
            nonce=self.chain.nonce(signer.address),
            to=to,
            data=data,
            gas_limit=8_000_000,
            max_fee_wei=10**12,
            max_priority_fee_wei=10**9,
        )
        self.sent.append(raw)
        (answer,) = self.chain.send([raw])
        assert answer.outcome == "accepted", answer
        self.controls.mine()
        return tx_hash

    def pay(self, amounts: Sequence[int], creditor: KeyPair = CREDITORS[0]) -> Hash:
        """Pay a batch to one creditor, in a block of its own."""
        payments = [
            PaymentTerms(
                sequence=self.next_sequence + place,
                creditor=creditor.address,
                amount_minor=amount,
                reference=Hash(f"0x{self.next_sequence + place:064x}"),
            )
            for place, amount in enumerate(amounts)
        ]
        self.next_sequence += len(amounts)
        data = settle_calldata(
            token=self.token, debtor=DEBTOR.address, deadline=FOREVER, payments=payments
        )
        return self.send(OPERATOR, self.deployment.rail, data)

    def rows(self, sql: str, **values: object) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def one(self, sql: str, **values: object) -> object:
        ((value,),) = self.rows(sql, **values)
        return value

    def canonical(self) -> list[tuple[object, ...]]:
        return self.rows("SELECT number, hash FROM block WHERE canonical ORDER BY number")


PLAN = DeploymentPlan(
    operators=(OPERATOR.address,),
    participants=tuple(each.address for each in (DEBTOR, *CREDITORS)),
    mints=(Mint("TUSD", DEBTOR.address, 10**15),),
)


def put_rail(chain: ChainPort) -> Deployment:
    """Deploy, and let the debtor grant a mandate for TUSD."""
    deployment = deploy(chain, PLAN, ADMIN)
    token = deployment.token("TUSD").address
    grant = mandate_abi.grant(
        chain_id=deployment.chain_id,
        rail=deployment.rail,
        token=token,
        debtor=DEBTOR.address,
        mandate=mandate_abi.Mandate(10**14, 10**15, FOREVER),
        allowance_minor=10**15,
    )
    nonce = chain.nonce(DEBTOR.address)
    for place, unsigned in enumerate(grant):
        raw, _ = sign_eip1559(
            DEBTOR.key,
            chain_id=deployment.chain_id,
            nonce=nonce + place,
            to=unsigned.to,
            data=unsigned.data,
            gas_limit=unsigned.gas_limit,
            max_fee_wei=10**12,
            max_priority_fee_wei=10**9,
        )
        chain.send([raw])
    return deployment


def stop_automine(chain: ChainPort, controls: ChainControls) -> None:
    """From now on mine only when told to; anvil may still have the debtor's grant in its pool."""
    controls.set_automine(False)
    for _ in range(20):
        if chain.nonce(DEBTOR.address) == GRANT_CALLS:
            return
        controls.mine()
    raise AssertionError("the grant was not mined")


def record(engine: Engine, deployment: Deployment, ids: Ids | None = None) -> list[str]:
    """Write the deployment down, and a debtor and two creditors as participants."""
    companies = [
        NewParticipant(lei, f"Company {place}", "DE", "Bremen", wallets=(keys.address,))
        for place, (lei, keys) in enumerate(zip(LEIS, (DEBTOR, *CREDITORS), strict=False))
    ]
    with transaction(engine) as session:
        record_deployment(session, deployment, nonces={}, now=NOW)
        return register(session, companies, ids=ids or counted_ids(), now=NOW)


def a_scene(engine: Engine, chain: ChainPort, controls: ChainControls) -> Scene:
    """Deploy, record and follow up to the head."""
    deployment = put_rail(chain)
    stop_automine(chain, controls)
    record(engine, deployment)
    scene = Scene(engine, chain, controls, deployment)
    scene.catch_up()
    return scene
