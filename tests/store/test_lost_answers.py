"""A line to PostgreSQL that is cut between a COMMIT and its answer: done, and nobody knows."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from settlement.settlements import control
from settlement.store import open_engine, reading
from tests.builders.cut_lines import CuttingProxy, a_cutting_proxy
from tests.builders.rail import a_rail
from tests.builders.soundness import assert_sound
from tests.gateway.builders import a_door, a_json_invoice
from tests.postgres import PostgresServer

CUTS = range(1, 13)


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[CuttingProxy]:
    # A socket's path is short: pytest's own folders may be too deep.
    with (
        tempfile.TemporaryDirectory(prefix="cut") as folder,
        a_cutting_proxy(postgres_server.folder / "socket", Path(folder)) as made,
    ):
        yield made


@pytest.fixture
def cut_engine(postgres_url: str, proxy: CuttingProxy) -> Iterator[Engine]:
    engine = open_engine(proxy.url(postgres_url))
    yield engine
    engine.dispose()


def test_the_line_is_cut_after_the_server_has_committed(
    cut_engine: Engine, proxy: CuttingProxy
) -> None:
    proxy.cut_at = 1

    with pytest.raises(OperationalError), cut_engine.begin() as connection:
        connection.execute(text("INSERT INTO settlement_sequence VALUES ('0x01', 7)"))

    with reading(cut_engine) as session:
        found = session.execute(text("SELECT next_sequence FROM settlement_sequence")).scalars()
        assert list(found) == [7]
    assert proxy.cuts == 1


def test_a_worker_whose_commits_are_never_confirmed_pays_everybody_once(
    cut_engine: Engine, proxy: CuttingProxy, tmp_path: Path
) -> None:
    with a_rail(cut_engine, tmp_path, finality_confirmations=4) as rail:
        worker = rail.worker()
        told = 0
        for cut_at in CUTS:
            rail.instructed()
            proxy.cut_at = cut_at
            for _ in range(3):
                before = proxy.cuts
                try:
                    is_told = bool(rail.tick(worker).troubles)
                except OperationalError:
                    is_told = True
                told += is_told and proxy.cuts > before
                assert is_told or proxy.cuts == before, "a cut that nobody was told of"
            rail.controls.mine()
        proxy.cut_at = 0
        held = [key for key, state in rail.states().items() if state == "HELD"]
        if held:
            rail.act(control.release, *held)
        rail.settle_all(worker)

        assert proxy.cuts >= told >= len(CUTS) // 2
        assert_sound(rail)


def test_a_request_whose_commit_is_not_confirmed_is_answered_and_done_once(
    cut_engine: Engine, proxy: CuttingProxy, tmp_path: Path
) -> None:
    with a_door(cut_engine, tmp_path) as door:
        proxy.cut_at = 1
        first = door.post("/v1/invoices", a_json_invoice(), "exporter", key="k1")
        again = door.post("/v1/invoices", a_json_invoice(), "exporter", key="k1")

        assert proxy.cuts == 1
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
    with reading(cut_engine) as session:
        assert session.execute(text("SELECT COUNT(*) FROM invoice")).scalar() == 1
