"""However a command fails: one sentence, what to do about it, another exit code, no traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import wiring
from gateway.passwords import read_password, unlocked
from settlement.errors import Invalid, NotFound
from settlement.store import migrate, open_engine
from settlement.verify import proof_standalone
from tests.gateway.cli.conftest import Desk, Said

Typed = Callable[..., Said]
Words = tuple[str, ...]


def require_plain(said: Said, *words: str) -> None:
    """A sentence with `words` and a repair on standard error; nothing else."""
    assert said.code == 1, said
    assert "Traceback" not in said.err and said.out == "", said
    first, *more = said.err.splitlines()
    assert first.startswith("settle: ") and "bug" not in first, said
    assert more and all(line.startswith("  ") for line in more), said
    for word in words:
        assert word in said.err, said


def a_key_file(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "a.key"
    path.touch(mode=0o600)
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    "words",
    [
        ("statement", "rail:fees:TEUR"),
        ("export", "invoices"),
        ("break", "export"),
        ("report", "export", "blocked"),
        ("audit", "export"),
    ],
)
def test_a_file_that_cannot_be_written_is_said(desk: Desk, tmp_path: Path, words: Words) -> None:
    a_file = tmp_path / "a-file"
    a_file.touch()
    option = () if words[0] == "audit" else ("--output",)

    for place in (tmp_path / "nowhere" / "x.csv", a_file / "x.csv"):
        said = desk.settle(*words, *option, str(place), who="overseer")

        require_plain(said, str(place), "cannot be written", "name a file in a folder")


def test_a_backup_says_where_it_cannot_be_written(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    require_plain(typed("backup", "x.bak"), "there is no database", "SETTLE_HOME")
    assert list(tmp_path.glob("**/x.bak*")) == []
    engine = open_engine(sqlite_url)
    migrate(engine)
    engine.dispose()
    monkeypatch.setenv("SETTLE_DATABASE_URL", sqlite_url)

    require_plain(typed("backup", "nowhere/x.bak"), "nowhere/x.bak cannot be written")


@pytest.mark.parametrize(
    "content",
    [b"{x", b"[1]", b'{"treasury": 1}', b"\xff\xfe", b"one\ntwo", "sk_ключ".encode(), b"a b", b""],
)
def test_a_key_file_that_holds_no_key_is_named(
    typed: Typed, tmp_path: Path, content: bytes
) -> None:
    path = a_key_file(tmp_path, content)

    require_plain(typed("invoice", "list", "--key-file", path), path, "one key alone")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:abc",
        "http://127.0.0.1:0",
        "http://[::1",
        "http://",
        "http://a b",
        "ftp://127.0.0.1:8400",
        "127.0.0.1:8400",
        "localhost:8400",
        "",
    ],
)
def test_what_is_no_address_of_a_gateway_is_called_so(
    typed: Typed, tmp_path: Path, url: str
) -> None:
    path = a_key_file(tmp_path, b"sk_1")

    said = typed("invoice", "list", "--key-file", path, "--url", url)

    require_plain(said, repr(url), "http://127.0.0.1:8400")


def test_a_host_that_cannot_be_looked_up_does_not_answer(typed: Typed, tmp_path: Path) -> None:
    path = a_key_file(tmp_path, b"sk_1")

    said = typed("invoice", "list", "--key-file", path, "--url", "http://a..b")

    require_plain(said, "no gateway answers", "settle up")


@pytest.mark.parametrize(
    "words", [("invoice", "show", ""), ("break", "show", ""), ("advice", ""), ("statement", "")]
)
def test_an_empty_id_is_called_so(typed: Typed, tmp_path: Path, words: Words) -> None:
    path = a_key_file(tmp_path, b"sk_1")

    require_plain(typed(*words, "--key-file", path), "an id is empty")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SETTLE_PORT", "abc"),
        ("SETTLE_PORT", "99999"),
        ("SETTLE_OPERATORS", "0"),
        ("SETTLE_BOOKING_TIERS", "x"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    require_plain(typed("lane", "list"), name)


@pytest.mark.parametrize(
    "option", [("--port", "99999"), ("--port", "-1"), ("--block-seconds", "0")]
)
def test_up_says_which_numbers_it_takes(typed: Typed, option: tuple[str, str]) -> None:
    said = typed("up", *option)

    assert said.code == 2 and option[0] in said.err and "should be" in said.err


@pytest.mark.parametrize("url", ["nonsense", "mysql://root:secret@h/x", "sqlite://", "oracle://x"])
def test_a_database_that_the_rail_cannot_use_is_called_so(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SETTLE_DATABASE_URL", url)

    said = typed("lane", "list")

    require_plain(said, "SETTLE_DATABASE_URL", "postgresql://")
    assert "secret" not in said.err
    require_plain(typed("up", "--database", url), "SETTLE_DATABASE_URL")


def test_a_database_that_is_down_is_called_so(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    require_plain(typed("lane", "list"), "database cannot be used", "settle doctor")


@pytest.mark.parametrize("cut", [False, True])
def test_a_database_that_is_damaged_is_called_so(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path, cut: bool
) -> None:
    file = tmp_path / "settle.sqlite3"
    content = sqlite_template.read_bytes()
    file.write_bytes(content[: len(content) // 3] if cut else b"no database" * 1_000)
    monkeypatch.setenv("SETTLE_DATABASE_URL", f"sqlite:///{file}")

    require_plain(typed("lane", "list"), "its file is damaged", "settle restore")
    assert "its file is damaged" in typed("doctor").out


def test_a_home_that_is_no_folder_is_called_so(typed: Typed, tmp_path: Path) -> None:
    a_file = tmp_path / "a-file"
    a_file.touch()

    require_plain(typed("up", "--home", str(a_file)), f"{a_file} is a file", "--home")
    require_plain(typed("up", "--home", str(a_file / "home")), str(a_file), "--home")


def test_up_takes_home_and_port_from_the_environment(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".settle").touch()
    (tmp_path / "a-file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SETTLE_HOME", str(tmp_path / "a-file"))

    require_plain(typed("up"), f"{tmp_path / 'a-file'} is a file")
    require_plain(typed("up", "--home", ".settle"), ".settle is a file")
    monkeypatch.setenv("SETTLE_PORT", "99999")
    assert "SETTLE_PORT" in typed("up").err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("keys/operator.json", "no json"),
        ("keys/operator.json", "[1]"),
        ("keys/admin.json", "{}"),
        ("keys/api-keys.json", "[1]"),
        ("keys/api-keys.json", "{x"),
        ("chain/genesis", "junk"),
        ("chain/genesis", ""),
    ],
)
def test_up_names_a_damaged_file_of_its_home(
    typed: Typed, tmp_path: Path, name: str, content: str
) -> None:
    file = tmp_path / "home" / name
    file.parent.mkdir(parents=True)
    file.write_text(content)

    require_plain(typed("up", "--home", str(tmp_path / "home")), f"{file} is damaged")


def test_a_missing_file_is_named(typed: Typed, tmp_path: Path) -> None:
    path = a_key_file(tmp_path, b"sk_1")

    said = typed("participant", "owners", "par_1", "x.json", "--reason", "new", "--key-file", path)

    require_plain(said, "x.json", "check the path")
    (tmp_path / "x.json").write_bytes(b"\xff")
    said = typed("participant", "owners", "par_1", "x.json", "--reason", "new", "--key-file", path)
    require_plain(said, "x.json", "UTF-8")


def test_a_missing_proof_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code = proof_standalone.main(["none.json"])

    said = capsys.readouterr().err
    assert code == 2 and "none.json cannot be read" in said
    assert "settle proof INVOICE" in said


def test_a_bug_is_written_down_and_not_printed(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(wiring, "open_database", lambda _settings: json.loads("{"))

    said = typed("lane", "list")

    (log,) = tmp_path.glob("settle-*.log")
    assert said.code == 1 and "Traceback" not in said.err
    assert "this is a bug" in said.err and str(log) in said.err
    assert "Traceback" in log.read_text() and log.stat().st_mode & 0o777 == 0o600


def test_a_password_is_not_asked_for_without_a_terminal() -> None:
    program = "from gateway.passwords import read_password; read_password(None)"
    ran = subprocess.run(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        start_new_session=True, check=False, env=dict(os.environ),
    )  # fmt: skip

    assert ran.returncode == 1 and "GetPassWarning: " not in ran.stderr
    assert "no terminal" in ran.stderr


def test_a_password_s_descriptor_that_is_closed_is_named() -> None:
    with pytest.raises(Invalid) as refusal:
        read_password(987)

    assert refusal.value.field == "--password-fd"


def test_a_key_file_is_looked_for_before_its_password_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refusal:
        unlocked(tmp_path / "none.json", None)

    assert "none.json" in str(refusal.value) and refusal.value.repair
