"""The queue of breaks: filters, pages, age, one break in full, history, healing and coming back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from gateway.api import break_shapes as shapes
from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import BreakKind, Finding, Severity
from settlement.store import transaction
from tests.reconciliation.workbench.desks import Desks

USD = 1_000_000


def _open(desk: Desks, *findings: Finding, days_ago: int = 0) -> int:
    now = desk.rail.now - timedelta(days=days_ago)
    with transaction(desk.rail.engine) as session:
        return breaks.open_new(session, findings, now)


def _heal(desk: Desks, kind: BreakKind) -> None:
    with transaction(desk.rail.engine) as session:
        breaks.close(session, breaks.open_of(session, [kind]), "the sides agree", desk.rail.now)


def _short(number: int, theirs: int = 90, **more: Any) -> Finding:
    differs = [{"field": "amount", "ours": 100, "theirs": theirs}]
    detail = {"differs": differs}
    return Finding(BreakKind.SHORT, f"exp_{number}", f"short {number}", detail, **more)


def _ids(desk: Desks, query: str) -> Sequence[str]:
    answer = desk.get(f"/v1/breaks?{query}")
    assert answer.status_code == 200, answer.text
    shapes.BreakList.model_validate(answer.json(), strict=True)
    return [each["subject"] for each in answer.json()["data"]]


def test_the_queue_is_narrowed_by_every_filter(desk: Desks) -> None:
    par = desk.rail.companies.seller
    _open(desk, _short(1, amount_minor=10_00, unit="EUR"), days_ago=95)
    _open(desk, _short(2, severity=Severity.CRITICAL), days_ago=40)
    _open(desk, _short(3, party=par), Finding(BreakKind.LATE, "exp_4", "late"))
    second = desk.get("/v1/breaks?severity=critical").json()["data"][0]["id"]
    desk.done(second, "assign", owner="anna")
    third = desk.get(f"/v1/breaks?party={par}").json()["data"][0]["id"]
    desk.done(third, "close")

    assert _ids(desk, "kind=late") == ["exp_4"]
    assert _ids(desk, "owner=anna") == ["exp_2"]
    assert sorted(_ids(desk, "owner=&is_open=true")) == ["exp_1", "exp_4"]
    assert _ids(desk, "is_open=false") == ["exp_3"]
    assert _ids(desk, "age_days=90") == ["exp_1"]
    assert sorted(_ids(desk, "age_days=30")) == ["exp_1", "exp_2"]
    assert _ids(desk, "subject=exp_2") == ["exp_2"]
    soon = (desk.rail.now + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert sorted(_ids(desk, f"due_before={soon}")) == ["exp_1", "exp_2"]
    assert desk.get("/v1/breaks?severity=huge").status_code == 422


def test_pages_follow_each_other_while_new_breaks_come(desk: Desks) -> None:
    _open(desk, *(_short(number) for number in range(5)))
    first = desk.get("/v1/breaks?limit=3").json()
    _open(desk, _short(9), days_ago=-1)

    rest = desk.get(f"/v1/breaks?limit=3&starting_after={first['data'][-1]['id']}").json()

    found = {each["subject"] for each in first["data"] + rest["data"]}
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert found == {f"exp_{number}" for number in range(5)}


def test_open_breaks_age_by_kind_and_currency(desk: Desks) -> None:
    for days in (0, 29, 30, 59, 60, 89, 90, 400):
        _open(desk, _short(days, amount_minor=-days - 1, unit="EUR"), days_ago=days)
    _open(desk, Finding(BreakKind.OVER, "x", "over", amount_minor=5 * USD, unit="TUSD"))

    answer = desk.get("/v1/breaks/aging").json()

    shapes.BreakAging.model_validate(answer, strict=True)
    rows = [(r["kind"], r["currency"], r["from_days"], r["count"], r["amount"])
            for r in answer["data"]]  # fmt: skip
    assert rows == [
        ("over", "USD", 0, 1, "5.000000"),
        ("short", "EUR", 0, 2, "0.31"),
        ("short", "EUR", 30, 2, "0.91"),
        ("short", "EUR", 60, 2, "1.51"),
        ("short", "EUR", 90, 2, "4.92"),
    ]
    assert answer["count"] == 9


def test_a_break_shows_what_differs_what_to_do_and_where_it_leads(desk: Desks) -> None:
    broken = desk.deposited(10 * USD)
    desk.done(broken, "comment", reason="asked the buyer")

    shown = desk.read(broken)

    shapes.BreakDetail.model_validate(shown, strict=True)
    assert (shown["amount"], shown["unit"], shown["proposed"]) == ("10.000000", "TUSD", "attribute")
    assert shown["party"] == desk.rail.companies.seller
    assert {"attribute", "split", "close"} <= set(shown["acts"])
    assert {each["noun"] for each in shown["links"]} >= {"entry", "log", "record"}
    assert shown["comment_count"] == 1 and shown["version"] == 1
    assert shown["history"][-1]["reason"] == "asked the buyer"


def test_a_break_of_a_settlement_names_its_creditor_and_amount(desk: Desks) -> None:
    (settlement,) = desk.rail.instructed(1, 75_00)

    _open(desk, Finding(BreakKind.STUCK, settlement, "under way for a day"))

    (shown,) = desk.get(f"/v1/breaks?party={desk.rail.companies.seller}").json()["data"]
    assert (shown["amount"], shown["unit"]) == ("75.000000", "TUSD")
    assert {each["noun"] for each in desk.read(shown["id"])["links"]} == {"invoice", "settlement"}


def test_what_healed_and_came_back_is_the_same_break_with_its_history(desk: Desks) -> None:
    _open(desk, _short(1), days_ago=50)
    (first,) = desk.get("/v1/breaks").json()["data"]
    desk.done(first["id"], "comment")
    _heal(desk, BreakKind.SHORT)
    healed = desk.read(first["id"])

    again = _open(desk, _short(1))

    back = desk.read(first["id"])
    assert again == 1 and (healed["closed_by"], healed["closed_reason"]) == (
        "rail",
        "the sides agree",
    )
    assert (back["closed_at"], back["reopened_count"], back["age_days"]) == (None, 1, 0)
    assert [each["move"] for each in back["history"]] == ["open", "comment", "heal", "reopen"]


def test_what_a_person_closed_stays_closed_while_it_is_the_same_trouble(desk: Desks) -> None:
    _open(desk, _short(1))
    broken = desk.get("/v1/breaks").json()["data"][0]["id"]
    desk.done(broken, "close", reason="agreed with the buyer")

    same = _open(desk, _short(1))
    closed = desk.read(broken)
    other = _open(desk, _short(1, theirs=80))

    assert (same, other) == (0, 1)
    assert closed["closed_reason"] == "agreed with the buyer"
    assert desk.read(broken)["detail"]["differs"][0]["theirs"] == 80


def test_a_break_that_changes_voids_what_was_proposed_about_it(desk: Desks) -> None:
    invoice = desk.rail.accepted(10_00)
    _open(desk, _short(1, amount_minor=10_00, unit="USD"))
    broken = desk.get("/v1/breaks").json()["data"][0]["id"]
    desk.done(broken, "propose", act="write_off", invoice=invoice)
    assert _open(desk, _short(1, amount_minor=10_00, unit="USD")) == 0

    _open(desk, _short(1, theirs=70, amount_minor=10_00, unit="USD"))

    assert desk.refused(broken, "approve", "carl") == (409, "Proposal outdated")
    assert [each["move"] for each in desk.read(broken)["history"]] == ["open", "propose", "change"]


def test_a_reorg_that_takes_a_deposit_heals_its_break(desk: Desks) -> None:
    desk.deposit(10 * USD)
    desk.rail.controls.mine(3)
    for _ in range(3):
        desk.rail.tick(desk.worker)
    (before,) = desk.get("/v1/breaks?is_open=true").json()["data"]

    desk.rail.controls.reorg(5)
    desk.settle_down()

    after = desk.read(before["id"])
    assert after["closed_by"] == "rail"
    assert desk.act(before["id"], "attribute", invoice="x").json()["title"] == "Break is closed"


def test_the_overseer_reads_everything_and_changes_nothing(desk: Desks) -> None:
    _open(desk, _short(1))
    broken = desk.get("/v1/breaks", "olga").json()["data"][0]["id"]

    assert desk.get(f"/v1/breaks/{broken}", "olga").status_code == 200
    assert desk.get("/v1/breaks/aging", "olga").status_code == 200
    for act, body in (("close", {}), ("comment", {}), ("assign", {"owner": "olga"})):
        assert desk.act(broken, act, "olga", **body).status_code == 403
    assert [each["move"] for each in desk.read(broken)["history"]] == ["open"]


def test_an_act_without_a_reason_or_on_an_old_version_is_refused(desk: Desks) -> None:
    _open(desk, _short(1))
    broken = desk.get("/v1/breaks").json()["data"][0]["id"]
    desk.done(broken, "assign", owner="ben")

    old = desk.post(f"/v1/breaks/{broken}/close", {"version": 1, "reason": "x"})
    none = desk.act(broken, "close", reason=" ")
    two_lines = desk.act(broken, "close", reason="a\nb")
    unknown = desk.post("/v1/breaks/brk_0/close", {"version": 1, "reason": "x"})

    assert (old.status_code, old.json()["title"]) == (409, "Break changed")
    assert none.status_code == two_lines.status_code == 422
    assert unknown.status_code == 404
    assert desk.read(broken)["closed_at"] is None
