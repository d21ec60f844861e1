"""With whose key a command calls, and what it says when there is none or nobody answers."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.client import ApiRefused, NoApiKey, open_api
from tests.gateway.cli.conftest import Desk, Said

URL = "http://127.0.0.1:1"


def a_key_file(path: Path, content: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_key_file_comes_before_the_environment_and_that_before_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = json.dumps({"treasury": "stk_home", "kaveri-importer": "stk_kaveri"})
    a_key_file(tmp_path / "keys" / "api-keys.json", kept)
    monkeypatch.setenv("SETTLE_HOME", str(tmp_path))
    of_the_home = open_api(URL, None, None).key
    named = open_api(URL, None, "kaveri-importer").key
    monkeypatch.setenv("SETTLE_API_KEY", "stk_environment")
    of_the_environment = open_api(URL, None, None).key
    of_a_file = open_api(URL, a_key_file(tmp_path / "one.key", "stk_file\n"), None).key

    assert (of_the_home, named) == ("stk_home", "stk_kaveri")
    assert (of_the_environment, of_a_file) == ("stk_environment", "stk_file")


def test_a_name_that_no_key_has_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    file = a_key_file(tmp_path / "keys.json", '{"treasury": "stk_1", "admin": "stk_2"}')

    with pytest.raises(NoApiKey) as refusal:
        open_api(URL, file, "nobody")

    assert "treasury, admin" in str(refusal.value.repair)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_file_that_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    file = a_key_file(tmp_path / "one.key", "stk_secret", mode)

    with pytest.raises(NoApiKey) as refusal:
        open_api(URL, file, None)

    assert "chmod 600" in str(refusal.value.repair)
    assert "stk_secret" not in str(refusal.value)


def test_without_any_key_the_command_says_where_one_may_come_from(
    typed: Callable[..., Said],
) -> None:
    said = typed("invoice", "list")

    assert said.code == 1
    assert "SETTLE_API_KEY" in said.err and "Traceback" not in said.err


def test_a_gateway_that_is_not_there_is_said_in_a_sentence(
    typed: Callable[..., Said], tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        file = a_key_file(tmp_path / "one.key", "stk_file")

        said = typed("invoice", "list", "--url", url, "--key-file", str(file))

    assert said.code == 1
    assert f"no gateway answers at {url}" in said.err and "settle up" in said.err


def test_an_unknown_key_is_refused_and_not_repeated(desk: Desk, tmp_path: Path) -> None:
    file = a_key_file(tmp_path / "wrong.key", "stk_0123456789ab_wrong")

    said = desk.type("invoice", "list", "--url", desk.url, "--key-file", str(file))

    assert said.code == 1
    assert "no valid API key" in said.err and "wrong" not in said.err


def test_every_fault_of_a_problem_is_shown_with_its_repair() -> None:
    problem = {
        "detail": "the document breaks 2 rules",
        "errors": [
            {"rule_id": "BR-16", "field": "/lines", "message": "no line", "repair": "add one"},
            {"field": "/x", "message": "not so", "found": "7"},
        ],
    }

    assert str(ApiRefused(problem)).splitlines() == [
        "the document breaks 2 rules",
        "  BR-16 at /lines: no line",
        "      add one",
        "  /x: not so (found '7')",
    ]
