"""Lists on the command line: what a new file has to be like, and how to say that it may not."""

from pathlib import Path

import pytest

from tests.compliance.list_files import files
from tests.gateway.cli.conftest import Desk


def a_file(folder: Path, content: str) -> str:
    path = folder / "list.txt"
    path.write_text(content, encoding="utf-8", newline="")
    return str(path)


def test_a_file_of_another_format_or_with_less_is_loaded_when_that_is_said(
    desk: Desk, tmp_path: Path
) -> None:
    whole, page = a_file(tmp_path, files.OFAC_CSV), "Too many requests\n"
    first = desk.json("list", "load", "ofac", whole, who="compliance")

    other = a_file(tmp_path, page)
    refused = desk.settle("list", "load", "ofac", other, who="compliance")
    smaller = desk.settle("list", "load", "ofac", other, "--format", "accept", who="compliance")

    assert (first["format"], refused.code, smaller.code) == ("ofac-csv", 1, 1)
    assert "--format accept" in refused.err and "--shrinks accept" in smaller.err
    both = ("--format", "accept", "--shrinks", "accept")
    assert desk.json("list", "load", "ofac", other, *both, who="compliance")["format"] == "plain"


def test_beside_the_database_the_same_is_asked(
    desk: Desk, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.json("list", "load", "ofac", a_file(tmp_path, files.OFAC_CSV), who="compliance")
    monkeypatch.setenv("SETTLE_DATABASE_URL", sqlite_url)
    beside = ("list", "load", "ofac", a_file(tmp_path, files.EU_XML), "--here", "--json")

    refused = desk.type(*beside)
    less = desk.type(*beside, "--format", "accept")
    loaded = desk.type(*beside, "--format", "accept", "--shrinks", "accept")

    assert (refused.code, less.code, loaded.code) == (1, 1, 0)
    assert "--format accept" in refused.err and "--shrinks accept" in less.err
    assert loaded.json["format"] == "eu-xml"


def test_a_register_that_loses_much_is_loaded_when_that_is_said(desk: Desk, tmp_path: Path) -> None:
    load = ("register", "load", "mining_operators")
    desk.json(*load, a_file(tmp_path, "MO-1\nMO-2\n"), who="compliance")

    none = a_file(tmp_path, "# nobody\n")
    refused = desk.settle(*load, none, who="compliance")
    accepted = desk.json(*load, none, "--shrinks", "accept", who="compliance")

    assert (refused.code, "0 of 2 entries" in refused.err) == (1, True)
    assert "--shrinks accept" in refused.err
    assert accepted["entries"] == 0
