"""A dry run: what a rule set would make of all that is there, as a difference. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from settlement.reconciliation.engine import applying, proposing, scope
from settlement.reconciliation.engine.rules import RuleSet
from settlement.store.bulk import Row, rows, rows_by_key

SHOWN_MAX = 200
"""Matches of each kind that are told one by one; the counts are of all."""


@dataclass(frozen=True, slots=True)
class TriedMatch:
    """A match that would come, go or change: its rule, and the origins of its records."""

    rule_id: str
    origins: tuple[str, ...]
    instead_of: int | None = None
    """Of a changed one: the live match that it would take records from."""


@dataclass(frozen=True, slots=True)
class Diff:
    """What would be otherwise. Changed: another match with some of the same records, or another
    rule for the same ones."""

    kept: int
    gained: int
    lost: int
    changed: int
    new: tuple[TriedMatch, ...]
    gone: tuple[TriedMatch, ...]
    other: tuple[TriedMatch, ...]
    cut: tuple[str, ...]
    """Rules under which some block was more work than is done."""


def dry_run(session: Session, rule_set: RuleSet) -> Diff:
    """Match everything by `rule_set`, beside what is stored; matches by hand stay as they are."""
    proposing.prepare(session)
    try:
        scope.everything(session)
        proposed = proposing.propose(session, rule_set)
        change = applying.compare(session, rule_set)
        return _diff(session, rule_set, change, proposed.cut)
    finally:
        proposing.discard(session)


def _diff(
    session: Session, rule_set: RuleSet, change: applying.Change, cut: tuple[str, ...]
) -> Diff:
    takes = rows(
        session,
        "SELECT k.lead, MIN(m.match_id) FROM recon_old o"
        " JOIN recon_member m ON m.match_id = o.match_id AND m.live"
        " JOIN recon_pick k ON k.record_id = m.record_id GROUP BY k.lead ORDER BY k.lead",
    )
    instead = {int(lead): int(match) for lead, match in takes}
    taken = rows(
        session,
        "SELECT DISTINCT o.match_id FROM recon_old o"
        " JOIN recon_member m ON m.match_id = o.match_id AND m.live"
        " JOIN recon_pick k ON k.record_id = m.record_id",
    )
    replaced = {int(key) for (key,) in taken}
    groups = rows(session, "SELECT lead, rule_no FROM recon_group ORDER BY lead")
    fresh = [row for row in groups if row[0] not in instead]
    other = [row for row in groups if row[0] in instead]
    old = rows(session, "SELECT match_id FROM recon_old ORDER BY match_id")
    gone = [key for (key,) in old if key not in replaced]
    return Diff(
        kept=change.kept,
        gained=len(fresh),
        lost=len(gone),
        changed=len(other),
        new=_told(session, rule_set, fresh, instead),
        gone=_told_live(session, gone),
        other=_told(session, rule_set, other, instead),
        cut=cut,
    )


def _told(
    session: Session, rule_set: RuleSet, groups: list[Row], instead: dict[int, int]
) -> tuple[TriedMatch, ...]:
    shown = groups[:SHOWN_MAX]
    found = rows_by_key(
        session,
        "SELECT k.lead, r.origin FROM recon_pick k JOIN recon_record r ON r.id = k.record_id"
        " WHERE k.lead {keys}",
        [lead for lead, _number in shown],
    )
    return tuple(
        TriedMatch(
            rule_set.rules[number].id,
            tuple(sorted(origin for key, origin in found if key == lead)),
            instead.get(lead),
        )
        for lead, number in shown
    )


def _told_live(session: Session, match_ids: list[int]) -> tuple[TriedMatch, ...]:
    found = rows_by_key(
        session,
        "SELECT x.id, x.rule_id, r.origin FROM recon_match x JOIN recon_member m"
        " ON m.match_id = x.id JOIN recon_record r ON r.id = m.record_id WHERE x.id {keys}"
        " AND m.live",
        match_ids[:SHOWN_MAX],
    )
    rule_of = {key: rule_id for key, rule_id, _origin in found}
    return tuple(
        TriedMatch(
            rule_of[key], tuple(sorted(origin for each, _r, origin in found if each == key)), key
        )
        for key in match_ids[:SHOWN_MAX]
    )
