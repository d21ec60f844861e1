"""A key in a file: opened by its owner with the password, and by nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account

from settlement.chain.keystore import (
    KeyFileExposed,
    KeyFileLocked,
    KeyInEnvironment,
    open_key,
    require_not_in_environment,
    save_key,
)
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


def test_any_byte_that_is_flipped_opens_the_same_key_or_none(key_file: Path) -> None:
    """What is not covered by the checksum (the id, spaces) may change; the key may not."""
    whole = key_file.read_bytes()
    refused = 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0x01
        key_file.write_bytes(changed)
        try:
            assert open_key(key_file, PASSWORD).key == KEY
        except Refused as refusal:
            refused += 1
            told = f"{refusal!r} {refusal} {refusal.repair}"
            assert KEY.hex() not in told and PASSWORD not in told
            assert refusal.__cause__ is None, "no library's words, which may hold the key"
    assert refused > len(whole) * 3 // 4


def test_a_file_of_another_program_is_opened(tmp_path: Path) -> None:
    for kdf, rounds in (("scrypt", 2), ("pbkdf2", 3)):
        path = tmp_path / kdf
        path.write_text(json.dumps(Account.encrypt(KEY, PASSWORD, kdf=kdf, iterations=rounds)))
        path.chmod(0o600)

        assert open_key(path, PASSWORD).key == KEY


def test_a_file_that_asks_for_endless_work_is_refused(key_file: Path) -> None:
    for name, much in (("n", 2**40), ("r", 2**20), ("p", 2**30), ("n", 0), ("dklen", 2**31)):
        fields = json.loads(key_file.read_text())
        fields["crypto"]["kdfparams"][name] = much
        other = key_file.with_name("other.json")
        other.write_text(json.dumps(fields))
        other.chmod(0o600)

        with pytest.raises(Invalid):
            open_key(other, PASSWORD)


def test_an_environment_without_keys_is_let_pass() -> None:
    require_not_in_environment(
        {"SETTLE_API_KEY": "of a company", "PATH": "/bin", "EMPTY": ""}, KEY, PASSWORD
    )
    require_not_in_environment({"EMPTY": ""})


@pytest.mark.parametrize("name", ["SETTLE_PRIVATE_KEY", "SETTLE_MNEMONIC", "SETTLE_X_PASSWORD"])
def test_an_environment_that_is_named_like_a_key_is_refused(name: str) -> None:
    with pytest.raises(KeyInEnvironment, match=name):
        require_not_in_environment({name: ""})
