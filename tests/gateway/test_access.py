"""Who may do what: every operation with every role, with no key, with a wrong one; whose things."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from gateway import access, auth
from gateway.auth import CACHE_SECONDS, PepperExposed, Role
from settlement import store
from settlement.errors import Invalid
from tests.gateway.builders import Door, a_json_invoice
from tests.invoices.builders import NOW

UNKNOWN = "inv_" + "0" * 32


def _ask(door: Door, name: str, headers: dict[str, str]) -> Any:
    method, _, template = name.partition(" ")
    path = "/".join(UNKNOWN if part.startswith("{") else part for part in template.split("/"))
    if method == "POST":
        return door.client.post(path, content=b"{}", headers={**headers, "Idempotency-Key": name})
    return door.client.get(path, headers=headers)


def test_every_operation_of_the_document_takes_the_roles_of_the_table_and_no_other(
    door: Door,
) -> None:
    paths = door.client.get("/openapi.json").json()["paths"]
    names = [
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/v1/")
    ]
    table = {name.replace(":path}", "}"): row.roles for name, row in access.table().items()}
    assert len(names) > 25

    for name in names:
        for role in Role:
            answer = _ask(door, name, door.headers(role.value))
            is_refused = answer.status_code == 403 and "role-not-allowed" in answer.text
            assert is_refused == (role not in table[name]), (name, role, answer.text)
            assert answer.status_code not in (401, 500), (name, role, answer.text)


def test_a_route_that_nobody_put_into_the_table_is_closed_to_all() -> None:
    for role in Role:
        with pytest.raises(Exception, match="may not use GET /v1/new"):
            access.require(role, "GET /v1/new")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer stk_000000000000_x",
        "Basic c3RrXzA6eA==",
        "Bearer stk_\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9_x",
        "bearer lower",
    ],
)
def test_without_a_key_in_force_every_door_is_shut_with_the_same_words(
    door: Door, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}

    answer = door.client.get("/v1/invoices", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["detail"] == "the request carries no valid API key"


def test_a_key_with_one_wrong_character_is_refused(door: Door) -> None:
    key = door.keys["treasury"]
    other = key[:-1] + ("A" if key[-1] != "A" else "B")

    answer = door.client.get("/v1/invoices", headers={"Authorization": f"Bearer {other}"})

    assert answer.status_code == 401


def test_a_good_key_under_another_scheme_is_refused(door: Door) -> None:
    for scheme in ("Secret", "bearer", "Bearer:"):
        headers = {"Authorization": f"{scheme} {door.keys['treasury']}"}
        assert door.client.get("/v1/invoices", headers=headers).status_code == 401, scheme


def test_an_expired_key_is_refused(engine: Engine, tmp_path: Path) -> None:
    ring, key = _ring_with_a_key(engine, tmp_path, expires_in=timedelta(hours=1))

    assert ring.look_up(f"Bearer {key}", NOW).role is Role.ADMIN
    with pytest.raises(Exception, match="no valid API key"):
        ring.look_up(f"Bearer {key}", NOW + timedelta(hours=1))
    assert ring.remembered(f"Bearer {key}", NOW) is not None
    assert ring.remembered(f"Bearer {key}", NOW + timedelta(hours=1)) is None


def test_a_revoked_key_is_refused_within_the_promised_time(engine: Engine, tmp_path: Path) -> None:
    seconds = [0.0]
    ring, key = _ring_with_a_key(engine, tmp_path, monotonic=lambda: seconds[0])
    ring.look_up(f"Bearer {key}", NOW)
    with store.transaction(engine) as session:
        auth.revoke_key(session, key[:16], NOW)

    seconds[0] = CACHE_SECONDS + 0.001

    assert ring.remembered(f"Bearer {key}", NOW) is None
    with pytest.raises(Exception, match="no valid API key"):
        ring.look_up(f"Bearer {key}", NOW)


def _ring_with_a_key(
    engine: Engine, home: Path, *, expires_in: timedelta | None = None, monotonic: Any = lambda: 0.0
) -> tuple[auth.KeyRing, str]:
    pepper = auth.open_pepper(home)
    with store.transaction(engine) as session:
        key = auth.issue_key(
            session,
            pepper,
            role=Role.ADMIN,
            participant_id=None,
            now=NOW,
            expires=None if expires_in is None else NOW + expires_in,
        )
    return auth.KeyRing(engine, pepper, monotonic=monotonic), key


def test_a_key_is_stored_as_a_hash_that_is_worth_nothing_without_the_pepper(
    engine: Engine, tmp_path: Path
) -> None:
    _, key = _ring_with_a_key(engine, tmp_path)

    with store.reading(engine) as session:
        stored = str(session.connection().exec_driver_sql("SELECT * FROM api_key").all())
    other = auth.KeyRing(engine, b"another pepper", monotonic=lambda: 0.0)

    assert key not in stored and key[17:] not in stored
    with pytest.raises(Exception, match="no valid API key"):
        other.look_up(f"Bearer {key}", NOW)


def test_the_pepper_is_its_owners_alone(tmp_path: Path) -> None:
    pepper = auth.open_pepper(tmp_path)
    file = tmp_path / "api-key.pepper"
    assert file.stat().st_mode & 0o777 == 0o600
    assert auth.open_pepper(tmp_path) == pepper

    file.chmod(0o640)

    with pytest.raises(PepperExposed):
        auth.open_pepper(tmp_path)


def test_an_exporters_key_needs_its_company(engine: Engine, tmp_path: Path) -> None:
    with store.transaction(engine) as session, pytest.raises(Invalid, match="participant"):
        auth.issue_key(session, b"p", role=Role.EXPORTER, participant_id=None, now=NOW)


def test_a_company_sees_and_moves_only_what_is_its_own(door: Door) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    made = door.post("/v1/settlements", {"invoice_id": invoice}, "importer").json()
    settlement = made["data"][0]["id"]
    reason = {"reason": "mine"}

    for path in (
        f"/v1/invoices/{invoice}",
        f"/v1/invoices/{invoice}/document",
        f"/v1/settlements/{settlement}",
        f"/v1/participants/{door.companies.seller}",
        f"/v1/trace/{invoice}",
    ):
        assert door.get(path, "stranger").status_code == 404, path
        assert door.get(path, "exporter").status_code == 200, path
    for path in ("invoices", "settlements", "accounts", "events"):
        shown = door.get(f"/v1/{path}", "stranger").json()["data"]
        assert all(door.companies.stranger in str(each) for each in shown), path
    for act in ("accept", "query", "reject"):
        answer = door.post(f"/v1/invoices/{invoice}/{act}", b"{}" if act == "accept" else reason,
                           "stranger-importer")  # fmt: skip
        assert answer.status_code == 404, act
    refused = door.post(f"/v1/settlements/{settlement}/hold", reason, "stranger-importer")
    assert refused.status_code == 404
    stolen = door.post("/v1/settlements", {"invoice_id": invoice}, "stranger-importer")
    assert stolen.status_code == 404
    assert door.get(f"/v1/settlements/{settlement}").json()["state"] == "INSTRUCTED"


def test_the_other_side_is_told_that_it_is_not_its_move(door: Door) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]

    answer = door.post(f"/v1/invoices/{invoice}/accept", {}, "seller-importer")

    assert (answer.status_code, answer.json()["title"]) == (403, "Not the buyer")
    foreign = door.post("/v1/invoices", a_json_invoice("RE-2"), "stranger")
    assert (foreign.status_code, foreign.json()["title"]) == (403, "Not the seller")
