"""A payee's change holds what is to be paid to it, loses nothing, and lets go by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement import approvals
from settlement.clock import to_micros
from settlement.participants import changes
from settlement.participants.change_records import Change
from settlement.participants.changes import Wanted
from settlement.participants.dossier import Actor
from settlement.settlements import control
from settlement.store import transaction
from tests.builders.rail import Rail, a_rail
from tests.builders.registrar import REGISTRAR, admin_signer, is_listed
from tests.builders.soundness import assert_sound

COMPANY = Actor("exporter", "stk_0123456789ab")
APPROVER = Actor("approver", "per_ben")
NEW = "0x" + "ab" * 20
COOLING = 3_600
TERMS = {"kind": "self_hosted", "provider": None, "proved_by": "signature"}


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(engine, tmp_path, registrar=REGISTRAR, finality_confirmations=4) as rail:
        yield rail


def propose(rail: Rail, kind: str, subject: str, terms: dict[str, object]) -> Change:
    with transaction(rail.engine) as session:
        made = changes.propose(
            session, rail.companies.seller, Wanted(kind, subject, terms), by=COMPANY,
            reason="it moves its money", cooling_seconds=COOLING, ids=rail.ids, now=rail.now,
        )  # fmt: skip
    assert made is not None
    return made


def approve(rail: Rail, change: Change) -> None:
    with transaction(rail.engine) as session:
        assert change.approval_id is not None
        asked = approvals.find(session, change.approval_id)
        decided = approvals.decide(
            session, asked.id, verdict="approve", seen_hash=asked.what_hash,
            checker=APPROVER.hand, role=APPROVER.role, reason="called back", now=rail.now,
        )  # fmt: skip
        changes.apply_approved(session, decided, rail.now, ids=rail.ids)


def paid_to(rail: Rail) -> list[str]:
    """Whom the rail's contract says that it has paid."""
    rows = rail.rows("SELECT creditor FROM chain_log WHERE name = 'Settled'")
    return [row.creditor for row in rows]


def test_a_payment_to_a_wallet_that_cools_off_waits_and_is_then_paid_there(rail: Rail) -> None:
    approve(rail, propose(rail, "wallet_removal", rail.seller_wallet, {}))
    approve(rail, propose(rail, "wallet", NEW, TERMS))
    worker = rail.worker(beside=[admin_signer(rail)])

    (key,) = rail.instructed()
    for _ in range(6):
        rail.round(worker)

    assert rail.state(key) == "HELD"
    assert "is not usable yet" in rail.one("SELECT reason FROM settlement")
    assert rail.one("SELECT creditor_wallet FROM settlement") == NEW
    assert not is_listed(rail, NEW), "nobody can pay it, not with the operator's key either"
    assert not is_listed(rail, rail.seller_wallet)

    rail.later(COOLING)
    rail.settle_all(worker, rounds=60)

    assert is_listed(rail, NEW)
    assert paid_to(rail) == [NEW]
    assert_sound(rail)


def test_a_payment_during_a_payees_change_waits_until_the_payee_stops_it(rail: Rail) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    change = propose(rail, "wallet", NEW, TERMS)
    (key,) = rail.instructed()
    for _ in range(4):
        rail.round(worker)
    assert rail.state(key) == "HELD"

    with transaction(rail.engine) as session:
        changes.withdraw(
            session, rail.companies.seller, change.id, by=COMPANY, reason="not us", now=rail.now
        )
    rail.settle_all(worker, rounds=40)

    assert paid_to(rail) == [rail.seller_wallet]
    assert_sound(rail)


def test_what_a_person_holds_is_not_let_go_with_it(rail: Rail) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    (key,) = rail.instructed()
    rail.act(control.hold, key, reason="ask first")
    rail.later(5)
    change = propose(rail, "wallet", NEW, TERMS)
    with transaction(rail.engine) as session:
        changes.withdraw(
            session, rail.companies.seller, change.id, by=COMPANY, reason="not us", now=rail.now
        )

    for _ in range(12):
        rail.round(worker)

    assert rail.state(key) == "HELD"


def test_nobody_pays_whose_file_has_ended_and_the_worker_writes_it_down(rail: Rail) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    (key,) = rail.instructed()
    rail.write(
        "UPDATE participant SET kyb_valid_until = :at WHERE id = :id",
        at=to_micros(rail.now), id=rail.companies.buyer,
    )  # fmt: skip

    for _ in range(12):
        rail.round(worker)

    assert rail.state(key) == "REJECTED"
    assert "the debtor is expired" in rail.one("SELECT reason FROM settlement")
    assert rail.one("SELECT state FROM participant WHERE id = :id", id=rail.companies.buyer) == (
        "expired"
    )
    assert rail.paid_logs() == []
    assert not is_listed(rail, rail.buyer_wallet)
    assert_sound(rail)
