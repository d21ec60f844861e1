"""Signing in at an OpenID provider: a real one on loopback, honest and not."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from gateway.auth import PepperExposed, Role
from gateway.key_files import write_private
from gateway.oidc import Provider
from gateway.refusals import ProviderRefused
from settlement import store
from settlement.access import people
from settlement.config import Settings
from tests.gateway.browser import Browser
from tests.gateway.builders import Door, a_door
from tests.gateway.people import a_person
from tests.gateway.provider import CLIENT, OpenIdProvider, a_provider
from tests.invoices.builders import NOW

EMAIL = "maria@example.com"


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with a_provider(lambda: NOW) as served:
        yield served


@pytest.fixture
def door(engine: Engine, tmp_path: Path, provider: OpenIdProvider) -> Iterator[Door]:
    home = tmp_path / "home"
    settings = Settings(home=home, oidc_issuer=provider.issuer, oidc_client_id=CLIENT)
    with a_door(engine, home, settings=settings) as opened:
        yield opened


def _begin(door: Door) -> tuple[Browser, str]:
    """Press the button; return the browser and where it is sent."""
    browser = Browser(door)
    browser.get("/console/sign-in")
    page = browser.send("/console/oidc/start")
    assert page.status_code == 200, page.text
    return browser, unescape(page.text.partition('href="http')[2].partition('"')[0])


def _sign_in(door: Door, provider: OpenIdProvider) -> tuple[Browser, Any]:
    browser, url = _begin(door)
    back = provider.authorize(f"http{url}")
    answer = browser.get(f"/console/oidc/callback?code={back['code']}&state={back['state']}")
    return browser, answer


def test_somebody_with_a_verified_address_signs_in_and_stays_bound(
    door: Door, provider: OpenIdProvider
) -> None:
    person = a_person(door, Role.OVERSEER, EMAIL)

    browser, answer = _sign_in(door, provider)

    assert answer.status_code == 200, answer.text
    assert browser.get("/v1/me").json()["person_id"] == person
    provider.claims = {"email": "new@example.com", "email_verified": False}
    again, _ = _sign_in(door, provider)
    assert again.get("/v1/me").json()["person_id"] == person


def test_an_elliptic_signature_is_taken_too(door: Door, provider: OpenIdProvider) -> None:
    a_person(door, Role.OVERSEER, EMAIL)
    provider.algorithm, provider.kid = "ES256", "ec-1"

    browser, _ = _sign_in(door, provider)

    assert browser.get("/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("changes", "claims"),
    [
        ({"algorithm": "none"}, {}),
        ({"algorithm": "HS256"}, {}),
        ({"algorithm": "RS512"}, {}),
        ({"algorithm": "ES256", "kid": "rsa-1"}, {}),
        ({"algorithm": "RS256", "kid": "ec-1"}, {}),
        ({"kid": "gone"}, {}),
        ({}, {"aud": "another-client"}),
        ({}, {"aud": [CLIENT, "another-client"]}),
        ({}, {"aud": [CLIENT, "another-client"], "azp": "another-client"}),
        ({}, {"aud": None}),
        ({}, {"iss": "https://another.example"}),
        ({}, {"exp": int((NOW - timedelta(seconds=60)).timestamp())}),
        ({}, {"exp": None}),
        ({}, {"exp": "never"}),
        ({}, {"iat": int((NOW + timedelta(seconds=61)).timestamp())}),
        ({}, {"nbf": int((NOW + timedelta(seconds=61)).timestamp())}),
        ({}, {"nonce": "of another sign-in"}),
        ({}, {"nonce": None}),
        ({}, {"sub": None}),
        ({}, {"email_verified": False}),
        ({}, {"email_verified": "true"}),
        ({}, {"email": "nobody@example.com"}),
    ],
)
def test_a_token_that_is_forged_stale_or_for_others_lets_nobody_in(
    door: Door, provider: OpenIdProvider, changes: dict[str, str], claims: dict[str, Any]
) -> None:
    a_person(door, Role.OVERSEER, EMAIL)
    for name, value in changes.items():
        setattr(provider, name, value)
    provider.claims = claims

    browser, answer = _sign_in(door, provider)

    assert answer.status_code == 401 and "not accepted" in answer.text
    assert browser.get("/v1/me").status_code == 401
    with store.reading(door.engine) as session:
        (person,) = people.listed(session, limit=2)
    assert person.oidc_subject is None


def test_an_answer_works_once_in_the_browser_that_asked_and_soon(
    door: Door, provider: OpenIdProvider
) -> None:
    a_person(door, Role.OVERSEER, EMAIL)
    browser, url = _begin(door)
    back = provider.authorize(f"http{url}")
    path = f"/console/oidc/callback?code={back['code']}&state={back['state']}"
    kept = dict(browser.cookies)

    assert Browser(door).get(path).status_code == 401
    other, _ = _begin(door)
    assert other.get(path).status_code == 401, "nobody is signed in as who sent them a link"
    assert browser.get(path).status_code == 200
    replay = Browser(door)
    replay.cookies = kept
    assert replay.get(path).status_code == 401

    provider.claims = {"exp": int((NOW + timedelta(hours=1)).timestamp())}
    for minutes, is_taken in ((10, True), (11, False)):
        _, url = _begin(door)
        back = provider.authorize(f"http{url}")
        finish = partial(
            door.app.state.gateway.provider.finish, **back, kept=back["state"],
            redirect_uri=provider.codes[back["code"]]["redirect_uri"],
            now=NOW + timedelta(minutes=minutes),
        )  # fmt: skip
        if is_taken:
            finish()
            continue
        with pytest.raises(ProviderRefused):
            finish()


def test_another_account_does_not_take_over_an_address_that_is_bound(
    door: Door, provider: OpenIdProvider
) -> None:
    a_person(door, Role.OVERSEER, EMAIL)
    _sign_in(door, provider)
    provider.claims = {"sub": "subject-2"}

    browser, answer = _sign_in(door, provider)

    assert answer.status_code == 401
    assert browser.get("/v1/me").status_code == 401


def test_who_is_disabled_is_not_let_in_by_the_provider_either(
    door: Door, provider: OpenIdProvider
) -> None:
    person = a_person(door, Role.OVERSEER, EMAIL)
    door.post(f"/v1/people/{person}/disable", {}, "admin")

    _, answer = _sign_in(door, provider)

    assert answer.status_code == 401


def test_a_provider_is_asked_by_https_or_on_this_machine_alone(door: Door) -> None:
    found = door.app.state.gateway.provider

    with pytest.raises(Exception, match="is not https"):
        found._json("http://idp.example/keys")


def _answer(content: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(content), content)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize(
    "raw", [b"HELLO\r\n\r\n", b"", _answer(b"<html>"), _answer(b"5"), _answer(b"[" * 100_000),
            _answer(b"{}", b"500 No")],
)  # fmt: skip
def test_a_provider_that_answers_nonsense_is_not_there(
    door: Door, provider: OpenIdProvider, path: str, raw: bytes
) -> None:
    a_person(door, Role.OVERSEER, EMAIL)
    provider.spoilt[path] = raw
    if path.startswith("/."):
        browser = Browser(door)
        browser.get("/console/sign-in")
        answer = browser.send("/console/oidc/start")
    else:
        _, answer = _sign_in(door, provider)

    assert answer.status_code == 503, answer.text


ENDPOINTS = dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "https://x.y")


@pytest.mark.parametrize(
    "metadata",
    [{}, {"authorization_endpoint": 5}, {**ENDPOINTS, "issuer": "https://another.example"}],
)
def test_a_provider_that_does_not_say_where_or_who_it_is_is_not_there(
    door: Door, provider: OpenIdProvider, metadata: dict[str, Any]
) -> None:
    content = json.dumps({"issuer": provider.issuer, **metadata}).encode()
    provider.spoilt["/.well-known/openid-configuration"] = _answer(content)
    browser = Browser(door)
    browser.get("/console/sign-in")

    assert browser.send("/console/oidc/start").status_code == 503


@pytest.mark.parametrize("changes", [{"use": "enc"}, {"alg": "PS256"}, {"kty": "EC"}])
def test_a_key_for_something_else_signs_no_token(
    door: Door, provider: OpenIdProvider, changes: dict[str, str]
) -> None:
    a_person(door, Role.OVERSEER, EMAIL)
    rsa_key = provider.keys()["keys"][0]
    provider.spoilt["/keys"] = _answer(json.dumps({"keys": [{**rsa_key, **changes}]}).encode())

    _, answer = _sign_in(door, provider)

    assert answer.status_code == 401


def test_the_secret_of_the_client_is_its_owners_alone(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    write_private(file, "hush\n")
    settings = Settings(oidc_client_secret_file=file)
    provider = Provider(engine, settings, pepper=b"p")
    assert provider._client_secret() == "hush"

    file.chmod(0o640)

    with pytest.raises(PepperExposed):
        provider._client_secret()


def test_keys_that_are_no_list_are_no_keys(door: Door, provider: OpenIdProvider) -> None:
    a_person(door, Role.OVERSEER, EMAIL)
    provider.spoilt["/keys"] = _answer(b'{"keys": 5}')

    _, answer = _sign_in(door, provider)

    assert answer.status_code == 401


def test_a_code_that_the_provider_refuses_is_a_sign_in_that_is_refused(
    door: Door, provider: OpenIdProvider
) -> None:
    a_person(door, Role.OVERSEER, EMAIL)
    # Source: RFC 6749, 5.2.
    provider.spoilt["/token"] = _answer(b'{"error": "invalid_grant"}', b"400 Bad Request")

    _, answer = _sign_in(door, provider)

    assert answer.status_code == 401
