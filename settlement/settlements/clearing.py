"""Clearing what is instructed and due: a decision for each, funds reserved where it may be paid.

The rules are in `compliance`; here their outcomes move settlements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from settlement import ledger
from settlement.clock import Ids, to_micros
from settlement.compliance import clearance, facts, lists, registers, screening, travel_rule
from settlement.compliance.candidates import (
    NOT_FINAL,
    Candidate,
    candidates,
    chain_time,
)
from settlement.compliance.candidates import purses as purses_of
from settlement.compliance.clearance import Decision, Terms
from settlement.compliance.policy import Judge, Outcome, Policy
from settlement.compliance.spent import SpentToday
from settlement.config import Settings
from settlement.settlements import reserving
from settlement.settlements.moves import move_each, move_where

_EXPIRY_MARGIN = timedelta(minutes=2)
"""A clearance with less left than this is not claimed any more: it is given anew."""

_RECHECKED_MAX = 1_000_000
"""More is never on its way at once."""

_LIFETIME_PARTS = 4
"""Where clearances live shortly, the margin is this part of their lifetime."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many settlements came out how."""

    cleared: int = 0
    held: int = 0
    rejected: int = 0


def clear(
    session: Session,
    policy: Policy,
    settings: Settings,
    *,
    ids: Ids,
    now: datetime,
    spent_today: SpentToday,
) -> Cleared:
    """Decide on up to `settlements_per_tick_max` due settlements, oldest first."""
    rows = candidates(session, now=now, limit=settings.settlements_per_tick_max)
    if not rows:
        return Cleared()
    _screen(session, rows, ids, now)
    judge = Judge(policy, now)
    purses = purses_of(session, rows, booked_of(session, rows), spent_today)
    gathered = facts.gather(session, rows, judge, now)
    lifetime = timedelta(seconds=settings.clearance_lifetime_seconds)
    # Its expiry becomes the batch's deadline, which the chain judges by its own time.
    expires = max(now, chain_time(session)) + lifetime
    judgements = []
    for row in rows:
        purse = purses[row.debtor_wallet, row.token]
        judgement = clearance.judge(judge, gathered.facts(row, judge, purse), terms_of(row))
        if judgement.payable:
            purse.spend(row.amount_minor)  # The next one sees what this one uses up.
            gathered.count(judgement.facts, judge)
        judgements.append(judgement)
    decisions = clearance.decide(
        session, policy, judgements,
        list_versions=versions(session), expires=expires, ids=ids, now=now,
    )  # fmt: skip
    with_data = {
        each.settlement_id: each.clearance_id
        for each in decisions
        if each.outcome is Outcome.ALLOW_WITH_DATA
    }
    if with_data:
        keeper = travel_rule.keeper_of(settings.home)
        travel_rule.attach(session, keeper, with_data, ids=ids, now=now)
    by_id = {row.id: row for row in rows}
    return _apply(session, decisions, by_id, now)


def recheck(session: Session, policy: Policy, judged_by: str, *, ids: Ids, now: datetime) -> str:
    """Where policy, lists or registers are not those of `judged_by`, judge anew what may be signed.

    The clearance of what they would not let pass any more ends. Return what it is judged by now.
    """
    basis = f"{policy.version} {clearance.as_text(versions(session))}"
    if basis == judged_by:
        return basis
    rows = candidates(session, now=now, limit=_RECHECKED_MAX, states=NOT_FINAL)
    if rows:
        _screen(session, rows, ids, now)
        judge = Judge(policy, now)
        gathered = facts.gather(session, rows, judge, now)
        stopped = [
            row.id
            for row in rows
            if judge.standing(gathered.facts(row, judge)) > Outcome.ALLOW_WITH_DATA
        ]
        clearance.revoke(session, stopped, now)
    return basis


def versions(session: Session) -> dict[str, str]:
    """Return the hash of every list and register in force, by name."""
    named = {row.name: row.sha256 for row in lists.versions(session)}
    return named | registers.versions(session)


def booked_of(session: Session, rows: Sequence[Candidate]) -> dict[tuple[str, str], int]:
    """Return what is booked on each wallet of `rows`, by wallet and token."""
    codes = {
        (row.debtor_wallet, row.token): ledger.accounts.wallet(row.debtor_wallet, row.symbol)
        for row in rows
    }
    booked = ledger.balances(session, list(codes.values()))
    return {key: booked[code] for key, code in codes.items()}


def terms_of(row: Candidate) -> Terms:
    """Return what a clearance of a settlement covers."""
    return Terms(
        debtor_wallet=row.debtor_wallet,
        creditor_wallet=row.creditor_wallet,
        token=row.token,
        amount_minor=row.amount_minor,
        reference=row.reference,
    )


def lapse(session: Session, settings: Settings, *, now: datetime) -> int:
    """Take CLEARED settlements whose clearance soon expires, or was revoked, back to INSTRUCTED."""
    lifetime = timedelta(seconds=settings.clearance_lifetime_seconds)
    margin = min(_EXPIRY_MARGIN, lifetime / _LIFETIME_PARTS)
    moved = move_where(
        session,
        "lapse",
        "c.id = settlement.clearance_id AND (c.expires_at < :soon OR c.revoked_at IS NOT NULL)",
        {"soon": to_micros(max(now, chain_time(session)) + margin)},
        source="FROM clearance c",
        changes=", clearance_id = NULL",
        actor="rail",
        now=now,
        reason="its clearance expired or was revoked",
    )
    ledger.void(session, moved, now)
    return len(moved)


def _apply(
    session: Session, decisions: list[Decision], rows: dict[str, Candidate], now: datetime
) -> Cleared:
    allowed = [each for each in decisions if each.outcome <= Outcome.ALLOW_WITH_DATA]
    held = [each for each in decisions if each.outcome == Outcome.HOLD]
    rejected = [each for each in decisions if each.outcome > Outcome.HOLD]
    ledger.reserve(session, [_reservation(rows[d.settlement_id], d) for d in allowed], now)
    for move, group in (("clear", allowed), ("hold", held), ("refuse", rejected)):
        move_each(
            session,
            move,
            [
                {"id": d.settlement_id, "clearance_id": d.clearance_id, "reason": d.reason or None}
                for d in group
            ],
            actor="policy",
            now=now,
            changes=", clearance_id = :clearance_id, reason = :reason",
        )
    reserving.give_back(session, [rows[each.settlement_id] for each in rejected], now)
    return Cleared(len(allowed), len(held), len(rejected))


def _screen(session: Session, rows: Sequence[Candidate], ids: Ids, now: datetime) -> None:
    """Nobody is judged who was not compared with the lists in force as it is now."""
    parties = {party for row in rows for party in (row.debtor_id, row.creditor_id)}
    screening.ensure(session, parties, ids=ids, now=now)


def _reservation(row: Candidate, decision: Decision) -> ledger.Reservation:
    return ledger.Reservation(
        clearance_id=decision.clearance_id,
        settlement_id=row.id,
        invoice_id=row.invoice_id,
        debtor_wallet=row.debtor_wallet,
        creditor_wallet=row.creditor_wallet,
        symbol=row.symbol,
        amount_minor=row.amount_minor,
    )
