"""Payments that wait for a wallet's standing on the chain go on by themselves once it is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement.compliance.screening import deciding, records
from settlement.compliance.screening.records import HitFilter
from settlement.settlements.screened import release_judged
from settlement.store import transaction
from tests.builders.rail import Rail, a_rail
from tests.builders.registrar import REGISTRAR, admin_signer, standing, want
from tests.builders.three_companies import COMPANIES
from tests.compliance.screening.desk import hits, listed, load

BUYER = COMPANIES[1].name


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(engine, tmp_path, registrar=REGISTRAR, finality_confirmations=6) as rail:
        yield rail


def test_who_was_taken_off_a_list_is_listed_again_and_paid(rail: Rail) -> None:
    """Nobody can clear a hit that has lapsed: what it held has to go on without a person."""
    worker = rail.worker(beside=[admin_signer(rail)])
    (key,) = rail.instructed()
    load(rail, listed(BUYER))
    rail.run_until(worker, lambda: standing(rail, rail.buyer_wallet)[1] == "unlisted")
    rail.run_until(worker, lambda: rail.state(key) == "HELD")

    load(rail, listed("Nobody Known Here"))

    rail.run_until(worker, lambda: rail.state(key) == "SETTLED", rounds=120)
    assert {each.state for each in hits(rail)} == {"lapsed"}
    assert standing(rail, rail.buyer_wallet) == ("listed", "listed")


def test_a_hit_that_still_stands_keeps_the_wallet_off_the_rail(rail: Rail) -> None:
    rail.instructed()
    load(rail, listed("Nobody Known Here", BUYER), name="one")
    load(rail, listed("Nobody Known Here", BUYER), name="other")

    load(rail, listed("Nobody Known Here"), name="one")

    assert {each.state for each in hits(rail)} == {"lapsed", "open"}
    assert standing(rail, rail.buyer_wallet)[0] == "unlisted"


def test_a_cleared_hit_s_payment_waits_for_the_chain_and_goes_on(rail: Rail) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    (key,) = rail.instructed()
    load(rail, listed(BUYER))
    rail.run_until(worker, lambda: standing(rail, rail.buyer_wallet)[1] == "unlisted")
    with transaction(rail.engine) as session:
        for hit in records.hits(session, HitFilter("open")):
            deciding.clear(session, hit.id, reason="another one", actor="test", now=rail.now)
        release_judged(session, rail.now)

    rail.run_until(worker, lambda: rail.state(key) == "SETTLED", rounds=120)


def test_a_payment_goes_on_when_its_token_is_unfrozen_and_not_before(rail: Rail) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    want(rail, rail.buyer_wallet, frozen=True, tokens=[rail.token()])
    (key,) = rail.instructed()
    for _ in range(10):
        rail.round(worker)
    assert rail.state(key) == "HELD"

    want(rail, rail.buyer_wallet, frozen=False, tokens=[rail.token()])

    rail.run_until(worker, lambda: rail.state(key) == "SETTLED", rounds=120)
