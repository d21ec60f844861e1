"""Alembic's entry: runs the steps on the connection that `settlement.store.migrate` hands in."""

from alembic import context

from settlement.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
