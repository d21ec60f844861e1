"""What the signer refuses whoever asks: other contracts, methods and chains, and too much money."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from settlement.chain.signing import KeyPair, read_eip1559
from settlement.signer import IntentSigner, Refusal, Signature, SigningRequest
from settlement.signer.limits import AmountLimits
from tests.builders.rail import Rail
from tests.signer.asking import GWEI, ask, claimed_batch

TOTAL_UNITS = 2_001  # 1,000.00 and 1,000.01 come to 2,000.01.
SECOND = KeyPair.of(b"\x29" * 32)


@pytest.fixture
def claimed(sqlite_rail: Rail) -> str:
    return claimed_batch(sqlite_rail)


def _token(rail: Rail) -> str:
    return str(rail.one("SELECT token FROM chain_tx LIMIT 1"))


@pytest.mark.parametrize(
    ("limits", "is_signed"),
    [
        ({"payment_units": 1_001}, True),
        ({"payment_units": 1_000}, False),  # The second payment is of 1,000.01.
        ({"payment_units": 0}, False),
        ({"day_units": TOTAL_UNITS}, True),
        ({"day_units": TOTAL_UNITS - 1}, False),
        ({"debtor_day_units": TOTAL_UNITS}, True),
        ({"debtor_day_units": TOTAL_UNITS - 1}, False),
    ],
)
def test_amounts_are_held_to_the_cent(
    sqlite_rail: Rail, claimed: str, limits: dict[str, int], is_signed: bool
) -> None:
    answer = ask(sqlite_rail, claimed, signer=sqlite_rail.signer(amounts=AmountLimits(**limits)))

    assert isinstance(answer, Signature) is is_signed
    if isinstance(answer, Refusal):
        assert "limit" in answer.reason and not answer.ended


def test_a_token_has_amounts_of_its_own(sqlite_rail: Rail, claimed: str) -> None:
    token = _token(sqlite_rail)
    tight, wide = AmountLimits(payment_units=1), AmountLimits()

    refused = sqlite_rail.signer(amounts=wide, by_token={token: tight})
    allowed = sqlite_rail.signer(amounts=tight, by_token={token: wide})

    assert isinstance(ask(sqlite_rail, claimed, signer=refused), Refusal)
    assert isinstance(ask(sqlite_rail, claimed, signer=allowed), Signature)


def test_a_days_amount_is_counted_once_a_nonce_and_for_all_keys(rail: Rail) -> None:
    """Again, higher, by another signer with the same memory; the next batch is one too many."""
    first, second = claimed_batch(rail), claimed_batch(rail)
    limits = AmountLimits(day_units=TOTAL_UNITS + 1_999)
    signer = rail.signer(amounts=limits)

    for fees in (3, 3, 4, 9):
        answer = ask(
            rail, first, signer=signer, max_fee_wei=fees * GWEI, priority_fee_wei=fees * GWEI // 2
        )
        assert isinstance(answer, Signature)
    other = rail.signer(keys=SECOND, amounts=limits)
    rail.write("INSERT INTO lane (signer, next_nonce, lease_fence, lease_until, state)"
               " VALUES (:signer, 0, 0, 0, 'active')", signer=SECOND.address)  # fmt: skip
    rail.write("UPDATE chain_tx SET signer = :signer WHERE id = :id",
               signer=SECOND.address, id=second)  # fmt: skip

    refusal = ask(rail, second, signer=other)

    assert isinstance(refusal, Refusal) and "over the day's limit" in refusal.reason


def test_a_day_is_the_utc_date_of_the_signers_own_clock(sqlite_rail: Rail) -> None:
    rail = sqlite_rail
    rail.later(14 * 3600 + 29 * 60 + 30)  # Just before midnight.
    first, second = claimed_batch(rail), claimed_batch(rail)
    signer = rail.signer(amounts=AmountLimits(day_units=TOTAL_UNITS))
    request = SigningRequest(second, 3 * GWEI, GWEI)
    assert rail.now.isoformat() < "2026-11-20T23:59:59"
    assert isinstance(ask(rail, first, signer=signer), Signature)

    (late,) = signer.sign([request], rail.now.replace(hour=23, minute=59, second=59))
    (next_day,) = signer.sign([request], rail.now + timedelta(seconds=60))

    assert isinstance(late, Refusal) and "2026-11-20 (UTC)" in late.reason
    assert isinstance(next_day, Signature)


def test_limits_stand_when_the_main_database_is_set_back(sqlite_rail: Rail, claimed: str) -> None:
    """The records forget that anything was signed; the signer's own memory does not."""
    rail = sqlite_rail
    limits = AmountLimits(day_units=TOTAL_UNITS)
    assert isinstance(ask(rail, claimed, signer=rail.signer(amounts=limits)), Signature)
    rail.write("UPDATE chain_tx SET nonce = nonce + 100, state = 'CLAIMED'")

    refusal = ask(rail, claimed, signer=rail.signer(amounts=limits))

    assert isinstance(refusal, Refusal) and "over the day's limit" in refusal.reason


def test_limits_stand_when_the_records_say_that_a_unit_is_less(
    sqlite_rail: Rail, claimed: str
) -> None:
    rail = sqlite_rail
    limits = AmountLimits(payment_units=1_500, day_units=5_000)
    assert isinstance(ask(rail, claimed, signer=rail.signer(amounts=limits)), Signature)
    rail.write("UPDATE token SET decimals = 9 WHERE address = :token", token=_token(rail))

    refusal = ask(rail, claimed, signer=rail.signer(amounts=limits))

    assert isinstance(refusal, Refusal) and "had 6 decimals" in refusal.reason


def test_a_token_that_is_not_listed_is_refused(sqlite_rail: Rail, claimed: str) -> None:
    rail = sqlite_rail
    with closing(sqlite3.connect(str(rail.engine.url.database))) as connection:
        connection.execute("DELETE FROM token WHERE address = ?", (_token(rail),))
        connection.commit()

    refusal = ask(rail, claimed)

    assert isinstance(refusal, Refusal) and "is not listed" in refusal.reason


def test_parallel_requests_never_pass_a_days_amount(rail: Rail) -> None:
    """Eight signers at once over eight batches of 1,000.00 and a little; there is room for five."""
    batches = [claimed_batch(rail, count=1) for _ in range(8)]
    limits = AmountLimits(day_units=5_999)
    signers: list[IntentSigner] = [rail.signer(amounts=limits) for _ in range(8)]

    def ask_for_all(place: int) -> list[Any]:
        turned = batches[place:] + batches[:place]
        requests = [SigningRequest(key, 3 * GWEI, GWEI) for key in turned]
        return signers[place].sign(requests, rail.now)

    with ThreadPoolExecutor(8) as pool:
        answers = [each for some in pool.map(ask_for_all, range(8)) for each in some]

    signed = {each.chain_tx_id: each.raw for each in answers if isinstance(each, Signature)}
    assert len(signed) == 5
    assert sum(isinstance(each, Signature) for each in answers) == 40, "all eight were told"
    assert len({read_eip1559(raw).nonce for raw in signed.values()}) == 5


FOREIGN = {
    "a chain of its own": ({"chain_id": 1}, "", "does not commit to its terms"),
    "another rail": ({"rail": "0x" + "11" * 20}, "", "only payments through the rail"),
    "a token as contract": ({}, "UPDATE chain_tx SET to_address = token", "through the rail"),
    "another method": ({}, "UPDATE chain_tx SET calldata = :call", "not what its members say"),
    "an administrator's call": ({}, "UPDATE chain_tx SET kind = 'admin'", "through the rail"),
    "a fee over its own cap": ({"max_fee_wei": 2 * GWEI}, "", "limit"),
    "gas over its own limit": ({"gas_limit": 100_000}, "", "limit"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_direct_call_for_anything_foreign_is_refused_with_the_reason(
    sqlite_rail: Rail, claimed: str, name: str
) -> None:
    rail = sqlite_rail
    limits, change, words = FOREIGN[name]
    if change:
        transfer = bytes.fromhex("a9059cbb") + bytes(64)
        rail.write(change, **({"call": transfer} if ":call" in change else {}))
    signer = rail.signer()
    signer._limits = replace(signer._limits, **limits)

    refusal = ask(rail, claimed, signer=signer)

    assert isinstance(refusal, Refusal) and words in refusal.reason
    assert signer.signed_through() is None, "nothing was taken"


def test_the_signers_own_connection_cannot_write(rail: Rail) -> None:
    signer = rail.signer()
    signer._records._connection = connection = signer._records._database.connect()

    with pytest.raises(signer._records._database.failure(), match=r"readonly|read-only"):
        connection.execute("UPDATE settlement SET amount_minor = 1")


def test_what_a_thief_of_the_key_file_may_sign_is_not_more(sqlite_rail: Rail) -> None:
    """A second operator with the same key and another memory is bound by the rail, not by us.

    What the signer itself lets through on a day is its limit, also for a caller that has taken
    over worker and database: it asks for everything that is cleared, as often as it likes.
    """
    rail = sqlite_rail
    limits = AmountLimits(day_units=3_000, debtor_day_units=2_500)
    signer = rail.signer(amounts=limits)
    for _ in range(6):
        ask(rail, claimed_batch(rail, count=1), signer=signer)

    moved = sum(
        row.total_minor
        for row in rail.rows("SELECT total_minor, nonce FROM chain_tx")
        if signer.signed_through() is not None and row.nonce <= signer.signed_through()
    )
    assert 0 < moved <= 2_500 * 10**6
