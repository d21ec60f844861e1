"""`settle reconcile` as a person types it: runs, splits, expectations, rules of two people."""

from importlib.resources import files
from pathlib import Path

from tests.bank.builders import BIC, IBAN, Movement, a_camt
from tests.gateway.cli.conftest import Desk

SHIPPED = files("settlement.reconciliation.engine.rules").joinpath("default.yaml")
WHY = ("--reason", "told on the phone")


def _told(desk: Desk, folder: Path, *movements: tuple[str, str]) -> None:
    """The seller's bank tells of amounts, each with its remittance."""
    desk.json(
        "bank", "account", "add", desk.rail.companies.seller, "--iban", IBAN, "--bic", BIC,
        "--currency", "EUR", "--name", "Receivables",
    )  # fmt: skip
    made = [
        Movement(amount, f"BK-{place}", f"X-{place}", remittance=remittance)
        for place, (amount, remittance) in enumerate(movements, 1)
    ]
    path = folder / "day.xml"
    path.write_bytes(a_camt(*made))
    desk.json("bank", "import", str(path))


def _expect(desk: Desk, *amounts: str, reference: str) -> str:
    made = desk.json(
        "reconcile", "expect", desk.rail.companies.seller, "credit", *amounts, "--currency", "EUR",
        "--first-day", "2026-11-16", "--last-day", "2026-11-20", "--reference", reference,
    )  # fmt: skip
    return str(made["id"])


def test_what_is_expected_comes_in_parts_is_matched_and_the_rest_is_archived(
    desk: Desk, tmp_path: Path
) -> None:
    first = _expect(desk, "95.00", "100.00", reference="RE-1")
    second = _expect(desk, "50.00", reference="RE-2")
    third = _expect(desk, "7.00", reference="RE-3")
    _told(desk, tmp_path, ("97.50", "RE-1"), ("30.00", "a first part"))

    ran = desk.json("reconcile", "run")
    records = {each["origin"]: each["id"] for each in desk.json("reconcile", "records")}
    (match,) = desk.json("reconcile", "matches", "--live")
    whole = records[second]
    parts = desk.json("reconcile", "split", str(whole), "30.00", "20.00")["records"]
    joined = desk.json("reconcile", "join", str(whole))["records"]
    parts = desk.json("reconcile", "split", str(whole), "30.00", "20.00")["records"]
    by_hand = desk.json("reconcile", "match", str(parts[0]), str(records["bank:2"]))
    held = desk.settle("reconcile", "join", str(whole))
    refused = desk.settle("reconcile", "archive", first)
    archived = desk.json("reconcile", "archive", third)

    assert ran["counts"]["matched"] == 1 and match["rule"] == "expected-reference"
    assert (joined, by_hand["kind"]) == ([], "manual")
    assert held.code == refused.code == 1
    assert "undo the matches of its parts" in held.err and "undo the match" in refused.err
    assert archived["status"] == "archived"
    said = {each["id"]: each for each in desk.json("reconcile", "expected")}
    assert [
        (said[key]["status"], said[key]["amount_reconciled"], said[key]["amount_open"])
        for key in (first, second, third)
    ] == [
        ("reconciled", "97.50", "0.00"),
        ("partially_reconciled", "30.00", "20.00"),
        ("archived", "0.00", "7.00"),
    ]
    shown = desk.settle("reconcile", "expected", "--status", "partially_reconciled").out
    assert second in shown and first not in shown

    apart = desk.json("reconcile", "unmatch", str(by_hand["id"]), *WHY)
    assert apart["live"] is False and apart["undone_reason"] == WHY[1]
    assert [each["id"] for each in desk.json("reconcile", "expected", "--status", "unreconciled")
            ] == [second]  # fmt: skip


def test_what_cannot_be_expected_says_what_to_do(desk: Desk) -> None:
    words = ("reconcile", "expect", desk.rail.companies.seller, "credit", "100.00", "95.00",
             "--currency", "EUR", "--first-day", "2026-11-16")  # fmt: skip

    crossed = desk.settle(*words, "--reference", "RE-1")
    unnamed = desk.settle(*words[:5], *words[6:])
    unseen = desk.settle(*words[:5], *words[6:], "--reference", "RE-1", who="overseer")

    assert crossed.code == unnamed.code == unseen.code == 1
    assert "bounds are crossed" in crossed.err and "not above the upper one" in crossed.err
    assert "send its end-to-end id, its reference or the counterparty" in unnamed.err
    assert "may not use" in unseen.err
    assert desk.json("reconcile", "expected") == []


def test_rules_are_proposed_by_one_approved_by_another_and_run(desk: Desk, tmp_path: Path) -> None:
    _expect(desk, "95.00", reference="RE-1")
    _told(desk, tmp_path, ("94.50", "RE-1"))
    desk.json("reconcile", "run")
    ours = tmp_path / "ours.yaml"
    plain = SHIPPED.read_text("utf-8")
    before, rule, after = plain.partition("  - id: expected-reference")
    ours.write_text(
        before + rule + after.replace(
            'cardinality: "1:1"',
            'cardinality: "1:1"\n    tolerance: {amount: "1.00", percent: "0", rounding: down}', 1,
        ),
        "utf-8",
    )  # fmt: skip

    tried = desk.json("reconcile", "rules", "dry-run", str(ours))
    draft = desk.json("reconcile", "rules", "propose", str(ours))
    approval = ("reconcile", "rules", "approve", str(draft["version"]), "--sha256", draft["sha256"])
    own = desk.settle(*approval)
    approved = desk.json(*approval, who="second-treasury")
    ran = desk.json("reconcile", "run")

    assert (tried["gained"], tried["lost"]) == (1, 0)
    assert own.code == 1 and approved["approved_by"] != approved["author"]
    assert (ran["rule_set"], ran["counts"]["matched"]) == (draft["version"], 1)
    (match,) = desk.json("reconcile", "matches", "--rule", "expected-reference")
    assert match["reasons"]["difference_micro"] in ("500000", "-500000")
    (row,) = desk.json("reconcile", "expected")
    assert (row["status"], row["amount_open"]) == ("partially_reconciled", "0.50")
    (first, *_older) = desk.json("reconcile", "status")
    assert first["rule_set"] == draft["version"]


def test_lists_of_the_engine_are_read_without_json(desk: Desk, tmp_path: Path) -> None:
    _told(desk, tmp_path, ("97.50", "RE-1"))
    desk.json("reconcile", "run")

    status = desk.settle("reconcile", "status").out
    rules = desk.settle("reconcile", "rules", "show", "--version", "1").out
    wrong = desk.settle("reconcile", "records", "--state", "opened")

    assert "looked at" in status and "{" not in status
    assert "payment-end-to-end" in rules and "The bank tells" in rules
    assert wrong.code == 1 and "'open'" in wrong.err
