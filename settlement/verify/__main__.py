"""`python -m settlement.verify`: judges a database and its chain.

Exit code: 0 all holds, 1 something is violated, 2 something could not be judged.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from settlement.verify import (
    books,
    claims,
    clearances,
    journal,
    kept,
    moves,
    payments,
    report,
    sending,
)
from settlement.verify.findings import Finding
from settlement.verify.rpc import NotJudged
from settlement.verify.scene import Question, Scene, open_scene

HOLDS, VIOLATED, NOT_JUDGED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Judge, print, and return the exit code."""
    asked = _parser().parse_args(arguments)
    question = Question(
        database_url=asked.database,
        rpc_url=asked.rpc,
        at=asked.at,
        confirmations=asked.confirmations,
        quiescent=asked.quiescent,
    )
    progress = _silent if asked.json or not sys.stderr.isatty() else _say
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


def judge(scene: Scene, progress: Callable[[str], None]) -> list[Finding]:
    """Make every check, in the order of the invariants."""
    progress("reading the journal")
    zero_sum, history = journal.ZeroSum(_symbols(scene)), journal.History()
    gathered, set_aside, sums = books.Books(scene), claims.SetAside(), kept.KeptSums()
    for entry in journal.entries(scene.database, history.finding):
        for reader in (zero_sum, history, gathered, set_aside, sums):
            reader.take(entry)
    progress("judging")
    sent = sending.sent(scene)
    findings = [
        payments.no_double_pay(scene),
        books.accounted(scene, gathered),
        zero_sum.close(),
        books.ledger_is_chain(scene, gathered),
        claims.acknowledged(scene),
        history.close(scene.database),
        sending.nonces(scene, sent),
        sending.attempts(scene, sent),
        payments.finality(scene),
        claims.invoices(scene),
        clearances.clearances(scene, sent),
        sums.close(scene, set_aside),
        set_aside.close(scene),
        moves.obeyed(scene),
        moves.matched(scene),
    ]
    if scene.quiescent:
        findings.append(moves.live(scene))
    return findings


def _symbols(scene: Scene) -> dict[str, str]:
    return {symbol: scene.currencies[token] for token, symbol in scene.tokens.items()}


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
        "--quiescent", action="store_true", help="nothing is under way: also judge liveness"
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    return parser


def _say(sentence: str) -> None:
    print(f"verify: {sentence}", file=sys.stderr)


def _silent(_sentence: str) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
