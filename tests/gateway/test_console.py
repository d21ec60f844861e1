"""Finding one's way in the console: the way back, pages that are not there, a narrow window."""

from __future__ import annotations

from gateway.auth import Role
from settlement import store
from settlement.access import credentials, passwords
from tests.gateway.browser import PASSWORD, Browser, code_now, signed_in, with_password
from tests.gateway.builders import Door

EMAIL = "maria@example.com"


def test_who_goes_back_to_a_page_of_signing_in_stays_signed_in(door: Door) -> None:
    browser = signed_in(door, Role.APPROVER)

    for page in ("/console/code", "/console/enrol", "/console/sign-in"):
        answer = browser.get(page)

        assert (answer.status_code, answer.headers["location"]) == (303, "/console")
        assert browser.get("/console").status_code == 200


def test_a_form_of_signing_in_that_is_sent_twice_ends_no_session(door: Door) -> None:
    browser = signed_in(door, Role.APPROVER)

    answer = browser.send("/console/code", code="123456")

    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert browser.get("/console").status_code == 200


def test_who_has_not_come_to_the_end_is_led_to_what_comes_next(door: Door) -> None:
    with_password(door)
    browser = Browser(door)
    browser.send("/console/sign-in", email=EMAIL, password=PASSWORD)

    answer = browser.get("/console")

    assert answer.headers["location"] == "/console/enrol"
    assert "Set up your second factor" in browser.follow().text


def test_the_password_that_one_has_is_no_new_one(door: Door) -> None:
    person = with_password(door)
    with store.transaction(door.engine) as session:
        credentials.set_password(
            session, person, passwords.hashed(PASSWORD), must_change=True,
            now=door.app.state.gateway.clock(),
        )  # fmt: skip
    browser = Browser(door)
    browser.send("/console/sign-in", email=EMAIL, password=PASSWORD)
    browser.follow()
    browser.send("/console/enrol", code=code_now(door, browser.secret()))
    browser.get("/console/password")

    same = browser.send("/console/password", current=PASSWORD, new=PASSWORD, again=PASSWORD)

    assert same.status_code == 422 and "is the one that you have" in same.text
    assert browser.get("/v1/me").status_code == 401


def test_a_wrong_present_password_is_called_so(door: Door) -> None:
    browser = signed_in(door)
    browser.get("/console/password")
    new = "another four words of mine"

    answer = browser.send("/console/password", current="not mine at all", new=new, again=new)

    assert answer.status_code == 401
    assert "The present password is not accepted." in answer.text
    assert "sign-in" not in answer.text


def test_a_page_that_is_not_there_is_answered_with_a_page(door: Door) -> None:
    answer = Browser(door).get("/console/nowhere/at/all")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is no path /console/nowhere/at/all." in answer.text
