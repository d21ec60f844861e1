"""The database: opening it, its schema's version, database transactions. No queries.

SQLite (one machine) or PostgreSQL (several); the same code runs on both.
"""

from settlement.store.engine import (
    at_the_end,
    open_engine,
    reading,
    row_lock,
    statement,
    transaction,
)
from settlement.store.migrate import SchemaNotCurrent, migrate, require_current

__all__ = [
    "SchemaNotCurrent",
    "at_the_end",
    "migrate",
    "open_engine",
    "reading",
    "require_current",
    "row_lock",
    "statement",
    "transaction",
]
