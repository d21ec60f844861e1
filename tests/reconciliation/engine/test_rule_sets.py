"""Rule sets: each fault has its line, what is too wide is refused, two people put one in force."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from settlement.documents.identifiers import minor_units
from settlement.reconciliation import engine as matching
from settlement.reconciliation.engine import rules, sources
from settlement.reconciliation.engine.rules import RuleSetInvalid
from settlement.store import reading, transaction
from settlement.store.bulk import rows
from tests.reconciliation.engine.world import NOW, change, count, live, paid, run, seed, told

GOOD = """name: ours
rules:
  - id: one
    between: [[payment], [bank]]
    key: [owner]
    cardinality: "1:1"
    tolerance: {amount: "0.05", percent: "0.1", rounding: down}
    days: {before: 2, after: 10}
    score: 70
"""
NARROW = GOOD.replace("0.05", "0").replace("0.1", "0").replace("after: 10", "after: 0")

FAULTS: dict[str, tuple[str, str, int]] = {
    "no key": ("key: [owner]", "key: []", 5),
    "unknown key": ("key: [owner]", "key: [colour]", 5),
    "currency is no option": ("score: 70", "score: 70\n    currency: any", 10),
    "absurd tolerance": ('amount: "0.05"', 'amount: "500"', 7),
    "absurd percentage": ('percent: "0.1"', 'percent: "50"', 7),
    "a negative tolerance": ('amount: "0.05"', 'amount: "-1"', 7),
    "an exponent": ('amount: "0.05"', "amount: 1e3", 7),
    "unknown rounding": ("rounding: down", "rounding: bankers", 7),
    "unknown source": ("[[payment], [bank]]", "[[payment], [cash]]", 4),
    "a source that meets itself": ("[[payment], [bank]]", "[[bank], [bank]]", 4),
    "one side": ("[[payment], [bank]]", "[[payment]]", 4),
    "unknown cardinality": ('"1:1"', '"2:2"', 6),
    "three for two sides": ('"1:1"', '"1:1:1"', 6),
    "too many days": ("after: 10", "after: 300", 8),
    "a score of nothing": ("score: 70", "score: 0", 9),
    "a field twice": ("score: 70", "score: 70\n    score: 71", 10),
    "a field too few": ("    score: 70\n", "", 3),
    "an alias": ("[[payment], [bank]]", "[&a [payment], *a]", 4),
    "no YAML": ("score: 70", "score: [70", 10),
    "the same id twice": ("    score: 70\n", "    score: 70\n" + GOOD.split("rules:\n")[1], 10),
    "a guess at sums": ('"1:1"', '"1:N"', 7),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_with_its_line(fault: str) -> None:
    old, new, line = FAULTS[fault]
    rules.validate(GOOD.encode())

    with pytest.raises(RuleSetInvalid) as refused:
        rules.validate(GOOD.replace(old, new, 1).encode())

    assert refused.value.line == line
    assert str(refused.value).startswith(f"line {line}:")
    assert refused.value.repair


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"- 1", b"a" * 70_000, b"[" * 500])
def test_what_is_no_rule_set_is_refused(content: bytes) -> None:
    with pytest.raises(RuleSetInvalid):
        rules.load(content)


def test_the_same_rules_have_one_hash_however_written() -> None:
    first = rules.load(GOOD.encode())
    again = rules.load(rules.canonical(first))
    spaced = rules.load(
        GOOD.replace('"0.05"', '"0.050"').replace("{before: 2, ", "{ before: 2, ").encode()
    )

    assert first == again == spaced
    assert first.sha256 == again.sha256 == spaced.sha256
    assert first.sha256 != rules.load(NARROW.encode()).sha256


def test_currencies_without_cents_are_those_of_the_standard() -> None:
    assert {minor_units(code) for code in sources._WHOLE} == {0}
    assert {minor_units(code) for code in sources._THOUSANDTHS} == {3}


@pytest.fixture
def matched(engine: Engine) -> Engine:
    """One payment and its entry a day later, of three cents more; matched by no shipped rule."""
    with transaction(engine) as session:
        seed(session)
        paid(session, 1, 1200)
        paid(session, 2, 5000)
        told(session, 1, 1203)
        told(session, 2, 5000)
    run(engine)
    return engine


def test_a_dry_run_says_what_would_change_and_writes_nothing(matched: Engine) -> None:
    def everything() -> list[object]:
        with reading(matched) as session:
            return [
                rows(session, f"SELECT * FROM {table} ORDER BY 1, 2")
                for table in ("recon_record", "recon_match", "recon_member", "recon_rule_set")
            ]

    before = everything()
    with reading(matched) as session:
        wide = matching.dry_run(session, rules.load(GOOD.encode()))
        narrow = matching.dry_run(session, rules.load(NARROW.encode()))
        same = matching.dry_run(session, rules.shipped())

    assert (wide.kept, wide.gained, wide.lost, wide.changed) == (0, 1, 0, 1)
    assert [each.rule_id for each in (*wide.new, *wide.other)] == ["one", "one"]
    assert (narrow.kept, narrow.gained, narrow.lost, narrow.changed) == (0, 0, 1, 0)
    assert narrow.gone[0].origins == ("bank:2", "match_2")
    assert (same.kept, same.gained, same.lost, same.changed) == (1, 0, 0, 0)
    assert everything() == before


def test_approved_rules_are_in_force_with_the_next_run(matched: Engine) -> None:
    with transaction(matched) as session:
        drafted = matching.draft(session, rules.load(GOOD.encode()), actor="anna", now=NOW)
        again = matching.draft(session, rules.load(GOOD.encode()), actor="bert", now=NOW)
    still = run(matched).rule_set_version
    with transaction(matched) as session:
        matching.approve(session, drafted.version, actor="bert", now=NOW)
    ran = run(matched)

    assert (drafted.version, again.version, again.author, still) == (2, 2, "anna", 1)
    assert (ran.rule_set_version, ran.undone, ran.matched) == (2, 1, 2)
    assert {rule for rule, _names in live(matched)} == {"one"}
    assert run(matched).matched == 0


def test_nobody_approves_his_own_rules(matched: Engine) -> None:
    with transaction(matched) as session:
        drafted = matching.draft(session, rules.load(GOOD.encode()), actor="anna", now=NOW)

    with transaction(matched) as session, pytest.raises(matching.OwnRuleSet):
        matching.approve(session, drafted.version, actor="anna", now=NOW)
    with pytest.raises(IntegrityError):
        change(
            matched,
            "UPDATE recon_rule_set SET approved_by = author, in_force_from = 1 WHERE version = 2",
        )
    with transaction(matched) as session:
        matching.approve(session, drafted.version, actor="bert", now=NOW)
    with transaction(matched) as session, pytest.raises(matching.RuleSetDecided):
        matching.approve(session, drafted.version, actor="carl", now=NOW)
    assert count(matched, "SELECT COUNT(*) FROM recon_rule_set WHERE approved_by = 'bert'") == 1
