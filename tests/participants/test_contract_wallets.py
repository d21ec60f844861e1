"""Contract wallets say themselves what is signed by them: on a real anvil and in memory."""

from dataclasses import replace

import pytest

from settlement.chain.keccak import keccak
from settlement.chain.port import Address
from settlement.errors import ChainUnreachable, ForeignChain
from settlement.participants.challenges import Challenge
from settlement.participants.proofs import (
    WalletNotProved,
)
from tests.chain.worlds import World
from tests.participants import contract_wallet
from tests.participants.proving import HOLDER, METHODS, OTHER, judged, payload


def on(world: World, address: Address) -> Challenge:
    """A challenge as a database of this world would have it."""
    return Challenge(
        "wch_1", "par_1", address, 31337, world.rail, "rail.example", "9e" * 16, "self_hosted",
        None, 1_795_165_200_000_000, 1_895_165_200_000_000, None,
    )  # fmt: skip


@pytest.mark.parametrize("over", METHODS)
def test_a_contract_wallet_says_itself_that_the_signature_is_its_own(
    world: World, over: str
) -> None:
    address = contract_wallet.put(world, HOLDER.address)
    asked = on(world, address)
    signature = HOLDER.sign(payload(asked, over))

    found = judged(asked, "eip1271", signature, chain=world.chain)

    assert found.digest == "0x" + keccak(payload(asked, over)).hex()
    for method in METHODS:  # The contract has no key.
        with pytest.raises(WalletNotProved):
            judged(asked, method, signature)


def test_what_its_contract_does_not_take_is_not_proved(world: World) -> None:
    address = contract_wallet.put(world, HOLDER.address)
    asked = on(world, address)
    good = HOLDER.sign(payload(asked, "eip191"))

    for signature in (
        OTHER.sign(payload(asked, "eip191")),
        HOLDER.sign(payload(replace(asked, nonce="0" * 32), "eip191")),
        HOLDER.sign(payload(replace(asked, chain_id=1), "eip712")),
        good[:64],
        good + b"\0",
        b"",
        bytes(8_193),
    ):
        with pytest.raises(WalletNotProved):
            judged(asked, "eip1271", signature, chain=world.chain)


def test_who_answers_more_than_one_word_has_said_nothing(world: World) -> None:
    asked = on(world, contract_wallet.put(world, HOLDER.address, talks=True))

    with pytest.raises(WalletNotProved, match="does not take"):
        judged(asked, "eip1271", HOLDER.sign(payload(asked, "eip191")), chain=world.chain)


def test_where_no_contract_is_a_key_has_to_sign(world: World) -> None:
    asked = on(world, HOLDER.address)
    signature = HOLDER.sign(payload(asked, "eip191"))

    with pytest.raises(WalletNotProved, match="no contract"):
        judged(asked, "eip1271", signature, chain=world.chain)
    # The token is a contract, and knows nothing of signatures; the identity precompile returns
    # what it is given.
    for address in (world.token.address, Address("0x" + "0" * 39 + "4")):
        with pytest.raises(WalletNotProved):
            judged(replace(asked, address=address), "eip1271", signature, chain=world.chain)


def test_a_contract_is_asked_on_the_challenges_chain_alone(world: World) -> None:
    asked = replace(on(world, contract_wallet.put(world, HOLDER.address)), chain_id=1)
    signature = HOLDER.sign(payload(asked, "eip191"))

    with pytest.raises(ForeignChain):
        judged(asked, "eip1271", signature, chain=world.chain)
    with pytest.raises(ChainUnreachable):
        judged(asked, "eip1271", signature, chain=None)
