"""The world of a bench: what was founded has come to rest before anything is measured."""

from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.demo.world import demo_participants
from gateway.sandbox import found
from gateway.worker import Worker
from scripts.benches._world import bring_to_rest, issue_invoices
from settlement.chain.memory import MemoryChain
from settlement.clock import new_id
from settlement.compliance import policy
from settlement.config import Settings
from settlement.invoices import accept
from settlement.settlements.instruct import Instruction, instruct
from settlement.signer import IntentSigner, SlotStore
from settlement.signer.intents import SigningLimits
from settlement.store import open_engine, reading, transaction
from tests.builders.rail import NOW, OPERATOR


@pytest.mark.parametrize("at_rest", [True, False])
def test_starting_balances_hold_nobody_up_once_the_founding_has_come_to_rest(
    sqlite_url: str, tmp_path: Path, at_rest: bool
) -> None:
    """A node that mines all mints in its last blocks, as a busy machine's does."""
    engine = open_engine(sqlite_url)
    settings = Settings(home=tmp_path)
    chain = MemoryChain(genesis_timestamp=int(NOW.timestamp()))
    sandbox = found(
        engine,
        chain,
        operators=[OPERATOR.address],
        companies=demo_participants(),
        ids=new_id,
        now=NOW,
    )
    slots = SlotStore(tmp_path / "slots.sqlite3")
    limits = SigningLimits(31337, sandbox.deployment.rail, 10**12, 2**24)
    signer = IntentSigner(engine, OPERATOR, slots, limits)
    worker = Worker(engine, chain, [signer], policy.load(), settings, new_id, "bench")

    mine = chain.mine if at_rest else lambda _count: None
    bring_to_rest(worker, mine, settings, lambda: NOW)
    keys = issue_invoices(engine, sandbox, 20, now=NOW)
    with transaction(engine) as session:
        accept(session, keys, "importer", NOW)
        instruct(
            session, [Instruction(key) for key in keys], actor="treasury:test", ids=new_id, now=NOW
        )
    worker.tick(NOW)

    with reading(engine) as session:
        held = session.execute(text("SELECT COUNT(*) FROM settlement WHERE state = 'HELD'"))
        assert bool(held.scalar_one()) is not at_rest
    slots.close()
    engine.dispose()
