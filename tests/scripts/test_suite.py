"""The count of `scripts/test`: a run that is broken is never called a good one.

It does not run the suite; it is part of it.
"""

import json
from pathlib import Path

import pytest

from scripts.parts import suite
from scripts.parts.suite import Tally, closing_lines, exit_code, read_forge, read_pytest

REPORT = """<testsuites><testsuite>
<testcase classname="tests.test_money" name="test_adds"/>
<testcase classname="tests.test_money" name="test_subtracts"><failure message="1 != 2"/></testcase>
<testcase classname="tests.test_money" name="test_opens"><error message="no server"/></testcase>
<testcase classname="tests.test_ledger" name="test_one"><skipped message="no hledger"/></testcase>
<testcase classname="tests.test_ledger" name="test_two"><skipped message="no hledger"/></testcase>
</testsuite></testsuites>"""
GOOD = '<testsuite><testcase classname="t" name="test_adds"/></testsuite>'


def test_passes_failures_errors_and_skips_are_told_apart() -> None:
    tally = read_pytest(1, REPORT)

    assert tally.passed == 1
    assert tally.failures == ["tests.test_money::test_subtracts", "tests.test_money::test_opens"]
    assert tally.skips == {"no hledger": 2}


@pytest.mark.parametrize(
    ("code", "report"),
    [(3, GOOD), (3, ""), (4, ""), (2, GOOD), (1, GOOD), (-9, ""), (-9, GOOD)],
)
def test_an_exit_that_the_report_does_not_explain_is_a_failure(code: int, report: str) -> None:
    tally = read_pytest(code, report)

    assert tally.failures == [f"pytest itself ended with code {code}"]
    assert exit_code(tally) == 1


def test_a_run_without_a_test_is_no_good_run() -> None:
    tally = read_pytest(5, "<testsuite/>")

    assert exit_code(tally) == 1
    assert closing_lines(tally) == ["0 passed, 0 failed, 0 skipped"]


def test_the_last_line_is_the_count_of_both_languages() -> None:
    tally = read_pytest(0, GOOD)

    tally.add(_forge("Success"))

    assert closing_lines(tally)[-1] == "2 passed, 0 failed, 0 skipped"
    assert exit_code(tally) == 0


def test_each_reason_of_a_skip_is_a_line() -> None:
    lines = closing_lines(read_pytest(1, REPORT))

    assert "not run: no hledger (2 tests)" in lines
    assert lines[-1] == "1 passed, 2 failed, 2 skipped"


def test_a_failing_solidity_test_is_named_with_its_counterexample() -> None:
    tally = _forge("Failure", reason="paid twice", counterexample={"args": "7"})

    assert len(tally.failures) == 1
    assert "test/Rail.t.sol:RailTest::test_pays()" in tally.failures[0]
    assert "paid twice" in tally.failures[0] and '"args": "7"' in tally.failures[0]


def test_a_skipped_solidity_test_is_no_pass() -> None:
    tally = _forge("Skipped", reason="no fork")

    assert (tally.passed, tally.skips) == (0, {"no fork": 1})


@pytest.mark.parametrize(
    ("code", "output"),
    [(1, "Error: Compiler run failed"), (0, "No tests found in project!"), (0, ""), (0, "{broken")],
)
def test_forge_without_a_report_is_a_failure(code: int, output: str) -> None:
    assert len(read_forge(code, output).failures) == 1


def test_a_test_that_fails_fails_the_command(tmp_path: Path) -> None:
    file = tmp_path / "test_planted.py"
    file.write_text("def test_holds():\n    pass\n\ndef test_breaks():\n    assert 1 == 2\n")

    tally = suite.run_pytest(["-p", "no:cacheprovider", str(file)])

    assert (tally.passed, len(tally.failures)) == (1, 1)


def test_a_test_that_ends_its_process_fails_the_command_and_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "test_planted.py"
    file.write_text(
        "import os\n\ndef test_dies():\n    os._exit(3)\n\ndef test_more():\n    pass\n"
    )

    tally = suite.run_pytest(["-p", "no:cacheprovider", "-n", "1", *suite.SPREAD, str(file)])

    (told,) = tally.failures
    assert "::test_dies: it ended its process" in told and "not run" in told
    assert tally.passed == 0


def test_a_file_that_cannot_be_imported_fails_the_command(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "test_good.py").write_text("def test_holds():\n    pass\n")

    tally = suite.run_pytest(["-p", "no:cacheprovider", str(tmp_path)])

    assert tally.failures != []


def _forge(status: str, **more: object) -> Tally:
    results = {"test_pays()": {"status": status, **more}}
    report = {"test/Rail.t.sol:RailTest": {"test_results": results}}
    return read_forge(status == "Failure", json.dumps(report))
