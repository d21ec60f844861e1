"""How fast invoices go from accepted to reconciled on a real anvil, against the naive loop.

The product's real path with its shipped settings: accept, instruct, clear, sign (in the signer's own
process), send, follow, book, finalise, match. The yardsticks run in the same call: a loop that pays
one invoice at a time, and the same signed bytes given to a chain that does nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import multiprocessing
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from scripts.benches._report import common, peak_rss_mb, publish, say
from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.evm import EvmChain
from settlement.chain.signing import KeyPair, sign_eip1559

NAIVE_INVOICES = 200
NAIVE_FLOOR = 60
CHUNK = 1000
"""Invoices in one accept and one instruct: what the API takes in one request."""
CURRENCIES = ("USD", "EUR", "AED", "CNY", "INR")


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
        naive = _naive()
        impatient = _naive(patient=False)
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


# --- the naive loop ---------------------------------------------------------------------------


def _naive(*, patient: bool = True) -> float:
    """Return invoices a second of a loop that knows no batch, no ledger and no database.

    Patient: the receipt is asked for every 10 ms after the send. Else also at once.
    """
    from settlement.chain.rail_abi import PaymentTerms, settle_calldata

    with tempfile.TemporaryDirectory(prefix="settle-naive-") as folder, Anvil() as anvil:
        with _founded(Path(folder), anvil.url) as (_, chain, sandbox, operator):
            token = sandbox.deployment.token("TUSD").address
            debtor, creditor = sandbox.wallets[0].address, sandbox.wallets[1].address
            nonce = chain.nonce(operator.address)
            began = time.perf_counter()
            for number in range(NAIVE_INVOICES):
                payment = PaymentTerms(number, creditor, 10**6, "0x" + f"{number + 1:064x}")
                data = settle_calldata(
                    token=token, debtor=debtor, deadline=2**40, payments=[payment]
                )
                raw, tx_hash = sign_eip1559(
                    operator.key, chain_id=31337, nonce=nonce + number,
                    to=sandbox.deployment.rail, data=data, gas_limit=500_000,
                    max_fee_wei=10**10, max_priority_fee_wei=10**9,
                )  # fmt: skip
                chain.send([raw])
                time.sleep(0.01 if patient else 0)
                while chain.rpc.call("eth_getTransactionReceipt", tx_hash) is None:
                    time.sleep(0.01)
            return NAIVE_INVOICES / (time.perf_counter() - began)


# --- the product ------------------------------------------------------------------------------


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
    with _founded(folder, url) as (engine, chain, sandbox, operator), _signer(folder, operator):
        answer.send(_timed(folder, url, invoices, engine, chain, sandbox))


def _timed(
    folder: Path, url: str, invoices: int, engine: Any, chain: Any, sandbox: Any
) -> tuple[str, Run]:
    from gateway import processes, wiring
    from settlement.config import Settings
    from settlement.invoices import accept
    from settlement.settlements.instruct import Instruction, instruct
    from settlement.store import reading, transaction

    run = Run()
    ids = _issue(engine, sandbox, invoices)
    controls = AnvilControls(url)
    settings = Settings(home=folder, rpc_url=url)
    worker = wiring.worker(settings)
    processes.collect_garbage_seldom()  # As the worker's process does.
    while not worker.tick(wiring.now()).idle:
        pass
    snapshot = controls.snapshot()
    controls.set_automine(False)
    miner = _Miner(AnvilControls(url))
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
    run.rss_mb = peak_rss_mb() + _signer_rss_mb(folder)
    with reading(engine) as session:
        _judge(session, run, invoices)
    return snapshot, run


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
        run.problems.append(
            f"{settled} settled, {paid} paid, {matched} matched, {breaks} breaks"
        )


def _issue(engine: Any, sandbox: Any, invoices: int) -> list[str]:
    """Issue invoices among all companies in all currencies; some batches come out large."""
    from settlement.clock import new_id
    from settlement.invoices import Submission, issue
    from settlement.store import transaction

    ids: list[str] = []
    companies = len(sandbox.participant_ids)
    for start in range(0, invoices, CHUNK):
        submissions = []
        for number in range(start, min(start + CHUNK, invoices)):
            buyer = number % companies
            units = 3_000 + number % 977 if buyer == 0 else 20 + number % 613
            submissions.append(
                Submission(
                    _document(
                        number, seller=(buyer + 1 + number // companies % (companies - 1))
                        % companies, buyer=buyer, currency=CURRENCIES[number // 7 % 5],
                        payable_minor=units * 100 + number % 100,
                    ),
                    b"{}" + str(number).encode(),
                    "application/json",
                )
            )
        with transaction(engine) as session:
            answers = issue(
                session, submissions, actor="exporter", ids=new_id, now=datetime.now(UTC)
            )
        for each in answers:
            if isinstance(each, Exception):
                raise each
            ids.append(each.id)
    return ids


def _document(
    number: int, *, seller: int, buyer: int, currency: str, payable_minor: int
) -> Any:
    """Return an invoice record between two of the demo's companies; no document is read here."""
    from gateway.demo.companies import COMPANIES
    from settlement.documents.model import DocumentAddress, DocumentParty, InvoiceDocument

    def party(place: int) -> DocumentParty:
        company = COMPANIES[place]
        address = DocumentAddress(company.country, company.street, "", company.city)
        return DocumentParty(company.name, address, lei=company.lei)

    return InvoiceDocument(
        kind="json", type_code="380", source_type_code="380", number=f"BENCH-{number:06d}",
        issue_date=date(2026, 11, 2), due_date=None, currency=currency, decimals=2,
        seller=party(seller), buyer=party(buyer), lines_net_minor=payable_minor,
        allowances_minor=0, charges_minor=0, tax_exclusive_minor=payable_minor, tax_minor=0,
        tax_inclusive_minor=payable_minor, prepaid_minor=0, rounding_minor=0,
        payable_minor=payable_minor, lines=(), adjustments=(), vat_breakdown=(),
        sha256=hashlib.sha256(b"{}" + str(number).encode()).hexdigest(),
    )  # fmt: skip


@contextmanager
def _founded(folder: Path, url: str) -> Iterator[tuple[Any, EvmChain, Any, KeyPair]]:
    """A migrated database, a chain with rail, tokens, companies and mandates, and an operator."""
    from gateway import wiring
    from gateway.demo.world import demo_participants
    from gateway.sandbox import found
    from settlement.clock import new_id
    from settlement.config import Settings

    settings = Settings(home=folder, rpc_url=url)
    engine = wiring.open_database(settings, create=True)
    chain = EvmChain(url, 60)
    operator = KeyPair.of(secrets.token_bytes(32))
    sandbox = found(
        engine, chain, operators=[operator.address], companies=demo_participants(),
        ids=new_id, now=wiring.now(),
    )  # fmt: skip
    yield engine, chain, sandbox, operator
    engine.dispose()
    chain.close()


class _Miner:
    """Mines on request in a thread: the chain works while the rail does."""

    def __init__(self, controls: AnvilControls) -> None:
        self._controls = controls
        self._wanted = 0
        self._changed = threading.Condition()
        self._stopped = False
        self.waited = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def ask(self, blocks: int) -> None:
        with self._changed:
            self._wanted = max(self._wanted, blocks)
            self._changed.notify_all()

    def wait(self) -> None:
        began = time.perf_counter()
        with self._changed:
            while self._wanted:
                self._changed.wait()
        self.waited += time.perf_counter() - began

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wanted and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
                blocks = self._wanted
            self._controls.mine(blocks)
            with self._changed:
                self._wanted = 0
                self._changed.notify_all()


@contextmanager
def _signer(folder: Path, operator: KeyPair) -> Iterator[None]:
    """The signer in a process of its own, as `settle up` runs it."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve_signer, args=(folder, operator.key), daemon=True)
    process.start()
    until = time.monotonic() + 30
    while not (folder / "signer.sock").exists() and time.monotonic() < until:
        time.sleep(0.05)
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _serve_signer(folder: Path, key: bytes) -> None:
    from gateway import wiring
    from settlement.config import Settings
    from settlement.signer.socket import serve

    settings = Settings(home=folder)
    server = serve(
        wiring.intent_signer(settings, KeyPair.of(key)),
        wiring.socket_path(settings),
        wiring.now,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


def _signer_rss_mb(folder: Path) -> float:
    """Return the peak memory of the signer's process, as the kernel counts it now."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(
                line.split(":", 1) for line in status.read_text().splitlines() if ":" in line
            )
            command = (status.parent / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if int(lines.get("PPid", "0")) == os.getpid() and b"spawn_main" in command:
            return int(lines["VmHWM"].split()[0]) / 1024
    return 0.0



def anvil_version(url: str) -> str:
    """Return what the node calls itself."""
    chain = EvmChain(url, 10)
    try:
        return str(chain.rpc.call("web3_clientVersion"))
    finally:
        chain.close()

