"""Runs the Python tests and the Solidity tests, and adds them up.

It does not judge a test: pytest and forge do. It only refuses to call a broken run a good one.
"""

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
WORKERS = 2
# A test that ends its process ends that worker: xdist would give it to a new one, for ever.
SPREAD = ("--dist", "loadfile", "--no-loadscope-reorder", "--max-worker-restart", "0")
CRASHED = "crashed while running"
# pytest's exit codes that its report accounts for: all passed, some failed, none collected.
REPORTED = (0, 1, 5)


@dataclass(slots=True)
class Tally:
    """What one runner said: counts, the text of each failure, the reason of each skip."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)
    skips: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        self.passed += other.passed
        self.failures += other.failures
        self.skips += other.skips


def main(argv: list[str]) -> int:
    if argv:
        tally = run_pytest(argv)
        print("\nWith arguments only pytest runs; `scripts/test` alone runs Solidity's too.")
    else:
        with ThreadPoolExecutor(1) as beside:
            forge = beside.submit(ask_forge)
            tally = run_pytest(argv)
            print("\nSolidity: forge test", flush=True)
            tally.add(run_forge(forge.result()))
    print("\n" + "\n".join(closing_lines(tally)), flush=True)
    return exit_code(tally)


def exit_code(tally: Tally) -> int:
    """Zero only when something ran and nothing failed."""
    return 0 if tally.passed and not tally.failures else 1


def closing_lines(tally: Tally) -> list[str]:
    """Failures, then why tests did not run, then the one line that machines read."""
    lines = [f"failed: {failure}" for failure in tally.failures]
    for reason, count in sorted(tally.skips.items()):
        lines.append(f"not run: {reason}" + (f" ({count} tests)" if count > 1 else ""))
    skipped = sum(tally.skips.values())
    return [*lines, f"{tally.passed} passed, {len(tally.failures)} failed, {skipped} skipped"]


# Python.


def run_pytest(argv: list[str]) -> Tally:
    """Run pytest, its output straight through. Without arguments: everything, on two workers."""
    spread = [] if argv else ["-n", str(WORKERS), *SPREAD]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *spread, *argv]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        text = report.read_text(encoding="utf-8") if report.exists() else ""
    return read_pytest(code, text)


def read_pytest(code: int, report: str) -> Tally:
    """Turn pytest's exit code and JUnit report into a tally.

    An exit that the report does not explain (an internal error, a wrong option, a kill) fails.
    """
    tally = Tally()
    cases = ElementTree.fromstring(report).iter("testcase") if report else iter(())
    for case in cases:
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        skip = case.find("skipped")
        fault = case.find("failure") if case.find("error") is None else case.find("error")
        if fault is not None and CRASHED in fault.get("message", ""):
            tally.failures.append(
                f"{name}: it ended its process; what that had still to run was not run"
            )
        elif fault is not None:
            tally.failures.append(name)
        elif skip is not None:
            tally.skips[skip.get("message") or "no reason given"] += 1
        else:
            tally.passed += 1
    if code not in REPORTED or (code == 1 and not tally.failures):
        tally.failures.append(f"pytest itself ended with code {code}")
    return tally


# Solidity.


def ask_forge() -> subprocess.CompletedProcess[str]:
    """Run the contracts' tests with the forge that npm brought, behind what else is running."""
    forge = CONTRACTS / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
    command = ["nice", "-n", "10", forge, "test", "--json"]
    return subprocess.run(command, cwd=CONTRACTS, capture_output=True, text=True, check=False)


def run_forge(answer: subprocess.CompletedProcess[str]) -> Tally:
    """Add up what forge said."""
    tally = read_forge(answer.returncode, answer.stdout)
    if tally.failures:
        print(answer.stderr, file=sys.stderr)
    print(f"{tally.passed} passed, {len(tally.failures)} failed", flush=True)
    return tally


def read_forge(code: int, output: str) -> Tally:
    """Turn `forge test --json` into a tally. Output that is no report is a failure."""
    tally = Tally()
    line = next((line for line in output.splitlines() if line.startswith("{")), "{}")
    try:
        suites = json.loads(line)
    except ValueError:
        suites = {}
    for suite, report in suites.items():
        for test, result in report["test_results"].items():
            name = f"{suite}::{test}"
            if result["status"] == "Success":
                tally.passed += 1
            elif result["status"] == "Skipped":
                tally.skips[result.get("reason") or f"{name} skips itself"] += 1
            else:
                tally.failures.append(f"{name}: {_why(result)}")
    if code != 0 and not tally.failures:
        tally.failures.append(f"forge itself ended with code {code}: {output.strip()[-2000:]}")
    if code == 0 and not suites:
        tally.failures.append("forge found no test")
    return tally


def _why(result: dict[str, object]) -> str:
    why = str(result.get("reason") or "no reason given")
    # What it was called with: a fuzz failure is useless without it.
    example = result.get("counterexample")
    return f"{why}; counterexample {json.dumps(example)}" if example else why


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
