"""Whether anything is signed that no live clearance covers, over 10,000 random moves.

People instruct, list, unlist, publish, suspend, revoke, tamper and wait; workers stop between two
stages; the signer is asked out of turn. What leaves it is compared with the database and its own
memory by code that shares nothing with the rail. The yardstick is no fault at all.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from scripts.benches._report import common, peak_rss_mb, publish, say

STEPS_OF_A_WORLD = 500


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench policy_fuzz", description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    began = time.perf_counter()
    faults: list[str] = []
    counts: Counter[str] = Counter()
    moves: Counter[str] = Counter()
    left, seed = arguments.steps, arguments.seed
    while left > 0:
        steps = min(left, STEPS_OF_A_WORLD)
        with tempfile.TemporaryDirectory(prefix="settle-bench-") as folder:
            found, done, signer = _world(Path(folder), seed, steps)
        faults += [f"seed {seed}: {each}" for each in found]
        counts.update(signer)
        moves.update(done)
        left, seed = left - steps, seed + 1
        say(f"  {arguments.steps - left} moves, {counts['signed']} signed, {len(faults)} faults")
    seconds = time.perf_counter() - began
    figures = common(
        anvil=None, database="sqlite (WAL, synchronous=FULL)", seconds=seconds,
        total_seconds=seconds, rss_mb=peak_rss_mb(),
    ) | {
        "steps": arguments.steps,
        "seeds": [arguments.seed, seed - 1],
        "faults": len(faults),
        "signed": counts["signed"],
        "refused": counts["refused"],
        "cancelled": counts["cancelled"],
        "moves": dict(moves),
        "problems": faults[:20],
    }  # fmt: skip
    if not counts["signed"]:
        faults.append("nothing was signed: nothing was tried")
    publish(figures, arguments.json)
    return 1 if faults else 0


def _world(folder: Path, seed: int, steps: int) -> tuple[list[str], Counter[str], dict[str, int]]:
    from settlement.store import migrate, open_engine
    from tests.builders.rail import a_rail
    from tests.compliance.fuzzing import Fuzz

    engine = open_engine(f"sqlite:///{folder / 'settle.sqlite3'}")
    migrate(engine)
    with a_rail(engine, folder) as rail:
        fuzz = Fuzz(rail, seed)
        faults = fuzz.run(steps)
        signer = fuzz.signer
        counts = {
            "signed": signer.signed, "refused": signer.refused, "cancelled": signer.cancelled,
        }  # fmt: skip
        signer.close()
    engine.dispose()
    return faults, fuzz.done, counts
