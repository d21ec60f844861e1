"""A whole journey typed at a terminal: from a document to a settlement, its books, and back out."""

import csv
import json
import os
from pathlib import Path

import pytest

from settlement.chain.keystore import save_key
from tests.gateway.builders import a_json_invoice
from tests.gateway.cli.conftest import Desk, Said


def a_file(folder: Path, number: str, **changes: object) -> str:
    """A document on disk, payable in USD."""
    path = folder / f"{number}.json"
    path.write_text(json.dumps({**a_json_invoice(number, currency="USD"), **changes}))
    return str(path)


def test_an_invoice_is_submitted_accepted_instructed_and_found_in_the_books(
    desk: Desk, tmp_path: Path
) -> None:
    invoice = desk.json("invoice", "submit", a_file(tmp_path, "RE-7"), who="exporter")
    desk.json("invoice", "accept", invoice["id"], who="importer")
    (settlement,) = desk.json(
        "settlement", "instruct", invoice["id"], "--amount", "1000.00", who="importer"
    )
    desk.rail.settle_all(desk.worker)

    shown = desk.json("settlement", "show", settlement["id"])
    found = desk.json("invoice", "list", "--number", "RE-7")
    entries = desk.json("journal", "show", "--settlement", settlement["id"])
    assert (shown["state"], shown["amount"]) == ("SETTLED", "1000.00")
    assert [(each["state"], each["open_amount"]) for each in found] == [("PARTLY_PAID", "190.00")]
    assert {entry["kind"] for entry in entries} >= {"reserve", "payment"}
    assert desk.json("break", "list", "--open") == []
    tied = desk.json("tie-out")
    before = desk.json("tie-out", "--at", str(tied["block_number"] - 1))
    assert (tied["ties"], before["block_number"]) == (True, tied["block_number"] - 1)

    output = tmp_path / "journal.csv"
    assert desk.settle("export", "journal", "--output", str(output)).code == 0
    rows = list(csv.DictReader(output.read_text().splitlines()))
    assert {row["settlement_id"] for row in rows if row["kind"] == "payment"} == {settlement["id"]}
    assert {"account", "unit", "phase", "amount"} <= set(rows[0])
    again = desk.settle("export", "journal", "--output", str(output))
    assert again.code == 1 and "is there already" in again.err


def test_many_documents_have_an_answer_each_and_one_refusal_fails_the_command(
    desk: Desk, tmp_path: Path
) -> None:
    files = [a_file(tmp_path, "RE-1"), a_file(tmp_path, "RE-2", issue_date="yesterday")]

    said = desk.settle("invoice", "submit", *files, who="exporter")

    assert said.code == 1
    lines = [line for line in said.out.splitlines() if line.startswith("RE-")]
    assert "inv_" in lines[0] and "refused" in lines[1]
    assert [each["number"] for each in desk.json("invoice", "list")] == ["RE-1"]
    assert "RE-2.json: the document breaks SR-DATE in 1 place" in said.err
    assert "SR-DATE at /issue_date: no day" in said.err and "YYYY-MM-DD" in said.err


def test_a_refusal_says_what_was_found_and_what_to_do(desk: Desk, tmp_path: Path) -> None:
    file = a_file(tmp_path, "RE-1")
    first = desk.json("invoice", "submit", file, who="exporter")

    said = desk.settle("invoice", "submit", file, who="exporter")

    assert said.code == 1 and said.out == ""
    assert said.err.startswith("settle: ") and "Traceback" not in said.err
    assert first["id"] in said.err


def test_the_same_idempotency_key_issues_one_invoice(desk: Desk, tmp_path: Path) -> None:
    file = a_file(tmp_path, "RE-1")

    twice = [
        desk.json("invoice", "submit", file, "--idempotency-key", "k1", who="exporter")
        for _ in range(2)
    ]

    assert twice[0] == twice[1]
    assert len(desk.json("invoice", "list")) == 1


@pytest.mark.parametrize(
    ("move", "who", "state"),
    [("query", "importer", "QUERIED"), ("reject", "importer", "REJECTED"),
     ("cancel", "exporter", "CANCELLED")],
)  # fmt: skip
def test_an_invoice_is_moved_with_a_reason(
    desk: Desk, tmp_path: Path, move: str, who: str, state: str
) -> None:
    invoice = desk.json("invoice", "submit", a_file(tmp_path, "RE-1"), who="exporter")

    moved = desk.json("invoice", move, invoice["id"], "--reason", "40 or 48?", who=who)

    assert (moved["state"], moved["reason"]) == (state, "40 or 48?")


def test_a_settlement_is_held_released_and_cancelled(desk: Desk) -> None:
    (settlement_id,) = desk.rail.instructed()
    reason = ("--reason", "goods are inspected")

    states = [
        desk.json("settlement", "hold", settlement_id, *reason)["state"],
        desk.json("settlement", "release", settlement_id)["state"],
        desk.json("settlement", "cancel", settlement_id, *reason)["state"],
    ]

    assert states == ["HELD", "INSTRUCTED", "CANCELLED"]
    assert desk.json("settlement", "list", "--state", "CANCELLED")[0]["id"] == settlement_id
    refused = desk.settle("settlement", "retry", settlement_id)
    assert refused.code == 1 and "CANCELLED" in refused.err


def test_lists_go_on_over_pages(desk: Desk) -> None:
    desk.rail.instructed(count=130, payable_minor=1_000)

    found = desk.json("settlement", "list", "--limit", "125")

    assert len({each["id"] for each in found}) == 125


class TestMandates:
    """With the debtor's own key file; what it signs is mined."""

    def keystore(self, desk: Desk, tmp_path: Path) -> str:
        path = tmp_path / "buyer.json"
        if not path.exists():
            save_key(path, desk.rail.sandbox.wallets[1].key, "open sesame", work_factor=1024)
        return str(path)

    def password_fd(self, tmp_path: Path, password: str = "open sesame") -> str:
        file = tmp_path / "password"
        file.write_text(password + "\n")
        return str(os.open(file, os.O_RDONLY))

    def change(
        self, desk: Desk, tmp_path: Path, move: str, *caps: str, who: str = "importer", **more: str
    ) -> Said:
        words = ["mandate", move, "--token", "TUSD", "--rpc", desk.rail.chain.url, "--yes"]
        if caps:
            words += ["--per-payment", caps[0], "--per-day", caps[1], "--until", "2027-11-04"]
        words += ["--keystore", self.keystore(desk, tmp_path)]
        words += ["--password-fd", self.password_fd(tmp_path, **more)]
        said = desk.settle(*words, who=who)
        desk.rail.controls.mine()
        desk.rail.tick(desk.worker)
        return said

    def caps(self, desk: Desk) -> list[tuple[str, str]]:
        wallet = desk.rail.buyer_wallet
        found = desk.json("mandate", "show", "--wallet", wallet)
        return [
            (each["cap_per_payment"], each["cap_per_day"])
            for each in found
            if each["token_symbol"] == "TUSD"
        ]

    def test_a_mandate_is_lowered_granted_and_revoked(self, desk: Desk, tmp_path: Path) -> None:
        desk.rail.tick(desk.worker)
        lowered = self.change(desk, tmp_path, "lower", "1000", "5000")
        after_lowering = self.caps(desk)
        refused = self.change(desk, tmp_path, "lower", "1000.01", "5000")
        granted = self.change(desk, tmp_path, "grant", "2000", "6000")
        after_granting = self.caps(desk)
        revoked = self.change(desk, tmp_path, "revoke")

        codes = [said.code for said in (lowered, refused, granted, revoked)]
        assert codes == [0, 1, 0, 0]
        assert after_lowering == [("1000.000000", "5000.000000")]
        assert after_granting == [("2000.000000", "6000.000000")]
        assert self.caps(desk) == []

    def test_a_wrong_password_and_a_stranger_s_key_sign_nothing(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        desk.rail.tick(desk.worker)
        before = self.caps(desk)

        wrong = self.change(desk, tmp_path, "revoke", password="guess")
        stranger = self.change(desk, tmp_path, "revoke", who="stranger-importer")

        assert [said.code for said in (wrong, stranger)] == [1, 1]
        assert "password does not open" in wrong.err
        assert self.caps(desk) == before
