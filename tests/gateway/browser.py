"""A browser without a screen: keeps cookies, sends forms with their origin and hidden fields."""

from __future__ import annotations

import html
import re
from typing import Any

import pyotp

from gateway.auth import Role
from settlement import store
from settlement.access import credentials, passwords
from tests.gateway.builders import Door
from tests.gateway.people import a_person

PASSWORD = "four words nobody combines"
ORIGIN = "http://testserver"


class Browser:
    """One person's browser at a gateway."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.cookies: dict[str, str] = {}
        self.last: Any = None

    def get(self, path: str, **headers: str) -> Any:
        return self._ask("GET", path, None, headers)

    def send(self, path: str, *, csrf: bool = True, **fields: str) -> Any:
        """Send a form of the page that was shown last."""
        found = re.search(r'name="csrf" value="([^"]*)"', self.last.text) if self.last else None
        form = {**({"csrf": found.group(1)} if csrf and found else {}), **fields}
        return self._ask("POST", path, form, {"Origin": ORIGIN})

    def follow(self) -> Any:
        """Go where the last answer sends us."""
        assert self.last.status_code == 303, self.last.text
        return self.get(self.last.headers["location"])

    def secret(self) -> str:
        """The key that the enrolment's page shows."""
        found = re.search(r'class="secret">([A-Z2-7 ]+)<', html.unescape(self.last.text))
        assert found, self.last.text
        return found.group(1).replace(" ", "")

    def _ask(self, method: str, path: str, form: Any, headers: dict[str, str]) -> Any:
        if self.cookies:
            joined = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            headers = {"Cookie": joined, **headers}
        client = self._door.client
        client.cookies.clear()
        answer = client.request(method, path, data=form, headers=headers, follow_redirects=False)
        client.cookies.clear()
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        if (
            answer.headers.get("content-type", "").startswith("text/html")
            or answer.status_code == 303
        ):
            self.last = answer
        return answer


def with_password(door: Door, role: Role = Role.TREASURY, email: str = "maria@example.com") -> str:
    """Register somebody with a password of their own; return their id."""
    person = a_person(door, role, email)
    now = door.app.state.gateway.clock()
    with store.transaction(door.engine) as session:
        credentials.set_password(
            session, person, passwords.hashed(PASSWORD), must_change=False, now=now
        )
    return person


def code_now(door: Door, secret: str, steps: int = 0) -> str:
    """The code of this moment by the gateway's clock."""
    seconds = int(door.app.state.gateway.clock().timestamp())
    return str(pyotp.TOTP(secret).at(seconds + 30 * steps))


def signed_in(door: Door, role: Role = Role.TREASURY, email: str = "maria@example.com") -> Browser:
    """Somebody with a password and a second factor, all the way in."""
    with_password(door, role, email)
    browser = Browser(door)
    browser.get("/console/sign-in")
    browser.send("/console/sign-in", email=email, password=PASSWORD)
    browser.follow()
    browser.send("/console/enrol", code=code_now(door, browser.secret()))
    assert browser.get("/console").status_code == 200
    return browser
