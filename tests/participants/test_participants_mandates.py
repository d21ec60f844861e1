"""Mandates: read from the chain's events, through reorgs too; what a debtor signs, and relays."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from settlement.chain import mandate_abi
from settlement.chain.admin_abi import transfer_calldata
from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address, Hash
from settlement.chain.signing import KeyPair, sign_eip1559
from settlement.errors import ChainUnreachable, Forbidden, Invalid, NotFound
from settlement.participants import (
    GrantTerms,
    Mandate,
    NotAMandateCall,
    allowed,
    grant_instructions,
    mandates,
    read_signed,
    revoke_instruction,
)
from settlement.store import reading
from tests.watcher.scene import CREDITORS, DEBTOR, FOREVER, NOW, Scene, a_scene

LATER = int(NOW.timestamp()) + 10 * 86_400


@pytest.fixture
def scene(engine: Engine) -> Scene:
    """A debtor with a mandate for TUSD, on a chain in memory."""
    chain = MemoryChain()
    return a_scene(engine, chain, chain)


def standing(scene: Scene, wallet: str | None = None) -> list[Mandate]:
    scene.catch_up()
    with reading(scene.engine) as session:
        return mandates(session, wallet)


def set_mandate(scene: Scene, per_payment: int, per_day: int, symbol: str = "TUSD") -> Hash:
    data = mandate_abi.set_mandate_calldata(
        token=scene.deployment.token(symbol).address,
        cap_per_payment=per_payment,
        cap_per_day=per_day,
        expiry=FOREVER,
    )
    return scene.send(DEBTOR, scene.deployment.rail, data)


def revoke(scene: Scene) -> Hash:
    data = mandate_abi.revoke_mandate_calldata(scene.token)
    return scene.send(DEBTOR, scene.deployment.rail, data)


def caps(found: list[Mandate]) -> list[tuple[int, int]]:
    return [(each.cap_per_payment_minor, each.cap_per_day_minor) for each in found]


def test_the_newest_event_of_each_debtor_and_token_counts(scene: Scene) -> None:
    set_mandate(scene, 7, 70)
    tx_hash = set_mandate(scene, 5, 50)
    set_mandate(scene, 9, 90, "TEUR")

    found = standing(scene)

    by_token = {each.token: each for each in found}
    assert len(found) == 2
    assert by_token[scene.token] == Mandate(
        debtor_wallet=DEBTOR.address,
        token=scene.token,
        cap_per_payment_minor=5,
        cap_per_day_minor=50,
        expires_at=FOREVER,
        block_number=scene.chain.head().number - 1,
        tx_hash=tx_hash,
    )


def test_what_is_revoked_is_gone_until_it_is_granted_again(scene: Scene) -> None:
    revoke(scene)
    revoked = standing(scene)
    set_mandate(scene, 5, 50)

    assert revoked == []
    assert caps(standing(scene)) == [(5, 50)]
    assert standing(scene, CREDITORS[0].address) == []


def test_a_reorg_brings_back_what_stood_before(scene: Scene) -> None:
    before = standing(scene)
    set_mandate(scene, 5, 50)
    lowered = standing(scene)

    scene.controls.reorg(1)

    assert caps(lowered) == [(5, 50)]
    assert standing(scene) == before


def test_the_chain_says_what_is_left_of_the_day_and_what_can_be_taken(scene: Scene) -> None:
    set_mandate(scene, 60, 100)
    scene.pay([60])
    pairs = [(DEBTOR.address, scene.token), (CREDITORS[0].address, scene.token)]

    of_debtor, of_creditor = allowed(scene.chain, scene.deployment.rail, pairs)

    assert (of_debtor.left_today_minor, of_debtor.takeable_minor) == (40, 40)
    assert of_debtor.balance_minor == of_debtor.allowance_minor == 10**15 - 60
    assert (of_creditor.balance_minor, of_creditor.takeable_minor) == (60, 0)


def test_of_two_mandates_in_one_block_the_later_one_stands(scene: Scene) -> None:
    raw = []
    for place, (per_payment, per_day) in enumerate(((7, 70), (5, 50))):
        call = mandate_abi.set_mandate_calldata(
            token=scene.token, cap_per_payment=per_payment, cap_per_day=per_day, expiry=FOREVER
        )
        nonce = scene.chain.nonce(DEBTOR.address) + place
        raw.append(signed(scene, scene.deployment.rail, call, nonce=nonce))
    scene.controls.set_automine(False)
    scene.chain.send(raw)
    scene.controls.mine()

    assert caps(standing(scene)) == [(5, 50)]


def test_where_no_rail_answers_nothing_is_guessed(scene: Scene) -> None:
    nowhere = Address("0x" + "77" * 20)

    with pytest.raises(ChainUnreachable):
        allowed(scene.chain, nowhere, [(DEBTOR.address, scene.token)])


def terms(scene: Scene, **changes: Any) -> GrantTerms:
    fields: dict[str, Any] = {
        "debtor_wallet": DEBTOR.address,
        "token": scene.token,
        "cap_per_payment_minor": 5,
        "cap_per_day_minor": 50,
        "expires_at": LATER,
    }
    return GrantTerms(**{**fields, **changes})


def test_what_a_debtor_is_shown_does_on_the_chain_what_it_says(scene: Scene) -> None:
    with reading(scene.engine) as session:
        to_sign = grant_instructions(session, terms(scene), NOW)

    for unsigned in to_sign:
        assert (unsigned.sender, unsigned.chain_id) == (DEBTOR.address, 31337)
        scene.send(DEBTOR, unsigned.to, unsigned.data)
    (left,) = allowed(scene.chain, scene.deployment.rail, [(DEBTOR.address, scene.token)])

    assert caps(standing(scene)) == [(5, 50)]
    # As much as the caps can take until it expires: no more is allowed than the mandate needs.
    assert (left.left_today_minor, left.allowance_minor) == (50, 50 * 11)


def test_the_allowance_can_be_chosen_and_never_leaves_63_bits(scene: Scene) -> None:
    most = 2**63 - 1
    with reading(scene.engine) as session:
        chosen = grant_instructions(session, terms(scene, allowance_minor=77), NOW)
        largest = grant_instructions(session, terms(scene, cap_per_day_minor=most), NOW)
        grant_instructions(session, terms(scene, cap_per_payment_minor=50), NOW)  # All of a day.

    assert int.from_bytes(chosen[0].data[-32:], "big") == 77
    assert int.from_bytes(largest[0].data[-32:], "big") == most


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cap_per_payment_minor": 0}, "cap_per_payment"),
        ({"cap_per_payment_minor": -1}, "cap_per_payment"),
        ({"cap_per_day_minor": 2**63}, "cap_per_day"),
        ({"cap_per_payment_minor": 51}, "cap_per_payment"),
        ({"allowance_minor": 0}, "allowance"),
        ({"expires_at": int(NOW.timestamp())}, "expires_at"),
        ({"expires_at": 2**40}, "expires_at"),
    ],
)
def test_what_the_rail_would_refuse_is_not_offered_for_signing(
    scene: Scene, change: dict[str, Any], field: str
) -> None:
    with reading(scene.engine) as session, pytest.raises(Invalid) as refusal:
        grant_instructions(session, terms(scene, **change), NOW)

    assert refusal.value.field == field


def test_an_unknown_wallet_or_token_is_not_found(scene: Scene) -> None:
    nobody = Address("0x" + "77" * 20)
    with reading(scene.engine) as session:
        for change in ({"debtor_wallet": nobody}, {"token": nobody}):
            with pytest.raises(NotFound):
                grant_instructions(session, terms(scene, **change), NOW)
        with pytest.raises(NotFound):
            revoke_instruction(session, nobody, scene.token)


def signed(scene: Scene, to: Address, data: bytes, **changes: Any) -> bytes:
    keys: KeyPair = changes.pop("keys", DEBTOR)
    fields: dict[str, Any] = {
        "chain_id": 31337,
        "nonce": scene.chain.nonce(keys.address),
        "gas_limit": 120_000,
        "max_fee_wei": 10**12,
        "max_priority_fee_wei": 10**9,
    }
    return sign_eip1559(keys.key, to=to, data=data, **{**fields, **changes})[0]


def a_revocation(scene: Scene, **changes: Any) -> bytes:
    data = mandate_abi.revoke_mandate_calldata(scene.token)
    return signed(scene, scene.deployment.rail, data, **changes)


def test_signed_grants_and_revocations_are_taken_as_they_are(scene: Scene) -> None:
    owner = owner_of(scene)
    with reading(scene.engine) as session:
        to_sign = grant_instructions(session, terms(scene), NOW)
        to_sign.append(revoke_instruction(session, DEBTOR.address, scene.token))
        raws = [signed(scene, each.to, each.data) for each in to_sign]

        found = read_signed(session, raws, participant_id=owner)

    assert [each.raw for each in found] == raws
    assert {each.sender for each in found} == {DEBTOR.address}


def owner_of(scene: Scene) -> str:
    return str(scene.one("SELECT participant_id FROM wallet WHERE address = :a", a=DEBTOR.address))


ELSEWHERE = Address("0x" + "77" * 20)
FORGED: dict[str, Callable[[Scene], bytes]] = {
    "bytes of nothing": lambda scene: b"\x02\xc0",
    "another chain": lambda scene: a_revocation(scene, chain_id=1),
    "coins along with it": lambda scene: a_revocation(scene, value=1),
    "another contract": lambda scene: signed(
        scene, ELSEWHERE, mandate_abi.revoke_mandate_calldata(scene.token)
    ),
    "an unlisted token": lambda scene: signed(
        scene, scene.deployment.rail, mandate_abi.revoke_mandate_calldata(ELSEWHERE)
    ),
    "an allowance for somebody else": lambda scene: signed(
        scene, scene.token, mandate_abi.approve_calldata(spender=ELSEWHERE, amount_minor=5)
    ),
    "an allowance of an unlisted token": lambda scene: signed(
        scene,
        ELSEWHERE,
        mandate_abi.approve_calldata(spender=scene.deployment.rail, amount_minor=5),
    ),
    "a mandate for an unlisted token": lambda scene: signed(
        scene,
        scene.deployment.rail,
        mandate_abi.set_mandate_calldata(
            token=ELSEWHERE, cap_per_payment=1, cap_per_day=1, expiry=LATER
        ),
    ),
    "a transfer": lambda scene: signed(scene, scene.token, transfer_calldata(ELSEWHERE, 5)),
    "more than the call": lambda scene: signed(
        scene, scene.deployment.rail, mandate_abi.revoke_mandate_calldata(scene.token) + b"\0"
    ),
    "an allowance cut short": lambda scene: signed(
        scene,
        scene.token,
        mandate_abi.approve_calldata(spender=scene.deployment.rail, amount_minor=5)[:-1],
    ),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_nothing_but_mandate_calls_is_relayed(scene: Scene, forgery: str) -> None:
    raws = [a_revocation(scene), FORGED[forgery](scene)]

    with reading(scene.engine) as session, pytest.raises(NotAMandateCall) as refusal:
        read_signed(session, raws, participant_id=None)

    assert refusal.value.field == "signed/1"


def test_a_participant_relays_only_what_its_own_wallets_signed(scene: Scene) -> None:
    strangers = KeyPair.of(b"\x05" * 32)
    with reading(scene.engine) as session:
        for keys, who in ((CREDITORS[0], owner_of(scene)), (strangers, None)):
            with pytest.raises(Forbidden):
                read_signed(session, [a_revocation(scene, keys=keys)], participant_id=who)


@pytest.mark.parametrize("count", [0, 11])
def test_the_number_of_relayed_calls_is_bounded(scene: Scene, count: int) -> None:
    with reading(scene.engine) as session, pytest.raises(Invalid):
        read_signed(session, [a_revocation(scene)] * count, participant_id=None)
