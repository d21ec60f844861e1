"""What the tests of deployments share: putting one there, asking the rail, acting as admin."""

from __future__ import annotations

from typing import Any

from settlement.chain import admin_abi
from settlement.chain.deploy import deploy
from settlement.chain.deployment import Deployment
from settlement.chain.port import Address, SendOutcome
from settlement.chain.rail_abi import address_word
from settlement.chain.signing import sign_eip1559
from tests.chain.worlds import (
    ADMIN,
    a_plan,
)

NEW_OPERATOR = Address("0x" + "77" * 20)


NEW_WALLET = Address("0x" + "78" * 20)


def put(chain: Any, controls: Any, **terms: Any) -> Deployment:
    plan = terms.pop("plan", None) or a_plan()
    return deploy(chain, plan, terms.pop("admin", ADMIN), between_looks=controls.mine, **terms)


def flags(chain: Any, deployment: Deployment, *asked: tuple[str, Address]) -> list[int | None]:
    calls = [(deployment.rail, call + address_word(address)) for call, address in asked]
    return [admin_abi.read_number(answer) for answer in chain.call_many(calls)]


def send_as_admin(chain: Any, to: Address | None, call: bytes, gas_limit: int = 200_000) -> None:
    raw, _ = sign_eip1559(
        ADMIN.key, chain_id=31337, nonce=chain.nonce(ADMIN.address), to=to, data=call,
        gas_limit=gas_limit, max_fee_wei=10**11, max_priority_fee_wei=10**9,
    )  # fmt: skip
    assert chain.send([raw])[0].outcome is SendOutcome.ACCEPTED
    chain.mine()
