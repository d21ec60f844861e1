"""How fast the watcher stores what the chain holds, against the bare fetch of the same answers.

A real anvil mines real batches; then the live path runs over them: receipts by block hash, decoded,
paired and stored. The yardstick makes the same calls by the same client and parses them, no more.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from gateway.processes import collect_garbage_seldom
from scripts.benches._mined import DEBTOR, trade
from scripts.benches._report import common, peak_rss_mb, publish, say
from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.deployment import Deployment
from settlement.chain.evm import EvmChain

ROUNDS = 3
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


SETTLEMENTS_OF_WHAT_WAS_PAID = (
    "INSERT INTO participant (id, lei, name, country, street, post_code, town, state, created_at)"
    " VALUES ('par_d', 'd', 'Debtor', 'DE', '', '', 'Bremen', 'active', 0),"
    " ('par_c', 'c', 'Creditors', 'AE', '', '', 'Dubai', 'active', 0)",
    "INSERT INTO wallet (address, participant_id, created_at)"
    " SELECT DISTINCT creditor, 'par_c', 0 FROM chain_log WHERE name = 'Settled'"
    " UNION SELECT :debtor, 'par_d', 0",
    "INSERT INTO document (sha256, media_type, content, record, received_at)"
    " VALUES ('s', 'x', 'x', '{}', 0)",
    "INSERT INTO invoice (id, number, issue_date, issue_year, type_code, seller_id, buyer_id,"
    " currency, payable_minor, in_flight_minor, settled_minor, returned_minor, credited_minor,"
    " state, document_sha256, version, created_at) VALUES ('inv_1', '1', '2026-11-01',"
    " 2026, '380', 'par_c', 'par_d', 'USD', 1, 0, 0, 0, 0, 'ACCEPTED', 's', 1, 0)",
    "INSERT INTO settlement (id, invoice_id, end_to_end_id, rail, token, debtor_id, creditor_id,"
    " debtor_wallet, creditor_wallet, sequence, amount_minor, claim_minor, reference,"
    " document_sha256, execution_date, state, outcome, block_number, block_hash, tx_hash,"
    " log_index, reverted_count, version, created_at)"
    " SELECT 'stl_' || reference, 'inv_1', reference, address, token, 'par_d', 'par_c', debtor,"
    " creditor, sequence, amount_minor, amount_minor / 10000, reference, 's', '2026-11-01',"
    " 'CONFIRMING', 'paid', block_number, block_hash, tx_hash, log_index, 0, 1, 0"
    " FROM chain_log WHERE name = 'Settled'",
)
"""One invoice, and a settlement for every payment that was mined: what the books are asked for."""


@dataclass(frozen=True)
class Indexed:
    """One run of the live path in a process of its own."""

    seconds: float
    payments: int
    logs: int
    pairs: int
    posting_seconds: float
    posted: int
    rss_mb: float


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench index", description=__doc__)
    parser.add_argument("--payments", type=int, default=30_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, _chain() as url:
        deployment, last_block, version = trade(url, options.payments)
        fetched, indexed = [], []
        for turn in range(ROUNDS):
            say(f"round {turn + 1} of {ROUNDS}")
            fetched.append(_apart(fetch, url, deployment.first_block, last_block))
            file = Path(folder) / f"index-{turn}.sqlite3"
            indexed.append(_apart(index, url, deployment.to_json(), last_block, str(file)))
        fetched.append(_apart(fetch, url, deployment.first_block, last_block))
    fetch_seconds = statistics.median(fetched)
    seconds = statistics.median(run.seconds for run in indexed)
    logs = 2 * options.payments
    is_sound = all(
        run.logs == logs and run.pairs == logs and run.posted == options.payments for run in indexed
    )
    figures = {
        **common(
            anvil=version,
            database="sqlite, synchronous=FULL",
            seconds=seconds,
            total_seconds=time.perf_counter() - started,
            rss_mb=max(run.rss_mb for run in indexed),
        ),
        "payments": options.payments,
        "logs": indexed[0].logs,
        "per_second": int(logs / seconds),
        "fetch_seconds": round(fetch_seconds, 3),
        "ratio_to_fetch": round(seconds / fetch_seconds, 2),
        "posting_seconds": round(statistics.median(run.posting_seconds for run in indexed), 3),
    }
    publish(figures, options.json)
    if not is_sound:
        say(f"unsound: not every payment is there, paired and posted: {indexed}")
    return 0 if is_sound else 1


def fetch(url: str, first_block: int, last_block: int) -> float:
    """The yardstick: headers and receipts by the product's client and calls, parsed and dropped."""
    from settlement.chain.evm import CALLS_PER_REQUEST
    from settlement.watcher.fetching import TXS_PER_FETCH

    rpc = EvmChain(url, 60).rpc
    collect_garbage_seldom()
    started = time.perf_counter()
    numbers = range(first_block, last_block + 1)
    for start in range(0, len(numbers), CALLS_PER_REQUEST):
        chunk = numbers[start : start + CALLS_PER_REQUEST]
        headers = rpc.answers([("eth_getBlockByNumber", (hex(n), False)) for n in chunk])
        group: list[tuple[str, tuple[str]]] = []
        weight = 0
        for header in headers:
            count = len(header["transactions"])
            if group and weight + count > TXS_PER_FETCH:
                rpc.answers(group)
                group, weight = [], 0
            group.append(("eth_getBlockReceipts", (header["hash"],)))
            weight += count
        rpc.answers(group)
    return time.perf_counter() - started


def index(url: str, deployment_json: str, last_block: int, file: str) -> Indexed:
    """The product: a fresh database, followed from the deployment to the head."""
    from sqlalchemy import text

    from settlement.config import Settings
    from settlement.participants import record_deployment
    from settlement.store import migrate, open_engine, transaction
    from settlement.watcher import follow

    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    with transaction(engine) as session:
        record_deployment(session, Deployment.from_json(deployment_json), nonces={}, now=NOW)
    chain = EvmChain(url, 60)
    settings = Settings()
    collect_garbage_seldom()  # As the worker's process does when it starts.
    started = time.perf_counter()
    while follow(engine, chain, settings, NOW).head.number < last_block:
        pass
    seconds = time.perf_counter() - started
    with engine.connect() as connection:
        counts = connection.execute(
            text(
                "SELECT COUNT(*) AS logs, COUNT(pair_index) AS pairs FROM chain_log"
                " WHERE name = 'Settled' OR (name = 'Transfer' AND debtor = :debtor)"
            ),
            {"debtor": DEBTOR.address},
        ).one()
    rss_mb = peak_rss_mb()
    posting_seconds, posted = _post(engine, settings)
    chain.close()
    engine.dispose()
    payments = counts.logs // 2
    return Indexed(seconds, payments, counts.logs, counts.pairs, posting_seconds, posted, rss_mb)


def _post(engine: Any, settings: Any) -> tuple[float, int]:
    """Book all that was paid, as the worker does; settlements for it are put there first."""
    from sqlalchemy import text

    from settlement.settlements import booking
    from settlement.store import transaction

    with transaction(engine) as session:
        for statement in SETTLEMENTS_OF_WHAT_WAS_PAID:
            session.execute(text(statement), {"debtor": DEBTOR.address})
    started = time.perf_counter()
    more = True
    while more:
        with transaction(engine) as session:
            more = booking.book(session, settings, NOW).more
    seconds = time.perf_counter() - started
    with engine.connect() as connection:
        count = "SELECT COUNT(*) FROM settlement WHERE state = 'BOOKED'"
        return seconds, int(connection.execute(text(count)).scalar_one())


def _apart(function: Any, *arguments: Any) -> Any:
    """Run in a fresh process: its memory and caches are its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


@contextmanager
def _chain() -> Iterator[str]:
    with Anvil(AnvilOptions(no_mining=True)) as anvil:
        yield anvil.url
