"""Matching: each booked settlement to exactly one canonical log pair and one entry; else a break.

Set-based and incremental: below the mark that a run leaves behind, everything is matched or has an
open break. Asks no node, moves no settlement and posts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from settlement import watcher
from settlement.clock import to_micros
from settlement.reconciliation import bare_transfers, breaks, others
from settlement.reconciliation.breaks import BreakKind, OpenBreak
from settlement.reconciliation.evidence import explain, gather
from settlement.store.bulk import rows, run

RECONCILED = "reconciled"
"""Name of the cursor that holds the mark."""

_OF_SETTLEMENTS = (
    BreakKind.MISSING_ON_CHAIN,
    BreakKind.MISSING_IN_LEDGER,
    BreakKind.UNPAIRED,
    BreakKind.AMOUNT,
    BreakKind.PAYEE,
    BreakKind.DUPLICATE,
    BreakKind.NOT_BOOKED,
    BreakKind.UNMATCHED,
)
_KINDS = ", ".join(f"'{kind}'" for kind in (*_OF_SETTLEMENTS, BreakKind.REORGED))
_UNREVERSED = "NOT EXISTS (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq)"
_UNMATCHED = "NOT EXISTS (SELECT 1 FROM settlement_match m WHERE m.settlement_id = s.id AND m.live)"
# Not a plain comparison: the index by state would lead through every settlement that ever was.
_IS_BOOKED = "(s.state || '') IN ('BOOKED', 'SETTLED')"
# In this order: the new settlements are few, the logs and entries all there are.
_MATCH = f"""
    INSERT INTO settlement_match
        (settlement_id, block_hash, log_index, block_number, entry_seq, live, created_at)
    SELECT s.id, l.block_hash, l.log_index, l.block_number, e.seq, true, :at
    FROM {{first}} CROSS JOIN token k CROSS JOIN chain_log l CROSS JOIN block b
    CROSS JOIN chain_log t CROSS JOIN journal_entry e CROSS JOIN account payee
    CROSS JOIN account payer
    WHERE {{condition}} AND {_IS_BOOKED} AND {_UNMATCHED} AND k.address = s.token
        AND l.reference = s.reference AND l.name = 'Settled' AND l.address = s.rail
        AND l.token = s.token AND l.debtor = s.debtor_wallet AND l.creditor = s.creditor_wallet
        AND l.sequence = s.sequence AND l.amount_minor = s.amount_minor
        AND b.hash = l.block_hash AND b.canonical
        AND t.block_hash = l.block_hash AND t.log_index = l.pair_index
        AND t.name = 'Transfer' AND t.tx_hash = l.tx_hash AND t.address = s.token
        AND t.debtor = s.debtor_wallet AND t.creditor = s.creditor_wallet
        AND t.amount_minor = s.amount_minor
        AND e.settlement_id = s.id AND e.kind = 'payment'
        AND (e.source_key = 'log:' || t.block_hash || ':' || t.log_index
            OR e.source_key LIKE 'log:' || t.block_hash || ':' || t.log_index || ':%')
        AND {_UNREVERSED}
        AND payee.code = 'wallet:' || s.creditor_wallet || ':' || k.symbol
        AND payer.code = 'wallet:' || s.debtor_wallet || ':' || k.symbol
        AND EXISTS (SELECT 1 FROM posting p WHERE p.entry_seq = e.seq AND p.phase = 'posted'
            AND p.account_id = payee.id AND p.amount_minor = s.amount_minor)
        AND EXISTS (SELECT 1 FROM posting p WHERE p.entry_seq = e.seq AND p.phase = 'posted'
            AND p.account_id = payer.id AND p.amount_minor = -s.amount_minor)
        AND NOT EXISTS (SELECT 1 FROM chain_log o JOIN block ob ON ob.hash = o.block_hash
            AND ob.canonical WHERE o.reference = s.reference AND o.name = 'Settled'
            AND o.address = s.rail
            AND (o.block_hash <> l.block_hash OR o.log_index <> l.log_index))
        AND NOT EXISTS (SELECT 1 FROM journal_entry o WHERE o.settlement_id = s.id
            AND o.kind = 'payment' AND o.seq <> e.seq
            AND NOT EXISTS (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = o.seq))
    """
_MATCH_NEW = _MATCH.format(first="settlement s", condition="s.block_number > :after")
_MATCH_BROKEN = _MATCH.format(
    # One settlement may have several open breaks.
    first="(SELECT DISTINCT q.subject FROM settlement_break q WHERE q.closed_at IS NULL"
    f" AND q.kind IN ({_KINDS}) AND substr(q.subject, 1, 4) = 'stl_') c"
    " CROSS JOIN settlement s",
    condition="s.id = c.subject",
)
_LEAVE_MARK = (
    "INSERT INTO cursor (name, number, hash, at)"
    " SELECT :name, b.number, b.hash, CAST(:at AS BIGINT) FROM block b"
    " WHERE b.number = :number AND b.canonical"
    " ON CONFLICT (name) DO UPDATE SET number = excluded.number, hash = excluded.hash,"
    " at = excluded.at"
)
_TO_EXPLAIN = (
    # Booked, and not matched.
    f"SELECT s.id FROM settlement s WHERE s.block_number > ? AND {_IS_BOOKED} AND {_UNMATCHED}"
    # Paid by an entry, or by the chain, for good, and not matched. Whether they are in a match
    # themselves is asked first: nearly all are, and their settlements need no look.
    " UNION SELECT s.id FROM journal_entry e JOIN settlement s ON s.id = e.settlement_id"
    " WHERE e.block_number > ? AND e.block_number <= ? AND e.kind = 'payment'"
    " AND NOT EXISTS (SELECT 1 FROM settlement_match x WHERE x.entry_seq = e.seq AND x.live)"
    f" AND {_UNREVERSED} AND {_UNMATCHED}"
    " UNION SELECT s.id FROM chain_log l JOIN block b ON b.hash = l.block_hash AND b.canonical"
    " JOIN settlement s ON s.reference = l.reference AND s.rail = l.address"
    " WHERE l.block_number > ? AND l.block_number <= ? AND l.name = 'Settled'"
    " AND NOT EXISTS (SELECT 1 FROM settlement_match x WHERE x.block_hash = l.block_hash"
    " AND x.log_index = l.log_index AND x.live)"
    f" AND {_UNMATCHED}"
)


@dataclass(frozen=True, slots=True)
class Matched:
    """What one run has done, and the newest final block that booking has passed."""

    matched: int
    opened: int
    closed: int
    through: int


def match(session: Session, now: datetime) -> Matched:
    """Match what is booked, open a break for what does not agree, close what has healed."""
    through = newest_settled_block(session)
    if through is None:
        return Matched(0, 0, 0, 0)
    after = _mark(session)
    at = to_micros(now)
    made = run(session, _MATCH_NEW, {"after": after, "at": at})
    made += run(session, _MATCH_BROKEN, {"at": at})
    opened, closed = _explain(session, after, through, now)
    for opened_here, closed_here in (
        others.unknown_settlements(session, after, now),
        bare_transfers.uninstructed(session, after, now),
        others.rejected(session, after, now),
        others.reorged(session, after, now),
    ):
        opened, closed = opened + opened_here, closed + closed_here
    _leave_mark(session, max(after, through), now)
    return Matched(made, opened, closed, through)


def newest_settled_block(session: Session) -> int | None:
    """Return the newest final block up to which everything is booked, None before the first."""
    final = watcher.final(session)
    if final is None:
        return None
    (due,) = rows(
        session,
        "SELECT MIN(r.block_number) FROM receipt r JOIN block b ON b.hash = r.block_hash"
        " AND b.canonical WHERE r.books = 'due'",
    )[0]
    return final.number if due is None else min(final.number, due - 1)


def _explain(session: Session, after: int, through: int, now: datetime) -> tuple[int, int]:
    is_open = [
        each
        for each in breaks.open_of(session, _OF_SETTLEMENTS)
        if each.subject.startswith("stl_")  # Others have breaks of these kinds about other things.
    ]
    span = (after, through)
    asked = {key for (key,) in rows(session, _TO_EXPLAIN, (after, *span, *span))}
    asked |= {each.subject for each in is_open}
    found = [why for known in gather(session, asked) if (why := explain(known, through))]
    stands = {(why.kind, why.subject) for why in found}
    healed = [each for each in is_open if (each.kind, each.subject) not in stands]
    closed = _close_healed(session, healed, stands, now)
    return breaks.open_new(session, found, now), closed


def _close_healed(
    session: Session,
    healed: list[OpenBreak],
    stands: set[tuple[BreakKind, str]],
    now: datetime,
) -> int:
    elsewhere = {subject for _kind, subject in stands}
    turned = [each for each in healed if each.subject in elsewhere]
    gone = [each for each in healed if each.subject not in elsewhere]
    closed = breaks.close(session, turned, "it is another kind of break now", now)
    return closed + breaks.close(session, gone, "the sides agree", now)


def _mark(session: Session) -> int:
    found = rows(session, "SELECT number FROM cursor WHERE name = ?", (RECONCILED,))
    return int(found[0][0]) if found else -1


def _leave_mark(session: Session, number: int, now: datetime) -> None:
    run(session, _LEAVE_MARK, {"name": RECONCILED, "number": number, "at": to_micros(now)})
