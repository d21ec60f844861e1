"""Putting a rail on a chain: tokens, listings, gas and starting balances, once and not twice.

Looks at what is there and sends only what is missing, signed by the admin's key. Stores nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from settlement.chain import admin_abi
from settlement.chain.admin_lane import Admin, AdminLane, Step
from settlement.chain.deployment import DeployedToken, Deployment, check_chain
from settlement.chain.deployment_plan import DeploymentPlan, Mint, check_plan
from settlement.chain.handover import (
    missing_acceptance,
    missing_offer,
    missing_roles,
    rail_owner,
)
from settlement.chain.port import Address, ChainIdentity, ChainPort
from settlement.chain.rail_abi import TOTAL_SUPPLY, address_word
from settlement.chain.signing import created_address
from settlement.errors import Fatal, Invalid, Refused

_CREATION_GAS = 5_000_000
_CALL_GAS = 120_000
_LISTED_AT_ONCE = 100
_LISTING_GAS = 60_000 + _LISTED_AT_ONCE * 30_000
_TRANSFER_GAS = 21_000


class DeploymentIncomplete(Fatal):
    """The chain took every chain transaction, and yet something is missing."""


def deploy(
    chain: ChainPort,
    plan: DeploymentPlan,
    admin: Admin,
    *,
    previous: Deployment | None = None,
    registrar: Admin | None = None,
    between_looks: Callable[[], None] = lambda: time.sleep(0.02),
    looks: int = 3000,
) -> Deployment:
    """Put on the chain what the plan asks for and is not there yet; return what stands there.

    May be run again after any interruption. `previous` is what an earlier run returned: then no
    contract is created and no starting balance given. Waits at most `looks` times `between_looks`.
    With a `registrar` the rail is handed over to it once all is set up; from then on nobody is
    listed here: its lane does that.

    Raises:
        ForeignChain: `previous` is of another chain, or its code is not there.
        Invalid: the plan contradicts itself or `previous`.
        Refused: the admin has no coins, or its key was used for something else.
        ChainUnreachable: no answer, or not mined in time; run it again.
        DeploymentIncomplete: a step had no effect.
    """
    owner = Address(admin.address.lower())
    check_plan(plan, owner, previous)
    sender = AdminLane(chain, admin, owner, between_looks, looks)
    if previous is None:
        deployment = _put_contracts(chain, plan, owner, sender)
    else:
        check_chain(chain, previous)
        deployment = previous

    is_ours = rail_owner(chain, deployment.rail) == owner

    def left() -> list[Step]:
        mints = [] if previous is not None else _missing_mints(chain, plan, deployment)
        listings = _missing(chain, plan, deployment, plan.participants) if is_ours else []
        return [*listings, *_missing_gas(chain, plan), *mints]

    _do(sender, left)
    if registrar is not None:
        _hand_over(chain, plan, deployment, sender, registrar)
    elif not is_ours and _missing(chain, plan, deployment, plan.participants):
        raise Refused(
            f"the rail {deployment.rail} is owned by another key, and the plan asks for more on it",
            repair="let the admin's lane end what it has sent, then run this again",
        )
    return deployment


def _hand_over(
    chain: ChainPort, plan: DeploymentPlan, deployment: Deployment, sender: AdminLane, key: Admin
) -> None:
    """Let the registrar freeze, give it gas money and the rail; it sets up what is missing then."""
    registrar = Address(key.address.lower())
    rail = deployment.rail

    def left() -> list[Step]:
        return [
            *missing_roles(chain, deployment, registrar),
            *_gas_for(chain, {registrar: plan.operator_gas_wei}),
            *missing_offer(chain, rail, registrar),
        ]

    _do(sender, left)
    own = sender.of(key, registrar)
    _do(own, lambda: missing_acceptance(chain, rail, registrar))
    _do(own, lambda: _missing(chain, plan, deployment, ()))


def _do(sender: AdminLane, left: Callable[[], list[Step]]) -> None:
    """Send what is left to do, and look whether it had its effect."""
    sender.send(*sender.steps_from(left))
    without_effect = left()
    if without_effect:
        raise DeploymentIncomplete(
            f"{len(without_effect)} steps had no effect, the first: {without_effect[0].what}"
        )


def _put_contracts(
    chain: ChainPort, plan: DeploymentPlan, owner: Address, sender: AdminLane
) -> Deployment:
    """Create the tokens and the rail at the addresses that follow from the admin's nonces."""
    identity = chain.identity()
    steps = [
        Step(
            f"create the token {token.symbol}",
            None,
            admin_abi.token_creation(name=token.name, symbol=token.symbol, admin=owner),
            _CREATION_GAS,
        )
        for token in plan.tokens
    ]
    steps.append(Step("create the rail", None, admin_abi.rail_creation(owner), _CREATION_GAS))
    addresses = [created_address(owner, plan.first_admin_nonce + n) for n in range(len(steps))]
    nonce = sender.nonce()
    done = min(max(nonce - plan.first_admin_nonce, 0), len(steps))
    before = chain.head().number
    if nonce < plan.first_admin_nonce:
        raise Invalid(
            f"the admin's next nonce is {nonce}, below the plan's {plan.first_admin_nonce}"
        )
    # What earlier runs created is looked at before anything is added to it.
    _check_contracts(chain, plan, owner, addresses[:done])
    sender.send(nonce, steps[done:])
    _check_contracts(chain, plan, owner, addresses)
    first_block = _first_block_with(chain, addresses[0], not_before=before if done == 0 else 0)
    return _as_found(chain, plan, owner, identity, addresses, first_block)


def _check_contracts(
    chain: ChainPort, plan: DeploymentPlan, owner: Address, addresses: Sequence[Address]
) -> None:
    """Return quietly if at each address stands what the plan puts there."""
    tokens, rail = addresses[: len(plan.tokens)], addresses[len(plan.tokens) :]
    symbols = chain.call_many([(address, admin_abi.SYMBOL) for address in tokens])
    for token, address, symbol in zip(plan.tokens, tokens, symbols, strict=False):
        if admin_abi.read_text(symbol) != token.symbol:
            raise _key_used_elsewhere(owner, address, token.symbol)
    if rail:
        expected = admin_abi.artifact("SettlementRail").runtime_hash
        if chain.code_hashes(rail)[0] != expected:
            raise _key_used_elsewhere(owner, rail[0], "the rail, as this version compiles it")


def _key_used_elsewhere(owner: Address, address: Address, what: str) -> Refused:
    return Refused(
        f"the admin {owner} has used the nonce that creates {address}, but {what} is not there",
        repair="use an admin key of its own for the rail, or say where its nonces start",
    )


def _first_block_with(chain: ChainPort, address: Address, *, not_before: int) -> int:
    """Return the number of the block in which a token appeared. The chain is searched by halves."""
    low, high = not_before, chain.head().number
    while low < high:
        middle = (low + high) // 2
        block = chain.headers(middle, middle)[0]
        there = chain.call_many([(address, admin_abi.SYMBOL)], block.hash)[0] != "0x"
        low, high = (low, middle) if there else (middle + 1, high)
    return low


def _as_found(
    chain: ChainPort,
    plan: DeploymentPlan,
    owner: Address,
    identity: ChainIdentity,
    addresses: Sequence[Address],
    first_block: int,
) -> Deployment:
    hashes = chain.code_hashes(addresses)
    decimals = chain.call_many([(address, admin_abi.DECIMALS) for address in addresses[:-1]])
    found = zip(plan.tokens, addresses, hashes, decimals, strict=False)
    tokens = []
    for token, address, code_hash, answer in found:
        places = admin_abi.read_number(answer)
        if code_hash is None or places is None:
            raise DeploymentIncomplete(f"the token {token.symbol} is not at {address}")
        tokens.append(
            DeployedToken(token.symbol, token.name, address, token.kind, places, code_hash)
        )
    assert hashes[-1] is not None
    return Deployment(
        chain_id=identity.chain_id,
        genesis_hash=identity.genesis_hash,
        first_block=first_block,
        rail=addresses[-1],
        rail_code_hash=hashes[-1],
        admin=owner,
        operators=plan.operators,
        tokens=tuple(tokens),
    )


def _missing(
    chain: ChainPort, plan: DeploymentPlan, deployment: Deployment, participants: Sequence[Address]
) -> list[Step]:
    """Return what the rail's owner lists and allows of what is not listed and allowed yet."""
    rail = deployment.rail
    asked = [(rail, admin_abi.TOKEN_KIND + address_word(t.address)) for t in deployment.tokens]
    asked += [(rail, admin_abi.IS_PARTICIPANT + address_word(p)) for p in participants]
    asked += [(rail, admin_abi.IS_OPERATOR + address_word(o)) for o in plan.operators]
    answers = iter([admin_abi.read_number(answer) for answer in chain.call_many(asked)])
    steps = []
    for token in deployment.tokens:
        if next(answers) != token.kind:
            call = admin_abi.list_token_calldata(token.address, token.kind)
            steps.append(Step(f"list the token {token.symbol}", rail, call, _CALL_GAS))
    unlisted = [holder for holder in participants if not next(answers)]
    for start in range(0, len(unlisted), _LISTED_AT_ONCE):
        call = admin_abi.list_participants_calldata(unlisted[start : start + _LISTED_AT_ONCE])
        steps.append(Step("list participants", rail, call, _LISTING_GAS))
    for operator in plan.operators:
        if not next(answers):
            call = admin_abi.set_operator_calldata(operator, True)
            steps.append(Step(f"allow the operator {operator}", rail, call, _CALL_GAS))
    return steps


def _missing_gas(chain: ChainPort, plan: DeploymentPlan) -> list[Step]:
    """Return what fills up accounts with less than a tenth of the gas money planned for them."""
    targets = dict.fromkeys(plan.participants, plan.wallet_gas_wei)
    targets.update(dict.fromkeys(plan.operators, plan.operator_gas_wei))
    return _gas_for(chain, targets)


def _gas_for(chain: ChainPort, targets: Mapping[Address, int]) -> list[Step]:
    balances = chain.coin_balances(list(targets), chain.head().hash)
    return [
        Step(f"send gas money to {holder}", holder, b"", _TRANSFER_GAS, target - balance)
        for (holder, target), balance in zip(targets.items(), balances, strict=True)
        if balance < target // 10 or (target and not balance)
    ]


def _missing_mints(chain: ChainPort, plan: DeploymentPlan, deployment: Deployment) -> list[Step]:
    """Return the starting balances not given yet: a token's supply says how many of its were.

    A supply that no number of them adds up to is of a token in use: nothing more is given.
    """
    asked = [(token.address, TOTAL_SUPPLY) for token in deployment.tokens]
    steps = []
    for token, answer in zip(deployment.tokens, chain.call_many(asked), strict=True):
        mints = [mint for mint in plan.mints if mint.symbol == token.symbol]
        given, supply = 0, admin_abi.read_number(answer)
        for place, mint in enumerate(mints):
            if given == supply:
                steps += [_mint_step(token, each) for each in mints[place:]]
                break
            given += mint.amount_minor
    return steps


def _mint_step(token: DeployedToken, mint: Mint) -> Step:
    call = admin_abi.mint_calldata(mint.holder, mint.amount_minor)
    return Step(f"mint {token.symbol} for {mint.holder}", token.address, call, _CALL_GAS)
