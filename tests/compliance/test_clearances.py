"""Clearances as they are stored, what their outcomes do, and what uses up caps and funds."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from settlement.chain import mandate_abi
from settlement.clock import to_micros
from settlement.compliance import clearance, policy, screening
from settlement.compliance.clearance import Terms
from settlement.compliance.policy import Facts
from settlement.settlements import clearing, control
from settlement.store import transaction
from tests.builders.approved import approve_all
from tests.builders.rail import Rail
from tests.builders.soundness import assert_sound
from tests.compliance.test_baseline_rules import GOOD, but


def _mandate(rail: Rail, per_payment: int, per_day: int, expiry: int = 2**39) -> None:
    call = mandate_abi.set_mandate_calldata(
        token=rail.token(), cap_per_payment=per_payment, cap_per_day=per_day, expiry=expiry
    )
    rail.on_chain(rail.sandbox.wallets[1], rail.sandbox.deployment.rail, call)


def _paused(rail: Rail) -> Any:
    """A worker that clears and claims nothing, so that outcomes stay to be looked at."""
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker()
    rail.tick(worker)
    return worker


def test_a_decision_is_stored_with_all_that_it_stands_on(rail: Rail) -> None:
    with transaction(rail.engine) as session:
        screening.store_list(
            session, name="own", content=b"Nobody Known\n", ids=rail.ids, now=rail.now
        )
    worker = _paused(rail)
    (key,) = rail.instructed()

    rail.tick(worker)

    row, stl = rail.one("SELECT * FROM clearance"), rail.one("SELECT * FROM settlement")
    assert (row.settlement_id, row.outcome, stl.clearance_id) == (key, "ALLOW_WITH_DATA", row.id)
    assert (row.debtor_wallet, row.creditor_wallet) == (stl.debtor_wallet, stl.creditor_wallet)
    assert (row.token, row.amount_minor) == (stl.token, stl.amount_minor)
    assert row.reference == stl.reference
    assert row.policy_version == worker.policy.version
    assert list(orjson.loads(row.list_versions)) == ["own"]
    assert {each["rule"] for each in orjson.loads(row.verdicts)} == {"BASE-18", "EU-01", "EU-05"}
    assert orjson.loads(row.inputs)[0]["amount_minor"] == stl.amount_minor
    pair = rail.one("SELECT body FROM policy_inputs WHERE sha256 = :key", key=row.pair_sha256)
    assert orjson.loads(pair)["debtor"]["participant_id"] == stl.debtor_id
    assert row.created_at == to_micros(rail.now)
    assert row.expires_at - row.created_at >= 3600 * 1_000_000
    assert stl.approved_by == "policy"
    assert rail.reserved(rail.buyer_wallet) == stl.amount_minor


def _hash(rail: Rail, facts: Any, terms: Terms, **changes: Any) -> str:
    chosen = changes.get("policy", policy.load())
    with transaction(rail.engine) as session:
        (decision,) = clearance.decide(
            session, chosen, [clearance.Judgement(facts, terms, policy.Outcome.HOLD, [])],
            list_versions=changes.get("lists", {"a": "1"}), ids=rail.ids, now=rail.now,
            expires=rail.now + timedelta(hours=1),
        )  # fmt: skip
    return str(
        rail.one("SELECT inputs_hash FROM clearance WHERE id = :id", id=decision.clearance_id)
    )


def test_any_change_of_any_input_changes_the_hash(rail: Rail) -> None:
    key, another = rail.instructed(2)
    facts, terms = replace(GOOD, settlement_id=key), Terms("0x1", "0x2", "0x3", 1, "0x4")
    hashes = [_hash(rail, facts, terms)]
    hashes.append(_hash(rail, replace(facts, settlement_id=another), terms))
    for path, value in _all_of(facts):
        other = not value if isinstance(value, bool) else (value, "x") if value != 0 else 1
        hashes.append(_hash(rail, but(facts, {path: other}), terms))
    for field in fields(terms):
        value = getattr(terms, field.name)
        changed = replace(terms, **{field.name: value * 2})
        hashes.append(_hash(rail, facts, changed))
    hashes.append(_hash(rail, facts, terms, lists={"a": "2"}))
    hashes.append(_hash(rail, facts, terms, policy=replace(policy.load(), version="other")))

    assert len(set(hashes)) == len(hashes)
    assert _hash(rail, facts, terms) == hashes[0]


def _all_of(facts: Facts) -> Iterator[tuple[str, Any]]:
    """Every field, with its path and its value."""
    parts = {name: getattr(facts.pair, name) for name in ("debtor", "creditor", "asset")}
    for part, holder in {**parts, "payment": facts.payment, "trade": facts.trade}.items():
        for field in fields(holder):
            yield f"{part}.{field.name}", getattr(holder, field.name)


CONSEQUENCES = {
    "HOLD": ("HELD", "settlement.held", 100_000),
    "REJECT": ("REJECTED", "settlement.rejected", 0),
    "BLOCK": ("REJECTED", "settlement.rejected", 0),
}


@pytest.mark.parametrize("outcome", CONSEQUENCES)
def test_what_is_not_allowed_is_held_or_ended_and_told(rail: Rail, outcome: str) -> None:
    state, told, in_flight = CONSEQUENCES[outcome]
    worker = _paused(rail)
    (key,) = rail.instructed()
    if outcome == "HOLD":
        _mandate(rail, 5, 5)
    elif outcome == "REJECT":
        rail.write("UPDATE participant SET state = 'suspended' WHERE id = :id",
                   id=rail.companies.seller)  # fmt: skip
    else:
        rail.write("UPDATE participant SET country = 'KP' WHERE id = :id", id=rail.companies.buyer)

    rail.tick(worker)

    stl = rail.one("SELECT * FROM settlement")
    decision = rail.one("SELECT * FROM clearance")
    assert (stl.state, decision.outcome) == (state, outcome)
    assert stl.clearance_id == decision.id, "the decision that says why"
    assert stl.reason.startswith("BASE-")
    assert rail.told(key)[-1] == told
    assert rail.invoice_of(key).in_flight_minor == in_flight
    assert rail.reserved(rail.buyer_wallet) == 0
    assert rail.moves(key)[-1] == ("hold" if outcome == "HOLD" else "refuse")
    event = rail.rows("SELECT * FROM settlement_event ORDER BY id")[-1]
    assert (event.actor, event.reason) == ("policy", stl.reason)


def test_a_held_settlement_is_paid_once_the_reason_is_gone_and_it_is_released(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    _mandate(rail, 5, 5)
    (key,) = rail.instructed()
    rail.round(worker)
    held = rail.state(key)
    _mandate(rail, 10**12, 10**12)
    rail.round(worker)
    rail.act(control.release, key)
    rail.settle_all(worker)

    assert held == "HELD"
    assert_sound(rail)


def test_one_run_uses_up_the_caps_of_the_day_payment_by_payment(rail: Rail) -> None:
    worker = _paused(rail)
    _mandate(rail, 10**12, 2_500_000_000)
    keys = rail.instructed(3)  # About 1,000 units each, of 2,500 a day.

    rail.tick(worker)

    assert [rail.state(key) for key in keys] == ["CLEARED", "CLEARED", "HELD"]
    assert "BASE-09" in rail.one("SELECT reason FROM settlement WHERE id = :id", id=keys[2])


def test_what_was_paid_today_counts_and_tomorrow_it_does_not(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    _mandate(rail, 10**12, 2_500_000_000)
    first = rail.instructed(2)
    rail.run_until(worker, lambda: {rail.state(key) for key in first} == {"SETTLED"})

    (today,) = rail.instructed()
    rail.round(worker)
    held = rail.state(today)
    rail.later(86_400)
    rail.round(worker)
    rail.round(worker)
    rail.act(control.release, today)
    rail.settle_all(worker)

    assert held == "HELD"
    assert_sound(rail)


def test_one_run_uses_up_the_funds_payment_by_payment(rail: Rail) -> None:
    worker = _paused(rail)
    _mandate(rail, 10**13 * 4, 10**14)
    keys = rail.instructed(3, payable_minor=2 * 10**9)  # 20 million each, of 50; over ten: held.
    rail.write("UPDATE settlement SET amount_minor = amount_minor / 2")
    more = rail.instructed(3, payable_minor=10**9)
    approve_all(rail.engine, rail.now)

    rail.tick(worker)

    states = [rail.state(key) for key in (*keys, *more)]
    assert states.count("CLEARED") == 5 - states[:5].count("HELD")
    spent = rail.one("SELECT SUM(amount_minor) FROM settlement WHERE state = 'CLEARED'")
    assert spent <= rail.balance(rail.buyer_wallet)
    assert "HELD" in states
    assert rail.reserved(rail.buyer_wallet) == spent


def test_an_expired_mandate_is_none(rail: Rail) -> None:
    worker = _paused(rail)
    _mandate(rail, 10**12, 10**12, expiry=int(rail.now.timestamp()) + 5)
    rail.controls.increase_time(100)
    rail.controls.mine()
    (key,) = rail.instructed()

    rail.tick(worker)

    assert rail.state(key) == "HELD"
    assert "BASE-07" in rail.one("SELECT reason FROM settlement")


def test_a_listed_name_waits_for_a_person_and_a_listed_wallet_blocks(rail: Rail) -> None:
    worker = _paused(rail)
    for name, content, state, rule in (
        ("names", "Nördlicht   PUMPEN gmbh\n", "HELD", "BASE-12"),
        (
            "wallets", f"some text {rail.buyer_wallet.upper().replace('0X', '0x')}\n",
            "REJECTED", "BASE-06",
        ),
    ):  # fmt: skip
        with transaction(rail.engine) as session:
            screening.store_list(
                session, name=name, content=content.encode(), ids=rail.ids, now=rail.now
            )
        (key,) = rail.instructed()
        rail.tick(worker)

        assert rail.state(key) == state
        assert rule in rail.one("SELECT reason FROM settlement WHERE id = :id", id=key)


def test_a_revoked_clearance_lapses_and_is_decided_anew(rail: Rail) -> None:
    worker = _paused(rail)
    (key,) = rail.instructed()
    rail.tick(worker)
    with transaction(rail.engine) as session:
        clearance.revoke(session, [key], rail.now)
        assert clearing.lapse(session, rail.settings, now=rail.now) == 1

    assert rail.state(key) == "INSTRUCTED"
    assert rail.reserved(rail.buyer_wallet) == 0
    rail.tick(worker)
    rows = rail.rows("SELECT revoked_at FROM clearance ORDER BY id")
    assert [row.revoked_at is None for row in rows] == [False, True]
    assert rail.state(key) == "CLEARED"


@pytest.mark.parametrize("side", ["debtor_wallet", "creditor_wallet"])
def test_what_is_booked_may_be_orphaned_so_its_clearance_ends_with_its_wallets(
    rail: Rail, side: str
) -> None:
    (key,) = rail.instructed()
    worker = rail.worker()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    wallet = getattr(rail.one("SELECT debtor_wallet, creditor_wallet FROM settlement"), side)

    with transaction(rail.engine) as session:
        clearance.revoke_wallets(session, [wallet], rail.now)

    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 0


def test_nothing_is_cleared_while_the_chain_is_not_followed_to_its_end(rail: Rail) -> None:
    rail.settings = rail.settings.model_copy(update={"blocks_per_tick_max": 4})
    worker = rail.worker()
    (key,) = rail.instructed()

    states = []
    for _ in range(3):
        rail.tick(worker)
        states.append(rail.state(key))

    assert states[0] == "INSTRUCTED", "mandates may be in blocks that are not stored yet"
    rail.settle_all(worker)


def test_a_deadline_is_set_by_the_later_of_both_clocks(rail: Rail) -> None:
    rail.controls.increase_time(7200)  # The chain is two hours ahead of us.
    rail.controls.mine()
    worker = rail.worker()
    (key,) = rail.instructed()

    rail.settle_all(worker)

    assert rail.moves(key).count("claim") == 1
    assert rail.one("SELECT deadline FROM chain_tx") > int(rail.now.timestamp()) + 7200
    assert_sound(rail)
