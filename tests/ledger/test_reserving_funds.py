"""Reservations: set aside once, released by payment, given back by void, restored by reversal."""

from sqlalchemy import Engine

from settlement import ledger
from settlement.store import reading, transaction
from tests.builders.ledger import (
    BUYER_WALLET,
    NOW,
    SELLER_WALLET,
    TOKEN,
    a_payment,
    a_reservation,
    a_source,
    seed_parties,
    two_lines,
)

FULL = 50_000_000
WALLETS = {(BUYER_WALLET, TOKEN): "TUSD", (SELLER_WALLET, TOKEN): "TUSD"}


def _fund_the_buyer(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_parties(session)
        mint = two_lines(FULL)._replace(
            lines=(
                ledger.Line(f"wallet:{BUYER_WALLET}:TUSD", FULL),
                ledger.Line("outside:TUSD", -FULL),
            )
        )
        ledger.post(session, [mint], NOW)


def _available(engine: Engine) -> tuple[int, int]:
    with reading(engine) as session:
        found = ledger.available(session, WALLETS)
        assert ledger.trial_balance(session).is_balanced
    return found[BUYER_WALLET, TOKEN], found[SELLER_WALLET, TOKEN]


def test_what_is_set_aside_is_not_available_and_what_is_to_come_neither(engine: Engine) -> None:
    _fund_the_buyer(engine)

    with transaction(engine) as session:
        reserved = ledger.reserve(session, [a_reservation(1, 12), a_reservation(2, 30)], NOW)

    assert reserved == 2
    assert _available(engine) == (FULL - 42, 0)


def test_a_wallet_that_never_moved_has_nothing_available(engine: Engine) -> None:
    assert _available(engine) == (0, 0)


def test_a_settlement_holds_one_reservation_however_often_it_is_cleared(engine: Engine) -> None:
    _fund_the_buyer(engine)
    with transaction(engine) as session:
        ledger.reserve(session, [a_reservation(1, 12)], NOW)

    with transaction(engine) as session:
        same = ledger.reserve(session, [a_reservation(1, 12)], NOW)
        other = a_reservation(1, 12)._replace(clearance_id="clr_later")
        another_clearance = ledger.reserve(session, [other], NOW)

    assert (same, another_clearance) == (0, 0)
    assert _available(engine) == (FULL - 12, 0)


def test_voiding_gives_back_only_what_is_still_set_aside(engine: Engine) -> None:
    _fund_the_buyer(engine)
    with transaction(engine) as session:
        ledger.reserve(session, [a_reservation(1, 12), a_reservation(2, 30)], NOW)

    with transaction(engine) as session:
        first = ledger.void(session, ["stl_1", "stl_unknown"], NOW)
        second = ledger.void(session, ["stl_1"], NOW)

    assert (first, second) == (1, 0)
    assert _available(engine) == (FULL - 30, 0)


def test_after_a_void_the_settlement_can_be_cleared_anew(engine: Engine) -> None:
    _fund_the_buyer(engine)
    anew = a_reservation(1, 12)._replace(clearance_id="clr_anew")
    with transaction(engine) as session:
        ledger.reserve(session, [a_reservation(1, 12)], NOW)
        ledger.void(session, ["stl_1"], NOW)

    with transaction(engine) as session:
        reserved = ledger.reserve(session, [anew], NOW)
        voided = ledger.void(session, ["stl_1"], NOW)

    assert (reserved, voided) == (1, 1)
    assert _available(engine) == (FULL, 0)


def test_a_payment_releases_its_reservation_and_its_reversal_restores_it(engine: Engine) -> None:
    _fund_the_buyer(engine)
    with transaction(engine) as session:
        ledger.reserve(session, [a_reservation(1, 120_000)], NOW)
        release = ledger.releases(session, ["stl_1"])["stl_1"]
        ledger.post(session, [a_payment(1, 120_000, release=release)], NOW)
        paid = ledger.head(session).seq
    after_payment = _available(engine)

    with transaction(engine) as session:
        nothing_held = ledger.void(session, ["stl_1"], NOW)
        reversed_count = ledger.reverse(session, [paid], NOW, "its block was orphaned")
        again = ledger.reverse(session, [paid], NOW, "its block was orphaned")
    after_reversal = _available(engine)

    assert after_payment == (FULL - 120_000, 120_000)
    assert (nothing_held, reversed_count, again) == (0, 1, 0)
    assert after_reversal == (FULL - 120_000, 0)
    with transaction(engine) as session:
        given_back = ledger.void(session, ["stl_1"], NOW)
    assert given_back == 1
    assert _available(engine) == (FULL, 0)


def test_what_a_reversal_restores_beside_a_voided_reservation_is_given_back(
    engine: Engine,
) -> None:
    _fund_the_buyer(engine)
    anew = a_reservation(1, 120_000)._replace(clearance_id="clr_anew")
    with transaction(engine) as session:
        ledger.reserve(session, [a_reservation(1, 120_000)], NOW)
        release = ledger.releases(session, ["stl_1"])["stl_1"]
        ledger.post(session, [a_payment(1, 120_000, release=release)], NOW)
        paid = ledger.head(session).seq
        ledger.reserve(session, [anew], NOW)
        ledger.void(session, ["stl_1"], NOW)
        ledger.reverse(session, [paid], NOW, "its block was orphaned")

    with transaction(engine) as session:
        given_back = ledger.void(session, ["stl_1"], NOW)

    assert given_back == 1
    assert _available(engine) == (FULL, 0)


def test_a_payment_without_reservation_takes_none(engine: Engine) -> None:
    _fund_the_buyer(engine)

    with transaction(engine) as session:
        assert ledger.releases(session, ["stl_1"]) == {}
        ledger.post(session, [a_payment(1, 120_000, source=a_source())], NOW)

    assert _available(engine) == (FULL - 120_000, 120_000)
