"""A proof that was made of what happened holds, says what happened, and is refused too early."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from settlement.chain.port import NoHeaderEvidence
from settlement.errors import ChainUnreachable, NotFound
from settlement.invoices import attributions, document
from settlement.ledger import entries, post
from settlement.proof import JournalTree, NothingPaid, NotProvable, prove
from settlement.store import open_engine, reading, transaction
from settlement.verify import proof_standalone
from settlement.verify.proof_standalone import Check, Trusted, holds, verify
from tests.builders.rail import a_rail, an_anvil_rail
from tests.proof.conftest import Proven
from tests.proof.forging import opened, wrong

NAMES = ("plain", "twin", "reorged", "parted", "partly", "refused")


def judged(content: bytes, **trusted: Any) -> dict[str, Check]:
    return {each.name: each for each in verify(content, Trusted(**trusted))}


@pytest.mark.parametrize("name", NAMES)
def test_every_check_of_a_true_proof_holds(proven: Proven, name: str) -> None:
    checks = judged(proven.files[name])

    not_judged = [each.name for each in checks.values() if each.ok is None]
    assert not_judged == [
        "the document is the invoice's",
        "the journal is the known one",
        "the blocks are the chain's",
    ]
    assert wrong(proven.files[name]) == []
    assert len(checks) >= 16


def test_it_says_what_was_paid_and_what_was_not(proven: Proven) -> None:
    parted, partly, refused = (judged(proven.files[n]) for n in ("parted", "partly", "refused"))

    assert parted["sums"].said == "PAID: 60000 of 60000 minor units of USD"
    assert partly["sums"].said == "PARTLY_PAID: 30000 of 60000 minor units of USD"
    assert refused["settlement 1: receipt"].said == "rejected by the rail for reason 8"
    assert "400.000000 TUSD" in refused["settlement 2: receipt"].said


def test_a_payment_that_a_reorg_moved_is_shown_in_the_canonical_block_alone(
    proven: Proven,
) -> None:
    proof = opened(proven.files["reorged"])

    kinds = [each["content"][2] for each in proof["journal"]["entries"]]
    hashes = [each["content"][7] for each in proof["journal"]["entries"]]
    assert kinds == ["accept", "reserve", "payment", "reversal", "payment"]
    assert hashes[2] == hashes[3] != hashes[4]
    assert proof["settlements"][0]["chain"]["block"]["hash"] == hashes[4]


def test_what_is_known_from_elsewhere_is_compared(proven: Proven) -> None:
    content = proven.files["parted"]
    proof = opened(content)
    blocks = [each["chain"]["final_block"]["hash"] for each in proof["settlements"]]
    root = proof["journal"]["head"]["root"]
    with reading(proven.rail.engine) as session:
        original = document(session, proof["invoice"]["document"]["sha256"]).content

    good = judged(content, block_hashes=tuple(blocks), journal_root=root, document=original)
    stranger = "0x" + "ab" * 32

    assert all(each.ok for each in good.values())
    assert wrong(content, block_hashes=(blocks[0],)) == ["the blocks are the chain's"]
    assert wrong(content, block_hashes=(*blocks, stranger)) == ["the blocks are the chain's"]
    assert wrong(content, journal_root="ab" * 32) == ["the journal is the known one"]
    assert wrong(content, document=original + b" ") == ["the document is the invoice's"]
    assert wrong(content, confirmations=13)[0] == "settlement 1: headers"


def test_the_blocks_are_those_of_the_node(proven: Proven) -> None:
    block = opened(proven.files["plain"])["settlements"][0]["chain"]["block"]

    (header,) = proven.rail.chain.headers(block["number"], block["number"])

    assert header.hash == block["hash"]


def test_the_checker_runs_alone_from_a_copy(proven: Proven, tmp_path: Path) -> None:
    copy = tmp_path / "check.py"
    shutil.copyfile(proof_standalone.__file__, copy)
    (tmp_path / "proof.json").write_bytes(proven.files["plain"])
    (tmp_path / "bad.json").write_bytes(proven.files["plain"].replace(b"TUSD", b"TEUR", 1))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        # Isolated and without site-packages: the standard library is all that there is.
        command = [sys.executable, "-I", "-S", str(copy), *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good, bad, none = run("proof.json", "--json"), run("bad.json"), run("no.json")

    assert (good.returncode, bad.returncode, none.returncode) == (0, 1, 2), good.stderr
    assert json.loads(good.stdout)["ok"] is True
    assert bad.stdout.endswith("NOT PROVEN\n")
    assert "no.json" in none.stderr


def test_an_older_proof_stays_good_and_its_head_is_found_in_the_journal(proven: Proven) -> None:
    older, newer = (opened(proven.files[n])["journal"]["head"] for n in ("partly", "parted"))

    with reading(proven.rail.engine) as session:
        then = JournalTree().at(session, older["seq"]).root()

    assert older["seq"] < newer["seq"]
    assert then == older["root"] != newer["root"]


def test_nothing_is_proven_before_it_is_final_and_matched(engine: Engine, tmp_path: Path) -> None:
    with an_anvil_rail(engine, tmp_path) as rail:
        worker, tree = rail.worker(), JournalTree()
        invoice = rail.accepted()

        def proof(party: str | None = None) -> bytes:
            limit = rail.settings.finality_confirmations
            return prove(engine, rail.chain, tree, invoice, party=party, confirmations=limit,
                         now=rail.now)  # fmt: skip

        with pytest.raises(NothingPaid, match="ACCEPTED: no payment of it is final"):
            proof()
        rail.instruct(invoice)
        rail.run_until(worker, lambda: list(rail.states().values()) == ["BOOKED"])
        with pytest.raises(NothingPaid):
            proof()
        rail.settle_all(worker)
        assert holds(verify(proof(), Trusted()))
        with pytest.raises(NotFound):
            proof(party=rail.companies.stranger)
        rail.write("UPDATE settlement_match SET live = false")
        with pytest.raises(NotProvable, match="has no match"):
            proof()


def test_what_was_paid_outside_the_rail_is_told_apart(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    with an_anvil_rail(engine, tmp_path) as rail:
        invoice, companies = rail.accepted(100_000), rail.companies
        rail.instruct(invoice, claim_minor=60_000)
        rail.settle_all(rail.worker())
        paid = entries.Attribution(
            "prp_1", invoice, companies.seller, companies.buyer, "USD", 40_000,
            f"suspense:{companies.seller}:USD", f"suspense:{companies.buyer}:USD", "by cheque",
        )  # fmt: skip
        with transaction(engine) as session:
            made = entries.attribution(paid, held_decimals=2, claim_decimals=2)
            post(session, [made], rail.now)
            attributions.pay(session, invoice, 40_000, actor="ana", reason="by cheque",
                             now=rail.now)  # fmt: skip

        content = prove(engine, rail.chain, JournalTree(), invoice, party=None, confirmations=12,
                        now=rail.now)  # fmt: skip
    engine.dispose()

    assert wrong(content) == []
    said = judged(content)["sums"].said
    assert said.startswith("PAID: 100000 of 100000 minor units of USD, 40000 of it outside")


def test_a_node_on_another_branch_gives_no_proof(engine: Engine, tmp_path: Path) -> None:
    with an_anvil_rail(engine, tmp_path) as rail:
        worker = rail.worker()
        invoice = rail.accepted()
        rail.instruct(invoice)
        rail.settle_all(worker)
        rail.controls.reorg(14, [])

        with pytest.raises(ChainUnreachable, match="another block"):
            prove(engine, rail.chain, JournalTree(), invoice, party=None, confirmations=12,
                  now=rail.now)  # fmt: skip


def test_a_chain_without_headers_is_said_to_be_one(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    with a_rail(engine, tmp_path) as rail:
        invoice = rail.accepted()
        rail.instruct(invoice)
        rail.settle_all(rail.worker())

        for chain in (rail.chain, None):
            with pytest.raises(NoHeaderEvidence):
                prove(engine, chain, JournalTree(), invoice, party=None, confirmations=12,
                      now=rail.now)  # fmt: skip
    engine.dispose()


def test_a_payment_in_a_batch_of_many_is_proven_in_a_small_file(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = open_engine(sqlite_url)
    with an_anvil_rail(engine, tmp_path, batch_payments_max=100) as rail:
        worker = rail.worker()
        rail.instructed(100)
        rail.settle_all(worker)
        invoice = rail.one("SELECT invoice_id FROM settlement ORDER BY id LIMIT 1")

        began = time.perf_counter()
        content = prove(engine, rail.chain, JournalTree(), invoice, party=None, confirmations=12,
                        now=rail.now)  # fmt: skip
        made = time.perf_counter()
        checks = judged(content)
        seconds = (made - began, time.perf_counter() - made)
    engine.dispose()

    print(f"{len(content)} bytes, made and checked in {seconds} s")
    assert checks["settlement 1: transaction"].said.endswith("pays a batch of 100")
    assert holds(list(checks.values()))
    assert len(content) < 100_000


def test_a_part_that_went_back_is_not_called_paid(proven: Proven) -> None:
    invoice = proven.invoices["twin"]
    engine = proven.rail.engine
    statement = text("UPDATE invoice SET returned_minor = :minor WHERE id = :id")
    with transaction(engine) as session:
        session.execute(statement, {"minor": 1, "id": invoice})

    try:
        with pytest.raises(NotProvable, match="went back"):
            proven.prove("twin")
    finally:
        with transaction(engine) as session:
            session.execute(statement, {"minor": 0, "id": invoice})
