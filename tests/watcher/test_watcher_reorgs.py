"""Reorgs as facts: what is marked, what stays, what comes back, and where the worker stops."""

import pytest
from sqlalchemy import Engine

from settlement.chain.memory import MemoryChain
from settlement.chain.port import ChainPort
from settlement.config import Settings
from settlement.errors import ReorgTooDeep
from settlement.settlements import booking
from settlement.store import reading, transaction
from settlement.watcher import final
from tests.watcher.scene import CREDITORS, NOW, Scene, a_scene, put_rail, stop_automine
from tests.watcher.test_watcher_following import facts

LIMIT = Settings().finality_confirmations


def on_chain(chain: ChainPort) -> list[tuple[object, ...]]:
    return [(each.number, each.hash) for each in chain.headers(0, chain.head().number)]


@pytest.mark.parametrize("depth", [1, 2, LIMIT - 1])
def test_orphaned_blocks_are_marked_and_the_new_branch_follows(
    each_scene: Scene, depth: int
) -> None:
    each_scene.controls.mine(LIMIT)
    each_scene.catch_up()
    for _ in range(depth):
        each_scene.pay([5, 6])
    each_scene.catch_up()
    logs = each_scene.one("SELECT COUNT(*) FROM chain_log")

    each_scene.controls.reorg(depth)
    done = each_scene.follow()

    assert (done.new_blocks, done.orphaned_blocks) == (depth, depth)
    assert each_scene.canonical() == on_chain(each_scene.chain)
    assert each_scene.one("SELECT COUNT(*) FROM block WHERE NOT canonical") == depth
    # Facts only: nothing is deleted, and what it means for the books is decided elsewhere.
    assert each_scene.one("SELECT COUNT(*) FROM chain_log") == logs
    assert each_scene.one("SELECT COUNT(*) FROM receipt WHERE books <> 'due'") == 0


def test_a_chain_transaction_that_comes_back_is_a_new_receipt(each_scene: Scene) -> None:
    tx_hash = each_scene.pay([5])
    each_scene.controls.mine()
    each_scene.catch_up()

    each_scene.controls.reorg(2, [(each_scene.sent[-1], 1)])
    each_scene.catch_up()

    found = each_scene.rows(
        "SELECT b.canonical, r.block_number FROM receipt r JOIN block b ON b.hash = r.block_hash"
        " WHERE r.tx_hash = :tx ORDER BY r.block_number",
        tx=tx_hash,
    )
    first = each_scene.chain.head().number - 1
    assert [(bool(canonical), number) for canonical, number in found] == [
        (False, first),
        (True, first + 1),
    ]


@pytest.mark.parametrize("depth", [LIMIT, LIMIT + 3])
def test_a_reorg_of_a_final_block_stops_and_writes_nothing(each_scene: Scene, depth: int) -> None:
    each_scene.controls.mine(LIMIT + 8)
    each_scene.catch_up()
    before = facts(each_scene)

    each_scene.controls.reorg(depth)

    for _ in range(2):
        with pytest.raises(ReorgTooDeep, match="was final"):
            each_scene.follow()
    assert facts(each_scene) == before


def test_a_chain_that_went_back_below_what_was_final_stops_the_worker(scene: Scene) -> None:
    chain = scene.chain
    assert isinstance(chain, MemoryChain)
    early = chain.snapshot()
    chain.mine(LIMIT + 8)
    scene.catch_up()
    before = facts(scene)

    chain.revert(early)
    scene.pay([5])

    with pytest.raises(ReorgTooDeep, match="was final"):
        scene.follow()
    assert facts(scene) == before


def test_what_was_final_stays_final_on_a_shorter_branch(scene: Scene) -> None:
    chain = scene.chain
    assert isinstance(chain, MemoryChain)
    scene.controls.mine(LIMIT + 10)
    snapshot_at = chain.head().number
    early = chain.snapshot()
    scene.controls.mine(6)
    scene.catch_up()
    with reading(scene.engine) as session:
        was_final = final(session)

    # Six blocks go, one other comes: the head is lower, the last final block is not.
    chain.revert(early)
    scene.pay([5])
    done = scene.follow()
    with reading(scene.engine) as session:
        is_final = final(session)

    assert done.orphaned_blocks == 6 and done.head.number == snapshot_at + 1
    assert is_final == was_final
    scene.controls.reorg(LIMIT - 5)
    with pytest.raises(ReorgTooDeep):
        scene.follow()


def test_a_branch_is_followed_over_several_passes(scene: Scene) -> None:
    settings = Settings(blocks_per_tick_max=2)
    scene = Scene(scene.engine, scene.chain, scene.controls, scene.deployment, settings)
    scene.controls.mine(6)
    scene.catch_up()

    scene.controls.reorg(5)
    passes = [scene.follow() for _ in range(4)]

    assert [(each.new_blocks, each.orphaned_blocks) for each in passes] == [
        (2, 5),
        (2, 0),
        (1, 0),
        (0, 0),
    ]
    assert scene.canonical() == on_chain(scene.chain)


class Either:
    """Two chains with one past, of which a node shows now the one and now the other."""

    def __init__(self, chains: list[MemoryChain]) -> None:
        self.chains = chains
        self.shown = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.chains[self.shown], name)


def test_a_branch_that_comes_back_is_canonical_and_due_again(engine: Engine) -> None:
    scene, both = _two_branches(engine)

    for shown in (1, 0):
        both.shown = shown
        scene.catch_up()

    assert scene.canonical() == on_chain(both.chains[0])
    assert scene.one("SELECT COUNT(*) FROM chain_log WHERE name = 'Settled'") == 2
    assert _books_by_branch(scene) == [("due", True), ("due", False)]


def test_what_was_booked_on_a_branch_that_comes_back_is_booked_again(engine: Engine) -> None:
    scene, both = _two_branches(engine)
    balances = []

    for shown in (0, 1, 0, 1, 0):
        both.shown = shown
        scene.catch_up()
        with transaction(scene.engine) as session:
            booking.reverse(session, NOW)
            booking.book(session, scene.settings, NOW)
        balances.append(_booked(scene))

    assert balances == [5, 7, 5, 7, 5]
    assert _books_by_branch(scene) == [("posted", True), ("reversed", False)]
    assert scene.one("SELECT COUNT(*) FROM receipt WHERE books = 'due'") == 0


def _two_branches(engine: Engine) -> tuple[Scene, Either]:
    """A pays 5, B pays 7 at the same height; A is stored."""
    first, second = MemoryChain(seed=1), MemoryChain(seed=1)
    both = Either([first, second])
    scene = a_scene(engine, first, first)
    put_rail(second)
    stop_automine(second, second)
    for chain, amount in ((first, 5), (second, 7)):
        Scene(scene.engine, chain, chain, scene.deployment).pay([amount])
        chain.mine(2 if chain is second else 1)
    scene.chain = both  # type: ignore[assignment]
    scene.catch_up()
    return scene, both


def _books_by_branch(scene: Scene) -> list[tuple[object, ...]]:
    found = scene.rows(
        "SELECT r.books, b.canonical FROM receipt r JOIN block b ON b.hash = r.block_hash"
        " JOIN chain_log l ON l.block_hash = r.block_hash AND l.tx_index = r.tx_index"
        " WHERE l.name = 'Settled' ORDER BY l.amount_minor"
    )
    return [(books, bool(canonical)) for books, canonical in found]


def _booked(scene: Scene) -> object:
    """What the books say of the first creditor's wallet."""
    return scene.one(
        "SELECT CAST(SUM(p.amount_minor) AS BIGINT) FROM posting p"
        " JOIN account a ON a.id = p.account_id WHERE a.code = :code AND p.phase = 'posted'",
        code=f"wallet:{CREDITORS[0].address}:TUSD",
    )
