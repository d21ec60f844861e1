"""No tipping off: whoever is looked at learns it from no answer, nor does the other side."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement.compliance.discretion import TOLD, TOLD_TO_DEBTOR, WITHHELD, Discretion
from settlement.compliance.policy.predicates import PREDICATES
from tests.compliance.screening.desk import listed, load
from tests.gateway.world import World, a_world

KEPT_TO_STAFF = {
    "address_listed", "documents_missing", "hits_confirmed", "hits_open", "listed_control",
    "listed_ownership", "name_listed", "party_inactive", "wallet_bound",
}  # fmt: skip
SIGNS = ("Al Nour", "secretly", "may be", "waits for a person", "unlisted", "BASE-12", "BASE-23")
RULES = {"BASE-12": "hits_open", "BASE-08": "funds_short", "OWN-1": "papers_missing"}


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Iterator[World]:
    with a_world(engine, tmp_path) as opened:
        yield opened


def test_a_payment_that_waits_for_a_hit_tells_neither_side_why(world: World) -> None:
    rail, door = world.rail, world.door
    load(rail, listed("Al Nour Trading LLC"), name="secretly")
    (key,) = rail.instruct(rail.accepted(200_000))
    rail.let_go()
    worker = rail.worker(owner="another")
    rail.run_until(worker, lambda: rail.state(key) == "HELD")
    paths = [
        f"/v1/settlements/{key}", "/v1/settlements?state=HELD", f"/v1/trace/{key}",
        f"/v1/events?aggregate_id={key}", f"/v1/settlements/{key}/advice?format=pacs002",
        f"/v1/settlements/{key}/advice?format=pain002",
    ]  # fmt: skip

    for path in paths:
        for who in ("exporter", "importer"):
            answer = door.get(path, who)
            assert answer.status_code in (200, 409), (path, who, answer.text)
            # The list's own name stands among the versions that a decision was made with.
            said = answer.text.replace('"secretly":"', "")
            assert not [sign for sign in SIGNS if sign in said], (path, who)
    assert door.get(paths[0], "exporter").json()["reason"] == WITHHELD
    assert "Al Nour" in door.get(paths[0], "compliance").text


def test_what_a_side_can_act_upon_is_told_it() -> None:
    may = Discretion("par_1", lambda: RULES)
    text = "OWN-1: a bill is missing; BASE-12: the debtor: name X; its owner; BASE-08: 3 short"

    assert may.words(text) == f"OWN-1: a bill is missing; {WITHHELD}"
    assert may.words(text, is_debtor=True) == (
        f"OWN-1: a bill is missing; BASE-08: 3 short; {WITHHELD}"
    )
    assert may.words("OWN-1: a bill is missing") == "OWN-1: a bill is missing"
    assert may.words("GONE-7: a rule of an older version") == WITHHELD
    assert may.words("own_7: may be somebody, by a rule of an older version") == WITHHELD
    for words in ("asked for by the seller", "note: asked for by the seller", None):
        assert may.words(words) == words
    verdicts = [{"rule": rule} for rule in RULES]
    answer = {"data": [{"debtor_id": "par_1", "verdicts": verdicts}, {"verdicts": verdicts}]}
    debtors, others = may.of(answer)["data"]
    assert [each["rule"] for each in debtors["verdicts"]] == ["BASE-08", "OWN-1"]
    assert [each["rule"] for each in others["verdicts"]] == ["OWN-1"]


def test_rules_are_read_for_a_reason_alone() -> None:
    asked: list[int] = []
    may = Discretion("par_1", lambda: asked.append(1) or RULES)
    answer = {"data": [{"debtor_id": "par_1", "state": "SETTLED", "reason": None}]}

    assert may.of(answer) == answer
    assert not asked
    reasons = [{"reason": "OWN-1: a bill is missing"}, {"reason": "BASE-12: may be somebody"}]
    assert may.of(reasons) == [reasons[0], {"reason": WITHHELD}]
    assert asked == [1]


def test_of_every_predicate_it_is_decided_who_is_told() -> None:
    assert set(PREDICATES) == TOLD | TOLD_TO_DEBTOR | KEPT_TO_STAFF
    assert not (TOLD | TOLD_TO_DEBTOR) & KEPT_TO_STAFF
