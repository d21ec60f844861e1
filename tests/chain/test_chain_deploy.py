"""What a deployment puts on a chain, and what it refuses to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from settlement.chain import admin_abi
from settlement.chain.deploy import deploy
from settlement.chain.deployment import Deployment, check_chain
from settlement.chain.deployment_plan import COIN_WEI, Mint
from settlement.chain.handover import missing_roles, rail_owner
from settlement.chain.memory import MemoryChain
from settlement.chain.rail_abi import BALANCE_OF, address_word
from settlement.chain.signing import created_address, sign_eip1559
from settlement.errors import ChainUnreachable, ForeignChain, Invalid, Refused
from tests.chain.deployments import NEW_OPERATOR, NEW_WALLET, flags, put, send_as_admin
from tests.chain.worlds import (
    ADMIN,
    DEBTOR,
    KEYS,
    OPERATOR,
    STRANGER,
    a_plan,
)


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


def test_what_only_another_owner_can_do_is_not_called_done() -> None:
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

    with pytest.raises(Refused, match="owned by another key"):
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


def test_a_rail_is_handed_to_its_registrar_once_and_set_up_by_it_from_then_on() -> None:
    chain = MemoryChain(automine=False)
    made = put(chain, chain, registrar=STRANGER)

    again = put(chain, chain, previous=made, registrar=STRANGER)

    assert rail_owner(chain, made.rail) == STRANGER.address
    assert missing_roles(chain, made, STRANGER.address) == []
    assert (chain.nonce(STRANGER.address), again) == (1, made)
    more = a_plan(operators=(OPERATOR.address, NEW_OPERATOR), participants=(NEW_WALLET,))
    put(chain, chain, plan=more, previous=made, registrar=STRANGER)
    asked = [(admin_abi.IS_OPERATOR, NEW_OPERATOR), (admin_abi.IS_PARTICIPANT, NEW_WALLET)]
    assert flags(chain, made, *asked) == [1, 0]  # Who is listed is said by the registry alone.


def test_a_hand_over_that_was_broken_off_is_gone_on_with() -> None:
    chain = MemoryChain(automine=False)
    made = put(chain, chain)
    offer = admin_abi.selector("transferOwnership(address)")[2:] + address_word(STRANGER.address)
    send_as_admin(chain, made.rail, bytes.fromhex(offer))

    put(chain, chain, previous=made, registrar=STRANGER)

    assert rail_owner(chain, made.rail) == STRANGER.address
