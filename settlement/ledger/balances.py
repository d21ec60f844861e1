"""Balances: what the journal adds up to, now, at a past moment, or at a block.

The sums of now are kept beside the postings, so that no question about now costs more as the
journal grows; the past is added up from the postings. Those sums are exact at any size: they are
added up in two halves, because SQLite's sums end at 63 bits and an operator's coins may not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.ledger.accounts import wallet
from settlement.store.bulk import Row, insert_rows, rows, rows_by_key

HALF = 2**32
"""Sums are kept and added up as `high * HALF + low`."""
SUM_HALVES = f"SUM(p.amount_minor / {HALF}), SUM(p.amount_minor - p.amount_minor / {HALF} * {HALF})"
"""Two columns of a query over `posting p`, put together by `whole`."""
_OPENING = frozenset({"reserve", "reversal"})
"""Kinds whose pending lines set something aside; those of all others release it."""


def whole(high: object, low: object) -> int:
    """Put the two halves of a sum together; None is the sum of nothing."""
    return int(high or 0) * HALF + int(low or 0)  # type: ignore[call-overload]


def balances(
    session: Session,
    codes: Sequence[str],
    *,
    at_block: int | None = None,
    at: datetime | None = None,
    on: date | None = None,
) -> dict[str, int]:
    """Return the balance of each account; 0 for one that was never posted to.

    `at_block` counts what happened on the chain up to and including that block, and nothing that
    has no block. `at` counts what had been posted by that moment; `on` what has a value date up to
    and including that day, whenever it was posted. A reversed entry and its reversal cancel out.
    """
    if at_block is None and at is None and on is None:
        found = {code: posted for code, posted, _reserved in _kept(session, codes)}
    else:
        where, values = _until(at_block, at, on)
        found = _added_up(session, codes, where, values)
    return {code: found.get(code, 0) for code in codes}


def available(
    session: Session, wallets: Mapping[tuple[str, str], str]
) -> dict[tuple[str, str], int]:
    """Return what each wallet holds and has not set aside; what is to come does not count.

    `wallets` maps (wallet, token address) to the token's symbol.
    """
    code_of = {key: wallet(key[0], symbol) for key, symbol in wallets.items()}
    free = {code: posted - reserved for code, posted, reserved in _kept(session, code_of.values())}
    return {key: free.get(code, 0) for key, code in code_of.items()}


def balances_at(session: Session, kinds: Sequence[str], block_number: int) -> dict[str, int]:
    """Return the balance at a block of every account of kinds whose every posting has a block.

    Takes from the sums of now what came later: a recent block is cheap, however long the journal.
    """
    kept = rows_by_key(
        session,
        "SELECT a.code, b.posted_high, b.posted_minor FROM account a"
        " JOIN balance b ON b.account_id = a.id WHERE a.kind {keys}",
        kinds,
    )
    found = {str(code): whole(high, low) for code, high, low in kept}
    later = rows_by_key(
        session,
        f"SELECT a.code, {SUM_HALVES}"
        # In this order: the later entries are few, the postings of an account all there are.
        " FROM journal_entry e CROSS JOIN posting p CROSS JOIN account a WHERE a.kind {keys}"
        " AND e.block_number > ? AND p.entry_seq = e.seq AND p.phase = 'posted'"
        " AND a.id = p.account_id GROUP BY a.code",
        kinds,
        block_number,
    )
    for code, high, low in later:
        found[code] -= whole(high, low)
    return found


def codes_of(session: Session, *, kind: str | None = None, owner: str | None = None) -> list[str]:
    """Return the codes of the accounts of a kind, of an owner, or both, in alphabetical order."""
    wanted = [(column, value) for column, value in (("kind", kind), ("owner", owner)) if value]
    where = " AND ".join(f"{column} = ?" for column, _value in wanted) or "1 = 1"
    values = tuple(value for _column, value in wanted)
    return sorted(
        code for (code,) in rows(session, f"SELECT code FROM account WHERE {where}", values)
    )


def keep(
    session: Session,
    posted: Mapping[int, int],
    pending: Sequence[tuple[int, int, str]],
    wei_accounts: Collection[int],
) -> None:
    """Add what a posting run has moved to the kept sums, while it holds the journal's head.

    `posted` is by account; `pending` has account, amount and the entry's kind of each pending line.
    """
    sums = {
        account_id: [*_halves(minor, account_id in wei_accounts), 0, 0]
        for account_id, minor in posted.items()
    }
    for account_id, minor, kind in pending:
        # The payer's reservation is written -, the payee's +; their releases the other way round.
        opening = kind in _OPENING
        column = 2 if (minor < 0) == opening else 3
        of_account = sums.setdefault(account_id, [0, 0, 0, 0])
        of_account[column] += abs(minor) if opening else -abs(minor)
    insert_rows(
        session,
        "balance",
        ("account_id", "posted_high", "posted_minor", "reserved_minor", "expected_minor"),
        [(account_id, *four) for account_id, four in sorted(sums.items())],
        "ON CONFLICT (account_id) DO UPDATE SET"
        " posted_high = balance.posted_high + excluded.posted_high,"
        " posted_minor = balance.posted_minor + excluded.posted_minor,"
        " reserved_minor = balance.reserved_minor + excluded.reserved_minor,"
        " expected_minor = balance.expected_minor + excluded.expected_minor",
    )


def _halves(minor: int, in_wei: bool) -> tuple[int, int]:
    """Return what is added to the high and to the low part of a kept sum."""
    return divmod(minor, HALF) if in_wei else (0, minor)


def _kept(session: Session, codes: Iterable[str]) -> list[Row]:
    found = rows_by_key(
        session,
        "SELECT a.code, b.posted_high, b.posted_minor, b.reserved_minor FROM account a"
        " JOIN balance b ON b.account_id = a.id WHERE a.code {keys}",
        codes,
    )
    return [(code, whole(high, low), reserved) for code, high, low, reserved in found]


def _added_up(
    session: Session, codes: Sequence[str], where: str, values: tuple[int | str, ...]
) -> dict[str, int]:
    found = rows_by_key(
        session,
        f"SELECT a.code, {SUM_HALVES} FROM account a JOIN posting p ON p.account_id = a.id"
        " JOIN journal_entry e ON e.seq = p.entry_seq"
        f" WHERE a.code {{keys}} AND p.phase = 'posted'{where} GROUP BY a.code",
        codes,
        *values,
    )
    return {code: whole(high, low) for code, high, low in found}


def _until(
    at_block: int | None, at: datetime | None, on: date | None
) -> tuple[str, tuple[int | str, ...]]:
    bounds: dict[str, int | str] = {}
    if at_block is not None:
        bounds["block_number"] = at_block
    if at is not None:
        bounds["booked_at"] = to_micros(at)
    if on is not None:
        bounds["value_date"] = on.isoformat()
    return "".join(f" AND e.{column} <= ?" for column in bounds), tuple(bounds.values())
