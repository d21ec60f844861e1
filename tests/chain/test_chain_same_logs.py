"""The chain in memory against a real anvil: the same bytes leave the same receipts and logs.

Only what cannot be alike is left out: gas, its price, and block hashes.
"""

from __future__ import annotations

from typing import Any

from settlement.chain import admin_abi, mandate_abi
from settlement.chain.port import Address
from settlement.chain.rail_abi import (
    MANDATE_OF,
    SETTLE,
    Rejection,
    address_word,
    selector,
    word,
)
from settlement.chain.signing import KeyPair
from tests.chain.twins import DAY, Twins, codes, comparable
from tests.chain.worlds import (
    ADMIN,
    CAP_PER_PAYMENT,
    CREDITOR,
    DEBTOR,
    GENESIS_TIME,
    NEVER,
    OPERATOR,
    OTHER_CREDITOR,
    STRANGER,
    a_payment,
)

BURN = selector("burn(address,uint256)")


TRANSFER_FROM = selector("transferFrom(address,address,uint256)")


GRANT_ROLE = selector("grantRole(bytes32,address)")


RENOUNCE_ROLE = selector("renounceRole(bytes32,address)")


TRANSFER_OWNERSHIP = selector("transferOwnership(address)")


ACCEPT_OWNERSHIP = selector("acceptOwnership()")


UNLIST_TOKEN = selector("unlistToken(address)")


def test_two_worlds_begin_alike(twins: Twins) -> None:
    """Deployment, listings, mints and grants have left the same receipts and code on both."""
    lists = []
    for world in (twins.memory, twins.anvil):
        blocks = world.chain.headers(0, world.chain.head().number)
        receipts = [each for found in world.chain.receipts(blocks) for each in found]
        lists.append([comparable(receipt) for receipt in receipts])

    assert lists[0] == lists[1]
    assert sum(len(row[5]) for row in lists[0]) > 15
    assert twins.memory.deployment.tokens == twins.anvil.deployment.tokens
    assert twins.memory.deployment.rail_code_hash == twins.anvil.deployment.rail_code_hash


def test_each_reason_to_reject_one_payment(twins: Twins) -> None:
    frozen = OTHER_CREDITOR.address
    twins.do(ADMIN, twins.token, admin_abi.freeze_calldata(frozen))
    payments = [
        a_payment(1, 10),
        a_payment(2, 0),
        a_payment(3, 2**63),
        a_payment(4, 2**64 - 1),
        a_payment(5, 10, STRANGER.address),
        a_payment(6, 10, DEBTOR.address),
        a_payment(7, CAP_PER_PAYMENT + 1),
        a_payment(8, 10, frozen),
        *[a_payment(10 + place, CAP_PER_PAYMENT) for place in range(5)],
        a_payment(1, 10),
        a_payment(2**32, 20),
    ]

    (receipt,) = twins.sent(twins.memory.batch(payments))

    assert codes(receipt) == [
        Rejection.AMOUNT_INVALID, Rejection.AMOUNT_INVALID, Rejection.AMOUNT_INVALID,
        Rejection.CREDITOR_NOT_LISTED, Rejection.CREDITOR_NOT_LISTED, Rejection.OVER_PAYMENT_CAP,
        Rejection.TOKEN_REFUSED, Rejection.OVER_DAY_CAP, Rejection.ALREADY_SETTLED,
    ]  # fmt: skip

    twins.do(ADMIN, twins.token, admin_abi.unfreeze_calldata(frozen))
    (retry,) = twins.sent(twins.memory.batch([a_payment(8, 10, frozen)]))
    assert codes(retry) == []


def test_what_a_debtor_has_to_have_done(twins: Twins) -> None:
    """No mandate, not listed, expired, lowered, revoked, set again on the same and the next day."""
    token, rail = twins.token, twins.rail
    stranger = STRANGER.address

    def reasons(debtor: Address = DEBTOR.address, *, at: int | None = None, amount: int = 10,
                sequence: int = 1) -> list[int]:  # fmt: skip
        raw = twins.memory.batch([a_payment(sequence, amount)], debtor=debtor)
        return codes(twins.sent(raw, at=at)[0])

    def mandate(per_payment: int, per_day: int, expiry: int) -> int:
        call = mandate_abi.set_mandate_calldata(
            token=token, cap_per_payment=per_payment, cap_per_day=per_day, expiry=expiry
        )
        return twins.do(DEBTOR, rail, call)

    assert reasons(OTHER_CREDITOR.address) == [Rejection.MANDATE_MISSING]
    assert reasons(stranger) == [Rejection.DEBTOR_NOT_LISTED]
    noon = GENESIS_TIME // DAY * DAY + DAY + DAY // 2
    assert reasons(at=noon, amount=1_000_000) == []
    assert mandate(1_000_000, 1_200_000, noon + 100) == 1
    assert reasons(amount=300_000, sequence=2) == [Rejection.OVER_DAY_CAP]
    assert mandate(0, 1, NEVER) == 0
    assert mandate(1, 2**63, NEVER) == 0
    assert mandate(1, 1, 1) == 0
    assert mandate(1, 1, 2**40) == 0
    assert reasons(at=noon + 100, amount=150_000, sequence=3) == []
    assert reasons(at=noon + 100, amount=50_001, sequence=2) == [Rejection.OVER_DAY_CAP]
    assert reasons(at=noon + 100, amount=50_000, sequence=4) == []
    assert reasons(at=noon + 101, sequence=2) == [Rejection.MANDATE_EXPIRED]
    assert twins.do(DEBTOR, rail, mandate_abi.revoke_mandate_calldata(token)) == 1
    assert reasons(sequence=2) == [Rejection.MANDATE_MISSING]
    assert mandate(1_000_000, 1_000_000, NEVER) == 1
    assert reasons(sequence=2, amount=1) == [Rejection.OVER_DAY_CAP]
    assert reasons(sequence=2, amount=1_000_000, at=noon + DAY) == []
    asked = (rail, MANDATE_OF + address_word(DEBTOR.address) + address_word(token))
    assert mandate_abi.read_mandate(twins.asked(asked)[0]) == mandate_abi.Mandate(
        1_000_000, 1_000_000, NEVER, 0
    )


def test_each_reason_to_revert_a_whole_batch(twins: Twins) -> None:
    rail, other = twins.rail, twins.memory.deployment.token("TEUR").address

    def status(**terms: Any) -> int:
        return twins.sent(twins.memory.batch([a_payment(1)], **terms))[0].status

    assert status(signer=ADMIN) == 0
    assert status(signer=DEBTOR) == 0
    assert status(deadline=GENESIS_TIME - 1) == 0
    assert status(token=STRANGER.address) == 0
    assert twins.do(OPERATOR, rail, an_empty_batch(twins)) == 0
    assert status(gas_limit=120_000) == 0
    assert twins.do(ADMIN, rail, UNLIST_TOKEN + address_word(twins.token)) == 1
    assert status() == 0
    assert twins.do(ADMIN, rail, admin_abi.list_token_calldata(twins.token, 2)) == 1
    assert twins.do(OPERATOR, rail, admin_abi.PAUSE) == 1
    assert status() == 0
    assert twins.do(OPERATOR, rail, admin_abi.UNPAUSE) == 0
    assert twins.do(ADMIN, rail, admin_abi.UNPAUSE) == 1
    assert twins.do(ADMIN, rail, admin_abi.set_operator_calldata(OPERATOR.address, False)) == 1
    assert status() == 0
    assert twins.do(ADMIN, rail, admin_abi.set_operator_calldata(OPERATOR.address, True)) == 1
    # Listed as checked by now: paid by the self-call.
    assert status() == 1
    base = twins.memory.batch([a_payment(2**64 - 2**32 + 1)])
    assert twins.sent(base)[0].status == 0
    assert codes(twins.sent(twins.memory.batch([a_payment(2)], token=other))[0]) == [
        Rejection.MANDATE_MISSING
    ]


def test_what_an_admin_and_a_stranger_may_do(twins: Twins) -> None:
    rail, token = twins.rail, twins.token
    anyone = [STRANGER, OPERATOR]
    calls = [
        admin_abi.list_token_calldata(token, 1),
        UNLIST_TOKEN + address_word(token),
        admin_abi.list_participants_calldata([STRANGER.address]),
        admin_abi.unlist_participants_calldata([CREDITOR.address]),
        admin_abi.set_operator_calldata(STRANGER.address, True),
        TRANSFER_OWNERSHIP + address_word(STRANGER.address),
        ACCEPT_OWNERSHIP,
        admin_abi.UNPAUSE,
    ]
    for signer in anyone:
        assert [twins.do(signer, rail, call) for call in calls] == [0] * len(calls)

    refused = [
        admin_abi.list_token_calldata(token, 0),
        admin_abi.list_token_calldata(token, 3),
        admin_abi.list_token_calldata(STRANGER.address, 1),
        admin_abi.list_token_calldata(CREDITOR.address, 1),
        admin_abi.list_token_calldata(rail, 1),
        admin_abi.list_participants_calldata([STRANGER.address, rail]),
        admin_abi.list_participants_calldata([token]),
        admin_abi.set_operator_calldata(ADMIN.address, True),
        TRANSFER_OWNERSHIP + "11" * 32,
        "0x",
        "0x12345678",
    ]
    assert [twins.do(ADMIN, rail, call) for call in refused] == [0] * len(refused)

    # An operator that is offered the ownership cannot take it.
    offered = TRANSFER_OWNERSHIP + address_word(OPERATOR.address)
    assert twins.do(ADMIN, rail, offered) == 1
    assert twins.do(OPERATOR, rail, ACCEPT_OWNERSHIP) == 0

    accepted = [
        admin_abi.list_participants_calldata([STRANGER.address, CREDITOR.address]),
        admin_abi.list_participants_calldata([]),
        admin_abi.unlist_participants_calldata([CREDITOR.address, ADMIN.address]),
        UNLIST_TOKEN + address_word(STRANGER.address),
        TRANSFER_OWNERSHIP + address_word(STRANGER.address),
    ]
    assert [twins.do(ADMIN, rail, call) for call in accepted] == [1] * len(accepted)
    assert twins.do(STRANGER, rail, ACCEPT_OWNERSHIP) == 1
    assert twins.do(ADMIN, rail, admin_abi.PAUSE) == 0
    assert twins.do(STRANGER, rail, admin_abi.PAUSE) == 1


def test_what_a_token_allows(twins: Twins) -> None:
    token = twins.token
    holder, other = DEBTOR, CREDITOR
    transfer_from = TRANSFER_FROM + address_word(holder.address) + address_word(other.address)

    steps: list[tuple[KeyPair, bytes | str, int]] = [
        (holder, admin_abi.transfer_calldata(other.address, 5), 1),
        (holder, admin_abi.transfer_calldata(other.address, 2**200), 0),
        (holder, admin_abi.transfer_calldata(token, 5), 0),
        (holder, admin_abi.transfer_calldata(Address("0x" + "0" * 40), 5), 0),
        (holder, admin_abi.transfer_calldata(holder.address, 7), 1),
        (holder, admin_abi.transfer_calldata(other.address, 0), 1),
        (other, transfer_from + word(3), 0),
        (holder, mandate_abi.approve_calldata(spender=other.address, amount_minor=4), 1),
        (other, transfer_from + word(3), 1),
        (other, transfer_from + word(3), 0),
        (holder, mandate_abi.approve_calldata(spender=other.address, amount_minor=2**256 - 1), 1),
        (other, transfer_from + word(3), 1),
        (holder, mandate_abi.approve_calldata(spender=Address("0x" + "0" * 40), amount_minor=1), 0),
        (other, admin_abi.mint_calldata(other.address, 1), 0),
        (ADMIN, admin_abi.mint_calldata(other.address, 2**63), 0),
        (ADMIN, admin_abi.mint_calldata(ADMIN.address, 9), 1),
        (ADMIN, BURN + address_word(ADMIN.address) + word(4), 1),
        (ADMIN, BURN + address_word(ADMIN.address) + word(6), 0),
        (ADMIN, BURN + address_word(holder.address) + word(1), 0),
        (other, admin_abi.freeze_calldata(holder.address), 0),
        (ADMIN, admin_abi.freeze_calldata(holder.address), 1),
        (ADMIN, admin_abi.freeze_calldata(holder.address), 1),
        (holder, admin_abi.transfer_calldata(other.address, 5), 0),
        (ADMIN, admin_abi.mint_calldata(holder.address, 1), 0),
        (ADMIN, admin_abi.unfreeze_calldata(holder.address), 1),
        (ADMIN, admin_abi.PAUSE, 1),
        (ADMIN, admin_abi.PAUSE, 0),
        (holder, admin_abi.transfer_calldata(other.address, 5), 0),
        (holder, mandate_abi.approve_calldata(spender=other.address, amount_minor=1), 1),
        (other, admin_abi.UNPAUSE, 0),
        (ADMIN, admin_abi.UNPAUSE, 1),
        (ADMIN, GRANT_ROLE + "0" * 64 + address_word(other.address), 1),
        (other, RENOUNCE_ROLE + "0" * 64 + address_word(ADMIN.address), 0),
        (other, RENOUNCE_ROLE + "0" * 64 + address_word(other.address), 1),
        (other, GRANT_ROLE + "0" * 64 + address_word(other.address), 0),
        (holder, "0xdeadbeef", 0),
        (holder, "0xa9059cbb", 0),
        (holder, "0xa9059cbb" + "ff" * 32 + word(1), 0),
    ]
    for signer, call, status in steps:
        assert twins.do(signer, token, call) == status, call


def test_a_rail_and_a_token_take_no_coins(twins: Twins) -> None:
    for to in (twins.rail, twins.token):
        raw = twins.memory.sign(STRANGER, to, admin_abi.transfer_calldata(to, 1), value=1)
        bare = twins.memory.sign(STRANGER, to, b"", value=1)
        assert [receipt.status for receipt in twins.sent(raw, bare)] == [0, 0]


def an_empty_batch(twins: Twins) -> str:
    words = address_word(twins.token) + address_word(DEBTOR.address)
    return SETTLE + words + word(NEVER) + word(0) + word(5 * 32) + word(0)
