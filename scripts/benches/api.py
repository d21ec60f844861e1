"""How the whole API bears requests made from its own OpenAPI document, by Schemathesis.

Each route gets its share, half of them name what is really there, one of eight has no key in force.
A fault is a server error, a status or a body that the document does not have, or a door left open.
"""

import argparse
import tempfile
import time
from pathlib import Path

from scripts.benches._report import common, peak_rss_mb, publish, say
from settlement.store import migrate, open_engine
from tests.gateway.fuzzing import Found, ask, operations
from tests.gateway.world import a_world

CASES = 20_000
SEED = 1


def main(argv: list[str]) -> int:
    """Send the cases and print what came of them; 1 if there was a fault."""
    parser = argparse.ArgumentParser(prog="bench api", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(argv)
    began = time.perf_counter()
    found = Found()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/settle.sqlite3")
        migrate(engine)
        with a_world(engine, Path(folder)) as world:
            routes = sorted(operations(world), key=lambda each: each[0])
            started = time.perf_counter()
            for place, (route, operation) in enumerate(routes):
                left = wanted.cases - found.cases
                ask(world, route, operation, -(-left // (len(routes) - place)), wanted.seed, found)
                say(f"{found.cases:>6} {route}, {len(found.faults)} faults")
            seconds = time.perf_counter() - started
        engine.dispose()
    for place, words in found.faults.items():
        say(f"\n{place}\n{words}")
    figures = {
        "cases": found.cases,
        "routes": len(routes),
        "faults": len(found.faults),
        "without_key": found.strangers,
        "answered_well": sum(found.reached.values()),
        "statuses": {str(status): count for status, count in sorted(found.statuses.items())},
        "cases_per_second": round(found.cases / seconds, 1),
        **common(
            anvil=None,
            database="sqlite",
            seconds=seconds,
            total_seconds=time.perf_counter() - began,
            rss_mb=peak_rss_mb(),
        ),
    }
    publish(figures, wanted.json)
    return 1 if found.faults else 0
