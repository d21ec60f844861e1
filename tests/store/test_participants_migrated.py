"""A database from before goes on: participants active, wallets usable, and told by it."""

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from settlement.clock import from_micros
from settlement.participants import profiles, wallet_standings
from settlement.store import migrate, open_engine, reading, require_current
from settlement.store.migrate import _config

AT = 1_790_000_000_000_000
LEI = "529900T8BM49AURSDO55"
WALLET = "0x" + "ab" * 20
BEFORE = (
    "INSERT INTO participant (id, lei, name, country, street, post_code, town, state, created_at)"
    f" VALUES ('par_1', '{LEI}', 'Nordlicht', 'DE', '', '', 'Ulm', 'active', {AT}),"
    f" ('par_2', '5493001KJTIIGC8Y1R12', 'Noor', 'AE', '', '', 'Dubai', 'suspended', {AT})",
    f"INSERT INTO wallet (address, participant_id, created_at) VALUES ('{WALLET}', 'par_1', {AT})",
    "INSERT INTO api_key (prefix, key_hash, role, participant_id, created_at)"
    f" VALUES ('stk_000000000000', 'x', 'exporter', 'par_1', {AT})",
)


@pytest.fixture
def old(bare_database_url: str) -> str:
    """The URL of a database of the version before, with somebody in it."""
    engine = open_engine(bare_database_url)
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        for statement in BEFORE:
            connection.execute(text(statement))
        connection.commit()
    engine.dispose()
    return bare_database_url


@pytest.fixture
def migrated(old: str) -> Engine:
    engine = open_engine(old)
    migrate(engine)
    require_current(engine)
    return engine


def test_who_was_active_stays_so_without_documents_and_is_told_by_it(migrated: Engine) -> None:
    with reading(migrated) as session:
        found = profiles(session, ["par_1", "par_2"], from_micros(2 * AT))
        (wallet,) = wallet_standings(session, [WALLET]).values()
    migrated.dispose()

    assert [each.state for each in found.values()] == ["active", "suspended"]
    assert {each.known_by for each in found.values()} == {"migration"}
    assert found["par_1"].missing_documents and found["par_1"].kyb_valid_until is None
    assert (wallet.proved_by, wallet.is_proved, wallet.kind) == ("migration", True, "self_hosted")
    assert wallet.is_usable(from_micros(AT)) and wallet.retired_at is None


def test_rows_that_name_a_participant_still_do_and_the_database_still_looks(
    migrated: Engine,
) -> None:
    with migrated.begin() as connection:
        owner = connection.execute(text("SELECT participant_id FROM api_key")).scalar()
    assert owner == "par_1"
    for wrong in (
        "UPDATE participant SET state = 'odd'",
        "UPDATE participant SET lei = NULL",
        "UPDATE participant SET legal_form = 'club'",
        "UPDATE wallet SET proved_by = 'hearsay'",
        "UPDATE wallet SET participant_id = 'par_9'",
        f"UPDATE participant SET lei = '{LEI}'",
    ):
        with pytest.raises(IntegrityError), migrated.begin() as connection:
            connection.execute(text(wrong))
    indexes = {each["name"] for each in inspect(migrated).get_indexes("wallet")}
    migrated.dispose()
    assert "ix_wallet_participant_id" in indexes
