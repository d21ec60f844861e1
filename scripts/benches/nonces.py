"""Whether a lane wholly occupied comes out empty after drops, low bids, reverts and reorgs.

Real anvil, the shipped settings but for one payment a batch, and as many chain transactions in
flight as the lane may have. A seed decides what befalls them; then blocks come one by one, with a
tick of the worker before each, and nobody does anything else.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from scripts.benches._full_lane import BLOCKS_MAX, Choosy, FullLane
from scripts.benches._report import common, peak_rss_mb, publish, say
from scripts.benches._world import bring_to_rest, founded, issue_invoices
from scripts.benches.pipeline import anvil_version
from settlement.chain.anvil import Anvil
from settlement.chain.anvil_controls import AnvilControls

IN_FLIGHT = 200
SEEDS_PER_WORLD = 25
"""So many seeds one after the other on one chain and one database: the lane goes on and on."""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench nonces", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    began = time.perf_counter()
    failed: dict[int, list[str]] = {}
    most, measured, version = 0, 0.0, ""
    harmed: Counter[str] = Counter()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    waiting = list(seeds)
    while waiting:
        batch, waiting = waiting[:SEEDS_PER_WORLD], waiting[SEEDS_PER_WORLD:]
        with tempfile.TemporaryDirectory(prefix="settle-bench-") as folder, Anvil() as anvil:
            version = anvil_version(anvil.url)
            for seed, lane, outcome, seconds in _lanes(
                Path(folder), anvil.url, batch, arguments.in_flight
            ):
                blocks, problems = outcome
                met = lane.harmed | {"low bids": lane.chain.refused}
                measured += seconds
                most = max(most, blocks or 0)
                if blocks is None or blocks > BLOCKS_MAX or problems:
                    failed[seed] = [f"empty after {blocks} blocks", *problems]
                    # What goes wrong here must not be blamed on the next seed.
                    waiting = [each for each in batch if each > seed] + waiting
                    break
            harmed.update(met)
    figures = common(
        anvil=version, database="sqlite (WAL, synchronous=FULL)", seconds=measured,
        total_seconds=time.perf_counter() - began, rss_mb=peak_rss_mb(),
    ) | {
        "seeds": arguments.seeds,
        "failed": len(failed),
        "blocks_to_empty_max": most,
        "first_seed": arguments.first_seed,
        "in_flight": arguments.in_flight,
        "chain_transactions_harmed": dict(harmed),
        "failures": {str(seed): words for seed, words in failed.items()},
    }  # fmt: skip
    publish(figures, arguments.json)
    return 0


def _lanes(folder: Path, url: str, seeds: list[int], in_flight: int) -> Any:
    """Found a world and run seed after seed in it; yield each with its outcome and seconds."""
    from gateway import wiring
    from gateway.processes import collect_garbage_seldom
    from settlement.config import Settings
    from settlement.invoices import accept
    from settlement.settlements.instruct import Instruction, instruct
    from settlement.store import transaction

    with founded(folder, url) as (engine, _, sandbox, operator):
        keys = issue_invoices(engine, sandbox, len(seeds) * in_flight * 5 // 4, now=wiring.now())
        controls = AnvilControls(url, 120)
        settings = Settings(
            home=folder, rpc_url=url, batch_payments_max=1, lane_in_flight_max=in_flight
        )
        worker = wiring.worker(settings, [wiring.intent_signer(settings, operator)])
        worker.chain = chain = Choosy(worker.chain, None)  # type: ignore[assignment, arg-type]
        bring_to_rest(worker, controls.mine, settings, wiring.now)
        controls.set_automine(False)
        collect_garbage_seldom()

        def hand_in(count: int) -> None:
            chosen = [keys.pop() for _ in range(count)]
            with transaction(engine) as session:
                accept(session, chosen, "importer", wiring.now())
                orders = [Instruction(key) for key in chosen]
                instruct(session, orders, actor="treasury", ids=worker.ids, now=wiring.now())

        lane = FullLane(
            engine, chain, controls, sandbox.deployment.rail, sandbox.admin, operator.address,
            hand_in, lambda: worker.tick(wiring.now()), in_flight,
            reorg_max=settings.finality_confirmations - 1,
        )  # fmt: skip
        for seed in seeds:
            began = time.perf_counter()
            outcome = lane.run(seed)
            seconds = time.perf_counter() - began
            faults = ", ".join(lane.faults)
            say(f"seed {seed}: empty after {outcome[0]} blocks ({seconds:.1f} s; {faults})")
            for words in outcome[1]:
                say(f"  {words}")
            yield seed, lane, outcome, seconds
        worker.stop()
        controls.close()
