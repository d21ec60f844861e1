"""API keys at the door: who may issue which, shown once, rotated with an overlap, ended at once."""

import re
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gateway.api.keys import shown
from gateway.auth import Caller, Role, issue_key, open_pepper
from settlement import store
from settlement.access import keys
from settlement.clock import to_micros
from settlement.errors import NotFound
from tests.gateway.builders import Door
from tests.gateway.people import a_person
from tests.invoices.builders import NOW

KEY = re.compile(r"stk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")


def _issue(door: Door, who: str = "admin", **body: Any) -> Any:
    return door.post("/v1/keys", {"role": "treasury", **body}, who)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_an_admin_issues_a_key_that_works_and_is_shown_once(door: Door) -> None:
    asked = {"role": "exporter", "participant_id": door.companies.seller, "label": "books"}

    made = door.post("/v1/keys", asked, "admin", key="the-same")
    again = door.post("/v1/keys", asked, "admin", key="the-same")

    assert made.status_code == 201, made.text
    key = made.json()["key"]
    assert KEY.fullmatch(key) and key.startswith(made.json()["prefix"])
    assert door.client.get("/v1/invoices", headers=_bearer(key)).status_code == 200
    assert again.json() == {**made.json(), "key": None}
    assert again.headers["Idempotency-Replayed"] == "true"
    with store.reading(door.engine) as session:
        for table in ("api_key", "idempotency", "outbox"):
            found = session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()
            assert key[17:] not in str(found), table
    assert key[17:] not in door.get("/v1/keys", "admin").text


@pytest.mark.parametrize(
    "who",
    ["exporter", "importer", "treasury", "approver", "compliance", "overseer"],
)
def test_nobody_but_an_admin_issues_rotates_or_revokes(door: Door, who: str) -> None:
    prefix = door.keys["treasury"][:16]

    for path in ("", f"/{prefix}/rotate", f"/{prefix}/revoke"):
        answer = door.post(f"/v1/keys{path}", {"role": "overseer"} if not path else {}, who)
        assert answer.status_code == 403, path


def test_a_key_that_decides_about_others_is_a_persons(door: Door) -> None:
    for role in ("approver", "compliance"):
        refused = _issue(door, role=role)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "person_id")

    person = a_person(door, Role.APPROVER)
    made = _issue(door, role="approver", person_id=person)

    assert made.status_code == 201
    with store.reading(door.engine) as session:
        assert keys.one(session, made.json()["prefix"]).person_id == person


def test_an_admin_gives_themselves_no_other_role(door: Door, tmp_path: Path) -> None:
    person = a_person(door, Role.ADMIN)
    key = _issue(door, role="admin", person_id=person).json()["key"]

    for role in ("approver", "treasury", "compliance"):
        answer = door.client.post(
            "/v1/keys",
            json={"role": role, "person_id": person},
            headers={**_bearer(key), "Idempotency-Key": role},
        )
        assert (answer.status_code, answer.json()["title"]) == (403, "Own key"), role


def test_a_companys_person_gets_no_key_of_the_staff_and_none_of_another_company(
    door: Door,
) -> None:
    wanted = {
        "name": "Ben Ott", "email": "ben@example.com", "role": "exporter",
        "participant_id": door.companies.seller,
    }  # fmt: skip
    person = door.post("/v1/people", wanted, "admin").json()["id"]

    staff = _issue(door, role="treasury", person_id=person)
    other = _issue(door, role="exporter", person_id=person, participant_id=door.companies.stranger)
    own = _issue(door, role="exporter", person_id=person, participant_id=door.companies.seller)

    assert (staff.status_code, other.status_code, own.status_code) == (422, 422, 201)


def test_two_keys_of_one_person_are_one_hand() -> None:
    person = "per_" + "1" * 32
    maker = Caller("stk_000000000001", Role.TREASURY, None, person)
    checker = Caller("stk_000000000002", Role.APPROVER, None, person)
    machine = Caller("stk_000000000003", Role.TREASURY, None)

    assert maker.hand == checker.hand == person
    assert (maker.actor, machine.actor) == (f"treasury:{person}", "treasury:stk_000000000003")


def test_a_scope_narrows_a_key_and_never_widens_it(door: Door) -> None:
    key = _issue(door, scopes=["invoices", "read"]).json()["key"]

    assert door.client.get("/v1/invoices", headers=_bearer(key)).status_code == 200
    for path in ("/v1/journal", "/v1/keys"):
        answer = door.client.get(path, headers=_bearer(key))
        assert (answer.status_code, answer.json()["title"]) == (403, "Role not allowed"), path
    assert _issue(door, scopes=["everything"]).status_code == 422


def test_a_rotated_key_may_do_what_the_old_one_might_and_no_more(door: Door) -> None:
    person = a_person(door, Role.TREASURY)
    old = _issue(
        door, person_id=person, scopes=["invoices", "read"], per_minute=7, label="laptop"
    ).json()

    new = door.post(f"/v1/keys/{old['prefix']}/rotate", {}, "admin").json()

    same = ("role", "participant_id", "person_id", "scopes", "per_minute", "label")
    assert [new[each] for each in same] == [old[each] for each in same]
    assert new["person_id"] == person, "a rotation is no other pair of eyes"
    assert door.client.get("/v1/journal", headers=_bearer(new["key"])).status_code == 403


def test_a_rotated_key_goes_on_until_the_overlap_is_over(door: Door) -> None:
    old = _issue(door).json()
    new = door.post(f"/v1/keys/{old['prefix']}/rotate", {"overlap_seconds": 60}, "admin").json()

    ring = door.app.state.gateway.keys
    assert ring.look_up(f"Bearer {old['key']}", NOW + timedelta(seconds=59)).role is Role.TREASURY
    with pytest.raises(Exception, match="no valid API key"):
        ring.look_up(f"Bearer {old['key']}", NOW + timedelta(seconds=60))
    assert ring.look_up(f"Bearer {new['key']}", NOW + timedelta(days=300)).role is Role.TREASURY
    assert (new["rotated_from"], new["scopes"]) == (old["prefix"], old["scopes"])
    twice = door.post(f"/v1/keys/{old['prefix']}/rotate", {}, "admin")
    assert (twice.status_code, twice.json()["title"]) == (409, "Key rotated")


def test_a_rotation_lengthens_no_life_and_a_key_that_has_ended_has_none(door: Door) -> None:
    ends = NOW + timedelta(hours=1)
    old = _issue(door, expires_at=ends.isoformat()).json()
    with store.transaction(door.engine) as session:
        rotate = partial(keys.rotate, session, b"p", old["prefix"], issued_by="machine")
        with pytest.raises(NotFound):
            rotate(overlap=timedelta(days=1), now=ends)
        rotate(overlap=timedelta(days=1), now=NOW)
        stored = keys.one(session, old["prefix"])

    assert stored.expires_at == to_micros(ends)
    assert [shown(stored, at)["state"] for at in (ends - timedelta(microseconds=1), ends)] == [
        "in_force", "expired",
    ]  # fmt: skip


def test_a_revoked_key_is_refused_at_once_where_it_was_revoked(door: Door) -> None:
    made = _issue(door).json()
    assert door.client.get("/v1/invoices", headers=_bearer(made["key"])).status_code == 200

    ended = door.post(f"/v1/keys/{made['prefix']}/revoke", {}, "admin")

    assert ended.json()["state"] == "revoked"
    assert door.client.get("/v1/invoices", headers=_bearer(made["key"])).status_code == 401
    again = door.post(f"/v1/keys/{made['prefix']}/revoke", {}, "admin")
    assert again.status_code == 404


def test_a_disabled_persons_keys_work_no_more(door: Door) -> None:
    person = a_person(door, Role.TREASURY)
    key = _issue(door, person_id=person).json()["key"]
    ring = door.app.state.gateway.keys
    ring.look_up(f"Bearer {key}", NOW)

    with store.transaction(door.engine) as session:
        session.connection().execute(
            text("UPDATE person SET state = 'disabled' WHERE id = :id"), {"id": person}
        )

    with pytest.raises(Exception, match="no valid API key"):
        ring.look_up(f"Bearer {key}", NOW)


def test_what_ended_with_its_person_stays_ended_when_they_come_back(door: Door) -> None:
    person = a_person(door, Role.TREASURY)
    key = _issue(door, person_id=person).json()["key"]
    door.post(f"/v1/people/{person}/disable", {}, "admin")

    none = _issue(door, person_id=person)
    back = door.post(f"/v1/people/{person}/enable", {}, "admin")

    assert (none.status_code, back.json()["state"]) == (404, "active")
    assert door.get(f"/v1/keys/{key[:16]}", "admin").json()["state"] == "revoked"
    assert door.client.get("/v1/invoices", headers=_bearer(key)).status_code == 401
    assert door.post(f"/v1/people/{person}/enable", {}, "admin").status_code == 409
    assert door.post(f"/v1/people/{person}/erase", {}, "admin").status_code == 200
    assert door.post(f"/v1/people/{person}/enable", {}, "admin").status_code == 409


def test_a_person_has_one_address_and_only_a_companys_has_a_company(door: Door) -> None:
    ada = {"name": "Ada Roth", "email": "Ada@example.com", "role": "admin"}
    made = door.post("/v1/people", ada, "admin")

    twin = door.post("/v1/people", {**ada, "email": "ada@EXAMPLE.com"}, "admin")
    company = {"email": "b@example.com", "participant_id": door.companies.seller}
    staff = door.post("/v1/people", {**ada, **company}, "admin")

    assert [each.status_code for each in (made, twin, staff)] == [201, 409, 422]
    assert staff.json()["errors"][0]["field"] == "participant_id"


def test_an_admin_does_not_shut_themselves_out(door: Door) -> None:
    person = a_person(door, Role.ADMIN)
    door.keys["ada"] = _issue(door, role="admin", person_id=person).json()["key"]

    own = door.post(f"/v1/people/{person}/disable", {}, "ada")

    assert (own.status_code, own.json()["title"]) == (403, "Own key")
    assert door.get(f"/v1/people/{person}", "ada").json()["state"] == "active"


def test_a_key_ends_within_two_years(door: Door) -> None:
    assert _issue(door).json()["expires_at"].startswith(str(NOW.year + 1))
    for moment in (NOW, NOW + timedelta(days=800)):
        answer = _issue(door, expires_at=moment.isoformat())
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "expires_at")


def test_the_last_use_is_written_in_batches_and_no_read_writes(door: Door) -> None:
    made = _issue(door).json()
    ring = door.app.state.gateway.keys
    door.client.get("/v1/invoices", headers=_bearer(made["key"]))
    before = door.get(f"/v1/keys/{made['prefix']}", "admin").json()

    ring.uses.write()

    after = door.get(f"/v1/keys/{made['prefix']}", "admin").json()
    assert before["last_used_at"] is None
    assert after["last_used_at"] is not None


def test_a_list_of_keys_is_paged(door: Door) -> None:
    first = door.get("/v1/keys?limit=5", "overseer").json()
    rest = door.get(f"/v1/keys?limit=100&starting_after={first['data'][-1]['prefix']}", "admin")

    assert first["has_more"] and len(first["data"]) == 5
    seen = [each["prefix"] for each in (*first["data"], *rest.json()["data"])]
    assert len(seen) == len(set(seen)) == len(door.keys)


def test_a_key_made_at_the_machine_is_nobodys_hand_but_its_own(
    engine: Engine, tmp_path: Path
) -> None:
    with store.transaction(engine) as session:
        key = issue_key(
            session, open_pepper(tmp_path), role=Role.ADMIN, participant_id=None, now=NOW
        )
        stored = keys.one(session, key[:16])

    assert (stored.person_id, stored.scopes, stored.issued_by) == (None, "", "machine")
    assert stored.created_at == to_micros(NOW)
