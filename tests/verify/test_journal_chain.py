"""The journal's checker: what was edited, cut out or cut off is named, by seq and by field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from settlement.proof import JournalTree
from settlement.store import open_engine, reading
from settlement.verify import journal_chain
from tests.verify.conftest import Patient


def said(patient: Patient, *words: str) -> tuple[int, dict[str, Any]]:
    patient.capsys.readouterr()
    code = journal_chain.main(["--database", patient.url, "--json", *words])
    return code, json.loads(patient.capsys.readouterr().out)


def test_a_whole_journal_holds_and_its_head_is_said(patient: Patient) -> None:
    code, answer = said(patient)

    seq, head = patient.rows("SELECT seq, hash FROM journal_entry ORDER BY seq DESC LIMIT 1")[0]
    assert code == 0 and answer["holds"]
    assert (answer["entries"], answer["head"]) == (seq, head)
    assert answer["bad_entry"] is answer["reason"] is None


def test_its_root_is_the_one_that_proofs_stand_under(patient: Patient) -> None:
    engine = open_engine(patient.url)
    with reading(engine) as session:
        roots = {size: JournalTree().at(session, size).root() for size in (1, 2, 3, 20)}
    engine.dispose()

    for size, root in roots.items():
        head = patient.value(f"SELECT hash FROM journal_entry WHERE seq = {size}")
        assert said(patient, "--head", head)[1]["noted"] == {"entries": size, "root": root}


HARMS = {
    "a field": ("UPDATE journal_entry SET reason = 'x' WHERE seq = 9", 9, "hash"),
    "a moment": ("UPDATE journal_entry SET booked_at = booked_at + 1 WHERE seq = 9", 9, "hash"),
    "a link": ("UPDATE journal_entry SET prev_hash = hash WHERE seq = 9", 9, "prev_hash"),
    "a hash": (f"UPDATE journal_entry SET hash = '{'ab' * 32}' WHERE seq = 9", 9, "hash"),
    "an amount": (
        "UPDATE posting SET amount_minor = 3 WHERE entry_seq = 9 AND line = 0",
        9,
        "hash",
    ),
    "a phase": ("UPDATE posting SET phase = 'pending' WHERE entry_seq = 1 AND line = 0", 1, "hash"),
    "an account": ("UPDATE posting SET account_id = 2 WHERE entry_seq = 1 AND line = 1", 1, "hash"),
    "a posting gone": ("DELETE FROM posting WHERE entry_seq = 9 AND line = 0", 9, "line"),
    "the last posting gone": (
        "DELETE FROM posting WHERE entry_seq = 9 AND line ="
        " (SELECT MAX(line) FROM posting WHERE entry_seq = 9)",
        9,
        "hash",
    ),
    "an entry gone": ("DELETE FROM journal_entry WHERE seq = 9", 9, "seq"),
    "the first entry gone": ("DELETE FROM journal_entry WHERE seq = 1", 1, "seq"),
}


@pytest.mark.parametrize("what", HARMS)
def test_the_first_bad_entry_is_named_with_what_differs(patient: Patient, what: str) -> None:
    statement, seq, field = HARMS[what]
    patient.harm(statement)

    code, answer = said(patient)

    assert code == 1 and not answer["holds"]
    assert (answer["bad_entry"], answer["field"]) == (seq, field), answer


def test_a_forged_hash_is_told_from_forged_content(patient: Patient) -> None:
    patient.harm(HARMS["a hash"][0])

    _code, answer = said(patient)

    assert answer["reason"].startswith("its hash was edited")


def test_a_forger_who_makes_all_hashes_anew_is_caught_by_a_noted_head(patient: Patient) -> None:
    head = said(patient)[1]["head"]
    patient.harm("UPDATE journal_entry SET reason = 'x' WHERE seq = 9")
    patient.rehash()

    alone = said(patient)
    noted = said(patient, "--head", head)

    assert alone[0] == 0
    assert (noted[0], noted[1]["field"]) == (1, "head")


def test_a_tail_that_was_cut_off_is_noticed_by_its_head(patient: Patient) -> None:
    head, count = (said(patient)[1][name] for name in ("head", "entries"))
    patient.harm(
        f"DELETE FROM posting WHERE entry_seq > {count - 2}",
        f"DELETE FROM journal_entry WHERE seq > {count - 2}",
    )

    alone = said(patient)
    noted = said(patient, "--head", head)

    assert (alone[0], alone[1]["entries"]) == (0, count - 2)
    assert (noted[0], noted[1]["field"]) == (1, "head")
    assert "cut off at its end" in noted[1]["reason"]


def test_a_posting_of_no_entry_is_noticed(patient: Patient) -> None:
    patient.harm(
        "INSERT INTO posting (entry_seq, line, account_id, phase, amount_minor)"
        " VALUES (900000, 0, 1, 'posted', 5)"
    )

    code, answer = said(patient)

    assert (code, answer["field"]) == (1, "entry_seq")


def test_a_database_that_is_not_there_is_not_judged(capsys: pytest.CaptureFixture[str]) -> None:
    code = journal_chain.main(["--database", "sqlite:///no/such/file"])

    assert code == 2
    assert "no database file" in capsys.readouterr().err
