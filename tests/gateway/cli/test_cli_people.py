"""`settle person` and `settle key`, at the machine and over the API."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import wiring
from settlement.access import credentials, passwords
from settlement.config import Settings
from settlement.store import reading
from tests.gateway.cli.conftest import Desk, Said

PASSWORD = "four words nobody combines"


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("SETTLE_HOME", str(home))
    wiring.open_database(Settings(), create=True).dispose()
    return home


def _by_pipe(text: str) -> str:
    ours, theirs = os.pipe()
    os.write(theirs, f"{text}\n".encode())
    os.close(theirs)
    return str(ours)


def _add(typed: Callable[..., Said], *words: str) -> Said:
    return typed(
        "person", "add", "--name", "Maria Keller", "--email", "maria@example.com",
        "--role", "approver", "--password-fd", _by_pipe(PASSWORD), "--json", *words,
    )  # fmt: skip


def test_a_person_is_added_with_a_password_to_be_changed_and_put_into_the_trail(
    typed: Callable[..., Said], at_home: Path
) -> None:
    said = _add(typed)

    assert said.code == 0, said
    person = said.json["id"]
    with reading(wiring.open_database(Settings())) as session:
        stored = credentials.of(session, person)
        acts = session.connection().exec_driver_sql("SELECT * FROM audit_event").all()
    assert stored.must_change and passwords.matches(stored.password_hash, PASSWORD)
    assert "settle person add" in str(acts) and PASSWORD not in str(acts)
    assert "Maria Keller" in typed("person", "list").out


def test_a_weak_password_and_a_second_registration_are_refused(
    typed: Callable[..., Said], at_home: Path
) -> None:
    weak = typed(
        "person", "add", "--name", "M", "--email", "m@example.com", "--role", "admin",
        "--password-fd", _by_pipe("short"),
    )  # fmt: skip
    _add(typed)
    twice = _add(typed)

    assert (weak.code, "has 5 characters" in weak.err) == (1, True)
    assert (twice.code, "registered with this" in twice.err) == (1, True)


def test_who_is_disabled_comes_back_with_a_new_password_and_who_is_erased_does_not(
    typed: Callable[..., Said], at_home: Path
) -> None:
    person = _add(typed).json["id"]

    assert typed("person", "disable", person).code == 0
    assert typed("person", "disable", person).code == 1
    assert typed("person", "enable", person).code == 0
    new = typed("person", "reset-password", person, "--password-fd", _by_pipe(PASSWORD + "!"))
    assert new.code == 0, new
    assert typed("person", "erase", person, "--yes").code == 0
    (shown,) = typed("person", "list", "--json").json
    assert (shown["name"], shown["state"]) == (None, "erased")
    assert typed("person", "enable", person).code == 1


def test_the_first_admins_key_is_made_at_the_machine(
    typed: Callable[..., Said], at_home: Path
) -> None:
    made = typed("key", "issue", "admin", "--here", "--json").json

    assert made["key"].startswith(made["prefix"]) and made["role"] == "admin"


def test_keys_are_issued_listed_rotated_and_revoked_over_the_api(desk: Desk) -> None:
    made = desk.json("key", "issue", "treasury", "--scope", "books", "--label", "x", who="admin")
    new = desk.json("key", "rotate", made["prefix"], "--overlap-seconds", "60", who="admin")
    ended = desk.json("key", "revoke", made["prefix"], who="admin")
    listed = {each["prefix"]: each["state"] for each in desk.json("key", "list", who="admin")}
    refused = desk.settle("key", "issue", "approver", who="admin")

    assert (made["scopes"], new["rotated_from"]) == (["books"], made["prefix"])
    assert ended["state"] == listed[made["prefix"]] == "revoked"
    assert listed[new["prefix"]] == "in_force"
    assert (refused.code, "belongs to a person" in refused.err) == (1, True)
    assert desk.settle("key", "list", who="treasury").code == 1
