"""What `settle` says of itself: fast, complete, with an example for every command."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway import cli
from gateway.cli.lazy import lazy_group
from tests.gateway.cli.conftest import Said

HEAVY = ("web3", "eth_account", "sqlmodel", "sqlalchemy", "fastapi", "uvicorn", "rich")


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that a person can type, with its name."""
    root = typer.main.get_command(cli.app)
    context = root.make_context("settle", [], resilient_parsing=True)
    for name in cli.COMMANDS:
        _, command, _ = root.resolve_command(context, [name])  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        if below is None:
            yield name, command
        else:
            yield from ((f"{name} {each}", found) for each, found in below.items())


COMMANDS = dict(commands())


def python(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=True, env=environment
    )


@pytest.mark.parametrize("words", [(), ("invoice",), ("mandate", "grant"), ("doctor",)])
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    program = (
        f"import sys; sys.argv = ['settle', *{words!r}, '--help']\n"
        "from gateway.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )

    said = python("-c", program).stdout

    assert said.splitlines()[0].startswith("Usage: settle")
    assert said.splitlines()[-1] == "[]"


def test_the_root_names_every_command_with_its_line(typed: Callable[..., Said]) -> None:
    said = typed("--help").out

    for name, line in cli.COMMANDS.items():
        assert f"  {name}" in said
        assert " ".join(line.split()[:3]) in " ".join(said.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_an_example_of_itself(name: str) -> None:
    command = COMMANDS[name]

    assert command.help
    assert command.epilog and command.epilog.startswith("Example: ")
    assert f"settle {name}" in command.epilog
    for parameter in command.params:
        named_only = not hasattr(parameter, "help") or parameter.name == "help"
        assert named_only or parameter.help, f"{name}: {parameter.name} is not explained"


def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command, or all commands of a noun, however deep."""
    for word, found in getattr(command, "commands", {}).items():
        yield from below(f"{name} {word}", found)
    if not hasattr(command, "commands"):
        yield name, command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_answers_in_json_but_those_that_serve(name: str) -> None:
    for words, command in below(name, COMMANDS[name]):
        serves = words in ("gateway", "signer", "worker")
        options = [each for parameter in command.params for each in parameter.opts]
        assert ("--json" in options) != serves, f"settle {words} --json"


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_use_keys_that_settle_up_makes(name: str) -> None:
    staff = {"treasury", "approver", "compliance", "overseer", "admin"}

    for words, command in below(name, COMMANDS[name]):
        for key in re.findall(r" --as ([a-z-]+)", " ".join((command.epilog or "").split())):
            assert words == "review resolve" or key in staff or "-" in key, f"settle {words}"


def test_the_readme_says_where_the_command_is_and_names_only_what_there_is() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")

    first = readme.index("`.venv/bin/settle`")
    assert first < readme.index(". .venv/bin/activate") < readme.index("settle up")
    named = set(re.findall(r"(?:^|`|, )settle ([a-z][a-z-]*)", readme, re.MULTILINE))
    assert len(named) > 20 and named <= set(cli.COMMANDS), named - set(cli.COMMANDS)


def test_a_name_that_is_none_is_refused(typed: Callable[..., Said]) -> None:
    said = typed("invoyce")

    assert said.code == 2
    assert "invoyce" in said.err


def test_a_command_s_module_is_found_by_its_name() -> None:
    group = lazy_group({"tie-out": "…", "break": "…"}, {"break": "breaks"})(name="settle")
    context = group.make_context("settle", [], resilient_parsing=True)

    for name in ("tie-out", "break"):
        found, command, rest = group.resolve_command(context, [name, "--json"])
        assert command is not None
        assert (found, command.name, rest) == (name, name, ["--json"])
