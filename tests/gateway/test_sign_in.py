"""Signing in at the console: two factors, what guessing gets, passwords, pages."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from gateway.auth import Role
from settlement import store
from settlement.access import credentials, failures, passwords, people, sessions
from settlement.access.passwords import PasswordWeak
from tests.gateway.browser import PASSWORD, Browser, code_now, signed_in, with_password
from tests.gateway.builders import Door
from tests.invoices.builders import NOW

EMAIL = "maria@example.com"
REFUSED = "That sign-in is not accepted."


def _try(door: Door, email: str = EMAIL, password: str = PASSWORD) -> Any:
    return Browser(door).send("/console/sign-in", email=email, password=password)


def test_a_person_signs_in_with_a_password_and_a_code_and_sees_what_they_may_do(
    door: Door,
) -> None:
    browser = signed_in(door, Role.APPROVER)

    page = browser.get("/console")

    assert page.status_code == 200
    assert "Maria Keller" in page.text and "approver" in page.text
    assert "POST /v1/breaks/{break_id}/approve" in page.text
    assert "POST /v1/keys" not in page.text


def test_the_second_time_the_code_is_asked_for_and_taken_once(door: Door) -> None:
    first = signed_in(door)
    secret = _secret(door)
    browser = Browser(door)
    browser.send("/console/sign-in", email=EMAIL, password=PASSWORD)
    assert "Your code" in browser.follow().text

    replayed = browser.send("/console/code", code=code_now(door, secret))
    assert (replayed.status_code, "not accepted" in replayed.text) == (401, True)
    taken = browser.send("/console/code", code=code_now(door, secret, steps=1))

    assert taken.status_code == 303 and browser.follow().status_code == 200
    assert first.get("/console").status_code == 200


def test_a_recovery_code_takes_the_place_of_a_code_once(door: Door) -> None:
    with_password(door)
    browser = Browser(door)
    browser.send("/console/sign-in", email=EMAIL, password=PASSWORD)
    browser.follow()
    shown = browser.send("/console/enrol", code=code_now(door, browser.secret()))
    code = shown.text.partition("<li>")[2].partition("</li>")[0]

    for expected in (303, 401):
        again = Browser(door)
        again.send("/console/sign-in", email=EMAIL, password=PASSWORD)
        again.follow()
        assert again.send("/console/code", code=code.upper()).status_code == expected

    with store.reading(door.engine) as session:
        found = session.connection().exec_driver_sql("SELECT * FROM recovery_code").all()
    assert code not in str(found)


def test_between_the_factors_nobody_gets_anywhere(door: Door) -> None:
    with_password(door)
    browser = Browser(door)
    browser.send("/console/sign-in", email=EMAIL, password=PASSWORD)

    assert browser.get("/v1/invoices").status_code == 401
    assert browser.get("/console").headers["location"] == "/console/enrol"


def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(door: Door) -> None:
    with_password(door)

    wrong = _try(door, password="something else altogether")
    unknown = _try(door, email="nobody@example.com")

    assert wrong.status_code == unknown.status_code == 401
    assert REFUSED in wrong.text and wrong.text == unknown.text
    assert {*wrong.headers} == {*unknown.headers}


def test_an_unknown_account_costs_the_same_hash(door: Door, monkeypatch: Any) -> None:
    with_password(door)
    seen: list[bool] = []
    verified = passwords._HASHER.__class__.verify

    def counting(hasher: Any, stored: str, password: str) -> bool:
        seen.append(stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$"))
        return bool(verified(hasher, stored, password))

    monkeypatch.setattr(passwords._HASHER.__class__, "verify", counting)
    _try(door, password="something else altogether")
    _try(door, email="nobody@example.com")

    assert seen == [True, True]


def test_after_several_failures_even_the_right_password_waits(door: Door) -> None:
    with_password(door)
    for _ in range(6):
        _try(door, password="something else altogether")

    right = _try(door)

    assert right.status_code == 401 and REFUSED in right.text


def test_many_guesses_at_once_get_no_further_than_one_by_one(engine: Engine) -> None:
    of = failures.subjects(b"p", EMAIL, "192.0.2.1")

    def attempt(_: int) -> bool:
        with store.transaction(engine) as session:
            return failures.may_try(session, of, NOW)

    with ThreadPoolExecutor(16) as threads:
        admitted = sum(threads.map(attempt, range(50)))

    assert admitted == failures.FREE["pair"]


def test_a_wait_doubles_is_bounded_and_is_forgotten(engine: Engine) -> None:
    of = failures.subjects(b"p", EMAIL, "192.0.2.1")
    now = NOW
    with store.transaction(engine) as session:
        for _ in range(5):
            assert failures.may_try(session, of, now)
        assert not failures.may_try(session, of, now)
        assert failures.may_try(session, of, now + failures.BACK_OFF_FIRST)
        other = failures.subjects(b"p", EMAIL, "192.0.2.2")
        assert failures.may_try(session, other, now)
        later = now + failures.FORGOTTEN_AFTER + timedelta(minutes=16)
        assert failures.may_try(session, of, later)
        assert failures.may_try(session, of, later)

    assert failures.wait(0) == failures.BACK_OFF_FIRST
    assert failures.wait(1) == 2 * failures.BACK_OFF_FIRST
    assert failures.wait(10_000) == failures.BACK_OFF_MAX


def test_a_password_that_somebody_else_has_set_is_changed_first(door: Door) -> None:
    person = with_password(door)
    with store.transaction(door.engine) as session:
        credentials.set_password(
            session, person, passwords.hashed(PASSWORD), must_change=True, now=NOW
        )
    browser = Browser(door)
    browser.send("/console/sign-in", email=EMAIL, password=PASSWORD)
    browser.follow()
    browser.send("/console/enrol", code=code_now(door, browser.secret()))
    assert browser.get("/v1/me").status_code == 401
    browser.get("/console/password")

    weak = browser.send("/console/password", current=PASSWORD, new="short", again="short")
    new = "another four words of mine"
    done = browser.send("/console/password", current=PASSWORD, new=new, again=new)

    assert weak.status_code == 422
    assert done.status_code == 303 and browser.get("/v1/me").status_code == 200
    assert _try(door).status_code == 401
    assert _try(door, password=new).status_code == 303


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaaaaa", EMAIL])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(PasswordWeak):
        passwords.require_strong(password, EMAIL)


def test_pages_take_nothing_from_elsewhere_and_no_script(door: Door) -> None:
    page = Browser(door).get("/console/sign-in")

    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy
    assert "<script" not in page.text and "style=" not in page.text and "onclick" not in page.text
    assert Browser(door).get("/console/static/console.css").status_code == 200
    assert Browser(door).get("/console/static/../visit.py").status_code == 404


def test_what_a_person_is_called_is_text_and_no_markup(door: Door) -> None:
    gateway = door.app.state.gateway
    wanted = people.NewPerson("<b>Bobby</b> {{7*7}}", "bobby@example.com", Role.OVERSEER)
    with store.transaction(door.engine) as session:
        person = people.add(
            session, gateway.sign_in.vault, gateway.keys.pepper, wanted,
            created_by="machine", ids=gateway.ids, now=NOW,
        )  # fmt: skip
        token = sessions.begin(
            session, gateway.keys.pepper, person.id, stage=sessions.Stage.FULL,
            method="password", address="", agent="", lifetime=timedelta(hours=1),
            ids=gateway.ids, now=NOW,
        )  # fmt: skip
    browser = Browser(door)
    browser.cookies = {"settle": token}

    page = browser.get("/console").text

    assert "&lt;b&gt;Bobby&lt;/b&gt; {{7*7}}" in page and "<b>" not in page


def test_too_many_sign_ins_from_one_address_have_to_wait(door: Door) -> None:
    limit = door.app.state.gateway.settings.sign_ins_per_minute
    for _ in range(limit):
        door.app.state.gateway.limits.spend("sign-ins", "testclient")

    answer = _try(door)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_person_who_is_erased_leaves_an_id_and_nothing_personal(door: Door) -> None:
    signed_in(door)
    (person,) = door.get("/v1/people", "admin").json()["data"]

    gone = door.post(f"/v1/people/{person['id']}/erase", {}, "admin")

    shown = door.get(f"/v1/people/{person['id']}", "overseer").json()
    assert (gone.status_code, shown["name"], shown["email"], shown["state"]) == (
        200, None, None, "erased",
    )  # fmt: skip
    with store.reading(door.engine) as session:
        tables = ("person", "credential", "recovery_code", "person_session", "idempotency")
        stored = [
            session.connection().exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables
        ]
        places = session.connection().exec_driver_sql("SELECT address, agent FROM person_session")
        assert {tuple(row) for row in places} == {("", "")}, "where they have signed in from"
    assert EMAIL not in str(stored) and "Maria" not in str(stored)


def _secret(door: Door) -> str:
    gateway = door.app.state.gateway
    with store.reading(door.engine) as session:
        person = people.by_email(session, gateway.keys.pepper, EMAIL)
        assert person is not None
        return str(credentials.secret(session, gateway.sign_in.vault, person.id))
