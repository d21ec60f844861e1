"""API keys that were issued before keys had hands: they go on after the migration."""

from datetime import timedelta
from pathlib import Path

from alembic import command
from sqlalchemy import text

from gateway.auth import KeyRing, Role
from settlement.access import keys, open_secret
from settlement.clock import to_micros
from settlement.store import migrate, open_engine, transaction
from settlement.store.migrate import _config
from tests.invoices.builders import NOW

BEFORE = "0006"
KEY = "stk_0123456789ab_" + "k" * 43


def test_a_key_from_before_still_opens_the_door_and_is_its_own_hand(
    bare_database_url: str, tmp_path: Path
) -> None:
    engine = open_engine(bare_database_url)
    pepper = open_secret(tmp_path / "api-key.pepper")
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
        connection.execute(
            text(
                "INSERT INTO api_key (prefix, key_hash, role, created_at)"
                " VALUES (:prefix, :key_hash, 'treasury', :at)"
            ),
            {"prefix": KEY[:16], "key_hash": keys.hashed(pepper, KEY), "at": to_micros(NOW)},
        )
        connection.commit()

    migrate(engine)

    caller = KeyRing(engine, pepper, monotonic=lambda: 0.0).look_up(f"Bearer {KEY}", NOW)
    assert (caller.role, caller.hand, caller.scopes) == (Role.TREASURY, KEY[:16], "")
    with transaction(engine) as session:
        new = keys.rotate(
            session, pepper, KEY[:16], overlap=timedelta(0), issued_by="os:ana", now=NOW
        )
        wanted = keys.NewKey(Role.COMPLIANCE)
        keys.issue(session, pepper, wanted, issued_by="os:ana", now=NOW)
    assert new.startswith("stk_")
    engine.dispose()


def test_answers_given_to_a_later_key_are_found_by_its_whole_line(bare_database_url: str) -> None:
    engine = open_engine(bare_database_url)
    line = ["stk_00000000000a", "stk_00000000000b", "stk_00000000000c"]
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0015")
        for prefix, before in zip(line, [None, *line], strict=False):
            connection.execute(
                text(
                    "INSERT INTO api_key (prefix, key_hash, role, rotated_from, scopes, label,"
                    " issued_by, revoked_by, created_at)"
                    " VALUES (:prefix, 'x', 'treasury', :before, '', '', '', '', 1)"
                ),
                {"prefix": prefix, "before": before},
            )
        for caller, key in ((line[0], "k1"), (line[1], "k2"), (line[2], "k1"), (line[2], "k3")):
            connection.execute(
                text(
                    "INSERT INTO idempotency (caller, route, key, body_hash, status, media_type,"
                    " body, created_at) VALUES (:caller, 'POST /x', :key, :hash, 200, 'x', :body,"
                    " 1)"
                ),
                {"caller": caller, "key": key, "hash": caller, "body": b"{}"},
            )
        connection.commit()

    migrate(engine)

    with transaction(engine) as session:
        found = session.connection().execute(
            text("SELECT caller, key, body_hash FROM idempotency ORDER BY caller, key")
        )
        answers = [tuple(row) for row in found]
    engine.dispose()
    assert answers == [
        (line[0], "k1", line[0]),  # The first answer under a key stays what it is.
        (line[0], "k2", line[1]),
        (line[0], "k3", line[2]),
        (line[2], "k1", line[2]),
    ]
