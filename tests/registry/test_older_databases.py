"""A database from before there was a registry: what it knows of wallets is taken in."""

import json

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from settlement.chain import rail_abi
from settlement.store import migrate, open_engine
from settlement.store.migrate import _config

RAIL, TOKEN = "0x" + "aa" * 20, "0x" + "bb" * 20
LISTED, UNLISTED, SUSPENDED, FROZEN = ("0x" + each * 20 for each in ("01", "02", "03", "04"))


def _to(engine: Engine, revision: str) -> None:
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def _insert(connection: Connection, table: str, **values: object) -> None:
    """Insert a row; what it does not say and the table needs is empty."""
    for column in inspect(connection).get_columns(table):
        needed = not column["nullable"] and column["default"] is None
        if needed and column["name"] not in values:
            is_text = "TEXT" in str(column["type"]).upper()
            values[column["name"]] = "" if is_text else 0
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def _log(connection: Connection, index: int, contract: str, topic: str, wallet: str) -> None:
    words = {"topics": (topic, "0x" + rail_abi.address_word(wallet)), "data": "0x"}
    _insert(
        connection, "chain_log", block_hash="0xb1", log_index=index, block_number=1,
        address=contract, name="other", detail=json.dumps(words),
    )  # fmt: skip


def _before(engine: Engine) -> None:
    with engine.begin() as connection:
        _insert(connection, "deployment", rail=RAIL)
        _insert(connection, "token", address=TOKEN, symbol="TUSD", kind="exact", listed=True)
        _insert(connection, "block", hash="0xb1", number=1, canonical=True)
        _insert(connection, "cursor", name="head", number=7)
        for place, (wallet, state) in enumerate(
            ((LISTED, "active"), (UNLISTED, "active"), (SUSPENDED, "suspended"))
        ):
            _insert(
                connection, "participant", id=f"par_{place}", lei=str(place), state=state,
                legal_form="legal_entity", known_by="operator", country="DE",
            )  # fmt: skip
            _insert(
                connection, "wallet", address=wallet, participant_id=f"par_{place}",
                kind="self_hosted", proved_by="operator",
            )  # fmt: skip
        _log(connection, 0, RAIL, rail_abi.PARTICIPANT_LISTED, LISTED)
        _log(connection, 1, RAIL, rail_abi.PARTICIPANT_LISTED, UNLISTED)
        _log(connection, 2, RAIL, rail_abi.PARTICIPANT_LISTED, SUSPENDED)
        _log(connection, 3, RAIL, rail_abi.PARTICIPANT_UNLISTED, UNLISTED)
        _log(connection, 4, TOKEN, rail_abi.FROZEN, FROZEN)
        _log(connection, 5, TOKEN, rail_abi.topic("Paused(address)"), FROZEN)


def test_logs_get_their_names_and_wallets_what_they_are_and_are_to_be(
    bare_database_url: str,
) -> None:
    engine = open_engine(bare_database_url)
    _to(engine, "0012")
    _before(engine)

    migrate(engine)

    with engine.begin() as connection:
        logs = connection.execute(
            text("SELECT name, debtor, token, detail FROM chain_log ORDER BY log_index")
        ).all()
        standings = connection.execute(
            text(
                "SELECT wallet, contract, wanted, actual, differs_from_block"
                " FROM registry_standing ORDER BY wallet"
            )
        ).all()
    assert [tuple(row) for row in logs[:5]] == [
        ("ParticipantListed", LISTED, None, None),
        ("ParticipantListed", UNLISTED, None, None),
        ("ParticipantListed", SUSPENDED, None, None),
        ("ParticipantUnlisted", UNLISTED, None, None),
        ("Frozen", FROZEN, TOKEN, None),
    ]
    assert (logs[5].name, logs[5].debtor) == ("other", None)
    assert [tuple(row) for row in standings] == [
        (LISTED, RAIL, "listed", "listed", None),
        (UNLISTED, RAIL, "listed", "unlisted", 7),
        (SUSPENDED, RAIL, "unlisted", "listed", 7),
    ]
    engine.dispose()


def test_the_log_stays_append_only(bare_database_url: str) -> None:
    engine = open_engine(bare_database_url)
    _to(engine, "0012")
    _before(engine)
    migrate(engine)

    for words in ("UPDATE chain_log SET name = 'other'", "DELETE FROM chain_log"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(words))
    engine.dispose()
