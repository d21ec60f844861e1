"""The yardstick: a plain DuckDB outer join of the four sources of a world, and nothing more.

The rows are exported to tables of its own in memory before the clock starts; the join compares
amounts and counts what is missing or differs. No rules, no reasons, nothing stored.
"""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

from settlement.store import open_engine, reading
from settlement.store.bulk import rows

ROUNDS = 5
_EXPORTS = {
    "settlements": "SELECT reference, id, end_to_end_id, amount_minor FROM settlement",
    "chain": "SELECT reference, amount_minor FROM chain_log WHERE name = 'Settled'",
    "ledger": (
        "SELECT e.settlement_id, p.amount_minor FROM journal_entry e"
        " JOIN posting p ON p.entry_seq = e.seq AND p.line = 0 WHERE e.kind = 'payment'"
    ),
    "bank": (
        # Rows that name nothing have no key to join by; each has its own.
        "SELECT COALESCE(end_to_end_id, creditor_reference, remittance, 'row ' || id),"
        " amount_minor * 10000 FROM bank_entry"
    ),
}
_COLUMNS = {
    "settlements": "reference VARCHAR, id VARCHAR, e2e VARCHAR, minor BIGINT",
    "chain": "reference VARCHAR, minor BIGINT",
    "ledger": "id VARCHAR, minor BIGINT",
    "bank": "e2e VARCHAR, minor BIGINT",
}
_JOIN = """
    SELECT COUNT(*),
        COUNT(*) FILTER (s.minor = c.minor AND c.minor = l.minor AND l.minor = b.minor),
        COUNT(*) FILTER (c.minor IS NULL), COUNT(*) FILTER (l.minor IS NULL),
        COUNT(*) FILTER (b.minor IS NULL)
    FROM settlements s FULL OUTER JOIN chain c ON c.reference = s.reference
        FULL OUTER JOIN ledger l ON l.id = s.id
        FULL OUTER JOIN bank b ON b.e2e = s.e2e
"""


def join_seconds(url: str) -> tuple[float, int] | None:
    """The fastest of some rounds, and how many rows agree on all four sides; None: no DuckDB."""
    try:
        import duckdb
    except ImportError:
        return None
    engine = open_engine(url)
    memory = duckdb.connect(":memory:")
    with tempfile.TemporaryDirectory() as folder, reading(engine) as session:
        for name, sql in _EXPORTS.items():
            file = Path(folder) / f"{name}.csv"
            with file.open("w", newline="", encoding="utf-8") as out:
                csv.writer(out).writerows(rows(session, sql))
            memory.execute(f"CREATE TABLE {name} ({_COLUMNS[name]})")
            memory.execute(f"COPY {name} FROM '{file}' (FORMAT csv, HEADER false)")
    engine.dispose()
    best, agreeing = 0.0, 0
    for turn in range(ROUNDS):
        started = time.perf_counter()
        answer = memory.execute(_JOIN).fetchone()
        seconds = time.perf_counter() - started
        best = seconds if turn == 0 else min(best, seconds)
        agreeing = int(answer[1])
    return best, agreeing
