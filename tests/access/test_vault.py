"""Personal fields: sealed under a key per person, gone for good once that key is deleted."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement import store
from settlement.access import PepperExposed, PersonErased, Vault, open_vault
from settlement.errors import StoreCorrupt
from tests.invoices.builders import NOW

MARIA, OTHER = "per_" + "1" * 32, "per_" + "2" * 32


def test_a_sealed_field_can_be_opened_and_is_not_to_be_read_in_the_database(
    engine: Engine, tmp_path: Path
) -> None:
    vault = open_vault(tmp_path)

    with store.transaction(engine) as session:
        sealed = vault.seal(session, MARIA, "María Ñandú", NOW)
        again = vault.seal(session, MARIA, "María Ñandú", NOW)
    with store.reading(engine) as session:
        opened = open_vault(tmp_path).opened(session, MARIA, sealed)

    assert opened == "María Ñandú"
    assert "María".encode() not in sealed and sealed != again


def test_who_is_erased_is_erased_and_the_others_are_not(engine: Engine, tmp_path: Path) -> None:
    vault = open_vault(tmp_path)
    with store.transaction(engine) as session:
        hers, theirs = (vault.seal(session, who, "a name", NOW) for who in (MARIA, OTHER))

    with store.transaction(engine) as session:
        vault.erase(session, MARIA, NOW)

    with store.transaction(engine) as session:
        assert vault.opened(session, MARIA, hers) is None
        assert vault.opened(session, OTHER, theirs) == "a name"
        with pytest.raises(PersonErased, match=MARIA):
            vault.seal(session, MARIA, "a name", NOW)


def test_a_field_is_bound_to_its_person_its_bytes_and_its_installation(
    engine: Engine, tmp_path: Path
) -> None:
    vault = open_vault(tmp_path)
    with store.transaction(engine) as session:
        sealed = vault.seal(session, MARIA, "a name", NOW)
        vault.seal(session, OTHER, "a name", NOW)

    with store.reading(engine) as session:
        for subject, content, opener in (
            (OTHER, sealed, vault),
            (MARIA, sealed[:-1] + bytes([sealed[-1] ^ 1]), vault),
            (MARIA, sealed, Vault(b"another key of 32 bytes, exactly")),
        ):
            with pytest.raises(StoreCorrupt):
                opener.opened(session, subject, content)


def test_the_key_to_the_peoples_keys_is_its_owners_alone(tmp_path: Path) -> None:
    open_vault(tmp_path)
    file = tmp_path / "personal-data.key"
    assert file.stat().st_mode & 0o777 == 0o600

    file.chmod(0o640)

    with pytest.raises(PepperExposed):
        open_vault(tmp_path)
