"""How often is too often: strangers by address, keys where they say so, else never."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement.config import Settings
from tests.gateway.builders import Door, a_door

FAILED, OPEN = 5, 8


@pytest.fixture
def door(sqlite_url: str, tmp_path: Path) -> Iterator[Door]:
    from settlement.store import open_engine

    home = tmp_path / "home"
    settings = Settings(home=home, failed_keys_per_minute=FAILED, open_per_minute=OPEN)
    engine: Engine = open_engine(sqlite_url)
    with a_door(engine, home, settings=settings) as opened:
        yield opened
    engine.dispose()


def _stranger(door: Door, **headers: str) -> int:
    bad = {"Authorization": "Bearer stk_000000000000_x", **headers}
    return int(door.client.get("/v1/invoices", headers=bad).status_code)


def test_who_comes_without_a_good_key_too_often_has_to_wait_and_is_told_how_long(
    door: Door,
) -> None:
    seen = [_stranger(door) for _ in range(FAILED + 2)]

    assert seen == [401] * FAILED + [429, 429]
    answer = door.client.get("/v1/invoices")
    assert answer.json()["type"] == "/problems/too-many-requests"
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_good_key_is_taken_whatever_else_comes_from_its_address(door: Door) -> None:
    for _ in range(FAILED + 2):
        _stranger(door)

    assert door.get("/v1/invoices").status_code == 200


def test_no_header_makes_an_address_another(door: Door) -> None:
    pretending = [
        _stranger(door, **{name: f"192.0.2.{number}"})
        for number in range(FAILED + 1)
        for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded")
    ]

    assert pretending[FAILED:] == [429] * (len(pretending) - FAILED)


def test_what_needs_no_key_is_limited_and_what_machines_probe_is_not(door: Door) -> None:
    seen = [door.client.get("/problems/not-found").status_code for _ in range(OPEN + 1)]

    assert seen == [200] * OPEN + [429]
    assert door.client.get("/healthz").status_code == 200


def test_a_key_with_a_limit_of_its_own_is_held_to_it(door: Door) -> None:
    made = door.post("/v1/keys", {"role": "treasury", "per_minute": 3}, "admin").json()
    headers = {"Authorization": f"Bearer {made['key']}"}

    seen = [door.client.get("/v1/tokens", headers=headers).status_code for _ in range(4)]

    assert seen == [200, 200, 200, 429]
    assert [door.get("/v1/tokens").status_code for _ in range(4)] == [200] * 4
