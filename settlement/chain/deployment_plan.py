"""What is to stand on a chain: tokens, operators, participants, gas money and starting balances.

A value and the check of it; asks no node and sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from settlement.chain.deployment import Deployment, TokenKind
from settlement.chain.port import Address
from settlement.errors import Invalid

COIN_WEI = 10**18
OPERATOR_COINS_MAX = 9
"""An operator's balance is booked, and more than 9 coins in wei do not fit into 63 bits."""


@dataclass(frozen=True, slots=True)
class TokenPlan:
    """A token to have."""

    symbol: str
    name: str
    kind: TokenKind = TokenKind.EXACT


TEST_TOKENS = (
    TokenPlan("TUSD", "Test US Dollar"),
    TokenPlan("TEUR", "Test Euro"),
    TokenPlan("TAED", "Test UAE Dirham"),
    TokenPlan("TCNY", "Test Renminbi"),
    TokenPlan("TINR", "Test Indian Rupee"),
)


@dataclass(frozen=True, slots=True)
class Mint:
    """A starting balance. Given once, when its rail is first put there."""

    symbol: str
    holder: Address
    amount_minor: int


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What is to stand on the chain. The order of `tokens` and `mints` is part of the plan."""

    operators: tuple[Address, ...]
    participants: tuple[Address, ...] = ()
    mints: tuple[Mint, ...] = ()
    tokens: tuple[TokenPlan, ...] = TEST_TOKENS
    operator_gas_wei: int = OPERATOR_COINS_MAX * COIN_WEI
    wallet_gas_wei: int = COIN_WEI
    first_admin_nonce: int = 0
    """Where the admin's account stood before; its contracts' addresses follow from it."""


def check_plan(plan: DeploymentPlan, owner: Address, previous: Deployment | None) -> None:
    """Return quietly if the plan contradicts neither itself nor what an earlier run put there.

    Raises:
        Invalid: it does.
    """
    symbols = [token.symbol for token in plan.tokens]
    if len(set(symbols)) != len(symbols):
        raise Invalid("two tokens of the plan have one symbol", field="tokens")
    if not plan.operators or owner in plan.operators:
        raise Invalid("the rail needs an operator, and its owner cannot be one", field="operators")
    if plan.operator_gas_wei > OPERATOR_COINS_MAX * COIN_WEI:
        raise Invalid(
            f"an operator has at most {OPERATOR_COINS_MAX} coins", field="operator_gas_wei"
        )
    for mint in plan.mints:
        if mint.symbol not in symbols or not 0 < mint.amount_minor < 2**63:
            raise Invalid(f"{mint} is of no token of the plan, or no amount", field="mints")
    if previous is not None and [token.symbol for token in previous.tokens] != symbols:
        raise Invalid("the plan's tokens are not those that stand on the chain", field="tokens")
