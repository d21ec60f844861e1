"""The check of what is listed and frozen: healthy, and red for each thing that is broken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from settlement.registry import Source
from settlement.store import open_engine
from settlement.verify.judging import violations
from tests.builders.memory_node import MemoryNode
from tests.builders.rail import Rail, a_rail
from tests.builders.registrar import REGISTRAR, admin_signer, want


@pytest.fixture
def rail(sqlite_url: str, tmp_path: Path) -> Iterator[Rail]:
    """A rail where somebody was unlisted, somebody frozen, a listing cancelled, others paid."""
    engine = open_engine(sqlite_url)
    with a_rail(engine, tmp_path, registrar=REGISTRAR, finality_confirmations=4) as rail:
        worker = rail.worker(beside=[admin_signer(rail)])
        rail.round(worker)
        rail.instructed(2)
        stranger = rail.sandbox.wallets[2].address
        want(rail, rail.sandbox.wallets[0].address, frozen=True, tokens=[rail.token("TEUR")])
        want(rail, stranger, listed=False)
        for _ in range(6):
            rail.round(worker)
        want(rail, stranger, listed=True)
        rail.tick(worker)
        want(rail, stranger, listed=False, source=Source.SCREENING)
        rail.settle_all(worker)
        for _ in range(8):
            rail.round(worker)
        yield rail
    engine.dispose()


def red(rail: Rail, *harm: str) -> list[str]:
    with rail.engine.begin() as connection:
        for each in harm:
            assert connection.execute(text(each)).rowcount, each
    found = violations(rail.engine.url.render_as_string(), MemoryNode(rail.chain), confirmations=4)
    return [each.name for each in found]


def test_a_healthy_rail_with_an_admins_lane_has_no_violations(rail: Rail) -> None:
    assert rail.one("SELECT COUNT(*) FROM attempt WHERE kind = 'cancel'") == 1
    assert red(rail) == []
    assert rail.one("SELECT COUNT(*) FROM chain_tx WHERE kind = 'admin'") >= 3


ADMIN_TX = "(SELECT MIN(id) FROM chain_tx WHERE kind = 'admin')"


@pytest.mark.parametrize(
    ("harm", "names"),
    [
        (
            "UPDATE registry_standing SET actual = 'listed', differs_from_block = 1"
            " WHERE actual = 'unlisted'",
            {"REGISTRY"},
        ),
        (
            "UPDATE registry_standing SET actual = 'free', differs_from_block = 1"
            " WHERE actual = 'frozen'",
            {"REGISTRY"},
        ),
        ("UPDATE lane SET kind = 'operator' WHERE kind = 'admin'", {"REGISTRY"}),
        ("UPDATE lane SET kind = 'admin' WHERE kind = 'operator'", {"REGISTRY"}),
        (
            f"UPDATE chain_tx SET calldata = x'0000' WHERE id = {ADMIN_TX}",
            {"REGISTRY", "I8"},
        ),
        ("UPDATE lane SET next_nonce = next_nonce + 2 WHERE kind = 'admin'", {"I8"}),
        (
            "DELETE FROM attempt WHERE kind = 'admin' AND chain_tx_id = " + ADMIN_TX,
            {"I9"},
        ),
        (
            f"UPDATE chain_tx SET state = 'REPLACED' WHERE id = {ADMIN_TX}",
            {"I9", "MOVES"},
        ),
    ],
)
def test_what_is_broken_of_it_is_red(rail: Rail, harm: str, names: set[str]) -> None:
    assert set(red(rail, harm)) == names
