"""Versions of the policy: drafted, tried, published by another; and decisions explained."""

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from settlement.clock import to_micros
from settlement.compliance import explaining, flags, policies, policy, registers, trades, trying
from settlement.compliance.policies import StoredPolicies
from settlement.compliance.policy import PackInvalid
from settlement.compliance.policy.predicates import PREDICATES
from settlement.compliance.policy.predicates.inputs import LOOKS_AT
from settlement.compliance.policy_errors import OwnPolicy, PolicyDecided
from settlement.compliance.registers import RegisterShrinks, RegisterUnreadable
from settlement.compliance.trades import Declaration, Paper
from settlement.errors import Forbidden, Invalid, NotFound
from settlement.settlements import declaring
from settlement.store import transaction
from tests.builders.rail import Rail

OWN = b"""id: own
version: 1
title: Our own
status: in_force
source: the board
as_of: 2026-11-30
confidence: high
rules:
  - id: OWN-01
    title: Nothing to Germany for now
    predicate: country_in
    outcome: HOLD
    with: {countries: [DE]}
"""


def _draft(rail: Rail, content: bytes = OWN, actor: str = "per_1") -> int:
    with transaction(rail.engine) as session:
        made = policies.draft(session, {"own.yaml": content}, note="x", actor=actor, now=rail.now)
    return made.version


def _publish(rail: Rail, version: int, after: int = 0) -> None:
    with transaction(rail.engine) as session:
        policies.publish(
            session, version, actor="per_2",
            in_force_from=rail.now + timedelta(seconds=after), now=rail.now,
        )  # fmt: skip


def test_the_shipped_packs_are_the_first_version_and_in_force(rail: Rail) -> None:
    with transaction(rail.engine) as session:
        first = policies.install(session, rail.now)
        again = policies.install(session, rail.now)
        stored = policies.get(session, first)
        parsed = StoredPolicies().at(session, rail.now)

    assert first == again == 1
    assert (stored.state, stored.author) == ("published", policies.SHIPPED_BY)
    assert parsed.version.startswith("v1#")
    assert [rule.id for rule in parsed.rules] == [rule.id for rule in policy.load().rules]


def test_a_draft_changes_nothing_and_a_fault_is_told_with_its_line(rail: Rail) -> None:
    version = _draft(rail)
    with pytest.raises(PackInvalid, match=r"own.yaml:12: there is no outcome") as told:
        _draft(rail, OWN.replace(b"HOLD", b"MAYBE"))

    with transaction(rail.engine) as session:
        in_force = policies.in_force(session, rail.now)
    assert (version, in_force) == (2, 1)
    assert told.value.line == 12
    assert _draft(rail, actor="per_9") == version, "the same files are kept once"


def test_nobody_publishes_his_own_and_nothing_twice(rail: Rail) -> None:
    version = _draft(rail)

    with transaction(rail.engine) as session, pytest.raises(OwnPolicy):
        policies.publish(
            session, version, actor="per_1", in_force_from=rail.now, now=rail.now
        )  # fmt: skip
    with pytest.raises(DBAPIError), transaction(rail.engine) as session:
        session.connection().execute(
            text("UPDATE policy_version SET published_by = author, in_force_from = 1"
                 " WHERE version = 2")
        )  # fmt: skip
    _publish(rail, version)
    with pytest.raises(PolicyDecided):
        _publish(rail, version)
    with pytest.raises(NotFound):
        _publish(rail, 99)


def test_a_worker_takes_the_version_in_force_without_a_new_start(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker()
    worker.policy = StoredPolicies()
    rail.tick(worker)
    (first,) = rail.instructed()
    rail.tick(worker)
    cleared = rail.state(first)
    _publish(rail, _draft(rail), after=30)
    rail.tick(worker)
    before = rail.state(first)
    rail.later(60)

    rail.tick(worker)

    assert (cleared, before) == ("CLEARED", "CLEARED"), "it was not in force yet"
    assert rail.state(first) == "HELD", "its clearance ended, and it was judged anew"
    reason = rail.one("SELECT reason FROM settlement WHERE id = :id", id=first)
    assert reason.startswith("OWN-01")
    old, new = rail.rows("SELECT * FROM clearance ORDER BY created_at, id")
    assert old.revoked_at is not None and old.policy_version.startswith("v1#")
    assert new.policy_version.startswith("v2#")


def test_a_trial_says_what_would_come_out_otherwise_and_by_which_rule(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker()
    rail.tick(worker)
    keys = rail.instructed(3)
    rail.tick(worker)
    version = _draft(rail)

    with transaction(rail.engine) as session:
        trial = trying.simulate(session, version, rail.now)
        stored = policies.get(session, version)

    assert (trial.looked_at, trial.same, trial.stricter, trial.milder) == (3, 0, 3, 0)
    assert trial.by_rule == {"OWN-01": 3}
    assert {each.settlement_id for each in trial.changed} == set(keys)
    assert {(each.before, each.after) for each in trial.changed} == {("ALLOW_WITH_DATA", "HOLD")}
    assert trial.changed[0].gained == ("OWN-01",)
    assert orjson.loads(str(stored.tried))["stricter"] == 3
    assert set(rail.states().values()) == {"CLEARED"}, "nothing was changed"


def test_a_decision_explains_itself_rule_by_rule(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker()
    worker.policy = StoredPolicies()
    rail.tick(worker)
    (key,) = rail.instructed()
    rail.tick(worker)

    with transaction(rail.engine) as session:
        found = explaining.why(session, key)

    assert found.is_same, "the stored facts come out as stored"
    by_rule = {each.rule: each for each in found.rules}
    assert by_rule["EU-01"].verdict == "ALLOW_WITH_DATA"
    assert by_rule["BASE-01"].verdict == "PASSED"
    assert by_rule["BASE-01"].inputs == {"debtor.state": "active", "creditor.state": "active"}
    assert by_rule["EU-04"].source.startswith("Regulation (EU) 2023/1113")
    assert "ELR-01" not in by_rule, "what does not apply was not asked"
    with transaction(rail.engine) as session, pytest.raises(NotFound):
        explaining.why(session, "stl_x")


def test_every_predicate_says_what_it_looks_at() -> None:
    assert LOOKS_AT.keys() == PREDICATES.keys()


def test_registers_are_kept_by_version_and_the_newest_counts(rail: Rail) -> None:
    def load(content: bytes, name: str = "mining_operators") -> str | None:
        with transaction(rail.engine) as session:
            return registers.load(
                session, name=name, content=content, actor="test", ids=rail.ids, now=rail.now
            )

    first = load(b"# head\nmo-0001, an operator\nMO 0002\n")
    same = load(b"# head\nmo-0001, an operator\nMO 0002\n")
    with transaction(rail.engine) as session:
        found = registers.memberships(session, ["MO-0001", "mo0002", "MO-3"])
    second = load(b"MO-3\n")
    with transaction(rail.engine) as session:
        later = registers.memberships(session, ["MO-0001", "mo0002", "MO-3"])

    assert first and second and same is None
    assert found == {"MO-0001": ("mining_operators",), "MO0002": ("mining_operators",)}
    assert later == {"MO-3": ("mining_operators",)}
    for content, name in ((b"\xff\xfe", "x"), (b'"a', "x"), (b"a", "Bad name")):
        with pytest.raises(RegisterUnreadable):
            load(content, name)


def test_a_register_that_loses_much_is_asked_about(rail: Rail) -> None:
    whole = [f"mo-{number}" for number in range(20)]

    def load(entries: list[str], name: str = "mining_operators", *, accept: bool = False) -> None:
        with transaction(rail.engine) as session:
            registers.load(
                session, name=name, content="\n".join(entries).encode(), actor="test",
                ids=rail.ids, now=rail.now, accept_shrinking=accept,
            )  # fmt: skip

    def left() -> dict[str, int]:
        with transaction(rail.engine) as session:
            return {each.name: each.entry_count for each in registers.in_force(session)}

    load(whole)
    load(["one"], "banned_regions")
    load(whole[:16])
    for entries in ([], whole[:12], [*whole[:12], "mo-30", "mo-31", "mo-32", "mo-33"]):
        with pytest.raises(RegisterShrinks, match=r"(0|12) of 16") as told:
            load(entries)
    with pytest.raises(RegisterShrinks, match="0 of 1"):
        load(["# nothing"], "banned_regions")

    assert "--shrinks accept" in told.value.repair
    assert left() == {"mining_operators": 16, "banned_regions": 1}, "what is in force stays"
    load(["two"], "banned_regions")
    load([], accept=True)
    assert left() == {"mining_operators": 0, "banned_regions": 1}


def test_a_declaration_lets_what_waited_for_it_be_judged_anew(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'paused'")
    with transaction(rail.engine) as session:
        entries = {
            "regime_participants": rail.companies.buyer,
            "permitted_assets": "TUSD",
            "permitted_purposes": "GOODS",
        }
        for name, entry in entries.items():
            registers.load(
                session, name=name, content=entry.encode(), actor="t", ids=rail.ids, now=rail.now
            )
    rail.write("UPDATE participant SET country = 'BR' WHERE id = :id", id=rail.companies.seller)
    worker = rail.worker()
    rail.tick(worker)
    (key,) = rail.instructed()
    rail.tick(worker)
    held = rail.state(key)
    invoice = rail.one("SELECT invoice_id FROM settlement")
    said = Declaration(
        contract_number="1", purpose_code="goods", source_of_funds="trade",
        documents=(Paper("contract", "0" * 64), Paper("invoice", "1" * 64)),
    )  # fmt: skip

    with transaction(rail.engine) as session:
        declaring.declare(
            session, invoice, rail.companies.buyer, said, actor="importer:x", now=rail.now
        )
    rail.tick(worker)

    assert (held, rail.state(key)) == ("HELD", "CLEARED")
    with transaction(rail.engine) as session:
        assert [each.declaration for each in trades.declarations(session, invoice)] == [said]
        with pytest.raises(Forbidden):
            trades.declare(session, invoice, rail.companies.stranger, said, actor="x",
                           now=rail.now)  # fmt: skip
        for wrong in (Declaration(hs_codes=("84x",)), Declaration(source_of_funds="luck"),
                      Declaration(kwh_of_month=-1), Declaration(contract_number="x" * 141),
                      Declaration(documents=(Paper("a", "z"),))):  # fmt: skip
            with pytest.raises(Invalid):
                trades.declare(session, invoice, rail.companies.buyer, wrong, actor="x",
                               now=rail.now)  # fmt: skip


def test_flags_of_a_sum_are_told_once_a_day_for_their_parties(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker()
    rail.tick(worker)
    rail.instructed(4, payable_minor=60_000)

    rail.tick(worker)

    with transaction(rail.engine) as session:
        found = flags.listed(session)
    pair = f"{rail.companies.buyer}>{rail.companies.seller}"
    assert [(each.rule_id, each.subject) for each in found] == [("BASE-21", pair)]
    assert set(rail.states().values()) == {"CLEARED"}, "a flag changes no outcome"
    assert found[0].created_at == to_micros(rail.now)
