"""The signer of the admin's lane: it signs what is wanted of the registry now, and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from settlement.chain import admin_abi
from settlement.chain.port import Address
from settlement.chain.registry_abi import registry_calldata
from settlement.registry import Source
from settlement.signer import Refusal, Signature, SigningRequest, registry
from settlement.signer.coverage import NotCovered
from settlement.signer.limits import SigningLimits
from settlement.signer.records import Change, Intent
from tests.builders.ports import BrokenSigner
from tests.builders.rail import Rail, a_rail
from tests.builders.registrar import REGISTRAR, admin_signer, want

FEES = (30 * 10**9, 5 * 10**9)


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    """A rail with two claimed changes that nobody has signed: an unlisting and a freeze."""
    with a_rail(engine, tmp_path, registrar=REGISTRAR) as rail:
        gone = BrokenSigner(admin_signer(rail), ["unreachable"] * 9)
        worker = rail.worker(beside=[gone])
        rail.tick(worker)
        want(rail, rail.seller_wallet, rail.buyer_wallet, listed=False)
        want(rail, rail.seller_wallet, frozen=True, tokens=[rail.token()])
        rail.tick(worker)
        yield rail


def claimed(rail: Rail, effect: str) -> str:
    return str(
        rail.one(
            "SELECT DISTINCT chain_tx_id FROM registry_change WHERE effect = :effect",
            effect=effect,
        )
    )


def ask(rail: Rail, key: str, signer: Any = None, **request: Any) -> Signature | Refusal:
    signer = signer or admin_signer(rail)
    (answer,) = signer.sign([SigningRequest(key, *FEES, **request)], rail.now)
    assert isinstance(answer, Signature | Refusal)
    return answer


@pytest.mark.parametrize("effect", ["unlisted", "frozen"])
def test_what_is_wanted_is_signed(rail: Rail, effect: str) -> None:
    assert isinstance(ask(rail, claimed(rail, effect)), Signature)


def test_the_signer_of_payments_signs_no_change(rail: Rail) -> None:
    rail.write("UPDATE chain_tx SET signer = (SELECT signer FROM lane WHERE kind = 'operator')")

    answer = ask(rail, claimed(rail, "unlisted"), rail.signer())

    assert isinstance(answer, Refusal)
    assert answer.reason == "only payments through the rail are signed here"


def test_the_admins_signer_signs_no_payment(rail: Rail) -> None:
    rail.write("UPDATE registry_standing SET wanted = 'listed' WHERE wanted = 'unlisted'")
    rail.instructed(1, currency="EUR")
    worker = rail.worker("worker-2", signer=BrokenSigner(rail.signer(), ["unreachable"]))
    rail.let_go()
    with pytest.raises(Exception, match="not there"):
        rail.tick(worker)
    key = rail.one("SELECT id FROM chain_tx WHERE kind = 'pay'")
    rail.write(
        "UPDATE chain_tx SET signer = :registrar, nonce = 90 WHERE id = :key",
        registrar=REGISTRAR.address,
        key=key,
    )

    answer = ask(rail, key)

    assert isinstance(answer, Refusal)
    assert answer.reason == "only changes of the registry are signed here"


def forged_call(rail: Rail) -> str:
    call = admin_abi.list_participants_calldata([Address("0x" + "66" * 20)])
    key = claimed(rail, "unlisted")
    rail.write("UPDATE chain_tx SET calldata = :call WHERE id = :key", call=call, key=key)
    return key


def other_rail(rail: Rail) -> str:
    key = claimed(rail, "unlisted")
    rail.write("UPDATE chain_tx SET to_address = :to WHERE id = :key", to=rail.token(), key=key)
    return key


def unlisted_token(rail: Rail) -> str:
    rail.write("UPDATE token SET listed = false WHERE address = :at", at=rail.token())
    return claimed(rail, "frozen")


def fewer_than_said(rail: Rail) -> str:
    key = claimed(rail, "unlisted")
    rail.write("UPDATE chain_tx SET member_count = 3 WHERE id = :key", key=key)
    return key


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (forged_call, "the stored call is not what its changes say"),
        (other_rail, "not of one kind and of the contract that it calls"),
        (unlisted_token, "is no listed token"),
        (fewer_than_said, "2 of 3 changes are stored"),
    ],
)
def test_what_is_not_what_it_says_is_refused(
    rail: Rail, harm: Callable[[Rail], str], reason: str
) -> None:
    answer = ask(rail, harm(rail))

    assert isinstance(answer, Refusal)
    assert reason in answer.reason
    assert not answer.ended


def test_a_change_of_another_rail_is_refused_however_well_it_fits_together() -> None:
    rail, other, wallet = (Address("0x" + digits * 20) for digits in ("aa", "bb", "cc"))
    change = Change("ctx_1", wallet, other, "unlisted", "unlisted", "active", True, False)
    call = registry_calldata("unlisted", [wallet])
    intent = Intent("ctx_1", "", 0, "admin", other, call, None, None, 0, 0, 1, None)

    with pytest.raises(NotCovered, match="is not the rail of this signer"):
        registry.call(intent, [change], SigningLimits(1, rail, 1, 1))
    assert registry.call(intent, [change], SigningLimits(1, other, 1, 1)) == call


def test_what_stops_nobody_any_more_has_ended_and_its_cancel_is_signed(rail: Rail) -> None:
    want(rail, rail.seller_wallet, rail.buyer_wallet, listed=True)
    key = claimed(rail, "unlisted")

    answer = ask(rail, key)

    assert isinstance(answer, Refusal)
    assert answer.ended
    assert isinstance(ask(rail, key, as_cancel=True), Signature)


@pytest.fixture
def listing(rail: Rail) -> str:
    """A claimed call that lists the two again, not signed."""
    worker = rail.worker("worker-2", beside=[admin_signer(rail)])
    rail.let_go()
    for _ in range(3):
        rail.round(worker)
    worker.stop()
    want(rail, rail.seller_wallet, rail.buyer_wallet, listed=True)
    gone = BrokenSigner(admin_signer(rail), ["unreachable"] * 9)
    rail.tick(rail.worker("worker-3", beside=[gone]))
    return claimed(rail, "listed")


def test_a_listing_that_everybody_wants_is_signed(rail: Rail, listing: str) -> None:
    assert isinstance(ask(rail, listing), Signature)


def test_a_listing_of_one_who_is_to_be_unlisted_has_ended(rail: Rail, listing: str) -> None:
    want(rail, rail.buyer_wallet, listed=False, source=Source.SCREENING)

    answer = ask(rail, listing)

    assert isinstance(answer, Refusal)
    assert answer.ended


def test_a_listing_is_refused_while_one_side_binds_whatever_the_standing_says(
    rail: Rail, listing: str
) -> None:
    want(rail, rail.buyer_wallet, listed=False, source=Source.SCREENING)
    rail.write("UPDATE registry_standing SET wanted = 'listed' WHERE wanted = 'unlisted'")

    assert isinstance(ask(rail, listing), Refusal)


@pytest.mark.parametrize("state", ["suspended", "expired", "closed", "applied"])
def test_nobody_is_listed_whose_company_is_not_active(rail: Rail, listing: str, state: str) -> None:
    rail.write(
        "UPDATE participant SET state = :state WHERE id ="
        " (SELECT participant_id FROM wallet WHERE address = :wallet)",
        state=state,
        wallet=rail.buyer_wallet,
    )

    answer = ask(rail, listing)

    assert isinstance(answer, Refusal)
    assert f"is {state}" in answer.reason


def test_a_nonce_carries_one_change_for_ever(rail: Rail) -> None:
    key, slots = claimed(rail, "frozen"), "slots-once.sqlite3"
    assert isinstance(ask(rail, key, admin_signer(rail, slots=slots)), Signature)
    rail.write("UPDATE chain_tx SET gas_limit = gas_limit + 1 WHERE id = :key", key=key)

    answer = ask(rail, key, admin_signer(rail, slots=slots))

    assert isinstance(answer, Refusal)
    assert "was signed with other content" in answer.reason
