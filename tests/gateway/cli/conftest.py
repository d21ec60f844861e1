"""A gateway that really serves, on a rail on a real anvil, and the command line in this process."""

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn
from sqlalchemy import Engine

from gateway import cli
from gateway.app import create_app
from gateway.worker import Worker
from settlement.chain.evm import EvmChain
from settlement.store import open_engine
from tests.builders.rail import Rail, an_anvil_rail
from tests.gateway.builders import the_keys


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)


@dataclass
class Desk:
    """A rail, its gateway's address, key files by holder, and a terminal."""

    rail: Rail
    worker: Worker
    url: str
    key_files: dict[str, Path]
    type: Callable[..., Said]
    env: dict[str, str] = field(default_factory=dict)

    def settle(self, *words: str, who: str = "treasury") -> Said:
        """Type a command that calls the gateway."""
        return self.type(*words, "--url", self.url, "--key-file", str(self.key_files[who]))

    def json(self, *words: str, who: str = "treasury") -> Any:
        """Type it with --json, and expect it to succeed."""
        said = self.settle(*words, "--json", who=who)
        assert said.code == 0, said
        return said.json


@pytest.fixture
def typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Said]:
    """Type `settle …` in an empty folder, as a person with no settings does."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Said:
        monkeypatch.setattr("sys.argv", ["settle", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        code = end.value.code
        return Said(code if isinstance(code, int) else 0, *capsys.readouterr())

    return run


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path, typed: Callable[..., Said]) -> Iterator[Desk]:
    """A founded rail with a gateway in front of it."""
    engine: Engine = open_engine(sqlite_url)
    folder = tmp_path / "rail"
    folder.mkdir()
    with an_anvil_rail(engine, folder) as rail:
        keys = the_keys(engine, rail.settings.home, rail.companies, rail.now)
        key_files = {}
        for who, key in keys.items():
            path = tmp_path / f"{who}.key"
            path.touch(mode=0o600)
            path.write_text(key + "\n")
            key_files[who] = path
        chain = EvmChain(rail.chain.url)
        app = create_app(
            engine,
            rail.settings,
            chain=chain,
            clock=lambda: rail.now,
            ids=rail.ids,
            log_stream=io.BytesIO(),
        )
        with _served(app) as url:
            yield Desk(rail, rail.worker(), url, key_files, typed)
        chain.close()
    engine.dispose()


class _served:  # noqa: N801
    """Serves an application on a free port from a thread; stopped at the end."""

    def __init__(self, app: Any) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning", lifespan="on")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.listener]}, daemon=True
        )

    def __enter__(self) -> str:
        self.thread.start()
        until = time.monotonic() + 120
        while not self.server.started:
            assert time.monotonic() < until and self.thread.is_alive(), "it did not start"
            time.sleep(0.01)
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(30)
        self.listener.close()
