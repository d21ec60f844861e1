"""A key and what it was rotated to are one hand: it decides nothing of its own, and keeps it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.approvals.test_approvals_over_http import instructed, say
from tests.gateway.builders import Door, a_door


@pytest.fixture
def door(engine: Engine, tmp_path: Path) -> Iterator[Door]:
    with a_door(engine, tmp_path / "home") as opened:
        yield opened


def rotated(door: Door, who: str, times: int = 1) -> str:
    """Rotate a key; return the name under which the newest one is at hand."""
    prefix, name = door.keys[who][:16], f"{who}-rotated"
    for _ in range(times):
        made = door.post(f"/v1/keys/{prefix}/rotate", {}, "admin").json()
        prefix, door.keys[name] = made["prefix"], made["key"]
    return name


def closing(door: Door, who: str) -> dict[str, Any]:
    asked = door.post("/v1/periods/close", {"period": "2026-10"}, who).json()
    return {"period": "2026-10", "trial_sha256": asked["trial_sha256"]}


@pytest.mark.parametrize("times", [1, 3])
def test_a_rotated_key_approves_no_close_that_the_old_one_asked_for(door: Door, times: int) -> None:
    seen = closing(door, "second-treasury")
    newer = rotated(door, "second-treasury", times)

    own = [door.post("/v1/periods/approve", seen, who) for who in (newer, "second-treasury")]
    other = door.post("/v1/periods/approve", seen, "treasury")

    assert [(each.status_code, each.json()["title"]) for each in own] == [
        (403, "Second person missing")
    ] * 2
    assert other.json()["state"] == "closed"


def test_the_old_key_approves_no_close_that_the_new_one_asked_for(door: Door) -> None:
    newer = rotated(door, "treasury", 2)

    answer = door.post("/v1/periods/approve", closing(door, newer), "treasury")

    assert (answer.status_code, answer.json()["title"]) == (403, "Second person missing")


def test_a_rotated_key_is_no_second_approver(door: Door) -> None:
    _, approval = instructed(door, amount="6000000.00")
    say(door, approval)
    newer = rotated(door, "approver")

    same = say(door, approval, who=newer)
    waiting = door.get("/v1/approvals?mine=true", newer).json()["data"]
    other = say(door, approval, who="second-approver")

    assert (same.status_code, same.json()["title"]) == (403, "Same person")
    assert waiting == []
    assert other.json()["state"] == "approved"


def test_a_rotated_key_sees_and_withdraws_what_the_old_one_asked_for(door: Door) -> None:
    settlement, approval = instructed(door, who="importer")
    newer = rotated(door, "importer")

    listed = door.get("/v1/approvals", newer).json()["data"]
    one = door.get(f"/v1/approvals/{approval['id']}", newer)
    body = {"reason": "the wrong invoice"}
    ended = door.post(f"/v1/approvals/{approval['id']}/withdraw", body, newer)

    assert [each["id"] for each in listed] == [approval["id"]]
    assert one.status_code == 200
    assert ended.json()["state"] == "withdrawn"
    assert door.get(f"/v1/settlements/{settlement['id']}").json()["state"] == "CANCELLED"


def test_me_names_the_hand_of_the_line(door: Door) -> None:
    newer = rotated(door, "treasury", 2)

    assert door.get("/v1/me", newer).json()["hand"] == door.keys["treasury"][:16]
