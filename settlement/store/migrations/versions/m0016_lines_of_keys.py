"""A key and what it was rotated to are one hand: held by the database, and for kept answers."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_ONE_LINE = "a key decides nothing that a key of its own line has made or decided"

_TABLES = (
    # Table, who made it, who decides, the rows of what others have said, when it is looked at.
    ("approval_decision", "maker", "checker", "approval_id", "INSERT"),
    ("break_decision", "proposed_by", "decided_by", "proposal_id", "INSERT"),
    ("break_proposal", "proposed_by", "decided_by", "", "UPDATE OF decided_by"),
    ("accounting_period", "closed_by", "approved_by", "", "UPDATE OF approved_by"),
    ("recon_rule_set", "author", "approved_by", "", "UPDATE OF approved_by"),
)
_MOVE = sa.text(
    "UPDATE idempotency SET caller = :first WHERE caller = :later AND NOT EXISTS"
    " (SELECT 1 FROM idempotency o WHERE o.caller = :first"
    " AND o.route = idempotency.route AND o.key = idempotency.key)"
)


def upgrade() -> None:
    """Hold four eyes over rotations, and let repetitions find the answers given to older keys."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, maker, checker, said_about, when in _TABLES:
        condition = _of_one_line(
            table, maker, checker, said_about, "instr" if is_sqlite else "strpos"
        )
        for statement in (_on_sqlite if is_sqlite else _on_postgresql)(table, when, condition):
            op.execute(statement)
    _move_answers()


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _of_one_line(table: str, maker: str, checker: str, said_about: str, place: str) -> str:
    """Return the condition that the rotations of two keys lead back to one."""
    hand = f"substr({{0}}, {place}({{0}}, ':') + 1)"
    others = ""
    if said_about:
        said = f"SELECT 1, {hand.format(f'd.{checker}')} FROM {table} d"
        others = f" UNION {said} WHERE d.{said_about} = NEW.{said_about}"
    decides = hand.format(f"NEW.{checker}")
    return (
        f"{decides} LIKE 'stk%' AND EXISTS (WITH RECURSIVE up (side, prefix) AS ("
        f"SELECT 1, {hand.format(f'NEW.{maker}')}{others} UNION SELECT 2, {decides} UNION"
        " SELECT up.side, k.rotated_from FROM up JOIN api_key k ON k.prefix = up.prefix"
        " WHERE k.rotated_from IS NOT NULL)"
        " SELECT 1 FROM up GROUP BY prefix HAVING count(*) = 2)"
    )


def _on_sqlite(table: str, when: str, condition: str) -> tuple[str, ...]:
    return (
        f"CREATE TRIGGER {table}_two_lines BEFORE {when} ON {table} WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{_ONE_LINE}'); END",
    )


def _on_postgresql(table: str, when: str, condition: str) -> tuple[str, ...]:
    return (
        f"CREATE FUNCTION {table}_two_lines() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {condition} THEN RAISE EXCEPTION '{_ONE_LINE}' USING ERRCODE = 'check_violation';"
        " END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER {table}_two_lines BEFORE {when} ON {table} FOR EACH ROW"
        f" EXECUTE FUNCTION {table}_two_lines()",
    )


def _move_answers() -> None:
    """Give the answers kept for a later key to the first of its line."""
    connection = op.get_bind()
    found = connection.exec_driver_sql(
        "SELECT prefix, rotated_from FROM api_key WHERE rotated_from IS NOT NULL ORDER BY prefix"
    )
    older: dict[str, str] = {row.prefix: row.rotated_from for row in found}
    for later in older:
        first = later
        while first in older:
            first = older[first]
        connection.execute(_MOVE, {"first": first, "later": later})
