"""`python -m settlement.verify`: judges a database and its chain.

Exit code: 0 all holds, 1 something is violated, 2 something could not be judged.
"""

from __future__ import annotations

import argparse
import sys
import time

from settlement.verify import report
from settlement.verify.judging import judge, silent
from settlement.verify.rpc import NotJudged
from settlement.verify.scene import Question, open_scene

HOLDS, VIOLATED, NOT_JUDGED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Judge, print, and return the exit code."""
    asked = _parser().parse_args(arguments)
    question = Question(
        database_url=asked.database,
        node=asked.rpc,
        at=asked.at,
        confirmations=asked.confirmations,
        quiescent=asked.quiescent,
        booking_tiers=asked.booking_tiers,
    )
    progress = silent if asked.json or not sys.stderr.isatty() else _say
    began = time.monotonic_ns()
    try:
        with open_scene(question, progress) as scene:
            findings = judge(scene, progress)
    except NotJudged as error:
        print(f"verify: not judged: {error}", file=sys.stderr)
        return NOT_JUDGED
    milliseconds = (time.monotonic_ns() - began) // 1_000_000
    write = report.as_json if asked.json else report.as_text
    print(write(scene, findings, milliseconds))
    return {True: HOLDS, False: VIOLATED, None: NOT_JUDGED}[report.verdict(findings)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="settle verify",
        description="Judge the database and its chain against the invariants, by its own code.",
    )
    parser.add_argument("--database", required=True, help="sqlite:///file or postgresql://…")
    parser.add_argument("--rpc", required=True, help="the node's address, http://…")
    parser.add_argument("--at", type=int, help="a final block (default: the newest that is booked)")
    parser.add_argument(
        "--confirmations", type=int, default=12, help="blocks that make final (default 12)"
    )
    parser.add_argument(
        "--booking-tiers",
        type=_tiers,
        default=(),
        help="judge depths by UNITS:CONFIRMATIONS,… (from so many whole units on)",
    )
    parser.add_argument(
        "--quiescent", action="store_true", help="nothing is under way: also judge liveness"
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    return parser


def _tiers(words: str) -> tuple[tuple[int, int], ...]:
    """Read `0:1,100000:6`."""
    pairs = [each.partition(":") for each in words.split(",") if each]
    return tuple((int(least), int(need)) for least, _, need in pairs)


def _say(sentence: str) -> None:
    print(f"verify: {sentence}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
