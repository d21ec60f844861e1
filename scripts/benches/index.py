"""How fast the watcher stores what the chain holds, against the bare fetch of the same answers.

A real anvil mines real batches; then the live path runs over them: receipts by block hash, decoded,
paired and stored. The yardstick makes the same calls by the same client and parses them, no more.
"""

import argparse
import random
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

from scripts.benches._report import common, peak_rss_mb, publish, say
from settlement.chain import mandate_abi
from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.deploy import deploy
from settlement.chain.deployment import Deployment
from settlement.chain.deployment_plan import DeploymentPlan, Mint
from settlement.chain.dev_keys import dev_keys
from settlement.chain.evm import EvmChain
from settlement.chain.port import Address, Hash
from settlement.chain.rail_abi import PaymentTerms, settle_calldata
from settlement.chain.signing import sign_eip1559

SEED = 20_26
BATCH = 100
BATCHES_PER_BLOCK = 10
PAYEES = 400
BATCH_GAS = 8_000_000
FOREVER = 2**40 - 1
ROUNDS = 3
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

ADMIN, OPERATOR, DEBTOR = dev_keys(3)


@dataclass(frozen=True)
class Indexed:
    """One run of the live path in a process of its own."""

    seconds: float
    payments: int
    logs: int
    pairs: int
    rss_mb: float


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench index", description=__doc__)
    parser.add_argument("--payments", type=int, default=30_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, _chain() as url:
        deployment, last_block, version = _trade(url, options.payments)
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
    is_sound = all(run.logs == logs and run.pairs == logs for run in indexed)
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
    }
    publish(figures, options.json)
    if not is_sound:
        say(f"unsound: not every payment is there, or not paired: {indexed}")
    return 0 if is_sound else 1


def fetch(url: str, first_block: int, last_block: int) -> float:
    """The yardstick: headers and receipts by the product's client and calls, parsed and dropped."""
    from settlement.chain.evm import CALLS_PER_REQUEST
    from settlement.watcher.following import TXS_PER_FETCH

    rpc = EvmChain(url, 60).rpc
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
    chain.close()
    engine.dispose()
    return Indexed(seconds, counts.logs // 2, counts.logs, counts.pairs, peak_rss_mb())


def _apart(function: Any, *arguments: Any) -> Any:
    """Run in a fresh process: its memory and caches are its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


@contextmanager
def _chain() -> Iterator[str]:
    with Anvil(AnvilOptions(no_mining=True)) as anvil:
        yield anvil.url


def _trade(url: str, count: int) -> tuple[Deployment, int, str]:
    """Deploy, grant, and mine `count` payments; return the deployment and the last block."""
    chain, controls = EvmChain(url, 60), AnvilControls(url, 120)
    rng = random.Random(SEED)
    payees = [Address("0x" + rng.randbytes(20).hex()) for _ in range(PAYEES)]
    version = str(chain.rpc.call("web3_clientVersion"))
    controls.set_automine(True)
    deployment = deploy(
        chain,
        DeploymentPlan(
            operators=(OPERATOR.address,),
            participants=(DEBTOR.address, *payees),
            mints=(Mint("TUSD", DEBTOR.address, 2**62),),
            wallet_gas_wei=10**18,
        ),
        ADMIN,
    )
    _grant(chain, deployment)
    controls.set_automine(False)
    token = deployment.token("TUSD").address
    nonce = chain.nonce(OPERATOR.address)
    for start in range(0, count, BATCH * BATCHES_PER_BLOCK):
        raws = []
        for first in range(start, min(start + BATCH * BATCHES_PER_BLOCK, count), BATCH):
            payments = [
                PaymentTerms(
                    sequence=sequence + 1,
                    creditor=payee,
                    amount_minor=rng.randint(1, 10**6) * 10_000,
                    reference=Hash("0x" + rng.randbytes(32).hex()),
                )
                for sequence, payee in zip(
                    range(first, min(first + BATCH, count)), rng.sample(payees, BATCH), strict=False
                )
            ]
            data = settle_calldata(
                token=token, debtor=DEBTOR.address, deadline=FOREVER, payments=payments
            )
            raws.append(_sign(OPERATOR.key, deployment, nonce, deployment.rail, data, BATCH_GAS))
            nonce += 1
        chain.send(raws)
        controls.mine()
        say(f"{min(start + BATCH * BATCHES_PER_BLOCK, count)} of {count} payments mined")
    mined = chain.nonce(OPERATOR.address)
    if mined != nonce:
        raise RuntimeError(f"{nonce - mined} batches were not mined")
    return deployment, chain.head().number, version


def _grant(chain: EvmChain, deployment: Deployment) -> None:
    unsigned = mandate_abi.grant(
        chain_id=deployment.chain_id,
        rail=deployment.rail,
        token=deployment.token("TUSD").address,
        debtor=DEBTOR.address,
        mandate=mandate_abi.Mandate(2**62, 2**62, FOREVER),
        allowance_minor=2**62,
    )
    chain.send(
        [
            _sign(DEBTOR.key, deployment, place, each.to, each.data, each.gas_limit)
            for place, each in enumerate(unsigned)
        ]
    )


def _sign(
    key: bytes, deployment: Deployment, nonce: int, to: Address, data: bytes, gas_limit: int
) -> bytes:
    return sign_eip1559(
        key,
        chain_id=deployment.chain_id,
        nonce=nonce,
        to=to,
        data=data,
        gas_limit=gas_limit,
        max_fee_wei=10**12,
        max_priority_fee_wei=10**9,
    )[0]
