"""A world on a local chain: rail, test tokens, companies with funds, mandates and gas.

Test money only, by the keys that every anvil knows. Safe to run again: what is there already stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from gateway import sandbox_files
from settlement import participants
from settlement.chain import mandate_abi
from settlement.chain.deploy import deploy
from settlement.chain.deployment import Deployment
from settlement.chain.deployment_plan import DeploymentPlan, Mint
from settlement.chain.dev_keys import dev_keys
from settlement.chain.port import Address, ChainPort
from settlement.chain.rail_abi import MANDATE_OF, address_word
from settlement.chain.signing import KeyPair, sign_eip1559
from settlement.clock import Ids
from settlement.errors import ChainUnreachable, NotFound, Refused
from settlement.participants.identity import NewParticipant
from settlement.sender import lanes
from settlement.store import reading, transaction

START_MINOR = 50_000_000 * 10**6
"""Minor units of every token that each company starts with."""
CAP_PER_PAYMENT_MINOR = 5_000_000 * 10**6
CAP_PER_DAY_MINOR = 45_000_000 * 10**6
_FEE_WEI = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What was put there. Wallet keys are anvil's own, in the order of the companies."""

    deployment: Deployment
    participant_ids: tuple[str, ...]
    wallets: tuple[KeyPair, ...]
    admin: KeyPair
    owner_calls: int = 0
    """Calls that the registrar made here, past its lane: they are to be written down."""


def found(
    engine: Engine,
    chain: ChainPort,
    *,
    operators: Sequence[Address],
    companies: Sequence[NewParticipant],
    ids: Ids,
    now: datetime,
    between_looks: Callable[[], None] = lambda: time.sleep(0.02),
    looks: int = 3000,
    registrar: KeyPair | None = None,
) -> Sandbox:
    """Deploy, register, fund and grant mandates, each only if it is not there yet.

    With a `registrar` the rail is handed over to that key, which has the admin's lane.

    Raises:
        ForeignChain, OtherDeployment: the database belongs to another chain.
        ChainUnreachable: no answer, or not mined in time; run it again.
    """
    keys = dev_keys(1 + len(companies))
    admin, wallets = keys[0], tuple(keys[1:])
    symbols = [token.symbol for token in DeploymentPlan(tuple(operators)).tokens]
    previous, begun = _recorded(engine), 0 if registrar is None else chain.nonce(registrar.address)
    if registrar is not None and previous is not None:
        _require_ended(engine, registrar.address, set(operators) - set(previous.operators))
    plan = DeploymentPlan(
        operators=tuple(operators),
        participants=tuple(pair.address for pair in wallets),
        mints=tuple(Mint(s, pair.address, START_MINOR) for pair in wallets for s in symbols),
    )
    deployment = deploy(
        chain, plan, admin,
        previous=previous, registrar=registrar,
        between_looks=between_looks, looks=looks,
    )  # fmt: skip
    # Another start may have brought further operators: each has a lane.
    known_to_it = tuple(dict.fromkeys((*deployment.operators, *operators)))
    deployment = replace(deployment, operators=known_to_it)
    admin_lane = None if registrar is None else registrar.address
    signers = [*operators, *([admin_lane] if admin_lane else [])]
    nonces = {signer: chain.nonce(signer) for signer in signers}
    with transaction(engine) as session:
        participants.record_deployment(
            session, deployment, nonces=nonces, now=now, registrar=admin_lane
        )
        known = {each.lei: each.id for each in participants.participants(session, limit=1000)}
        missing = [
            (replace(company, wallets=(pair.address,), tax_id=_tax_id(company)), pair)
            for company, pair in zip(companies, wallets, strict=True)
            if company.lei not in known
        ]
        new = participants.register(session, [each for each, _ in missing], ids=ids, now=now)
        for key, (company, pair) in zip(new, missing, strict=True):
            sandbox_files.complete(session, key, company, pair, ids=ids, now=now)
            known[company.lei] = key
    _grant(chain, deployment, wallets, now, between_looks, looks)
    calls = 0 if registrar is None else nonces[registrar.address] - begun
    return Sandbox(deployment, tuple(known[c.lei] for c in companies), wallets, admin, calls)


def _tax_id(company: NewParticipant) -> str | None:
    """Return a made-up tax number where a company has neither kind."""
    if company.vat_id is not None or company.tax_id is not None:
        return company.tax_id
    return f"TEST-{str(company.lei)[-12:]}"


def _recorded(engine: Engine) -> Deployment | None:
    with reading(engine) as session:
        try:
            return participants.deployment(session).record
        except NotFound:
            return None


def _require_ended(engine: Engine, registrar: Address, fresh: set[Address]) -> None:
    """Refuse to let the registrar call past its lane while that has nonces under way."""
    with reading(engine) as session:
        lane = next((each for each in lanes.listed(session) if each.signer == registrar), None)
    if fresh and lane is not None and lane.unfinished:
        raise Refused(
            f"{lane.unfinished} chain transactions of the admin's lane are under way, and"
            " another operator has to be allowed by the same key",
            repair="start without the new operator, wait until the lane is empty, start again",
        )


def _grant(
    chain: ChainPort,
    deployment: Deployment,
    wallets: Sequence[KeyPair],
    now: datetime,
    between_looks: Callable[[], None],
    looks: int,
) -> None:
    """Let each company's wallet sign mandate and allowance for each token, where it has none."""
    pairs = [(pair, token) for pair in wallets for token in deployment.tokens]
    calls = [
        (deployment.rail, MANDATE_OF + address_word(pair.address) + address_word(token.address))
        for pair, token in pairs
    ]
    expiry = int(now.timestamp()) + 365 * 86_400
    mandate = mandate_abi.Mandate(CAP_PER_PAYMENT_MINOR, CAP_PER_DAY_MINOR, expiry, 0)
    nonces = {pair.address: chain.nonce(pair.address) for pair in wallets}
    raws = []
    for (pair, token), answer in zip(pairs, chain.call_many(calls), strict=True):
        if mandate_abi.read_mandate(answer) is not None:
            continue
        for step in mandate_abi.grant(
            chain_id=deployment.chain_id, rail=deployment.rail, token=token.address,
            debtor=pair.address, mandate=mandate, allowance_minor=START_MINOR,
        ):  # fmt: skip
            raw, _ = sign_eip1559(
                pair.key, chain_id=deployment.chain_id, nonce=nonces[pair.address], to=step.to,
                data=step.data, gas_limit=step.gas_limit,
                max_fee_wei=_FEE_WEI, max_priority_fee_wei=1_000_000_000,
            )  # fmt: skip
            nonces[pair.address] += 1
            raws.append(raw)
    chain.send(raws)
    for _ in range(looks):
        if all(chain.nonce(address) >= nonce for address, nonce in nonces.items()):
            return
        between_looks()
    raise ChainUnreachable("the companies' mandates were not mined in time")
