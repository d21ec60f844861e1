"""A cold replay: the same settlements and attempts in a fresh database that reads the final chain.

What the first database took from the chain is left behind; what people and sender decided is kept.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from settlement import ledger
from settlement.ledger import Entry, Line
from settlement.store import open_engine, transaction
from tests.builders.rail import Rail

_KEPT = (
    "participant", "wallet", "token", "deployment", "document", "invoice", "settlement_sequence",
    "settlement", "list_version", "list_entry", "clearance", "lane", "chain_tx", "batch_member",
    "attempt",
)  # fmt: skip
_NOTHING_SEEN = "outcome = NULL, block_number = NULL, block_hash = NULL, tx_hash = NULL"
_IN_FLIGHT = (
    "SELECT COALESCE(SUM(s.claim_minor), 0) FROM settlement s WHERE s.invoice_id = invoice.id"
    " AND s.state NOT IN ('SETTLED', 'REJECTED', 'CANCELLED')"
)
_UNSEEN = (
    # Nothing is sent from here: the chain is as it is.
    "UPDATE lane SET state = 'halted', lease_owner = NULL, lease_until = 0",
    f"UPDATE chain_tx SET state = 'SENT', {_NOTHING_SEEN} WHERE state NOT IN ('CLAIMED', 'SIGNED')",
    f"UPDATE settlement SET state = 'SUBMITTED', outcome_code = NULL, log_index = NULL,"
    f" {_NOTHING_SEEN} WHERE chain_tx_id IS NOT NULL",
    "UPDATE batch_member SET live = EXISTS (SELECT 1 FROM settlement s"
    " WHERE s.id = batch_member.settlement_id AND s.chain_tx_id = batch_member.chain_tx_id)",
    f"UPDATE invoice SET settled_minor = 0, state = 'ACCEPTED', in_flight_minor = ({_IN_FLIGHT})"
    " WHERE state IN ('ACCEPTED', 'PARTLY_PAID', 'PAID')",
)
_POSTINGS = (
    "SELECT e.seq, e.kind, e.source_key, e.invoice_id, e.settlement_id, a.code, p.amount_minor,"
    " p.phase FROM journal_entry e JOIN posting p ON p.entry_seq = e.seq"
    " JOIN account a ON a.id = p.account_id{} ORDER BY e.seq, p.line"
)
_STANDING = (
    " WHERE e.kind NOT IN ('reversal', 'reserve', 'void', 'funding') AND NOT EXISTS"
    " (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq)"
)


def replayed(rail: Rail, folder: Path, migrated: Path, *, blocks_per_tick: int) -> Rail:
    """Return another rail on the same chain, whose database has followed it from its beginning.

    So many blocks at a time: what is seen together and what one after the other is the same.
    """
    file = folder / "replay.sqlite3"
    shutil.copyfile(migrated, file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("ATTACH ? AS old", (rail.engine.url.database,))
        # Who approved what stays behind: it is copied, not given again.
        database.execute("DROP TRIGGER settlement_begins_unapproved")
        for table in _KEPT:
            database.execute(f"INSERT INTO {table} SELECT * FROM old.{table}")
        for statement in _UNSEEN:
            database.execute(statement)
    engine = open_engine(f"sqlite:///{file}")
    pace = {"blocks_per_tick_max": blocks_per_tick, "backfill_blocks_max": blocks_per_tick}
    copy = Rail(
        engine, rail.chain, rail.controls, rail.sandbox, folder,
        rail.settings.model_copy(update=pace), rail.ids, rail.now,
    )  # fmt: skip
    with transaction(engine) as session:
        ledger.post(session, _claims(rail), rail.now)
    worker = copy.worker(signer=rail.signer(slots="slots-of-replay.sqlite3"))
    for _ in range(rail.chain.head().number + 2):
        if not copy.tick(worker).new_blocks:
            break
    else:
        raise AssertionError("the replay does not come to the head")
    return copy


def _claims(rail: Rail) -> list[Entry]:
    """What people booked: accepted invoices and credit notes."""
    found: dict[str, Entry] = {}
    for row in rail.rows(_POSTINGS.format(" WHERE e.kind IN ('accept', 'credit')")):
        first = Entry(row.kind, row.source_key, (), invoice_id=row.invoice_id)
        entry = found.get(row.source_key, first)
        line = Line(row.code, row.amount_minor, row.phase)
        found[row.source_key] = entry._replace(lines=(*entry.lines, line))
    return list(found.values())


def picture(rail: Rail) -> dict[str, Any]:
    """What books, states and reconciliation say, without the way that led there."""
    balances: Counter[tuple[str, str]] = Counter()
    for row in rail.rows(_POSTINGS.format("")):
        balances[row.code, row.phase] += row.amount_minor
    standing = Counter(
        # A block that came back is booked under a numbered key.
        (":".join(row.source_key.split(":")[:3]), row.settlement_id, row.code, row.amount_minor)
        for row in rail.rows(_POSTINGS.format(_STANDING))
        if row.phase == "posted"
    )
    return {
        "balances": {key: minor for key, minor in balances.items() if minor},
        "standing entries": standing,
        **{name: set(map(tuple, rail.rows(sql))) for name, sql in _SAME.items()},
    }


_SAME = {
    "settlements": "SELECT id, state, outcome, outcome_code, block_number, block_hash, tx_hash,"
    " log_index FROM settlement",
    "chain transactions": "SELECT id, state, outcome, block_hash, tx_hash FROM chain_tx",
    "invoices": "SELECT id, state, settled_minor, in_flight_minor FROM invoice",
    "blocks": "SELECT hash, number FROM block WHERE canonical",
    "receipts": "SELECT r.block_hash, r.tx_index, r.tx_hash, r.depth, r.books FROM receipt r"
    " JOIN block b ON b.hash = r.block_hash AND b.canonical",
    "matches": "SELECT settlement_id, block_hash, log_index FROM settlement_match WHERE live",
    "breaks": "SELECT kind, subject FROM settlement_break WHERE closed_at IS NULL",
    "kept sums": "SELECT a.code, b.posted_minor, b.reserved_minor, b.expected_minor FROM balance b"
    # Of one sum in wei there are many pairs of parts; its balance is compared above.
    " JOIN account a ON a.id = b.account_id WHERE a.unit <> 'WEI' AND (b.posted_minor <> 0"
    " OR b.reserved_minor <> 0 OR b.expected_minor <> 0)",
}
