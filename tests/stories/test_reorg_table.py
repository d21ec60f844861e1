"""The reorg table: depth 1 to 12, every state of a settlement, every way to come back.

Each row is a world with a settlement in every state at once. After the reorg the worker is driven
until everything has ended, and the checker judges database and chain. Run as it is, two ways for
each depth and three depths for each way, drawn anew in every run; `REORG_SEED=n` draws the same
again, `REORG_TABLE=all` runs every row.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settlement.errors import ReorgTooDeep
from settlement.settlements import control
from settlement.verify.judging import violations
from tests.builders.branches import MODES, Branch, a_branch
from tests.builders.memory_node import MemoryNode
from tests.builders.rail import OPERATOR, Rail
from tests.builders.reorgs import (
    ENDED,
    FINALITY,
    SECOND,
    Scene,
    a_copy,
    a_template,
)
from tests.builders.run_seed import run_seed

DEPTHS = range(1, FINALITY)
SEED = run_seed("REORG_SEED")
ROUNDS_MAX = 120
CURRENCIES = ("TUSD", "TEUR", "TAED", "TCNY", "TINR")


def _sample() -> list[tuple[int, str]]:
    """Every row, or two of each depth and three of each way."""
    if os.environ.get("REORG_TABLE") == "all":
        return [(depth, mode) for depth in DEPTHS for mode in MODES]
    chance = random.Random(SEED)
    depths, modes = list(DEPTHS) * 2, list(MODES) * 3
    chance.shuffle(depths)
    chance.shuffle(modes)
    return sorted(set(zip(depths, modes, strict=True)))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Scene:
    return a_template(tmp_path_factory.mktemp("reorgs"), sqlite_template)


@pytest.fixture
def scene(template: Scene, tmp_path: Path) -> Iterator[Scene]:
    with a_copy(template, tmp_path) as made:
        yield made


@pytest.mark.parametrize(("depth", "mode"), _sample())
def test_every_settlement_survives_a_reorg(scene: Scene, depth: int, mode: str) -> None:
    chance = random.Random(f"{SEED}/{depth}/{mode}")
    print(f"REORG_SEED={SEED}")
    scene.arrange(depth, raced="cancel" if mode == "batch wins" else "pay")
    before = scene.states()
    final = [scene.row(word) for word in ENDED]
    branch = a_branch(scene, mode, depth, chance)

    scene.rail.controls.reorg(depth, branch.included)
    if chance.random() < 0.5:
        scene.restart()
    scene.rail.tick(scene.worker)

    assert before == _states_before(mode)
    assert [scene.row(word) for word in ENDED] == final, "what is final stays"
    branch_shows(scene, branch)
    reversed_once(scene.rail)
    drive(scene)
    _people_retry(scene)
    drive(scene)
    _all_is_well(scene)


@pytest.mark.parametrize("beyond", (0, 1, 8))
def test_a_reorg_of_what_is_final_halts_and_takes_nothing_back(scene: Scene, beyond: int) -> None:
    rail = scene.rail
    scene.arrange(3, raced="pay")
    scene.use_lane(OPERATOR, SECOND)
    rail.controls.mine(FINALITY)
    rail.tick(scene.worker)
    rail.tick(scene.worker)
    before = _everything(rail)

    rail.controls.reorg(FINALITY + beyond)
    for _ in range(2):
        with pytest.raises(ReorgTooDeep):
            rail.tick(scene.worker)

    assert scene.state("booked") == scene.state("confirming") == "SETTLED"
    assert _everything(rail) == before
    lanes = rail.rows("SELECT state, reason FROM lane")
    assert [row.state for row in lanes] == ["halted", "halted"]
    assert all("was final" in row.reason for row in lanes)


def _everything(rail: Rail) -> list[Any]:
    tables = ("settlement", "chain_tx", "journal_entry", "block", "receipt", "attempt", "outbox")
    return [rail.rows(f"SELECT * FROM {table}") for table in tables]


def _states_before(mode: str) -> dict[str, str]:
    return {
        "settled": "SETTLED", "rejected for good": "REJECTED", "needs review": "NEEDS_REVIEW",
        "booked": "BOOKED", "confirming": "CONFIRMING", "rejected": "CONFIRMING",
        "first lane": "BOOKED", "second lane": "CONFIRMING",
        "raced": "CONFIRMING" if mode == "batch wins" else "BOOKED",
        "submitted": "SUBMITTED", "claimed": "CLAIMED", "cleared": "CLEARED", "held": "HELD",
        "cancelled": "CANCELLED", "instructed": "INSTRUCTED",
    }  # fmt: skip


def branch_shows(scene: Scene, branch: Branch) -> None:
    for word, outcome in branch.outcomes.items():
        row = scene.row(word)
        assert row.outcome == outcome, word
        booked = "CONFIRMING" if word == "confirming" else "BOOKED"
        expected = {"paid": booked, None: "SUBMITTED"}.get(outcome, "CONFIRMING")
        assert row.state == expected, word


def reversed_once(rail: Rail) -> None:
    """What stood on orphaned blocks is reversed, by exactly one entry, with the same amounts."""
    rows = rail.rows(
        "SELECT e.seq, COUNT(r.seq) AS times FROM journal_entry e"
        " JOIN block b ON b.hash = e.block_hash AND NOT b.canonical"
        " LEFT JOIN journal_entry r ON r.reverses_seq = e.seq"
        " WHERE e.kind <> 'reversal' GROUP BY e.seq"
    )
    assert rows, "a booked payment was thrown out"
    assert {row.times for row in rows} == {1}
    assert not rail.rows(
        "SELECT e.seq FROM journal_entry e JOIN block b ON b.hash = e.block_hash AND b.canonical"
        " JOIN journal_entry r ON r.reverses_seq = e.seq"
    ), "what stands in the chain is not reversed"


def drive(scene: Scene) -> None:
    """Rounds until every settlement has ended and every chain transaction is final."""
    rail = scene.rail
    scene.use_lane(OPERATOR, SECOND)
    for _ in range(ROUNDS_MAX):
        states = set(rail.states().values())
        if "HELD" in states:
            held = rail.rows("SELECT id FROM settlement WHERE state = 'HELD'")
            rail.act(control.release, *(row.id for row in held))
        open_txs = rail.one(
            "SELECT COUNT(*) FROM chain_tx WHERE state NOT IN ('FINAL', 'REVERTED', 'REPLACED')"
        )
        if states <= {"SETTLED", "REJECTED", "CANCELLED", "NEEDS_REVIEW"} and not open_txs:
            break
        rail.round(scene.worker)
    else:
        raise AssertionError(f"unfinished: {scene.states()}")
    rail.round(scene.worker)


def _people_retry(scene: Scene) -> None:
    """Whatever stood against a payment is taken away; then all is tried again."""
    rail = scene.rail
    scene.mend()
    rail.round(scene.worker)
    rejected = rail.rows("SELECT id FROM settlement WHERE state = 'REJECTED'")
    rail.act(control.retry, *(row.id for row in rejected))
    scene.find_the_lost()


def _all_is_well(scene: Scene) -> None:
    rail = scene.rail
    ended = dict.fromkeys(scene.keys, "SETTLED") | {"cancelled": "CANCELLED"}
    assert scene.states() == ended
    _paid_exactly(rail)
    reversed_once(rail)
    assert rail.rows("SELECT kind, subject FROM settlement_break WHERE closed_at IS NULL") == []
    assert rail.one("SELECT COUNT(*) FROM settlement_match WHERE live") == len(ended) - 1
    told = rail.rows(
        "SELECT COUNT(*) AS times FROM outbox WHERE kind = 'settlement.settled'"
        " GROUP BY aggregate_id"
    )
    assert [row.times for row in told] == [1] * (len(ended) - 1), "paid is said once of each"
    against = violations(
        str(rail.engine.url), MemoryNode(rail.chain), confirmations=FINALITY, quiescent=True
    )
    assert against == []


def _paid_exactly(rail: Rail) -> None:
    """Every wallet has on the chain what it began with and what was settled, to the unit."""
    for symbol in CURRENCIES:
        token = rail.token(symbol)
        for wallet in rail.sandbox.wallets:
            moved: Any = rail.one(
                "SELECT COALESCE(SUM(CASE WHEN creditor_wallet = :w THEN amount_minor"
                " ELSE -amount_minor END), 0) FROM settlement WHERE token = :t"
                " AND state = 'SETTLED' AND :w IN (creditor_wallet, debtor_wallet)",
                w=wallet.address, t=token,
            )  # fmt: skip
            balance = rail.balance(wallet.address, symbol)
            assert balance == 50_000_000 * 10**6 + moved
            assert balance == rail.booked(wallet.address, symbol)
            assert rail.reserved(wallet.address, symbol) == 0
