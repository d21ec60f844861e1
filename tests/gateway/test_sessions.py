"""Sessions: whose they are, what they may do, how they end, and requests that nobody meant."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine

from gateway.auth import CACHE_SECONDS, Role
from gateway.refusals import SessionRefused
from gateway.session_ring import SessionRing, is_own_origin
from settlement import store
from settlement.access import sessions
from settlement.access.sessions import PersonSession
from settlement.clock import to_micros
from settlement.config import Settings
from tests.gateway.browser import ORIGIN, PASSWORD, Browser, code_now, signed_in, with_password
from tests.gateway.builders import Door
from tests.invoices.builders import NOW

EMAIL = "maria@example.com"


def test_a_session_is_stored_as_a_hash_and_its_cookie_is_shut_away(door: Door) -> None:
    browser = signed_in(door)
    answer = Browser(door).send("/console/sign-in", email=EMAIL, password=PASSWORD)

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie
    with store.reading(door.engine) as session:
        stored = str(session.connection().exec_driver_sql("SELECT * FROM person_session").all())
    assert len(browser.cookies["settle"]) == 43 and browser.cookies["settle"] not in stored


def test_the_bare_address_leads_to_where_people_sign_in(door: Door) -> None:
    browser = Browser(door)

    assert browser.get("/").headers["location"] == "/console"
    browser.follow()
    assert browser.follow().status_code == 200
    assert "password" in browser.last.text


def test_a_session_changes_its_token_with_each_stage(door: Door) -> None:
    with_password(door)
    browser = Browser(door)
    browser.send("/console/sign-in", email=EMAIL, password=PASSWORD)
    before = dict(browser.cookies)
    browser.follow()
    browser.send("/console/enrol", code=code_now(door, browser.secret()))

    fixed = Browser(door)
    fixed.cookies = before

    assert browser.cookies != before
    assert fixed.get("/v1/me").status_code == 401


def test_the_api_takes_a_session_for_reading_and_with_its_token_for_changing(door: Door) -> None:
    browser = signed_in(door)
    me = browser.get("/v1/me").json()
    cookie = f"settle={browser.cookies['settle']}"
    body = {"reason": "x", "owner": "maria"}

    def act(**headers: str) -> Any:
        sent = {"Cookie": cookie, "Idempotency-Key": "one", **headers}
        return door.client.post("/v1/breaks/brk_" + "0" * 32 + "/assign", json=body, headers=sent)

    assert (me["role"], me["hand"]) == ("treasury", me["person_id"])
    assert (act().status_code, act().json()["title"]) == (403, "Csrf refused")
    assert act(**{"X-CSRF-Token": "0" * 64}).status_code == 403
    assert act(**{"X-CSRF-Token": me["csrf_token"]}).status_code == 404
    both = act(**{"X-CSRF-Token": me["csrf_token"], **door.headers("treasury")})
    assert (both.status_code, both.json()["title"]) == (400, "Two credentials")


def test_a_form_from_elsewhere_does_nothing(door: Door) -> None:
    browser = signed_in(door)
    browser.get("/console")
    token = browser.last.text.partition('name="csrf" value="')[2].partition('"')[0]
    cookie = f"settle={browser.cookies['settle']}"

    for origin, csrf in ((None, token), ("https://evil.example", token), ("null", token),
                         (ORIGIN, ""), (ORIGIN, "0" * 64)):  # fmt: skip
        headers = {"Cookie": cookie, **({"Origin": origin} if origin else {})}
        answer = door.client.post("/console/sign-out", data={"csrf": csrf}, headers=headers)
        assert answer.status_code == 403, (origin, csrf)
    assert browser.get("/console").status_code == 200


def test_sessions_are_listed_and_ended_by_their_person_and_nobody_else(door: Door) -> None:
    mine = signed_in(door)
    theirs = signed_in(door, Role.ADMIN, "ada@example.com")
    Browser(door).send("/console/sign-in", email=EMAIL, password=PASSWORD)  # Half way.
    me = mine.get("/v1/me").json()
    (own,) = me["sessions"]

    stolen = _end(door, theirs, own["id"])
    ended = _end(door, mine, own["id"])

    assert stolen.status_code == 404
    assert ended.status_code == 200
    assert mine.get("/v1/me").status_code == 401
    assert theirs.get("/v1/me").status_code == 200


def test_signing_out_ends_the_session_for_good(door: Door) -> None:
    browser = signed_in(door)
    kept = Browser(door)
    kept.cookies = dict(browser.cookies)
    browser.get("/console")

    browser.send("/console/sign-out")

    assert not browser.cookies
    assert kept.get("/v1/me").status_code == 401


def test_a_session_ends_when_it_is_idle_and_in_any_case_some_day(door: Door) -> None:
    browser = signed_in(door)
    ring = door.app.state.gateway.sessions
    token = browser.cookies["settle"]
    now = NOW

    with pytest.raises(Exception, match="has ended"):
        ring.session(token, now + timedelta(minutes=31))
    for minutes in range(0, 600, 29):
        ring.session(token, now + timedelta(minutes=minutes))
    with pytest.raises(Exception, match="has ended"):
        ring.session(token, now + timedelta(minutes=600))


def test_a_session_is_taken_only_if_nothing_at_all_speaks_against_it() -> None:
    at, idle = to_micros(NOW), timedelta(minutes=30)
    good = PersonSession(
        "ses", "per", "full", "password", "", "", at, at, at + 1, None, "treasury", None, "active"
    )

    assert good.is_alive(NOW, idle)
    for wrong in (
        {"revoked_at": at}, {"expires_at": at}, {"person_state": "disabled"},
        {"last_seen_at": to_micros(NOW - idle)},
    ):  # fmt: skip
        assert not good._replace(**wrong).is_alive(NOW, idle), wrong


def test_a_session_that_another_gateway_ended_is_taken_for_a_moment_at_most(door: Door) -> None:
    token = signed_in(door).cookies["settle"]
    seconds = [0.0]
    gateway = door.app.state.gateway
    ring = SessionRing(
        door.engine, gateway.keys.pepper, gateway.settings, monotonic=lambda: seconds[0]
    )
    found = ring.session(token, NOW)
    with store.transaction(door.engine) as session:
        sessions.end(session, found.id, found.person_id, NOW)

    seconds[0] = CACHE_SECONDS + 0.001

    with pytest.raises(SessionRefused):
        ring.session(token, NOW)


@pytest.mark.parametrize(
    ("host", "console_url", "cookie", "own", "foreign"),
    [
        ("127.0.0.1", "", "settle", "http://rail.example", "http://rail.example.evil"),
        ("0.0.0.0", "", "__Host-settle", "https://rail.example", "https://rail.exampl"),
        ("127.0.0.1", "https://rail.example/", "__Host-settle", "https://rail.example",
         "http://rail.example"),
        ("127.0.0.1", "http://rail.example", "settle", "http://rail.example",
         "http://rail.example:81"),
    ],
)  # fmt: skip
def test_a_cookie_is_shut_away_wherever_it_leaves_the_machine_and_a_form_is_from_there(
    host: str, console_url: str, cookie: str, own: str, foreign: str
) -> None:
    settings = Settings(host=host, console_url=console_url)
    ring = SessionRing(create_engine("sqlite://"), b"p", settings, monotonic=lambda: 0.0)

    assert ring.cookie == cookie
    assert is_own_origin(own, "rail.example", settings)
    for other in (foreign, "null", "", "ftp://rail.example"):
        assert not is_own_origin(other, "rail.example", settings), other


def test_who_is_disabled_is_out_at_once(door: Door) -> None:
    browser = signed_in(door)
    person = browser.get("/v1/me").json()["person_id"]

    gone = door.post(f"/v1/people/{person}/disable", {}, "admin")

    assert gone.json()["state"] == "disabled"
    assert browser.get("/v1/me").status_code == 401
    again = Browser(door).send("/console/sign-in", email=EMAIL, password=PASSWORD)
    assert again.status_code == 401
    door.post(f"/v1/people/{person}/enable", {}, "admin")
    assert browser.get("/v1/me").status_code == 401, "what has ended does not come back"


def _end(door: Door, browser: Browser, session_id: str) -> Any:
    csrf = browser.get("/v1/me").json()["csrf_token"]
    headers = {
        "Cookie": f"settle={browser.cookies['settle']}",
        "X-CSRF-Token": csrf,
        "Idempotency-Key": f"end-{session_id}-{csrf[:8]}",
    }
    return door.client.post(f"/v1/me/sessions/{session_id}/end", json={}, headers=headers)
