"""One day's limit, and several gateways in processes of their own that all want the last of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from settlement.clock import new_id
from settlement.compliance.limits import LimitExceeded
from settlement.settlements.instruct import Instruction, instruct
from settlement.store import open_engine, transaction
from tests.builders.limits import a_limit, used
from tests.builders.processes import forking
from tests.builders.rail import NOW, Rail, a_rail

PROCESSES, EACH, FIT = 4, 15, 25
MINOR = 10_000 * 10_000


@pytest.fixture
def rail(postgres_url: str, tmp_path: Path) -> Iterator[Rail]:
    engine = open_engine(postgres_url)
    with a_rail(engine, tmp_path) as made:
        yield made
    engine.dispose()


def _pay(url: str, invoice_ids: list[str]) -> int:
    """Instruct one after the other, two at a time every third; return how many were taken."""
    engine, taken = open_engine(url), 0
    while invoice_ids:
        batch = [invoice_ids.pop() for _ in range(min(len(invoice_ids), 1 + len(invoice_ids) % 2))]
        try:
            with transaction(engine) as session:
                wanted = [Instruction(each) for each in batch]
                taken += len(instruct(session, wanted, actor="treasury:test", ids=new_id, now=NOW))
        except LimitExceeded:
            continue
    engine.dispose()
    return taken


def test_four_processes_take_a_days_limit_exactly(rail: Rail, postgres_url: str) -> None:
    limit = a_limit(rail, FIT * MINOR)
    week = a_limit(rail, 100 * MINOR, name="week", period="rolling", days=7, counted_by="pair")
    wanted = [[rail.accepted(10_000) for _ in range(EACH)] for _ in range(PROCESSES)]

    with forking().Pool(PROCESSES) as pool:
        taken = pool.starmap(_pay, [(postgres_url, each) for each in wanted])

    assert FIT - 1 <= sum(taken) <= FIT  # A pair may find room for one alone.
    assert used(rail, limit) == {NOW.date().isoformat(): sum(taken) * MINOR}
    assert set(used(rail, week).values()) == {sum(taken) * MINOR}
    assert len(rail.states()) == sum(taken)
