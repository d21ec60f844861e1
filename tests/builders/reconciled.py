"""Builders for reconciliation: a world in which booking has run, and what was found in it."""

from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement import ledger, reconciliation
from settlement.config import Settings
from settlement.settlements import booking
from settlement.store import reading, transaction
from tests.builders.ledger import NOW, block_hash, tx_hash

SETTINGS = Settings()


def set_cursor(session: Session, name: str, number: int, branch: int = 0) -> None:
    """Put a cursor of the watcher on a block."""
    session.execute(text("DELETE FROM cursor WHERE name = :name"), {"name": name})
    session.execute(
        text("INSERT INTO cursor (name, number, hash, at) VALUES (:name, :number, :hash, 0)"),
        {"name": name, "number": number, "hash": block_hash(number, branch)},
    )


def seen(
    session: Session,
    settlement: int,
    *,
    block: int,
    tx: int,
    log_index: int = 1,
    branch: int = 0,
    state: str = "CONFIRMING",
    outcome: str = "paid",
) -> None:
    """What tracking writes when it has seen the outcome of a settlement."""
    session.execute(
        text(
            "UPDATE settlement SET state = :state, outcome = :outcome, block_number = :block,"
            " block_hash = :hash, tx_hash = :tx, log_index = :log WHERE id = :id"
        ),
        {
            "state": state,
            "outcome": outcome,
            "block": block,
            "hash": block_hash(block, branch),
            "tx": tx_hash(tx),
            "log": log_index,
            "id": f"stl_{settlement}",
        },
    )


def set_state(engine: Engine, settlement: int, state: str) -> None:
    with transaction(engine) as session:
        session.execute(
            text("UPDATE settlement SET state = :state WHERE id = :id"),
            {"state": state, "id": f"stl_{settlement}"},
        )


def book(engine: Engine) -> None:
    with transaction(engine) as session:
        booking.book(session, SETTINGS, NOW)


def match(engine: Engine, *, final: int = 0) -> reconciliation.Matched:
    """Match with the watcher's last final block at `final`."""
    with transaction(engine) as session:
        set_cursor(session, "final", final)
        return reconciliation.match(session, NOW)


def open_breaks(engine: Engine) -> set[tuple[str, str]]:
    """Kind and subject of what is open."""
    with reading(engine) as session:
        rows = session.execute(
            text("SELECT kind, subject FROM settlement_break WHERE closed_at IS NULL")
        )
        return {(row.kind, row.subject) for row in rows}


def closed_breaks(engine: Engine) -> set[tuple[str, str, str]]:
    """Kind, subject and why of what was closed."""
    with reading(engine) as session:
        rows = session.execute(
            text(
                "SELECT kind, subject, closed_reason FROM settlement_break"
                " WHERE closed_at IS NOT NULL"
            )
        )
        return {(row.kind, row.subject, row.closed_reason) for row in rows}


def reason_of(engine: Engine, subject: str) -> str:
    with reading(engine) as session:
        return str(
            session.execute(
                text("SELECT reason FROM settlement_break WHERE subject = :subject"),
                {"subject": subject},
            ).scalar()
        )


def live_matches(engine: Engine) -> list[tuple[str, str, int, int]]:
    """Settlement, block, log and entry of each live match."""
    with reading(engine) as session:
        rows = session.execute(
            text(
                "SELECT settlement_id, block_hash, log_index, entry_seq FROM settlement_match"
                " WHERE live ORDER BY settlement_id"
            )
        )
        return [tuple(row) for row in rows]


def change(engine: Engine, statement: str, **values: object) -> None:
    """Change rows as somebody with the database's own rights could: the triggers are dropped."""
    with transaction(engine) as session:
        connection = session.connection()
        for table in ("journal_entry", "posting", "chain_log"):
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
            else:
                for act in ("update", "delete"):
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{act}")
        session.execute(text(statement), values)


def verify(engine: Engine) -> None:
    """The books are whole."""
    with reading(engine) as session:
        assert ledger.verify_chain(session).holds
        assert ledger.trial_balance(session).is_balanced
