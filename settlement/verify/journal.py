"""I3 zero-sum and I7 history: the journal read once, in order, every entry with its postings.

Knows no chain. What the entries say of the chain is judged in `books`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from settlement.verify.database import Database
from settlement.verify.findings import Finding
from settlement.verify.periods import judge_periods

APPEND_ONLY = (
    "journal_entry",
    "posting",
    "invoice_event",
    "settlement_event",
    "chain_tx_event",
    "chain_log",
    "monitor_crossing",
    "break_event",
    "break_decision",
    "payment_limit_change",
    "approval_decision",
    "audit_event",
    "registry_change",
    "participant_event",
    "wallet_proof",
    "inquiry_entry",
    "inquiry_attachment",
    "policy_inputs",
    "trade_declaration",
)
"""Tables in which the database has to refuse UPDATE and DELETE."""

_ENTRIES = (
    "SELECT seq, kind, source_key, invoice_id, settlement_id, block_number, block_hash, tx_hash,"
    " reverses_seq, reason, value_date, booked_at, prev_hash, hash FROM journal_entry ORDER BY seq"
)
_POSTINGS = (
    "SELECT entry_seq, line, account_id, phase, amount_minor FROM posting ORDER BY entry_seq, line"
)

_TEXT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


class Posting(NamedTuple):
    """One line of an entry."""

    line: int
    code: str
    unit: str
    phase: str
    amount: Any
    """An integer; what else SQLite may hold is found by I3."""


class Entry(NamedTuple):
    """An entry as it is stored."""

    seq: int
    kind: str
    source_key: str
    invoice_id: str | None
    settlement_id: str | None
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    reverses_seq: int | None
    reason: str | None
    value_date: str
    booked_at: int
    prev_hash: str
    hash: str
    postings: list[Posting]


def entries(database: Database, strays: Finding) -> Iterator[Entry]:
    """Yield every entry with its postings; postings that have no entry are brought forward."""
    accounts = {
        key: (code, unit) for key, code, unit in database.rows("SELECT id, code, unit FROM account")
    }
    postings = database.stream(_POSTINGS)
    waiting = next(postings, None)
    for row in database.stream(_ENTRIES):
        lines: list[Posting] = []
        while waiting is not None and waiting[0] <= row[0]:
            entry_seq, line, account_id, phase, amount = waiting
            if entry_seq == row[0]:
                code, unit = accounts.get(account_id, ("?", "?"))
                lines.append(Posting(line, code, unit, phase, amount))
            else:
                strays.against(f"posting {line} belongs to entry {entry_seq}, which is not there")
            waiting = next(postings, None)
        yield Entry._make((*row, lines))
    while waiting is not None:
        strays.against(f"posting {waiting[1]} belongs to entry {waiting[0]}, which is not there")
        waiting = next(postings, None)


class ZeroSum:
    """I3: every entry, and the whole journal, sums to zero in each unit and phase, in integers."""

    def __init__(self, symbols: dict[str, str]) -> None:
        """`symbols` gives the currency (ISO 4217) of each token's symbol."""
        self.finding = Finding("I3", "zero-sum")
        self._symbols = symbols
        self._totals: dict[tuple[str, str], int] = defaultdict(int)
        self._scales: dict[str, int] = {}
        self._entry_count = self._posting_count = 0

    def take(self, entry: Entry) -> None:
        """Judge one entry and add it up."""
        sums: dict[tuple[str, str], int] = {}
        for posting in entry.postings:
            key = (posting.unit, posting.phase)
            if not isinstance(posting.amount, int):
                self.finding.against(f"je_{entry.seq} line {posting.line}: {posting.amount!r}")
                continue
            sums[key] = sums.get(key, 0) + posting.amount
            self._totals[key] += posting.amount
            if posting.code.rpartition(":")[2] != posting.unit:
                self.finding.against(f"account {posting.code} is kept in {posting.unit}")
        for (unit, phase), left in sums.items():
            if left:
                self.finding.against(f"je_{entry.seq} is off by {left} {unit} ({phase})")
        if entry.kind == "payment":
            self._judge_par(entry)
        self._entry_count += 1
        self._posting_count += len(entry.postings)

    def close(self) -> Finding:
        """Judge the whole journal."""
        for (unit, phase), left in self._totals.items():
            if left:
                self.finding.against(f"the journal is off by {left} {unit} ({phase})")
        self.finding.counts = {
            "entries": self._entry_count,
            "postings": self._posting_count,
            "units": len({unit for unit, _ in self._totals}),
        }
        return self.finding

    def _judge_par(self, entry: Entry) -> None:
        """A claim meets its token exactly: per participant the two are one power of ten apart."""
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for posting in entry.postings:
            if posting.phase == "posted" and posting.code.startswith("par:"):
                sums[posting.code.split(":")[1], posting.unit] += posting.amount
        for (owner, unit), amount in sums.items():
            currency = self._symbols.get(unit)
            if currency is None or not amount:
                continue
            claim = sums.get((owner, currency), 0)
            scale, rest = divmod(-amount, claim) if claim else (0, 1)
            if rest or not _is_power_of_ten(scale) or scale != self._scales.setdefault(unit, scale):
                self.finding.against(f"je_{entry.seq}: the par accounts of {owner} do not meet")


class History:
    """I7: the chain of hashes from its beginning, and the triggers that guard history."""

    def __init__(self) -> None:
        self.finding = Finding("I7", "history")
        self._seq, self._hash = 0, "0" * 64

    def take(self, entry: Entry) -> None:
        """Judge one entry's place in the chain of hashes."""
        if entry.seq != self._seq + 1:
            self.finding.against(f"je_{self._seq + 1} is missing")
        elif entry.prev_hash != self._hash:
            self.finding.against(f"je_{entry.seq} does not follow je_{self._seq}")
        if [posting.line for posting in entry.postings] != list(range(len(entry.postings))):
            self.finding.against(f"je_{entry.seq} lacks a posting")
        if digest_of(entry) != entry.hash:
            self.finding.against(f"je_{entry.seq} is not what was posted: its hash differs")
        self._seq, self._hash = entry.seq, entry.hash

    def close(self, database: Database) -> Finding:
        """Judge the triggers and the closed periods, and return the finding."""
        guarded = _guarded_on_sqlite(database) if database.is_sqlite else _guarded(database)
        for table in APPEND_ONLY:
            for act in ("UPDATE", "DELETE"):
                if (table, act) not in guarded:
                    self.finding.against(f"no trigger refuses {act} on {table}")
        periods = judge_periods(database, self.finding)
        self.finding.counts = {
            "entries": self._seq, "head": self._hash, "triggers": len(guarded), "periods": periods,
        }  # fmt: skip
        return self.finding


def digest_of(entry: Entry) -> str:
    """Return the hash that an entry has to have, made anew from its stored rows."""
    lines = [[posting.code, posting.phase, posting.amount] for posting in entry.postings]
    content = [
        entry.prev_hash, entry.seq, entry.kind, entry.source_key, entry.invoice_id,
        entry.settlement_id, entry.block_number, entry.block_hash, entry.tx_hash,
        entry.reverses_seq, entry.reason, entry.value_date, entry.booked_at, lines,
    ]  # fmt: skip
    return sha256(_TEXT.encode(content).encode()).hexdigest()


def _guarded_on_sqlite(database: Database) -> set[tuple[str, str]]:
    found = set()
    for table, statement in database.rows(
        "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    ):
        words = " ".join(statement.upper().split())
        for act in ("UPDATE", "DELETE"):
            if f"BEFORE {act} ON {table.upper()} BEGIN SELECT RAISE(ABORT" in words:
                found.add((table, act))
    return found


def _guarded(database: Database) -> set[tuple[str, str]]:
    rows = database.rows(
        "SELECT c.relname, t.tgtype FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL"
        " AND p.prosrc LIKE '%RAISE EXCEPTION%'"
    )
    # Bits of pg_trigger.tgtype: 2 before, 8 delete, 16 update.
    return {
        (table, act)
        for table, kind in rows
        for act, bit in (("UPDATE", 16), ("DELETE", 8))
        if kind & 2 and kind & bit
    }


def _is_power_of_ten(number: int) -> bool:
    return number > 0 and str(number).strip("0") == "1"
