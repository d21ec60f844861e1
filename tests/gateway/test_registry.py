"""What is listed and frozen on the chain, at the doors."""

from typing import Any

import pytest

from settlement import approvals, registry
from settlement.registry import Source, freezing
from settlement.store import transaction
from tests.gateway.builders import Door
from tests.invoices.builders import NOW

ORDER = "a court's order"


def _freeze(door: Door, who: str = "compliance", **changes: Any) -> Any:
    path = f"/v1/participants/{door.companies.seller}/freeze"
    return door.post(path, {"tokens": ["TUSD"], "reason": ORDER} | changes, who)


def _unfreeze(door: Door, **changes: Any) -> Any:
    path = f"/v1/participants/{door.companies.seller}/unfreeze"
    return door.post(path, {"reason": "it was lifted"} | changes, "compliance")


def _differing(door: Door) -> list[Any]:
    """What is to be frozen or freed; nobody lists wallets here."""
    found = door.get("/v1/registry?differs=true").json()["data"]
    return [each for each in found if each["token"]]


def test_compliance_freezes_at_once_and_a_second_person_frees(door: Door) -> None:
    frozen = _freeze(door)
    asked = _unfreeze(door)
    again = _unfreeze(door)

    assert frozen.status_code == 200
    (one,) = [each for each in frozen.json()["data"] if each["token"] == "TUSD"]
    assert (one["wanted"], one["actual"]) == ("frozen", "free")
    (wish,) = one["wishes"]
    assert (wish["source"], wish["reason"]) == ("compliance", ORDER)
    assert wish["actor"].startswith("compliance:")
    assert (asked.status_code, asked.json()["state"]) == (202, "open")
    assert asked.json()["wallets"] == [f"{one['wallet'].lower()} on {one['contract'].lower()}"]
    assert again.status_code == 409
    assert _differing(door) == [one]


def test_what_was_approved_is_freed_and_what_others_want_stays(door: Door) -> None:
    _freeze(door, tokens=[])
    asked = _unfreeze(door, tokens=["TUSD"]).json()
    (wallet, token) = asked["wallets"][0].split(" on ")

    with transaction(door.engine) as session:
        registry.want(
            session, [wallet], source=Source.SCREENING, frozen=True, tokens=[token],
            reason="a hit", actor="rail", now=NOW,
        )  # fmt: skip
        waits = approvals.find(session, asked["approval_id"])
        approved = approvals.decide(
            session, waits.id, verdict="approve", seen_hash=waits.what_hash, checker="per_second",
            role="approver", reason="", now=NOW,
        )  # fmt: skip
        freezing.apply_unfreeze(session, approved, NOW)

    found = door.get(f"/v1/registry?wallet={wallet}&limit=100").json()["data"]
    (usd,) = [each for each in found if each["token"] == "TUSD"]
    assert usd["wanted"] == "frozen"
    assert {w["source"]: w["wanted"] for w in usd["wishes"]} == {
        "compliance": "free", "screening": "frozen",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"tokens": ["TXYZ"]}, 422, "tokens/0"),
        ({"reason": ""}, 422, "reason"),
        ({"tokens": ["TUSD"] * 51}, 422, "tokens"),
        ({"amount": 1}, 422, "amount"),
    ],
)
def test_a_freeze_that_cannot_be_meant_is_refused(
    door: Door, body: dict[str, Any], status: int, field: str
) -> None:
    answer = _freeze(door, **body)

    assert answer.status_code == status
    assert field in answer.text
    assert _differing(door) == []


def test_nothing_is_freed_that_compliance_has_not_frozen(door: Door) -> None:
    answer = _unfreeze(door)

    assert answer.status_code == 409
    assert "has frozen no wallet" in answer.text


def test_nobody_is_not_frozen(door: Door) -> None:
    path = "/v1/participants/par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f/freeze"

    assert door.post(path, {"reason": ORDER}, "compliance").status_code == 404


@pytest.mark.parametrize("who", ["exporter", "treasury", "approver", "overseer", "admin"])
def test_only_compliance_freezes(door: Door, who: str) -> None:
    assert _freeze(door, who).status_code == 403


def test_the_registry_is_paged_by_wallet_and_contract(door: Door) -> None:
    _freeze(door, tokens=[])
    whole = door.get("/v1/registry?limit=100").json()["data"]

    first = door.get("/v1/registry?limit=3").json()
    last = first["data"][-1]
    second = door.get(
        f"/v1/registry?limit=100&starting_after={last['wallet']}:{last['contract']}"
    ).json()

    assert first["has_more"] and not second["has_more"]
    assert first["data"] + second["data"] == whole


def test_another_hand_frees_what_one_has_asked_to_free(door: Door) -> None:
    _freeze(door)
    asked = _unfreeze(door).json()
    path = f"/v1/approvals/{asked['approval_id']}"
    seen = {"what_hash": door.get(path, "approver").json()["what_hash"]}

    own = door.post(f"{path}/approve", seen, "compliance")
    given = door.post(f"{path}/approve", seen, "approver")

    assert own.status_code in (403, 409)
    assert (given.status_code, given.json()["state"]) == (200, "approved")
    assert _differing(door) == []
    found = door.get("/v1/registry?limit=100").json()["data"]
    (usd,) = [each for each in found if each["token"] == "TUSD"]
    assert (usd["wanted"], usd["wishes"][0]["reason"]) == ("free", "it was lifted")
