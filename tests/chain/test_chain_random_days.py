"""Random days on the chain in memory and on a real anvil leave the same logs and balances."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from settlement.chain import admin_abi, mandate_abi
from settlement.chain.port import Hash
from settlement.chain.rail_abi import (
    ALLOWANCE,
    BALANCE_OF,
    MANDATE_OF,
    TOTAL_SUPPLY,
    PaymentTerms,
    address_word,
)
from tests.chain.twins import DAY, Twins
from tests.chain.worlds import (
    ADMIN,
    CAP_PER_DAY,
    CAP_PER_PAYMENT,
    CREDITOR,
    DEBTOR,
    GENESIS_TIME,
    KEYS,
    NEVER,
    OTHER_CREDITOR,
    STRANGER,
)


@pytest.mark.parametrize("seed", range(3))
def test_random_days_leave_the_same_logs_and_balances(twins: Twins, seed: int) -> None:
    rng = random.Random(seed)
    now = GENESIS_TIME + 100
    for _ in range(40):
        now += rng.choice((0, 1, 60, 30_000))
        raws = [rng.choice(MOVES)(twins, rng) for _ in range(rng.randint(1, 5))]
        twins.sent(*raws, at=now)

    holders = [key.address for key in KEYS]
    asked = [(twins.token, TOTAL_SUPPLY)]
    for holder in holders:
        asked.append((twins.token, BALANCE_OF + address_word(holder)))
        asked.append((twins.token, ALLOWANCE + address_word(holder) + address_word(twins.rail)))
        asked.append((twins.rail, MANDATE_OF + address_word(holder) + address_word(twins.token)))
    balances = twins.asked(*asked)
    assert len({answer for answer in balances if answer != "0x" + "0" * 64}) > 3


def a_random_batch(twins: Twins, rng: random.Random) -> bytes:
    base = rng.choice((0, 250, 2**40))
    payments = [
        PaymentTerms(
            base + rng.randrange(40),
            rng.choice(KEYS[:7]).address,
            rng.choice((0, 1, 999, 400_000, CAP_PER_PAYMENT, CAP_PER_PAYMENT + 1, CAP_PER_DAY)),
            Hash(f"0x{rng.getrandbits(256):064x}"),
        )
        for _ in range(rng.randint(1, 6))
    ]
    debtor = rng.choice((DEBTOR, DEBTOR, DEBTOR, CREDITOR, STRANGER)).address
    return twins.memory.batch(payments, debtor=debtor)


def a_random_mandate(twins: Twins, rng: random.Random) -> bytes:
    call = mandate_abi.set_mandate_calldata(
        token=twins.token,
        cap_per_payment=rng.choice((1_000, CAP_PER_PAYMENT)),
        cap_per_day=rng.choice((500_000, CAP_PER_DAY)),
        expiry=rng.choice((NEVER, GENESIS_TIME + 2 * DAY)),
    )
    return twins.sign(rng.choice((DEBTOR, CREDITOR)), twins.rail, call)


def a_random_allowance(twins: Twins, rng: random.Random) -> bytes:
    amount = rng.choice((10_000_000, 1_000, 2**256 - 1))
    call = mandate_abi.approve_calldata(spender=twins.rail, amount_minor=amount)
    return twins.sign(rng.choice((DEBTOR, CREDITOR)), twins.token, call)


def a_random_order_of_the_admin(twins: Twins, rng: random.Random) -> bytes:
    account = rng.choice(KEYS[2:7]).address
    to, call = rng.choice(
        [
            (twins.token, admin_abi.freeze_calldata(account)),
            (twins.token, admin_abi.unfreeze_calldata(account)),
            (twins.token, admin_abi.unfreeze_calldata(DEBTOR.address)),
            (twins.token, admin_abi.mint_calldata(account, rng.randrange(10**7))),
            (twins.rail, admin_abi.list_participants_calldata([account])),
            (twins.rail, admin_abi.unlist_participants_calldata([account])),
            (twins.rail, admin_abi.list_participants_calldata([DEBTOR.address])),
            (twins.rail, admin_abi.list_token_calldata(twins.token, rng.choice((1, 2)))),
        ]
    )
    return twins.sign(ADMIN, to, call)


def a_random_transfer(twins: Twins, rng: random.Random) -> bytes:
    call = admin_abi.transfer_calldata(rng.choice(KEYS).address, rng.randrange(2 * 10**6))
    return twins.sign(rng.choice((DEBTOR, CREDITOR, OTHER_CREDITOR)), twins.token, call)


Move = Callable[[Twins, random.Random], bytes]


MOVES: list[Move] = [
    *[a_random_batch] * 6,
    *[a_random_order_of_the_admin] * 3,
    a_random_mandate,
    a_random_allowance,
    a_random_transfer,
]
