"""Handing a rail over to its registrar: the one key that lists and freezes, and mints nothing.

The key that deployed keeps the tokens' other roles; the rail's contract offers and takes its
ownership in two steps. Looks at what is there and names only what is missing.
"""

from __future__ import annotations

from settlement.chain import admin_abi
from settlement.chain.admin_lane import Step
from settlement.chain.deployment import Deployment
from settlement.chain.port import Address, ChainPort
from settlement.chain.rail_abi import address_word, selector, topic

_FREEZER_ROLE = topic("FREEZER_ROLE")
_HAS_ROLE = selector("hasRole(bytes32,address)")
_GRANT_ROLE = selector("grantRole(bytes32,address)")
_OFFER = selector("transferOwnership(address)")
_ACCEPT = selector("acceptOwnership()")
_PENDING_OWNER = selector("pendingOwner()")
_CALL_GAS = 120_000


def rail_owner(chain: ChainPort, rail: Address) -> Address:
    """Return who owns the rail now."""
    return _as_address(chain.call_many([(rail, admin_abi.OWNER)])[0])


def missing_roles(chain: ChainPort, deployment: Deployment, registrar: Address) -> list[Step]:
    """Return what lets the registrar freeze on each token where it may not yet."""
    asked = _FREEZER_ROLE[2:] + address_word(registrar)
    answers = chain.call_many([(token.address, _HAS_ROLE + asked) for token in deployment.tokens])
    return [
        Step(
            f"let the registrar freeze {token.symbol}",
            token.address,
            bytes.fromhex(_GRANT_ROLE[2:] + asked),
            _CALL_GAS,
        )
        for token, answer in zip(deployment.tokens, answers, strict=True)
        if not admin_abi.read_number(answer)
    ]


def missing_offer(chain: ChainPort, rail: Address, registrar: Address) -> list[Step]:
    """Return what offers the rail to the registrar, if it is neither owner nor offered it."""
    owner, pending = chain.call_many([(rail, admin_abi.OWNER), (rail, _PENDING_OWNER)])
    if registrar in (_as_address(owner), _as_address(pending)):
        return []
    call = bytes.fromhex(_OFFER[2:] + address_word(registrar))
    return [Step("offer the rail to its registrar", rail, call, _CALL_GAS)]


def missing_acceptance(chain: ChainPort, rail: Address, registrar: Address) -> list[Step]:
    """Return what takes the rail, signed by the registrar; nothing where it owns it already."""
    if rail_owner(chain, rail) == registrar:
        return []
    return [Step("take the rail", rail, bytes.fromhex(_ACCEPT[2:]), _CALL_GAS)]


def _as_address(word: str) -> Address:
    return Address("0x" + word[-40:])
