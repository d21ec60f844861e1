"""A disk that takes nothing more: writes are refused, reads answer, nothing is sent unstored."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.builders.rail import OPERATOR
from tests.gateway.builders import a_json_invoice
from tests.simulation.real_patience import Patience
from tests.simulation.real_rail import RealRail, a_real_rail
from tests.simulation.real_schedule import Plan, Schedule
from tests.simulation.real_weather import allow_writes, refuse_writes
from tests.simulation.real_zygote import Zygote

QUIET = Plan(0, 20_26, (), False, ())
"""A schedule without a kill: for its way to rest, and its verdict."""
FULL_SECONDS = 3.0
SMALL = "24m"


@pytest.mark.slow
def test_on_a_full_disk_nothing_is_sent_and_afterwards_all_is_paid(tmp_path: Path) -> None:
    with _small_disk(tmp_path) as folder, a_real_rail(folder, "sqlite") as rail:
        filler = folder / "filler"

        _refused_and_resumed(rail, lambda _pids: _fill(filler), lambda _pids: filler.unlink())


@pytest.mark.slow
def test_where_each_write_fails_nothing_is_sent_and_afterwards_all_is_paid(tmp_path: Path) -> None:
    with a_real_rail(tmp_path, "sqlite") as rail:
        _refused_and_resumed(
            rail,
            lambda pids: list(map(refuse_writes, pids)),
            lambda pids: list(map(allow_writes, pids)),
        )


def _refused_and_resumed(
    rail: RealRail, refuse: Callable[[list[int]], object], allow: Callable[[list[int]], object]
) -> None:
    with Zygote() as zygote:
        schedule = Schedule(rail, zygote, QUIET)
        lives, before = schedule.lives, schedule.balances()
        try:
            pids = [lives.start(role).pid for role in ("signer", "gateway")]
            schedule.intake.pay(2)

            pids.append(lives.start("worker").pid)
            refuse(pids)
            written, read = _post(rail), _get(rail)
            _let_run(schedule, FULL_SECONDS)

            assert written >= 500
            assert read == 200
            assert rail.one("SELECT COUNT(*) FROM attempt") == 0
            assert rail.controls.pooled_count() == 0
            assert rail.chain.nonce(OPERATOR.address) == 0
            allow(pids)
            lives.may_end = True  # Who could not even write its log may have stopped.
            lives.kill("worker")
            lives.replace_the_ended()
            lives.may_end = False
            schedule.come_to_rest()
            schedule.judge(before)
        finally:
            lives.end_all()
            schedule.intake.close()

    assert schedule.outcome.violations == []
    assert schedule.outcome.unfinished == 0


def _let_run(schedule: Schedule, seconds: float) -> None:
    patience = Patience(seconds)
    while patience.lasts():
        schedule.lives.look(0.02)


def _post(rail: RealRail) -> int:
    headers = {"Authorization": f"Bearer {rail.api_keys['exporter']}", "Idempotency-Key": "full"}
    url = f"http://127.0.0.1:{rail.port}/v1/invoices"
    found = httpx2.post(url, json=a_json_invoice("FULL"), headers=headers, timeout=60)
    return int(found.status_code)


def _get(rail: RealRail) -> int:
    headers = {"Authorization": f"Bearer {rail.api_keys['treasury']}"}
    url = f"http://127.0.0.1:{rail.port}/v1/invoices"
    return int(httpx2.get(url, headers=headers, timeout=60).status_code)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own that is soon full; only root may make one."""
    place, mount = folder / "disk", shutil.which("mount")
    place.mkdir()
    command = [mount or "mount", "-t", "tmpfs", "-o", f"size={SMALL}", "none", str(place)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(filler: Path) -> None:
    """Take what is left."""
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 512, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
