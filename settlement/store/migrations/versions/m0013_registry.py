"""What is listed on the chain, and the lane that lists it."""

import sqlalchemy as sa
from alembic import op

from settlement.store.triggers import refuse_changes

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0013"
down_revision = "0012"

_STATES = "('listed', 'unlisted', 'frozen', 'free')"
_LOGS = "name IN ('ParticipantListed', 'ParticipantUnlisted', 'Frozen', 'Unfrozen')"
_TOPICS = {
    "ParticipantListed": "0x349408051b0f8c24276466025a4b875100f9e69ae6daba4f11ef13136886c630",
    "ParticipantUnlisted": "0xfbaf512bd7387745293b8a5b94f4da87987e898142cdff7d42d51441237dc81b",
    "Frozen": "0x8a5c4736a33c7b7f29a2c34ea9ff9608afc5718d56f6fd6dcbd2d3711a1a4913",
    "Unfrozen": "0x4feb53e305297ab8fb8f3420c95ea04737addc254a7270d8fc4605d2b9c61dba",
}
# As the watcher wrote what it did not name: {"topics": ["0x…", "0x…wallet"], "data": "0x"}
_NAME = (
    "UPDATE chain_log SET name = '{name}', debtor = '0x' || substr(detail, 110, 40),"
    " token = (SELECT address FROM token WHERE token.address = chain_log.address), detail = NULL"
    " WHERE name = 'other' AND substr(detail, 14, 66) = '{topic}' AND length(detail) = 166"
)


def upgrade() -> None:
    """Make the tables of this noun; name the logs that were kept in raw words until now."""
    op.get_bind().exec_driver_sql(
        "ALTER TABLE lane ADD COLUMN kind TEXT NOT NULL DEFAULT 'operator'"
        " CHECK (kind IN ('operator', 'admin'))"
    )
    _make_wishes()
    _make_changes()
    _name_logs()
    _take_in_wallets()


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _make_wishes() -> None:
    op.create_table(
        "registry_wish",
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.CheckConstraint(f"wanted IN {_STATES}", name="registry_wish_wanted"),
        sa.PrimaryKeyConstraint("wallet", "contract", "source"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registry_standing",
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("actual", sa.Text(), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("differs_from_block", BIG, nullable=True),
        sa.CheckConstraint(f"wanted IN {_STATES}", name="registry_standing_wanted"),
        sa.CheckConstraint(f"actual IN {_STATES}", name="registry_standing_actual"),
        sa.CheckConstraint(
            "(wanted IN ('listed', 'unlisted')) = (actual IN ('listed', 'unlisted'))",
            name="registry_standing_one_noun",
        ),
        sa.PrimaryKeyConstraint("wallet", "contract"),
        sqlite_with_rowid=False,
    )
    _partial("registry_differs", "registry_standing", ["contract", "wallet"], "wanted <> actual")
    _partial(
        "registry_restricted", "registry_standing", ["wallet"], "wanted IN ('unlisted', 'frozen')"
    )


def _make_changes() -> None:
    op.create_table(
        "registry_change",
        sa.Column("chain_tx_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.CheckConstraint(f"effect IN {_STATES}", name="registry_change_effect"),
        sa.ForeignKeyConstraint(["chain_tx_id"], ["chain_tx.id"]),
        sa.PrimaryKeyConstraint("chain_tx_id", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index("registry_change_by_wallet", "registry_change", ["wallet", "contract"])
    refuse_changes(op.get_bind(), ("registry_change",))


def _name_logs() -> None:
    connection = op.get_bind()
    on_postgresql = connection.dialect.name == "postgresql"
    # The facts stay as they were; only their name was missing.
    connection.exec_driver_sql(
        "ALTER TABLE chain_log DISABLE TRIGGER chain_log_append_only"
        if on_postgresql
        else "DROP TRIGGER chain_log_no_update"
    )
    for name, topic in _TOPICS.items():
        connection.exec_driver_sql(_NAME.format(name=name, topic=topic))
    connection.exec_driver_sql(
        "ALTER TABLE chain_log ENABLE TRIGGER chain_log_append_only"
        if on_postgresql
        else "CREATE TRIGGER chain_log_no_update BEFORE UPDATE ON chain_log BEGIN SELECT RAISE("
        "ABORT, 'chain_log is append-only: a mistake is corrected by a reversing row'); END"
    )
    _partial("chain_log_registry", "chain_log", ["block_number"], _LOGS)
    _partial(
        "chain_log_standing", "chain_log", ["debtor", "address", "block_number", "log_index"], _LOGS
    )


def _take_in_wallets() -> None:
    """Want of each wallet that is there what its company's state says, and look what it is."""
    connection = op.get_bind()
    connection.exec_driver_sql(
        "INSERT INTO registry_wish (wallet, contract, source, wanted, reason, actor, since)"
        " SELECT w.address, d.rail, 'participant',"
        " CASE WHEN p.state = 'active' THEN 'listed' ELSE 'unlisted' END,"
        " 'its company is ' || p.state, 'rail', w.created_at"
        " FROM wallet w JOIN participant p ON p.id = w.participant_id CROSS JOIN deployment d"
    )
    connection.exec_driver_sql(
        "INSERT INTO registry_standing (wallet, contract, wanted, actual, since)"
        " SELECT x.wallet, x.contract, x.wanted,"
        " CASE WHEN (SELECT l.name FROM chain_log l JOIN block b ON b.hash = l.block_hash"
        "  AND b.canonical WHERE l.debtor = x.wallet AND l.address = x.contract"
        f"  AND l.{_LOGS} ORDER BY l.block_number DESC, l.log_index DESC LIMIT 1)"
        " = 'ParticipantListed' THEN 'listed' ELSE 'unlisted' END, x.since FROM registry_wish x"
    )
    connection.exec_driver_sql(
        "UPDATE registry_standing SET differs_from_block ="
        " (SELECT COALESCE(MAX(number), 0) FROM cursor WHERE name = 'head') WHERE wanted <> actual"
    )


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
