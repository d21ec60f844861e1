"""How fast invoices go from accepted to reconciled on a real anvil, against the naive loop.

The product's real path with its shipped settings: accept, instruct, clear, sign (in the signer's
own process), send, follow, book, finalise, match. The yardsticks run in the same call: a loop that
pays one invoice at a time, and the same signed bytes given to a chain that does nothing else.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.benches._beside import Miner, signer_process, signer_rss_mb
from scripts.benches._naive import naive_rate
from scripts.benches._report import common, peak_rss_mb, publish, say
from scripts.benches._world import CHUNK, bring_to_rest, founded, issue_invoices
from settlement.chain.anvil import Anvil
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.evm import EvmChain

NAIVE_FLOOR = 60


@dataclass
class Run:
    """What the product's process measured."""

    seconds: float = 0.0
    rss_mb: float = 0.0
    chain_transactions: int = 0
    small: int = 0
    large: int = 0
    stages: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench pipeline", description=__doc__)
    parser.add_argument("--invoices", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="settle-bench-") as folder:
        say("naive loop: one invoice, one chain transaction, one receipt")
        naive = naive_rate()
        impatient = naive_rate(patient=False)
        say(f"  {naive:.0f} invoices a second ({impatient:.0f} when it also asks at once)")
        say(f"the rail: {arguments.invoices} invoices")
        run, chain_only, version = _product(Path(folder), arguments.invoices)
    rate = arguments.invoices / run.seconds if run.seconds else 0.0
    figures = common(
        anvil=version,
        database="sqlite (WAL, synchronous=FULL)",
        seconds=run.seconds,
        total_seconds=time.perf_counter() - began,
        rss_mb=run.rss_mb,
    ) | {
        "invoices": arguments.invoices,
        "per_second": round(rate, 1),
        "naive_per_second": round(naive, 1),
        "ratio_to_naive": round(rate / naive, 2),
        "naive_asking_at_once_per_second": round(impatient, 1),
        "chain_only_seconds": round(chain_only, 3),
        "ratio_to_chain": round(chain_only / run.seconds, 3) if run.seconds else None,
        "chain_transactions": run.chain_transactions,
        "booked_early": run.small,
        "booked_late": run.large,
        "stages": {name: round(value, 3) for name, value in run.stages.items()},
        "problems": run.problems,
    }
    if naive < NAIVE_FLOOR:
        run.problems.append(f"the naive loop reached {naive:.0f}/s, below {NAIVE_FLOOR}/s")
    if not (run.small and run.large):
        run.problems.append("one of the booking tiers was not met")
    for problem in run.problems:
        say(f"unsound: {problem}")
    publish(figures, arguments.json)
    return 1 if run.problems else 0


def _product(folder: Path, invoices: int) -> tuple[Run, float, str]:
    """Run the rail in a process of its own; then the chain alone with the same bytes."""
    with Anvil() as anvil:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_measure, args=(folder, anvil.url, invoices, theirs))
        process.start()
        theirs.close()
        try:
            snapshot, run = ours.recv()
        except EOFError:
            raise SystemExit("the rail's process ended early; its words are above") from None
        process.join()
        say("the chain alone: the same bytes again")
        return run, _chain_only(anvil.url, folder, snapshot), anvil_version(anvil.url)


def _chain_only(url: str, folder: Path, snapshot: str) -> float:
    """Return the seconds that anvil takes to accept and mine the stored bytes, and no more."""
    import sqlite3

    with sqlite3.connect(folder / "settle.sqlite3") as database:
        raws = [
            row[0]
            for row in database.execute(
                "SELECT a.raw FROM attempt a JOIN chain_tx c ON c.id = a.chain_tx_id"
                " WHERE a.hash = c.tx_hash ORDER BY c.nonce"
            )
        ]
    chain, controls = EvmChain(url, 60), AnvilControls(url)
    controls.revert(snapshot)
    controls.drop_all()
    controls.set_automine(False)
    began = time.perf_counter()
    for start in range(0, len(raws), 64):
        chain.send(raws[start : start + 64])
    while controls.pooled_count():
        controls.mine(1)
    seconds = time.perf_counter() - began
    chain.close()
    return seconds


def _measure(folder: Path, url: str, invoices: int, answer: Any) -> None:
    """The product's process: founds a world, issues invoices, then measures."""
    from settlement.store.checkpoints import checkpoints_beside
    from settlement.store.locks import leave_out_locks

    leave_out_locks()  # As the worker's process does when it starts.
    with (
        founded(folder, url) as (engine, _, sandbox, operator),
        signer_process(folder, operator),
        checkpoints_beside(engine),  # As beside the worker in its process.
    ):
        answer.send(_timed(folder, url, invoices, engine, sandbox))


def _timed(folder: Path, url: str, invoices: int, engine: Any, sandbox: Any) -> tuple[str, Run]:
    from gateway import wiring
    from gateway.processes import collect_garbage_seldom
    from settlement.config import Settings
    from settlement.store import reading

    run = Run()
    ids = issue_invoices(engine, sandbox, invoices, now=wiring.now())
    controls = AnvilControls(url)
    settings = Settings(home=folder, rpc_url=url)
    worker = wiring.worker(settings)
    bring_to_rest(worker, controls.mine, settings, wiring.now)
    collect_garbage_seldom()  # As the worker's process does when it starts.
    snapshot = controls.snapshot()
    controls.set_automine(False)
    miner = Miner(AnvilControls(url))
    began = time.perf_counter()
    _hand_in(engine, ids, worker, run)
    matched = 0
    while matched < invoices:
        progress = worker.tick(wiring.now())
        for name, seconds in progress.stages.items():
            run.stages[name] = run.stages.get(name, 0.0) + seconds
        matched += progress.matched
        if progress.sent:
            miner.ask(1)
        elif not (progress.cleared or progress.claimed):
            miner.ask(1 if controls.pooled_count() else settings.finality_confirmations)
            miner.wait()
        if time.perf_counter() - began > 60 + invoices / 50:
            run.problems.append(f"only {matched} were reconciled in time")
            break
    run.seconds = time.perf_counter() - began
    run.stages["mining_waited"] = miner.waited
    miner.stop()
    run.rss_mb = peak_rss_mb() + signer_rss_mb()
    with reading(engine) as session:
        _judge(session, run, invoices)
    return snapshot, run


def _hand_in(engine: Any, ids: list[str], worker: Any, run: Run) -> None:
    """Accept and instruct every invoice, as many at once as the API takes."""
    from gateway import wiring
    from settlement.invoices import accept
    from settlement.settlements.instruct import Instruction, instruct
    from settlement.store import transaction

    began = time.perf_counter()
    for start in range(0, len(ids), CHUNK):
        with transaction(engine) as session:
            accept(session, ids[start : start + CHUNK], "importer", wiring.now())
    run.stages["accept"] = time.perf_counter() - began
    mark = time.perf_counter()
    for start in range(0, len(ids), CHUNK):
        orders = [Instruction(key) for key in ids[start : start + CHUNK]]
        with transaction(engine) as session:
            instruct(session, orders, actor="treasury", ids=worker.ids, now=wiring.now())
    run.stages["instruct"] = time.perf_counter() - mark


def _judge(session: Any, run: Run, invoices: int) -> None:
    from sqlalchemy import text

    def one(sql: str) -> int:
        return int(session.connection().execute(text(sql)).scalar_one())

    run.chain_transactions = one("SELECT COUNT(*) FROM chain_tx")
    run.small = one("SELECT COUNT(*) FROM chain_tx WHERE depth = 1")
    run.large = one("SELECT COUNT(*) FROM chain_tx WHERE depth > 1")
    settled = one("SELECT COUNT(*) FROM settlement WHERE state = 'SETTLED'")
    paid = one("SELECT COUNT(*) FROM invoice WHERE state = 'PAID'")
    matched = one("SELECT COUNT(*) FROM settlement_match WHERE live")
    breaks = one("SELECT COUNT(*) FROM settlement_break WHERE closed_at IS NULL")
    if (settled, paid, matched, breaks) != (invoices, invoices, invoices, 0):
        run.problems.append(f"{settled} settled, {paid} paid, {matched} matched, {breaks} breaks")
        unfinished = text(
            "SELECT state, COALESCE(reason, '') AS reason, COUNT(*) AS number FROM settlement"
            " WHERE state <> 'SETTLED' GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 5"
        )
        run.problems += [
            f"{row.number} {row.state} {row.reason}".rstrip()
            for row in session.connection().execute(unfinished)
        ]


def anvil_version(url: str) -> str:
    """Return what the node calls itself."""
    chain = EvmChain(url, 10)
    try:
        return str(chain.rpc.call("web3_clientVersion"))
    finally:
        chain.close()
