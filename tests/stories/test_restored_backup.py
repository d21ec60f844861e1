"""An old backup meets a newer chain on a real node: healed, and nobody is paid twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from settlement.settlements import control
from settlement.store import open_engine
from tests.builders.healing import a_backup, healed
from tests.builders.rail import Rail, an_anvil_rail
from tests.builders.soundness import assert_sound


@pytest.fixture
def lost(sqlite_url: str, tmp_path: Path) -> Iterator[Rail]:
    """A rail on anvil whose records are a backup's; what was paid since is only on the chain."""
    engine = open_engine(sqlite_url)
    with an_anvil_rail(engine, tmp_path) as rail:
        first = rail.worker("first")
        rail.instructed(1)
        rail.settle_all(first)
        rail.write("UPDATE lane SET state = 'paused'")
        keys = rail.instructed(2)
        rail.tick(first)
        first.stop()
        rail.act(control.hold, keys[0], reason="looking")
        backup = a_backup(rail, tmp_path)
        rail.act(control.release, keys[0])
        rail.write("UPDATE lane SET state = 'active'")
        rail.settle_all(rail.worker("lost"))
        backup.now, backup.ids = rail.now, rail.ids
        yield backup
    engine.dispose()


def test_a_restored_backup_is_healed_and_every_invariant_holds(
    lost: Rail, judged: Callable[[Rail], None]
) -> None:
    before = lost.balance(lost.seller_wallet)
    signer = lost.signer()

    found = healed(lost, signed_through=signer.signed_through())
    (new,) = lost.instructed()
    worker = lost.worker("next", signer=signer)
    lost.settle_all(worker)
    lost.round(worker)

    assert (found.mined, len(found.recovered), found.state) == (1, 2, "active")
    assert lost.balance(lost.seller_wallet) - before == 1_000_000_000, "the new one alone"
    assert lost.one("SELECT sequence FROM settlement WHERE id = :id", id=new) == 4
    assert_sound(lost)
    judged(lost)
