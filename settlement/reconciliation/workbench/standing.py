"""Where the money of a break stands in the books, whose it is, and whether that is for good.

Reads alone. A break is about a log of the chain or an entry of a bank by its subject.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session

from settlement import watcher
from settlement.ledger import accounts
from settlement.reconciliation.workbench import effects
from settlement.reconciliation.workbench.desk import Desk
from settlement.reconciliation.workbench.errors import NotThisMoney

_LOG = text(
    "SELECT l.block_number, b.canonical, t.symbol, l.amount_minor, l.debtor, l.creditor,"
    " payer.participant_id AS payer, payee.participant_id AS payee,"
    " (SELECT COUNT(*) FROM journal_entry e WHERE e.kind = 'transfer'"
    "   AND (e.source_key = :subject OR e.source_key LIKE :parts)"
    "   AND NOT EXISTS (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = e.seq)) AS booked"
    " FROM chain_log l JOIN block b ON b.hash = l.block_hash"
    " JOIN token t ON t.address = l.address"
    " LEFT JOIN wallet payer ON payer.address = l.debtor"
    " LEFT JOIN wallet payee ON payee.address = l.creditor"
    " WHERE l.block_hash = :hash AND l.log_index = :index AND l.name = 'Transfer'"
)
_BANK = text(
    "SELECT e.amount_minor, e.currency, e.account_id, e.posted_seq, e.status, e.duplicate_of,"
    " a.owner_id, a.role FROM bank_entry e JOIN bank_account a ON a.id = e.account_id"
    " WHERE e.id = :id"
)
_RECORDS = text(
    "SELECT id, state FROM recon_record WHERE origin IN :origins ORDER BY id"
).bindparams(bindparam("origins", expanding=True))
_MATCHED_WITH = text(
    "SELECT own.match_id, r.invoice_id FROM recon_record o"
    " JOIN recon_member own ON own.record_id = o.id AND own.live"
    " JOIN recon_member m ON m.match_id = own.match_id AND m.record_id <> o.id"
    " JOIN recon_record r ON r.id = m.record_id WHERE o.origin IN :origins"
).bindparams(bindparam("origins", expanding=True))
_EXPLAIN = text(
    "UPDATE recon_record SET state = 'explained', fresh = false"
    " WHERE origin IN :origins AND state = 'open'"
).bindparams(bindparam("origins", expanding=True))
_FREE = text(
    "UPDATE recon_record SET state = 'open', fresh = true"
    " WHERE origin IN :origins AND state = 'explained' AND NOT EXISTS (SELECT 1 FROM break_effect f"
    " JOIN settlement_break k ON k.id = f.break_id WHERE k.subject = :origin AND f.live"
    " AND f.amount_minor IS NOT NULL)"
).bindparams(bindparam("origins", expanding=True))
_POSTED_AGAIN_MAX = 32
"""A log that was orphaned and came back is posted again under `<origin>:<number>`."""


class Standing(NamedTuple):
    """Unexplained money: + `minor` came to `owner`, - it went out."""

    received_in: str
    """The owner's side: suspense, or clearing of the bank account."""
    paid_from: str
    """The other side, where it stands against the owner's."""
    unit: str
    minor: int
    owner: str
    payer: str | None
    """The participant that sent it, where one did."""


def standing(session: Session, desk: Desk) -> Standing:
    """Return where the break's money stands.

    Raises:
        NotThisMoney: it stands nowhere by itself, or may still go away.
    """
    if desk.subject.startswith("log:"):
        return _on_chain(session, desk)
    if desk.subject.startswith("bank:"):
        return _at_bank(session, desk)
    raise NotThisMoney(
        f"break {desk.id} is not about money that stands unexplained",
        field="action",
        repair="match it by hand, or propose an adjustment",
    )


def unused(session: Session, desk: Desk, money: Standing) -> int:
    """Return how much of the money no act has dealt with yet, under whichever break of it.

    Of a break about what did not come, how much of that.
    """
    is_credit = money.minor > 0
    if ((desk.amount_minor or 0) > 0) is not is_credit:
        return desk.left_minor
    return abs(money.minor) - effects.used_of(session, desk.subject, is_credit=is_credit)


def records(session: Session, origin: str) -> list[tuple[int, str]]:
    """Return id and state of the matching engine's records of a break's subject."""
    return [(row.id, row.state) for row in session.execute(_RECORDS, _named(origin))]


def explain(session: Session, origin: str) -> None:
    """Tell the matching engine that a record needs no partner: a part of its money is used.

    Raises:
        NotThisMoney: it is split, and its parts would be matched all the same.
    """
    if any(state == "split" for _id, state in records(session, origin)):
        raise NotThisMoney(
            f"the record of {origin} is split",
            field="action",
            repair="join it before, or match its parts by hand",
        )
    session.connection().execute(_EXPLAIN, _named(origin))


def free(session: Session, origin: str) -> None:
    """Take `explain` back, unless another part of the money is still used."""
    session.connection().execute(_FREE, _named(origin))


def require_unmatched(session: Session, origin: str) -> None:
    """Refuse where the engine has matched the money meanwhile.

    Raises:
        NotThisMoney: it is in a live match.
    """
    if any(state == "matched" for _id, state in records(session, origin)):
        raise NotThisMoney(
            f"{origin} is matched", field="action", repair="undo the match before, or leave it"
        )


def matched_with(session: Session, origin: str) -> tuple[int, set[str | None]] | None:
    """Return the live match that a record is in, and the invoices of the others in it."""
    found = session.execute(_MATCHED_WITH, _named(origin)).all()
    return (found[0].match_id, {row.invoice_id for row in found}) if found else None


def _named(origin: str) -> dict[str, object]:
    """Return the origin with all names under which its money may have a record. Pure."""
    names = [origin]
    if origin.startswith("log:"):
        names += [f"{origin}:{nth}" for nth in range(1, _POSTED_AGAIN_MAX + 1)]
    return {"origin": origin, "origins": names}


def _on_chain(session: Session, desk: Desk) -> Standing:
    _log, block_hash, index = desk.subject.split(":")[:3]
    row = (
        session.connection()
        .execute(
            _LOG,
            {
                "hash": block_hash,
                "index": int(index),
                "subject": desk.subject,
                "parts": f"{desk.subject}:%",
            },
        )
        .one_or_none()
    )
    if row is None or not row.canonical or not row.booked:
        raise NotThisMoney(
            f"{desk.subject} is not booked, or its block was orphaned",
            repair="let the worker run: the break heals or stays",
        )
    final = watcher.final(session)
    if final is None or row.block_number > final.number:
        raise NotThisMoney(
            f"block {row.block_number} is not final: the deposit may still go away",
            repair=f"wait until block {row.block_number} is final",
        )
    if row.payee is None:
        raise NotThisMoney(
            f"{desk.subject} went to an address that nobody registered",
            repair="propose an adjustment, or close the break with a reason",
        )
    return Standing(
        received_in=accounts.suspense(row.payee, row.symbol),
        paid_from=accounts.suspense(row.payer or accounts.OUTSIDE, row.symbol),
        unit=row.symbol,
        minor=row.amount_minor,
        owner=row.payee,
        payer=row.payer,
    )


def _at_bank(session: Session, desk: Desk) -> Standing:
    number = desk.subject.split(":")[1]
    row = session.connection().execute(_BANK, {"id": int(number)}).one_or_none()
    if row is None or row.status != "BOOK" or row.duplicate_of is not None:
        raise NotThisMoney(
            f"{desk.subject} is no booked entry of a bank", repair="look at the statement again"
        )
    if row.posted_seq is None:
        raise NotThisMoney(
            f"{desk.subject} is not in the ledger yet", repair="let the worker post it"
        )
    if row.role == "reserve":
        raise NotThisMoney(
            f"{desk.subject} is on an account that backs a token: it pays no invoice",
            repair="match it by hand to the mint or burn that it belongs to",
        )
    return Standing(
        received_in=accounts.clearing(row.account_id, row.currency),
        paid_from=accounts.outside(row.currency),
        unit=row.currency,
        minor=row.amount_minor,
        owner=row.owner_id,
        payer=None,
    )
