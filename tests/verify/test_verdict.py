"""What the checker says and with what exit code: held, violated, not judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from settlement.store import open_engine
from settlement.verify.__main__ import main
from tests.verify.conftest import Patient
from tests.verify.world import rows


def test_a_healthy_world_holds_in_every_check(patient: Patient) -> None:
    code, answer = patient.verify("--quiescent")

    assert code == 0, answer
    assert answer["ok"] is True
    assert [check["name"] for check in answer["checks"]] == [
        "I1", "I2", "I3", "I4", "I5/I6", "I7", "I8", "I9", "I10",
        "I13", "I15", "I16",
        "CLEARED", "REGISTRY", "SUMS", "RESERVED", "MOVES", "MATCHED", "LIMITS",
        "APPROVED", "AUDIT",
        "I11",
    ]  # fmt: skip
    assert all(check["ok"] is True for check in answer["checks"])


def test_the_evidence_counts_what_was_looked_at(patient: Patient) -> None:
    _, answer = patient.verify()

    evidence = {check["name"]: check["evidence"] for check in answer["checks"]}

    settled = patient.value("SELECT COUNT(*) FROM settlement WHERE state = 'SETTLED'")
    assert evidence["I1"]["settled"] == evidence["I1"]["settled_logs"] == settled == 8
    assert evidence["I1"]["rejected_logs"] == 1
    assert evidence["I2"]["reversed"] == 2
    assert evidence["I3"]["entries"] == patient.value("SELECT COUNT(*) FROM journal_entry")
    assert evidence["I9"]["attempts"] == patient.value("SELECT COUNT(*) FROM attempt")
    assert evidence["I4"]["block"] == answer["block"]["number"]
    paid_or_not = patient.value(
        "SELECT COUNT(*) FROM invoice WHERE settled_minor + in_flight_minor > 0"
    )
    assert evidence["I16"]["with_settlements"] == paid_or_not < evidence["I16"]["invoices"]


def test_liveness_is_judged_only_when_it_is_asked_for(patient: Patient) -> None:
    patient.harm("UPDATE lane SET state = 'halted', reason = 'looking'")

    assert patient.verify()[0] == 0
    assert patient.verify("--quiescent")[0] == 1


def test_a_violation_is_exit_code_1_and_names_the_first_offenders(patient: Patient) -> None:
    patient.harm("UPDATE clearance SET outcome = 'HOLD'")

    code, answer = patient.verify()

    (check,) = [check for check in answer["checks"] if check["ok"] is False]
    assert (code, check["name"], answer["ok"]) == (1, "CLEARED", False)
    assert check["evidence"]["offender_count"] == 10
    assert len(check["evidence"]["offenders"]) == 5
    assert "says HOLD" in check["evidence"]["offenders"][0]


def test_an_earlier_final_block_can_be_judged(patient: Patient) -> None:
    _, newest = patient.verify()

    code, earlier = patient.verify("--at", str(newest["block"]["number"] - 20))

    assert code == 0, earlier
    assert earlier["block"]["number"] == newest["block"]["number"] - 20


def test_a_block_that_is_not_final_is_not_judged(patient: Patient) -> None:
    head = patient.world.chain.head().number

    code, answer = patient.verify("--at", str(head - 5))

    assert code == 2
    assert "not final" in answer["error"]


def test_what_is_due_but_not_booked_lowers_the_judged_block(patient: Patient) -> None:
    first = patient.value("SELECT MIN(block_number) FROM chain_tx")
    patient.harm(f"UPDATE receipt SET books = 'due' WHERE block_number = {first}")

    code, answer = patient.verify()

    assert code == 0, answer
    assert answer["block"]["number"] == first - 1


def test_a_node_that_does_not_answer_is_not_judged(patient: Patient) -> None:
    code = main(["--database", patient.url, "--rpc", "http://127.0.0.1:1"])

    assert code == 2
    assert "did not answer" in patient.capsys.readouterr().err


def test_another_chain_is_not_judged(patient: Patient) -> None:
    patient.node.twist = lambda method, _params, answer: (
        "0x5" if method == "eth_chainId" else answer
    )

    code, answer = patient.verify()

    assert code == 2
    assert "chain 5" in answer["error"]


def test_a_chain_that_changes_while_it_is_read_is_not_judged(patient: Patient) -> None:
    def change(method: str, params: list[Any], answer: Any) -> Any:
        if method == "eth_getBlockByNumber" and params[0] == "0x20":
            return dict(answer, hash="0x" + "99" * 32)
        return answer

    patient.node.twist = change

    code, answer = patient.verify()

    assert code == 2
    assert "the chain changed" in answer["error"]


def test_receipts_kept_back_by_the_node_are_not_judged(patient: Patient) -> None:
    patient.node.twist = lambda method, _params, answer: (
        answer[:-1] if method == "eth_getBlockReceipts" else answer
    )

    code, answer = patient.verify()

    assert code == 2
    assert "without all of its receipts" in answer["error"]


def test_a_database_that_is_not_there_is_not_judged_and_not_made(
    patient: Patient, tmp_path: Any
) -> None:
    missing = tmp_path / "missing.sqlite3"

    code = main(["--database", f"sqlite:///{missing}", "--rpc", patient.node.url])

    assert code == 2
    assert not missing.exists()


def test_a_database_without_a_schema_is_not_judged(
    bare_database_url: str, patient: Patient
) -> None:
    engine = open_engine(bare_database_url)
    rows(engine, "SELECT 1")
    engine.dispose()

    code = main(["--database", bare_database_url, "--rpc", patient.node.url])

    assert code == 2
    assert "cannot be read" in patient.capsys.readouterr().err


def test_the_checker_is_a_process_of_its_own_and_changes_nothing(patient: Patient) -> None:
    before = patient.rows("SELECT * FROM journal_entry ORDER BY seq")

    done = subprocess.run(
        [sys.executable, "-m", "settlement.verify", "--quiescent", *_both(patient)],
        capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "22 of 22 hold" in done.stdout
    assert "I1        no double pay" in done.stdout
    assert patient.rows("SELECT * FROM journal_entry ORDER BY seq") == before


def test_the_text_shows_what_is_violated(patient: Patient) -> None:
    patient.harm("UPDATE lane SET next_nonce = next_nonce + 5")

    main(["--database", patient.url, "--rpc", patient.node.url])

    printed = patient.capsys.readouterr().out
    assert "VIOLATED" in printed
    assert "next nonce is" in printed
    assert "20 of 21 hold" in printed


def test_the_json_is_one_object(patient: Patient) -> None:
    main(["--database", patient.url, "--rpc", patient.node.url, "--json"])

    assert json.loads(patient.capsys.readouterr().out)["chain_id"] == 31337


def _both(patient: Patient) -> list[str]:
    return ["--database", patient.url, "--rpc", patient.node.url]


def test_depths_are_judged_by_the_tiers_that_are_given(patient: Patient) -> None:
    tiers = ("--booking-tiers", "0:1,100000:6")

    assert patient.verify(*tiers)[0] == 0
    assert patient.red("--booking-tiers", "0:1,100000:5") == {"I10"}
    patient.harm("UPDATE receipt SET depth = 1")
    assert patient.red() == set()
    assert patient.red(*tiers) == {"I10"}
