"""A key in a file: opened by its owner with the password, and by nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account

from settlement.chain.keystore import KeyFileExposed, KeyFileLocked, open_key, save_key
from settlement.chain.signing import address_of
from settlement.errors import Conflict, Invalid, NotFound, Refused

KEY = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
PASSWORD = "correct horse"
QUICK = 2


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "operator.json"
    save_key(path, KEY, PASSWORD, work_factor=QUICK)
    return path


def test_a_saved_key_comes_back_and_only_its_owner_can_read_the_file(key_file: Path) -> None:
    pair = open_key(key_file, PASSWORD)

    assert (pair.key, pair.address) == (KEY, address_of(KEY))
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert KEY.hex() not in key_file.read_text()


def test_the_file_is_one_that_other_programs_open(key_file: Path) -> None:
    fields = json.loads(key_file.read_text())

    assert fields["version"] == 3
    assert bytes(Account.decrypt(fields, PASSWORD)) == KEY


def test_a_wrong_password_is_refused_without_a_word_of_either(key_file: Path) -> None:
    with pytest.raises(KeyFileLocked) as refusal:
        open_key(key_file, "wrong password")

    told = f"{refusal.value!r} {refusal.value} {refusal.value.repair}"
    assert "wrong password" not in told
    assert KEY.hex() not in told
    assert str(key_file) in told
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604, 0o601])
def test_a_file_that_others_may_touch_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)

    with pytest.raises(KeyFileExposed, match=f"{mode:04o}") as refusal:
        open_key(key_file, PASSWORD)

    assert refusal.value.repair == f"chmod 600 {key_file}"


def test_a_key_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()

    with pytest.raises(Conflict):
        save_key(key_file, b"\x05" * 32, PASSWORD, work_factor=QUICK)

    assert key_file.read_bytes() == before


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_key(tmp_path / "none.json", PASSWORD)


OTHER_FILES = ["", "{}", "[]", "not json", '{"version": 1}', '{"version": 3}']
OTHER_FILES += ['{"version": 3, "crypto": {}}']


@pytest.mark.parametrize("content", OTHER_FILES)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(Refused):
        open_key(path, PASSWORD)


def test_a_file_that_names_another_address_is_refused(key_file: Path) -> None:
    fields = json.loads(key_file.read_text())
    fields["address"] = "11" * 20
    key_file.write_text(json.dumps(fields))

    with pytest.raises(Invalid, match="another key"):
        open_key(key_file, PASSWORD)


def test_a_key_without_a_password_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "open.json"

    with pytest.raises(Invalid):
        save_key(path, KEY, "")

    assert not path.exists()
