"""The checker reads a real node: a day with a reorg on anvil holds, and what is harmed is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.evm import EvmChain
from settlement.store import open_engine
from settlement.verify.__main__ import main
from tests.verify import world as story


class AnvilInHand(EvmChain):
    """A real node that mines and reorganises when it is told to."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._controls = AnvilControls(url)

    def mine(self, count: int = 1) -> None:
        self._controls.mine(count)

    def reorg(self, depth: int, transactions: Sequence[tuple[bytes, int]] = ()) -> None:
        self._controls.reorg(depth, transactions)

    def close(self) -> None:
        super().close()
        self._controls.close()


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    with Anvil(AnvilOptions(no_mining=True, genesis_timestamp=story.GENESIS_TIME)) as node:
        yield node


def test_a_day_on_a_real_node_holds_and_a_harm_is_named(
    anvil: Anvil, sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = AnvilInHand(anvil.url)
    engine = open_engine(sqlite_url)
    world = story.a_world(engine, tmp_path, chain)
    world.turns(8)
    story.two_alike_in_one_batch(world)
    story.a_reorg_of_a_booked_payment(world)
    world.turns(16)
    asked = ["--database", sqlite_url, "--rpc", anvil.url, "--quiescent"]

    held = main(asked)
    world.write("UPDATE invoice SET settled_minor = settled_minor - 1 WHERE number = 'RE-twin'")
    violated = main(asked)

    printed = capsys.readouterr().out
    chain.close()
    engine.dispose()
    assert held == 0, printed
    assert violated == 1
    assert "22 of 22 hold" in printed
    assert "4 settled, 4 settled logs" in printed
    assert "2 reversed" in printed
