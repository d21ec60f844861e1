"""A proof typed at a terminal: written, checked, refused too early, and not to strangers."""

from __future__ import annotations

import json
from pathlib import Path

from tests.gateway.cli.conftest import Desk
from tests.gateway.cli.test_cli_journey import a_file


def test_an_exporter_writes_a_proof_that_anybody_checks(desk: Desk, tmp_path: Path) -> None:
    document, file = a_file(tmp_path, "RE-7"), tmp_path / "proof.json"
    invoice = desk.json("invoice", "submit", document, who="exporter")
    desk.json("invoice", "accept", invoice["id"], who="importer")
    early = desk.settle("proof", "RE-7", who="exporter")
    desk.json("settlement", "instruct", invoice["id"], who="importer")
    desk.rail.settle_all(desk.worker)

    written = desk.json("proof", "RE-7", "-o", str(file), who="exporter")
    printed = desk.settle("proof", invoice["id"], who="importer")
    again = desk.settle("proof", invoice["id"], "-o", str(file), who="exporter")
    stranger = desk.settle("proof", invoice["id"], who="stranger")

    assert early.code == 1 and "no payment of it is final yet" in early.err
    assert (written["state"], written["invoice"]) == ("PAID", invoice["id"])
    assert printed.code == 0 and json.loads(printed.out)["format"] == "settlement-rail/proof/1"
    assert again.code == 1 and "is there already" in again.err
    assert stranger.code == 1 and "there is no invoice" in stranger.err

    block = json.loads(file.read_text())["settlements"][0]["chain"]["block"]["hash"]
    good = desk.type(
        "verify", "proof", str(file), "--block-hash", block, "--journal-root",
        written["journal_root"], "--document", document, "--json",
    )  # fmt: skip
    file.write_bytes(file.read_bytes().replace(b"TUSD", b"TEUR", 1))
    bad = desk.type("verify", "proof", str(file))
    none = desk.type("verify", "proof", str(tmp_path / "none.json"))

    assert good.code == 0 and all(check["ok"] for check in good.json["checks"]), good
    assert bad.code == 1 and bad.out.endswith("NOT PROVEN\n")
    assert none.code == 2


def test_the_journal_s_root_is_that_of_its_proofs(desk: Desk, tmp_path: Path) -> None:
    invoice = desk.rail.accepted()
    desk.rail.instruct(invoice)
    desk.rail.settle_all(desk.worker)
    head = json.loads(desk.settle("proof", invoice).out)["journal"]["head"]
    database = str(desk.rail.engine.url)

    said = desk.type("verify", "journal", "--database", database, "--head", head["hash"], "--json")

    assert said.code == 0, said
    assert said.json["noted"] == {"entries": head["seq"], "root": head["root"]}


def test_what_cannot_be_judged_is_not_called_violated(desk: Desk) -> None:
    said = desk.type("verify")

    assert said.code == 2 and "give --rpc" in said.err
