"""With --json a command prints one JSON object, and nothing else, on standard output."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import wiring
from settlement.config import Settings
from tests.gateway.cli.conftest import Desk, Said

FILES = [
    ("export", "participants", "--output", "x.csv"),
    ("export", "participants", "--format", "jsonl", "--output", "x.jsonl"),
    ("report", "export", "participants", "--output", "x.csv"),
    ("report", "export", "participants", "--format", "json", "--output", "x.json"),
    ("break", "export", "--output", "x.xlsx"),
    ("audit", "export", "x.jsonl"),
]


def test_a_file_that_was_written_is_told_of(desk: Desk, tmp_path: Path) -> None:
    for words in FILES:
        file = tmp_path / words[-1]

        said = desk.settle(*words, "--json", who="overseer")

        assert said.code == 0 and said.err == "", (words, said)
        assert said.json["file"] == words[-1]
        assert said.json["bytes"] == file.stat().st_size
        again = desk.settle(*words, "--json", who="overseer")
        assert again.code == 1 and "is there already" in again.err
        file.unlink()


@pytest.mark.parametrize(
    "words",
    [("export", "participants"), ("export",), ("export", "--format", "beancount"),
     ("report", "export", "blocked")],
)  # fmt: skip
def test_a_file_on_standard_output_leaves_no_place_for_json(
    typed: Callable[..., Said], tmp_path: Path, words: tuple[str, ...]
) -> None:
    key = tmp_path / "a.key"
    key.touch(mode=0o600)
    key.write_text("stk_1")

    said = typed(*words, "--json", "--key-file", str(key))

    assert said.code == 1 and said.out == ""
    assert "--json tells of a file\n  name one with --output" in said.err


def test_what_is_done_about_a_person_is_told_of(
    typed: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLE_HOME", str(tmp_path))
    wiring.open_database(Settings(), create=True).dispose()
    person = typed(
        "person", "add", "--name", "Maria", "--email", "m@example.com", "--role", "approver",
        "--oidc-only", "--json",
    ).json["id"]  # fmt: skip
    ours, theirs = os.pipe()
    os.write(theirs, b"four words nobody combines\n")
    os.close(theirs)

    told = [
        typed("person", *words, "--json").json
        for words in (
            ("disable", person),
            ("enable", person),
            ("reset-password", person, "--password-fd", str(ours)),
            ("erase", person, "--yes"),
        )
    ]

    assert [each["id"] for each in told] == [person] * 4
    assert [each["outcome"] for each in told] == [
        "disabled", "active", "has a new password, and has to change it", "erased",
    ]  # fmt: skip
