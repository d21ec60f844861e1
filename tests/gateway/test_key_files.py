"""What an installation does when a key file or the secret of its keys is lost or another."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.auth import issue_key, open_pepper
from gateway.demo.world import demo_keys
from gateway.key_files import KeyFileLost, OtherPepper, operator_key, write_private
from settlement.access import PepperDamaged, Role
from settlement.store import transaction
from tests.builders.rail import NOW


def test_a_lost_operator_key_is_not_replaced_silently(tmp_path: Path) -> None:
    first = operator_key(tmp_path, None)
    assert operator_key(tmp_path, None) == first
    first.keystore.unlink()

    with pytest.raises(KeyFileLost, match=r"operator\.json is gone") as refused:
        operator_key(tmp_path, None)

    assert not first.keystore.exists()
    assert "operator.password away" in (refused.value.repair or "")
    first.keystore.with_suffix(".password").unlink()
    assert operator_key(tmp_path, None).address != first.address


def a_home_with_keys(engine: Engine, home: Path) -> dict[str, str]:
    with transaction(engine) as session:
        key = issue_key(
            session, open_pepper(home), role=Role.TREASURY, participant_id=None, now=NOW
        )
    (home / "keys").mkdir()
    write_private(home / "keys/api-keys.json", f'{{"treasury": "{key}"}}')
    return {"treasury": key}


def test_kept_keys_are_returned_under_the_secret_they_were_issued_under(
    engine: Engine, tmp_path: Path
) -> None:
    kept = a_home_with_keys(engine, tmp_path)

    assert demo_keys(engine, tmp_path, (), NOW) == kept


def test_a_secret_of_another_length_is_refused(engine: Engine, tmp_path: Path) -> None:
    a_home_with_keys(engine, tmp_path)
    (tmp_path / "api-key.pepper").write_bytes(b"pepper")

    with pytest.raises(PepperDamaged, match="holds 6 bytes, not 32"):
        demo_keys(engine, tmp_path, (), NOW)


def test_a_secret_that_is_not_the_keys_own_is_refused(engine: Engine, tmp_path: Path) -> None:
    a_home_with_keys(engine, tmp_path)
    (tmp_path / "api-key.pepper").write_bytes(secrets.token_bytes(32))

    with pytest.raises(OtherPepper, match="not issued under the secret") as refused:
        demo_keys(engine, tmp_path, (), NOW)

    assert "from a copy of the home" in (refused.value.repair or "")
