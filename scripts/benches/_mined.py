"""Really mined batches for a bench: a rail on an anvil, and payments sent by its operator alone.

It does not use the pipeline: what is measured starts where this ends.
"""

import random

from scripts.benches._report import say
from settlement.chain import mandate_abi
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.deploy import deploy
from settlement.chain.deployment import Deployment
from settlement.chain.deployment_plan import DeploymentPlan, Mint
from settlement.chain.dev_keys import dev_keys
from settlement.chain.evm import EvmChain
from settlement.chain.port import Address, Hash
from settlement.chain.rail_abi import PaymentTerms, settle_calldata
from settlement.chain.signing import sign_eip1559

SEED = 20_26
BATCH = 100
BATCHES_PER_BLOCK = 10
PAYEES = 400
BATCH_GAS = 8_000_000
FOREVER = 2**40 - 1

ADMIN, OPERATOR, DEBTOR = dev_keys(3)


def trade(url: str, count: int) -> tuple[Deployment, int, str]:
    """Deploy, grant, and mine `count` payments; return the deployment and the last block."""
    chain, controls = EvmChain(url, 60), AnvilControls(url, 120)
    rng = random.Random(SEED)
    payees = [Address("0x" + rng.randbytes(20).hex()) for _ in range(PAYEES)]
    version = str(chain.rpc.call("web3_clientVersion"))
    controls.set_automine(True)
    deployment = deploy(
        chain,
        DeploymentPlan(
            operators=(OPERATOR.address,),
            participants=(DEBTOR.address, *payees),
            mints=(Mint("TUSD", DEBTOR.address, 2**62),),
            wallet_gas_wei=10**18,
        ),
        ADMIN,
    )
    _grant(chain, deployment)
    controls.set_automine(False)
    token = deployment.token("TUSD").address
    nonce = chain.nonce(OPERATOR.address)
    for start in range(0, count, BATCH * BATCHES_PER_BLOCK):
        raws = []
        for first in range(start, min(start + BATCH * BATCHES_PER_BLOCK, count), BATCH):
            payments = [
                PaymentTerms(
                    sequence=sequence + 1,
                    creditor=payee,
                    amount_minor=rng.randint(1, 10**6) * 10_000,
                    reference=Hash("0x" + rng.randbytes(32).hex()),
                )
                for sequence, payee in zip(
                    range(first, min(first + BATCH, count)), rng.sample(payees, BATCH), strict=False
                )
            ]
            data = settle_calldata(
                token=token, debtor=DEBTOR.address, deadline=FOREVER, payments=payments
            )
            raws.append(_sign(OPERATOR.key, deployment, nonce, deployment.rail, data, BATCH_GAS))
            nonce += 1
        chain.send(raws)
        controls.mine()
        say(f"{min(start + BATCH * BATCHES_PER_BLOCK, count)} of {count} payments mined")
    controls.mine(_deepest_tier())
    mined = chain.nonce(OPERATOR.address)
    if mined != nonce:
        raise RuntimeError(f"{nonce - mined} batches were not mined")
    return deployment, chain.head().number, version


def _deepest_tier() -> int:
    """So many blocks on top let every tier be booked."""
    from settlement.config import Settings

    return max(tier.confirmations for tier in Settings().booking_tiers)


def _grant(chain: EvmChain, deployment: Deployment) -> None:
    unsigned = mandate_abi.grant(
        chain_id=deployment.chain_id,
        rail=deployment.rail,
        token=deployment.token("TUSD").address,
        debtor=DEBTOR.address,
        mandate=mandate_abi.Mandate(2**62, 2**62, FOREVER),
        allowance_minor=2**62,
    )
    chain.send(
        [
            _sign(DEBTOR.key, deployment, place, each.to, each.data, each.gas_limit)
            for place, each in enumerate(unsigned)
        ]
    )


def _sign(
    key: bytes, deployment: Deployment, nonce: int, to: Address, data: bytes, gas_limit: int
) -> bytes:
    return sign_eip1559(
        key,
        chain_id=deployment.chain_id,
        nonce=nonce,
        to=to,
        data=data,
        gas_limit=gas_limit,
        max_fee_wei=10**12,
        max_priority_fee_wei=10**9,
    )[0]
