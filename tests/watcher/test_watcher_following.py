"""Following the chain: what is stored, what moves the cursor, and what never does."""

from collections.abc import Callable
from typing import Any

import pytest

from settlement.chain.port import ChainPort, Hash
from settlement.config import Settings
from settlement.errors import ChainUnreachable, ForeignChain
from settlement.store import reading
from settlement.watcher import NoDeployment, Tip, final, follow, head
from settlement.watcher.storing import HeadMoved
from tests.watcher.liars import (
    Forgetful,
    Interrupted,
    Late,
    LogDropper,
    OtherChain,
    ReceiptDropper,
    Relay,
    Unlinked,
)
from tests.watcher.scene import NOW, OPERATOR, Scene

FACTS = ("block", "receipt", "chain_log", "cursor")


def facts(scene: Scene) -> dict[str, list[tuple[object, ...]]]:
    return {name: sorted(scene.rows(f"SELECT * FROM {name}"), key=repr) for name in FACTS}


def heads(scene: Scene) -> tuple[Tip | None, Tip | None]:
    with reading(scene.engine) as session:
        return head(session), final(session)


def test_a_batch_is_stored_with_its_block_receipt_and_paired_logs(each_scene: Scene) -> None:
    tx_hash = each_scene.pay([5, 7])

    done = each_scene.follow()

    newest = each_scene.chain.head()
    assert (done.new_blocks, done.orphaned_blocks) == (1, 0)
    assert done.head == heads(each_scene)[0] == Tip(newest.number, newest.hash)
    assert each_scene.rows(
        "SELECT name, amount_minor, sequence, pair_index FROM chain_log WHERE tx_hash = :tx"
        " ORDER BY log_index",
        tx=tx_hash,
    ) == [
        ("Transfer", 5, None, 1),
        ("Settled", 5, 1, 0),
        ("Transfer", 7, None, 3),
        ("Settled", 7, 2, 2),
    ]
    assert each_scene.rows(
        "SELECT block_hash, block_number, sender, status, depth, books FROM receipt"
        " WHERE tx_hash = :tx",
        tx=tx_hash,
    ) == [(newest.hash, newest.number, OPERATOR.address, 1, 1, "due")]


def test_a_second_pass_finds_nothing_and_changes_nothing(each_scene: Scene) -> None:
    each_scene.pay([5])
    each_scene.follow()
    before = facts(each_scene)

    done = each_scene.follow()

    assert (done.new_blocks, done.orphaned_blocks) == (0, 0)
    assert facts(each_scene) == before


def test_blocks_come_in_bounded_passes_without_a_gap(scene: Scene) -> None:
    scene.controls.mine(25)
    settings = Settings(blocks_per_tick_max=10)

    counts = [follow(scene.engine, scene.chain, settings, NOW).new_blocks for _ in range(4)]

    numbers = [number for number, _ in scene.canonical()]
    assert counts == [10, 10, 5, 0]
    assert numbers == list(range(scene.chain.head().number + 1))


def test_many_blocks_come_in_several_commits_with_the_same_facts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settlement.watcher.following.LOGS_PER_COMMIT", 3)
    monkeypatch.setattr("settlement.watcher.fetching.TXS_PER_FETCH", 1)
    for _ in range(4):
        scene.pay([5, 6])

    done = scene.follow()

    assert done.new_blocks == 4
    assert len(scene.canonical()) == scene.chain.head().number + 1
    assert scene.one("SELECT COUNT(*) FROM block WHERE NOT canonical") == 0
    assert scene.one("SELECT COUNT(*) FROM chain_log WHERE pair_index IS NOT NULL") == 16
    assert scene.one("SELECT COUNT(*) FROM receipt WHERE sender = :o", o=OPERATOR.address) == 4


def test_what_was_stored_before_the_connection_was_cut_stays(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settlement.watcher.following.LOGS_PER_COMMIT", 1)
    monkeypatch.setattr("settlement.watcher.fetching.TXS_PER_FETCH", 1)
    first = scene.chain.head().number
    for _ in range(3):
        scene.pay([5])

    with pytest.raises(ChainUnreachable, match="cut"):
        scene.follow(Interrupted(scene.chain, answers=2))
    at_the_cut = heads(scene)[0]
    done = scene.follow()

    assert at_the_cut is not None and at_the_cut.number == first + 2
    assert done.new_blocks == 1
    assert scene.one("SELECT COUNT(*) FROM chain_log WHERE name = 'Settled'") == 3


def test_a_chain_transaction_of_ours_that_reverted_leaves_a_receipt(scene: Scene) -> None:
    scene.send(OPERATOR, scene.deployment.rail, b"\x00")

    scene.follow()

    newest = scene.chain.head().hash
    assert scene.rows("SELECT status FROM receipt WHERE block_hash = :b", b=newest) == [(0,)]
    assert scene.one("SELECT COUNT(*) FROM chain_log WHERE block_hash = :b", b=newest) == 0


def test_the_final_block_follows_the_head_at_the_chain_s_limit(scene: Scene) -> None:
    scene.controls.mine(20)

    scene.catch_up()

    newest, last_final = heads(scene)
    assert newest is not None and last_final is not None
    assert newest.number - last_final.number + 1 == scene.settings.finality_confirmations
    assert (last_final.number, last_final.hash) in scene.canonical()


@pytest.mark.parametrize("behind", [1, 3, 11, 14])
def test_a_node_that_is_late_moves_nothing_back(scene: Scene, behind: int) -> None:
    scene.pay([5])
    scene.controls.mine(15)
    scene.catch_up()
    before = facts(scene)

    done = scene.follow(Late(scene.chain, newest=scene.chain.head().number - behind))

    assert (done.new_blocks, done.orphaned_blocks) == (0, 0)
    assert done.head.number == scene.chain.head().number
    assert facts(scene) == before


def test_a_node_that_only_has_what_was_before_the_rail_moves_nothing(scene: Scene) -> None:
    before = facts(scene)

    done = scene.follow(Late(scene.chain, newest=0))

    assert done.new_blocks == 0
    assert facts(scene) == before


LIARS: dict[str, Callable[[ChainPort], Relay]] = {
    "null receipts": Forgetful,
    "no logs at all": LogDropper,
    "not the first log": lambda chain: LogDropper(chain, place=0),
    "not the third log": lambda chain: LogDropper(chain, place=2),
    "not the last receipt": ReceiptDropper,
    "headers without a parent": Unlinked,
}


@pytest.mark.parametrize("lie", LIARS)
def test_a_node_that_keeps_something_back_is_asked_again(scene: Scene, lie: str) -> None:
    scene.pay([5, 6])
    before = facts(scene)

    with pytest.raises(ChainUnreachable):
        scene.follow(LIARS[lie](scene.chain))

    assert facts(scene) == before
    assert scene.follow().new_blocks == 1
    assert scene.one("SELECT COUNT(*) FROM chain_log WHERE name = 'Settled'") == 2


@pytest.mark.parametrize("other", [{"chain_id": 5}, {"genesis_hash": Hash("0x" + "0b" * 32)}])
def test_a_foreign_chain_is_refused_and_nothing_is_written(
    scene: Scene, other: dict[str, Any]
) -> None:
    scene.pay([5])
    before = facts(scene)

    with pytest.raises(ForeignChain, match="belongs to chain 31337"):
        scene.follow(OtherChain(scene.chain, **other))

    assert facts(scene) == before


def test_without_a_deployment_there_is_nothing_to_follow(scene: Scene) -> None:
    with scene.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM deployment")

    with pytest.raises(NoDeployment):
        scene.follow()


def test_of_two_workers_at_once_one_stores_and_the_other_writes_nothing(scene: Scene) -> None:
    scene.pay([5])

    class Overtaken(Relay):
        def receipts(self, blocks: Any) -> Any:
            # The other worker comes between this one's question and its commit.
            scene.follow()
            return self.chain.receipts(blocks)

    with pytest.raises(HeadMoved):
        scene.follow(Overtaken(scene.chain))

    assert scene.one("SELECT COUNT(*) FROM chain_log WHERE name = 'Settled'") == 1
    assert scene.one("SELECT COUNT(*) FROM block WHERE NOT canonical") == 0


def test_a_token_nobody_listed_can_claim_what_it_likes(scene: Scene) -> None:
    other = scene.deployment.token("TEUR").address
    with scene.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM token WHERE address <> '{scene.token}'")
    before = scene.one("SELECT COUNT(*) FROM chain_log")

    scene.send(OPERATOR, other, bytes.fromhex("095ea7b3" + "0" * 63 + "1" + "0" * 63 + "1"))
    done = scene.follow()

    assert done.new_blocks == 1
    assert scene.one("SELECT COUNT(*) FROM chain_log") == before
