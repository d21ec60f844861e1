"""A chain with a rail on it and a cast of accounts, the same on a real anvil and in memory.

The bytes that one world signs are good on the other: same chain id, keys, nonces and addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.deploy import deploy
from settlement.chain.deployment import DeployedToken, Deployment
from settlement.chain.deployment_plan import TEST_TOKENS, DeploymentPlan, Mint
from settlement.chain.dev_keys import dev_keys
from settlement.chain.evm import EvmChain
from settlement.chain.mandate_abi import approve_calldata, set_mandate_calldata
from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address, Hash, Receipt, SendAnswer
from settlement.chain.rail_abi import BALANCE_OF, PaymentTerms, address_word, settle_calldata
from settlement.chain.signing import KeyPair, sign_eip1559

GENESIS_TIME = 1_800_000_000
"""Not a midnight: 8 hours into a day."""
NEVER = 2**39
FEE_WEI = 50 * 10**9
TIP_WEI = 10**9
KEYS = dev_keys(10)
ADMIN, OPERATOR, DEBTOR, CREDITOR, OTHER_CREDITOR, STRANGER = KEYS[:6]
START_MINOR = 10**12
CAP_PER_PAYMENT, CAP_PER_DAY = 1_000_000, 5_000_000


@dataclass
class World:
    """A chain, its controls, and the rail on it. Mines only when told to."""

    chain: Any
    controls: Any
    deployment: Deployment
    _nonces: dict[Address, int] = field(default_factory=dict)

    @property
    def rail(self) -> Address:
        return self.deployment.rail

    @property
    def token(self) -> DeployedToken:
        return self.deployment.token("TUSD")

    def sign(
        self,
        signer: KeyPair,
        to: Address | None,
        calldata: bytes = b"",
        *,
        nonce: int | None = None,
        gas_limit: int = 2_000_000,
        fee_wei: int = FEE_WEI,
        tip_wei: int = TIP_WEI,
        value: int = 0,
        chain_id: int = 31337,
    ) -> bytes:
        """Sign with the account's next nonce of this world, or with a given one."""
        if nonce is None:
            nonce = self._nonces.get(signer.address)
            if nonce is None:
                nonce = self.chain.nonce(signer.address)
            self._nonces[signer.address] = nonce + 1
        return sign_eip1559(
            signer.key,
            chain_id=chain_id,
            nonce=nonce,
            to=to,
            data=calldata,
            gas_limit=gas_limit,
            max_fee_wei=fee_wei,
            max_priority_fee_wei=tip_wei,
            value=value,
        )[0]

    def batch(
        self, payments: Sequence[PaymentTerms], *, deadline: int = NEVER, **terms: Any
    ) -> bytes:
        """Sign a batch of the operator's for the debtor."""
        debtor = terms.pop("debtor", DEBTOR.address)
        token = terms.pop("token", self.token.address)
        signer = terms.pop("signer", OPERATOR)
        call = settle_calldata(token=token, debtor=debtor, deadline=deadline, payments=payments)
        return self.sign(signer, self.rail, call, **terms)

    def send(self, *raws: bytes) -> list[SendAnswer]:
        """Send without mining."""
        answers: list[SendAnswer] = self.chain.send(raws)
        return answers

    def mined(self, *raws: bytes) -> list[Receipt]:
        """Send, mine one block and return its receipts."""
        self.send(*raws)
        self.controls.mine()
        receipts: list[Receipt] = self.chain.receipts([self.chain.head()])[0]
        return receipts

    def balance(self, holder: Address, block_hash: Hash | None = None) -> int:
        """Return a holder's tokens at a block."""
        call = (self.token.address, BALANCE_OF + address_word(holder))
        return int(self.chain.call_many([call], block_hash)[0], 16)

    def grants(self) -> list[bytes]:
        """Sign the debtor's allowance and mandate."""
        approve = approve_calldata(spender=self.rail, amount_minor=2**255)
        mandate = set_mandate_calldata(
            token=self.token.address,
            cap_per_payment=CAP_PER_PAYMENT,
            cap_per_day=CAP_PER_DAY,
            expiry=NEVER,
        )
        return [
            self.sign(DEBTOR, self.token.address, approve),
            self.sign(DEBTOR, self.rail, mandate),
        ]


def a_payment(
    sequence: int, amount_minor: int = 100, creditor: Address = CREDITOR.address
) -> PaymentTerms:
    """Return a payment with a reference that nobody checks."""
    return PaymentTerms(sequence, creditor, amount_minor, Hash(f"0x{sequence + 7:064x}"))


def a_plan(**changes: Any) -> DeploymentPlan:
    """Return a plan with one operator, one debtor with money, two creditors."""
    fields: dict[str, Any] = {
        "operators": (OPERATOR.address,),
        "participants": (DEBTOR.address, CREDITOR.address, OTHER_CREDITOR.address),
        "mints": (Mint("TUSD", DEBTOR.address, START_MINOR),),
        "tokens": TEST_TOKENS[:2],
    }
    return DeploymentPlan(**{**fields, **changes})


@contextmanager
def a_chain(kind: str) -> Iterator[tuple[Any, Any]]:
    """Give a fresh chain and its controls, `anvil` or `memory`; it mines only when told to."""
    if kind == "memory":
        chain = MemoryChain(genesis_timestamp=GENESIS_TIME, automine=False)
        yield chain, chain
        return
    with Anvil(AnvilOptions(no_mining=True, genesis_timestamp=GENESIS_TIME)) as anvil:
        node, controls = EvmChain(anvil.url), AnvilControls(anvil.url)
        yield node, controls
        node.close()
        controls.close()


@contextmanager
def a_world(kind: str) -> Iterator[World]:
    """Give a fresh chain of a kind with the rail on it, and the debtor's mandate granted."""
    with a_chain(kind) as (chain, controls):
        deployment = deploy(chain, a_plan(), ADMIN, between_looks=controls.mine)
        world = World(chain, controls, deployment)
        receipts = world.mined(*world.grants())
        assert [receipt.status for receipt in receipts] == [1, 1]
        yield world
