"""A deployment is put there once: run twice, killed at every step, or on a foreign chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from settlement.chain import admin_abi
from settlement.chain.deploy import DeploymentIncomplete, deploy
from settlement.chain.deployment import Deployment, check_chain
from settlement.chain.deployment_plan import COIN_WEI, Mint
from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address, SendAnswer, SendOutcome
from settlement.chain.rail_abi import BALANCE_OF, address_word
from settlement.chain.signing import created_address, sign_eip1559
from settlement.errors import ChainUnreachable, ForeignChain, Invalid, Refused
from tests.chain.worlds import (
    ADMIN,
    CREDITOR,
    DEBTOR,
    KEYS,
    OPERATOR,
    START_MINOR,
    STRANGER,
    a_chain,
    a_plan,
)

NEW_OPERATOR = Address("0x" + "77" * 20)
NEW_WALLET = Address("0x" + "78" * 20)


@pytest.fixture(params=("memory", "anvil"))
def bare(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    """A chain on which nothing stands, and its controls."""
    with a_chain(request.param) as made:
        yield made


def put(chain: Any, controls: Any, **terms: Any) -> Deployment:
    plan = terms.pop("plan", None) or a_plan()
    return deploy(chain, plan, terms.pop("admin", ADMIN), between_looks=controls.mine, **terms)


def flags(chain: Any, deployment: Deployment, *asked: tuple[str, Address]) -> list[int | None]:
    calls = [(deployment.rail, call + address_word(address)) for call, address in asked]
    return [admin_abi.read_number(answer) for answer in chain.call_many(calls)]


def test_what_the_plan_asks_for_stands_on_the_chain(bare: tuple[Any, Any]) -> None:
    plan = a_plan(
        operators=(OPERATOR.address, NEW_OPERATOR),
        participants=(DEBTOR.address, NEW_WALLET),
        mints=(Mint("TUSD", DEBTOR.address, 70), Mint("TUSD", NEW_WALLET, 30)),
    )

    made = put(*bare, plan=plan)

    chain = bare[0]
    assert [token.symbol for token in made.tokens] == ["TUSD", "TEUR"]
    assert {(token.decimals, token.kind) for token in made.tokens} == {(6, 1)}
    assert (made.admin, made.operators) == (ADMIN.address, plan.operators)
    asked = [(admin_abi.IS_PARTICIPANT, NEW_WALLET), (admin_abi.IS_OPERATOR, NEW_OPERATOR),
             (admin_abi.TOKEN_KIND, made.tokens[1].address),
             (admin_abi.IS_PARTICIPANT, STRANGER.address)]  # fmt: skip
    assert flags(chain, made, *asked) == [1, 1, 1, 0]
    coins = chain.coin_balances([NEW_OPERATOR, NEW_WALLET], chain.head().hash)
    assert coins == [9 * COIN_WEI, COIN_WEI]
    balances = chain.call_many(
        [(made.token("TUSD").address, BALANCE_OF + address_word(DEBTOR.address))]
    )
    assert int(balances[0], 16) == 70
    assert chain.code_hashes([made.rail]) == [made.rail_code_hash]
    check_chain(chain, made)


def test_running_it_again_sends_nothing_and_finds_the_same(bare: tuple[Any, Any]) -> None:
    first = put(*bare)
    nonce = bare[0].nonce(ADMIN.address)

    second = put(*bare)
    third = put(*bare, previous=first)

    assert first == second == third
    assert bare[0].nonce(ADMIN.address) == nonce


def test_a_deployment_goes_to_json_and_back(bare: tuple[Any, Any]) -> None:
    made = put(*bare)

    assert Deployment.from_json(made.to_json()) == made


def test_the_first_block_is_the_one_with_the_first_contract(bare: tuple[Any, Any]) -> None:
    bare[1].mine(7)

    made = put(*bare)

    block = bare[0].headers(made.first_block, made.first_block)[0]
    (receipts,) = bare[0].receipts([block])
    assert receipts[0].to is None
    assert made.first_block == 8


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


def send_as_admin(chain: Any, to: Address | None, call: bytes, gas_limit: int = 200_000) -> None:
    raw, _ = sign_eip1559(
        ADMIN.key, chain_id=31337, nonce=chain.nonce(ADMIN.address), to=to, data=call,
        gas_limit=gas_limit, max_fee_wei=10**11, max_priority_fee_wei=10**9,
    )  # fmt: skip
    assert chain.send([raw])[0].outcome is SendOutcome.ACCEPTED
    chain.mine()


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


def test_a_key_of_eth_account_can_be_the_admin() -> None:
    chain = MemoryChain(automine=False)

    assert put(chain, chain, admin=Account.from_key(ADMIN.key)).admin == ADMIN.address


def test_an_admin_key_that_was_used_before_is_refused() -> None:
    chain = MemoryChain(automine=False)
    send_as_admin(chain, STRANGER.address, b"")

    with pytest.raises(Refused, match="nonce") as refusal:
        put(chain, chain)

    assert refusal.value.repair
    assert chain.nonce(ADMIN.address) == 1
    made = put(chain, chain, plan=a_plan(first_admin_nonce=1))
    assert made.tokens[0].address == created_address(ADMIN.address, 1)


def test_an_admin_without_coins_is_told_so() -> None:
    chain = MemoryChain(automine=False, rich=[])

    with pytest.raises(Refused, match="cannot pay"):
        put(chain, chain)


def test_a_chain_that_mines_nothing_is_given_up() -> None:
    chain = MemoryChain(automine=False)

    with pytest.raises(ChainUnreachable, match="not mined"):
        deploy(chain, a_plan(), ADMIN, between_looks=lambda: None, looks=3)


def test_a_step_without_effect_is_not_called_done() -> None:
    chain = MemoryChain(automine=False)
    made = put(chain, chain)
    send_as_admin(chain, made.rail, bytes.fromhex(
        admin_abi.selector("transferOwnership(address)")[2:] + address_word(STRANGER.address)
    ))  # fmt: skip
    accept = bytes.fromhex(admin_abi.selector("acceptOwnership()")[2:])
    raw, _ = sign_eip1559(
        STRANGER.key, chain_id=31337, nonce=0, to=made.rail, data=accept,
        gas_limit=200_000, max_fee_wei=10**11, max_priority_fee_wei=10**9,
    )  # fmt: skip
    chain.send([raw])
    chain.mine()

    with pytest.raises(DeploymentIncomplete, match="list participants"):
        put(chain, chain, plan=a_plan(participants=(NEW_WALLET,)), previous=made)


@pytest.mark.parametrize(
    "fault",
    [
        {"operators": ()},
        {"operators": (ADMIN.address,)},
        {"operator_gas_wei": 9 * COIN_WEI + 1},
        {"mints": (Mint("TXXX", DEBTOR.address, 5),)},
        {"mints": (Mint("TUSD", DEBTOR.address, 0),)},
        {"mints": (Mint("TUSD", DEBTOR.address, 2**63),)},
        {"tokens": a_plan().tokens[:1] * 2},
        {"first_admin_nonce": 5},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_a_plan_that_contradicts_itself_is_refused_and_nothing_sent(fault: dict[str, Any]) -> None:
    chain = MemoryChain(automine=False)

    with pytest.raises(Invalid):
        put(chain, chain, plan=a_plan(**fault))

    assert chain.nonce(ADMIN.address) == 0


def test_other_tokens_than_those_on_the_chain_are_refused() -> None:
    chain = MemoryChain(automine=False)
    made = put(chain, chain)

    with pytest.raises(Invalid):
        put(chain, chain, plan=a_plan(tokens=a_plan().tokens[:1]), previous=made)


def test_another_chain_id_is_foreign(bare: tuple[Any, Any]) -> None:
    made = put(*bare)

    with pytest.raises(ForeignChain, match="chain id"):
        check_chain(bare[0], replace(made, chain_id=1))
    bare[1].set_chain_id(5)
    with pytest.raises(ForeignChain, match="chain id 5"):
        put(*bare, previous=made)


def test_a_reset_chain_is_foreign() -> None:
    chain = MemoryChain(automine=False)
    made = put(chain, chain)
    again = MemoryChain(automine=False, seed=1)
    put(again, again)

    with pytest.raises(ForeignChain, match="block 0"):
        check_chain(again, made)


def test_missing_or_other_code_is_foreign(bare: tuple[Any, Any]) -> None:
    chain, controls = bare
    name = controls.snapshot()
    made = put(*bare)
    check_chain(chain, made)

    with pytest.raises(ForeignChain, match="TEUR"):
        check_chain(chain, replace(made, tokens=(made.tokens[0], replace(made.tokens[1], code_hash=made.rail_code_hash))))  # fmt: skip  # noqa: E501
    controls.revert(name)
    controls.mine()
    with pytest.raises(ForeignChain, match="no code"):
        check_chain(chain, made)
    assert len(KEYS) == 10
