"""A deployment is put there once: run again, killed at every step, after money has moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from settlement.chain import admin_abi
from settlement.chain.deployment_plan import COIN_WEI, Mint
from settlement.chain.memory import MemoryChain
from settlement.chain.port import SendAnswer
from settlement.chain.rail_abi import BALANCE_OF, address_word
from tests.chain.deployments import NEW_OPERATOR, NEW_WALLET, flags, put, send_as_admin
from tests.chain.worlds import (
    ADMIN,
    CREDITOR,
    DEBTOR,
    START_MINOR,
    a_plan,
)


def test_running_it_again_sends_nothing_and_finds_the_same(bare: tuple[Any, Any]) -> None:
    first = put(*bare)
    nonce = bare[0].nonce(ADMIN.address)

    second = put(*bare)
    third = put(*bare, previous=first)

    assert first == second == third
    assert bare[0].nonce(ADMIN.address) == nonce


FOUR_MINTS = (
    Mint("TUSD", DEBTOR.address, 70),
    Mint("TUSD", CREDITOR.address, 30),
    Mint("TEUR", DEBTOR.address, 5),
    Mint("TEUR", CREDITOR.address, 5),
)


class Cut(Exception):
    """The process is gone."""


class CutChain:
    """A chain that a process speaks to until it is killed: before its nth send, or right after."""

    def __init__(self, chain: Any, *, sends: int, keeps: int | None) -> None:
        self._chain = chain
        self._sends_left = sends
        self._keeps = keeps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def send(self, raws: Sequence[bytes]) -> list[SendAnswer]:
        if self._sends_left == 0:
            self._chain.send(raws[: self._keeps])
            raise Cut
        self._sends_left -= 1
        answers: list[SendAnswer] = self._chain.send(raws)
        return answers


@pytest.mark.parametrize("mined", [True, False], ids=["mined before the restart", "still pooled"])
@pytest.mark.parametrize("sends", [0, 1])
@pytest.mark.parametrize("keeps", range(12))
def test_killed_in_the_middle_it_is_finished_by_the_next_run(
    sends: int, keeps: int, mined: bool
) -> None:
    chain = MemoryChain(automine=False)
    plan = a_plan(mints=FOUR_MINTS)
    whole = MemoryChain(automine=False)
    expected = put(whole, whole, plan=plan)
    cut = CutChain(chain, sends=sends, keeps=keeps)
    with pytest.raises(Cut):
        put(cut, chain, plan=plan)
    if mined:
        chain.mine()

    made = put(chain, chain, plan=plan)

    assert replace(made, first_block=1) == replace(expected, first_block=1)
    assert chain.nonce(ADMIN.address) == whole.nonce(ADMIN.address)
    calls = [
        (token.address, BALANCE_OF + address_word(holder))
        for token in made.tokens
        for holder in (DEBTOR.address, CREDITOR.address)
    ]
    assert [int(answer, 16) for answer in chain.call_many(calls)] == [70, 30, 5, 5]


class BusyChain:
    """A chain that mines what an earlier run left in the pool while the next one looks."""

    def __init__(self, chain: MemoryChain, *, quiet_calls: int) -> None:
        self._chain = chain
        self._quiet_calls = quiet_calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def call_many(self, *asked: Any) -> list[str]:
        answers = self._chain.call_many(*asked)
        self._quiet_calls -= 1
        if self._quiet_calls == 0:
            self._chain.mine()
        return answers


@pytest.mark.parametrize("quiet_calls", range(1, 8))
@pytest.mark.parametrize("keeps", range(1, 9))
def test_what_is_mined_while_the_next_run_looks_is_not_done_twice(
    keeps: int, quiet_calls: int
) -> None:
    chain = MemoryChain(automine=False)
    plan = a_plan(mints=FOUR_MINTS)
    with pytest.raises(Cut):
        put(CutChain(chain, sends=1, keeps=keeps), chain, plan=plan)

    made = put(BusyChain(chain, quiet_calls=quiet_calls), chain, plan=plan)

    supplies = chain.call_many([(token.address, "0x18160ddd") for token in made.tokens])
    assert [int(supply, 16) for supply in supplies] == [100, 10]
    assert chain.nonce(ADMIN.address) == len(made.tokens) + 1 + 4 + len(plan.mints)


def test_money_in_use_is_not_minted_again() -> None:
    chain = MemoryChain(automine=False)
    made = put(chain, chain)
    burn = admin_abi.selector("burn(address,uint256)") + address_word(ADMIN.address)
    steps = [
        admin_abi.mint_calldata(ADMIN.address, 5),
        bytes.fromhex(burn[2:] + admin_abi.word(3)),
    ]
    for call in steps:
        send_as_admin(chain, made.token("TUSD").address, call)

    put(chain, chain)
    put(chain, chain, previous=made)

    (supply,) = chain.call_many([(made.token("TUSD").address, "0x18160ddd")])
    assert int(supply, 16) == START_MINOR + 2


def test_a_larger_plan_adds_what_is_new_alone(bare: tuple[Any, Any]) -> None:
    first = put(*bare)
    nonce = bare[0].nonce(ADMIN.address)
    larger = a_plan(participants=(*a_plan().participants, NEW_WALLET))

    put(*bare, plan=larger, previous=first)

    assert bare[0].nonce(ADMIN.address) == nonce + 2
    assert flags(bare[0], first, (admin_abi.IS_PARTICIPANT, NEW_WALLET)) == [1]


def test_spent_gas_money_is_filled_up_only_when_it_is_low() -> None:
    chain = MemoryChain(automine=False)
    plan = a_plan(operators=(NEW_OPERATOR,))
    made = put(chain, chain, plan=plan)
    balances = []
    for wei in (2 * COIN_WEI, COIN_WEI // 2):
        chain.set_balance(NEW_OPERATOR, wei)
        put(chain, chain, plan=plan, previous=made)
        balances += chain.coin_balances([NEW_OPERATOR], chain.head().hash)

    assert balances == [2 * COIN_WEI, 9 * COIN_WEI]
