"""Lists end where --limit says, and tell it where they go on."""

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway import wiring
from gateway.cli.client import Api
from settlement.config import Settings
from tests.gateway.cli.conftest import Desk, Said


class _Numbers(BaseHTTPRequestHandler):
    """A list of the numbers from 1 to 250, by the hundred."""

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        first, limit = int(asked.get("starting_after", ["0"])[0]) + 1, int(asked["limit"][0])
        ids = range(first, min(first + limit, 251))
        page: Mapping[str, Any] = {
            "data": [{"id": each} for each in ids], "has_more": ids.stop < 251,
        }  # fmt: skip
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(page).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("limit", "told"),
    [(20, "20 of more: --limit N shows N\n"), (200, "200 of more: --limit N shows N\n"),
     (250, ""), (251, "")],
)  # fmt: skip
def test_a_list_that_goes_on_says_so(
    limit: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Numbers)
    Thread(target=server.serve_forever, daemon=True).start()

    found = list(Api(f"http://127.0.0.1:{server.server_port}", "k").pages("/v1/x", limit=limit))

    server.shutdown()
    server.server_close()
    assert [each["id"] for each in found] == list(range(1, min(limit, 250) + 1))
    assert capsys.readouterr().err == told


def test_people_are_listed_in_the_same_way(
    typed: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLE_HOME", str(tmp_path))
    wiring.open_database(Settings(), create=True).dispose()
    for name in ("Maria", "Ines"):
        typed("person", "add", "--name", name, "--email", f"{name}@example.com", "--role",
              "approver", "--oidc-only")  # fmt: skip

    few, all_ = typed("person", "list", "--limit", "1"), typed("person", "list")

    assert few.err == "1 of more: --limit N shows N\n" and "Maria" not in few.out
    assert all_.err == "" and "Maria" in all_.out


@pytest.mark.parametrize(
    ("words", "who"),
    [
        (("participant", "list"), "compliance"),
        (("key", "list"), "admin"),
        (("registry", "list"), "overseer"),
    ],
)
def test_a_command_that_lists_says_that_there_is_more(
    desk: Desk, words: tuple[str, ...], who: str
) -> None:
    few = desk.settle(*words, "--limit", "1", "--json", who=who)
    all_ = desk.settle(*words, "--limit", "1000", "--json", who=who)

    assert len(few.json) == 1 and few.err == "1 of more: --limit N shows N\n"
    assert len(all_.json) > 1 and all_.err == ""
    assert few.json[0] == all_.json[0]
