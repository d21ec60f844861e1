"""The triggers by which the database keeps history: no UPDATE or DELETE on append-only tables."""

from __future__ import annotations

from sqlalchemy import Connection

# `%%`: the driver reads a single one as a placeholder.
_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%% is append-only: a mistake is corrected by a reversing row', TG_TABLE_NAME;
END $$
"""


def refuse_changes(connection: Connection, tables: tuple[str, ...]) -> None:
    """Put triggers on `tables` that refuse UPDATE and DELETE (and TRUNCATE, on PostgreSQL)."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_POSTGRESQL_FUNCTION)
        for table in tables:
            connection.exec_driver_sql(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
                f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        return
    for table in tables:
        for act in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} BEGIN"
                f" SELECT RAISE(ABORT, '{table} is append-only: a mistake is corrected by a"
                " reversing row'); END"
            )
