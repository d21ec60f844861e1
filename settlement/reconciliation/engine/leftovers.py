"""What the rules have left over, read for the classifier: records, companions, what excuses them.

Set-based reads alone; what they mean is `classifying`'s to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlmodel import Session

from settlement.bank import Gap, statement_gaps
from settlement.documents.identifiers import minor_units
from settlement.reconciliation.engine.dialect import normal
from settlement.states import IN_FLIGHT
from settlement.store.bulk import rows, rows_by_key

_COLUMNS = (
    "r.id, r.source, r.origin, r.owner, r.account, r.currency, r.amount_micro, r.end_to_end_id,"
    " r.reference, r.counterparty, r.value_day, r.due_day, r.first_day, r.last_day, r.low_micro,"
    " r.high_micro, r.settlement_id, r.state"
)
_OPEN = f"SELECT {_COLUMNS} FROM recon_record r WHERE r.state = 'open' ORDER BY r.id"
_SETTLED_KEYS = "r.state IN ('matched', 'explained')"
_BY_END_TO_END = (
    f"SELECT {_COLUMNS} FROM recon_record r WHERE r.end_to_end_id {{keys}} AND {_SETTLED_KEYS}"
)
_BY_REFERENCE = (
    f"SELECT {_COLUMNS} FROM recon_record r WHERE r.reference {{keys}} AND {_SETTLED_KEYS}"
)
_CHARGES = "SELECT id, charges_minor FROM bank_entry WHERE id {keys} AND charges_minor <> 0"
# Stage one has a break of it, or waits for it still; either way it is no trouble of its own.
_UNDER_WAY = (
    " AND (s.state || '') NOT IN ('CANCELLED', 'REJECTED') AND NOT EXISTS"
    " (SELECT 1 FROM settlement_match m WHERE m.settlement_id = s.id AND m.live)"
)
_EXCUSED_IDS = (
    f"SELECT s.end_to_end_id FROM settlement s WHERE s.end_to_end_id {{keys}}{_UNDER_WAY}"
)
_EXCUSED_NUMBERS = (
    "SELECT i.number, i.seller_id FROM invoice i JOIN settlement s ON s.invoice_id = i.id"
    f" WHERE i.number {{keys}}{_UNDER_WAY}"
)
_MOVING = ", ".join(f"'{state}'" for state in sorted(IN_FLIGHT))
_OPEN_BREAKS = (
    "SELECT subject FROM settlement_break WHERE subject {keys} AND closed_at IS NULL"
    " AND kind IN ('unattributed_deposit', 'unattributed_withdrawal', 'wrong_token', 'duplicate',"
    " 'unknown_settlement')"
)
_ACCOUNTS = "SELECT id, owner_id, currency FROM bank_account WHERE id {keys}"
_MICRO_DECIMALS = 6


class Leftover(NamedTuple):
    """A record that no live match has, or one that shares a key with such a record."""

    id: int
    source: str
    origin: str
    owner: str
    account: str
    currency: str
    amount_micro: int
    end_to_end_id: str | None
    reference: str | None
    counterparty: str | None
    value_day: int
    due_day: int | None
    first_day: int | None
    last_day: int | None
    low_micro: int | None
    high_micro: int | None
    settlement_id: str | None
    state: str

    @property
    def low(self) -> int:
        """The least that will do, signed."""
        return self.amount_micro if self.low_micro is None else self.low_micro

    @property
    def high(self) -> int:
        """The most that will do, signed."""
        return self.amount_micro if self.high_micro is None else self.high_micro

    @property
    def is_told(self) -> bool:
        """Whether it is what others tell us, and not what we expect of them."""
        return self.source in ("bank", "deposit", "withdrawal")


class GapOf(NamedTuple):
    """Where a statement is missing, and whose account it is."""

    gap: Gap
    owner: str
    currency: str


class Excuses(NamedTuple):
    """What has a break of its own already, or is still under way on the rail."""

    end_to_end_ids: frozenset[str]
    numbers: frozenset[tuple[str, str]]
    """Invoice number as references are written, and its seller."""
    origins: frozenset[str]

    def excuse(self, record: Leftover) -> bool:
        """Whether a record is explained by trouble, or work, that stands elsewhere."""
        return (
            record.end_to_end_id in self.end_to_end_ids
            or (record.reference, record.owner) in self.numbers
            or record.origin in self.origins
        )


def leftovers(session: Session) -> list[Leftover]:
    """Return every open record."""
    return [Leftover(*row) for row in rows(session, _OPEN)]


def companions(session: Session, records: Iterable[Leftover]) -> list[Leftover]:
    """Return what shares a strong key with a record and is matched or explained already."""
    ids = {each.end_to_end_id for each in records if each.end_to_end_id}
    references = {each.reference for each in records if each.reference}
    found = rows_by_key(session, _BY_END_TO_END, sorted(ids))
    found += rows_by_key(session, _BY_REFERENCE, sorted(references))
    return list({row[0]: Leftover(*row) for row in found}.values())


def excuses(session: Session, records: Sequence[Leftover]) -> Excuses:
    """Return what excuses these records."""
    ids = sorted({each.end_to_end_id for each in records if each.end_to_end_id})
    references = sorted({each.reference for each in records if each.reference})
    logs = [each.origin for each in records if each.origin.startswith("log:")]
    return Excuses(
        frozenset(key for (key,) in rows_by_key(session, _EXCUSED_IDS, ids)),
        frozenset(
            (number, seller)
            for query in (_EXCUSED_NUMBERS, _moving_numbers(session))
            for number, seller in rows_by_key(session, query, references)
        ),
        frozenset(key for (key,) in rows_by_key(session, _OPEN_BREAKS, logs)),
    )


def _moving_numbers(session: Session) -> str:
    """Numbers that an invoice does not write as references are compared: small letters, spaces.

    Asked of what moves alone: no index has them in that form.
    """
    number = normal(session, "i.number")
    return (
        f"SELECT {number}, i.seller_id FROM settlement s JOIN invoice i ON i.id = s.invoice_id"
        f" WHERE s.state IN ({_MOVING}) AND {number} <> i.number AND {number} {{keys}}{_UNDER_WAY}"
    )


def charges(session: Session, records: Collection[Leftover]) -> dict[int, int]:
    """Return what the bank says it has kept of each record, in millionths of one unit."""
    currency_of = {
        int(each.origin.partition(":")[2]): (each.id, each.currency)
        for each in records
        if each.source == "bank" and each.origin.startswith("bank:")
    }
    kept = {}
    for entry, minor in rows_by_key(session, _CHARGES, sorted(currency_of)):
        record, currency = currency_of[entry]
        kept[record] = minor * micro_of_minor(currency)
    return kept


def gaps(session: Session) -> list[GapOf]:
    """Return where statements are missing."""
    found = statement_gaps(session)
    of_account = {
        key: (owner, currency)
        for key, owner, currency in rows_by_key(
            session, _ACCOUNTS, sorted({each.account_id for each in found})
        )
    }
    return [GapOf(each, *of_account[each.account_id]) for each in found]


def micro_of_minor(currency: str) -> int:
    """Return how many millionths of one unit a minor unit of a currency is; cents where unknown."""
    digits = minor_units(currency)
    return int(10 ** (_MICRO_DECIMALS - (2 if digits is None else digits)))
