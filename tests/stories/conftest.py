"""Worlds for whole journeys: a founded rail on a real anvil, and the checker's verdict on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement.verify.__main__ import main as verify
from tests.builders.rail import Rail, an_anvil_rail


@pytest.fixture
def anvil_rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    """A founded rail on an anvil that mines when told to."""
    with an_anvil_rail(engine, tmp_path) as made:
        yield made


@pytest.fixture
def judged(capsys: pytest.CaptureFixture[str]) -> Callable[[Rail], None]:
    """Let the checker judge a rail at rest; its findings are the message if one is against."""

    def judge(rail: Rail) -> None:
        url = rail.engine.url.render_as_string(hide_password=False)
        found = verify(["--database", url, "--rpc", rail.rpc_url, "--quiescent"])
        assert found == 0, capsys.readouterr().out

    return judge
