"""From proposals to stored matches: what is new is made, what no longer holds is undone.

What is proposed as it stands stays untouched, so that a second run changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.reconciliation.engine.dialect import is_sqlite
from settlement.reconciliation.engine.proposing import run
from settlement.reconciliation.engine.rules import Rule, RuleSet, cardinality
from settlement.reconciliation.engine.undoing import RAIL, undo
from settlement.store.bulk import rows

LOOKED_AT_ANEW = "looked at anew: with the records or rules there are now, this is not the answer"

_UNDONE_BY_HAND = (
    "SELECT y.lead_id FROM recon_match y JOIN recon_group h ON h.lead = y.lead_id"
    f" AND h.size = y.size WHERE NOT y.live AND y.kind = 'auto' AND y.undone_by <> '{RAIL}'"
    " AND NOT EXISTS (SELECT 1 FROM recon_member m WHERE m.match_id = y.id AND m.record_id NOT IN"
    " (SELECT k.record_id FROM recon_pick k WHERE k.lead = y.lead_id))"
)
"""Leads of groups that were matches of the same records, until a person undid them: what one has
decided no run decides again."""


@dataclass(frozen=True, slots=True)
class Change:
    """What proposals would change: numbers of matches."""

    kept: int
    gained: int
    lost: int


def compare(session: Session, rule_set: RuleSet) -> Change:
    """Take out of the proposals, and of the live matches looked at, what is in both."""
    ((proposed,),) = rows(session, "SELECT COUNT(*) FROM recon_group")
    ((old,),) = rows(session, "SELECT COUNT(*) FROM recon_old")
    if not old:
        return Change(0, int(proposed), 0)
    names = " ".join(f"WHEN {i} THEN :rule_{i}" for i in range(len(rule_set.rules)))
    values = {f"rule_{i}": rule.id for i, rule in enumerate(rule_set.rules)}
    run(session, "DROP TABLE IF EXISTS recon_same")
    run(
        session,
        "CREATE TEMPORARY TABLE recon_same (match_id BIGINT, lead BIGINT)",
    )
    kept = run(
        session,
        "INSERT INTO recon_same (match_id, lead) SELECT x.id, g.lead FROM recon_old o"
        " JOIN recon_match x ON x.id = o.match_id JOIN recon_member m ON m.match_id = x.id"
        " JOIN recon_group g ON g.lead = x.lead_id AND g.size = x.size"
        " JOIN recon_pick k ON k.lead = g.lead AND k.record_id = m.record_id"
        f" WHERE m.live AND x.rule_id = CASE g.rule_no {names} END"
        " GROUP BY x.id, g.lead, g.size HAVING COUNT(*) = g.size",
        **values,
    )
    for table, column in (("recon_group", "lead"), ("recon_pick", "lead"),
                          ("recon_old", "match_id")):  # fmt: skip
        run(session, f"DELETE FROM {table} WHERE {column} IN (SELECT {column} FROM recon_same)")
    run(session, "DROP TABLE recon_same")
    return Change(kept, int(proposed) - kept, int(old) - kept)


def undo_old(session: Session, now: datetime) -> int:
    """Undo the live matches that are no answer any more; return how many."""
    found = [key for (key,) in rows(session, "SELECT match_id FROM recon_old ORDER BY match_id")]
    undo(session, found, actor=RAIL, reason=LOOKED_AT_ANEW, now=now)
    return len(found)


def store_chunk(
    session: Session, rule_set: RuleSet, *, version: int, after: int, chunk: int, now: datetime
) -> tuple[int, int | None]:
    """Store the next `chunk` proposals with a lead above `after`.

    Returns how many, and the lead to go on after; None when there are no more. What a person has
    matched since it was proposed is passed over, and so is just what a person has undone.
    """
    leads = rows(
        session,
        "SELECT MAX(lead), COUNT(*) FROM (SELECT lead FROM recon_group WHERE lead > ?"
        " ORDER BY lead LIMIT ?) page",
        (after, chunk),
    )
    last, count = leads[0]
    if not count:
        return 0, None
    span = {"after": after, "last": int(last)}
    ((newest,),) = rows(session, "SELECT COALESCE(MAX(id), 0) FROM recon_match")
    free = (
        "NOT EXISTS (SELECT 1 FROM recon_pick k JOIN recon_record r ON r.id = k.record_id"
        f" WHERE k.lead = g.lead AND r.state <> 'open') AND g.lead NOT IN ({_UNDONE_BY_HAND})"
    )
    within = "g.lead > :after AND g.lead <= :last"
    made = run(
        session,
        "INSERT INTO recon_match (rule_set_version, rule_id, score, reasons, kind, lead_id, size,"
        f" live, created_at, created_by) SELECT :version, {_case(rule_set, 'id')},"
        f" {_case(rule_set, 'score')}, {_reasons(session, rule_set)}, 'auto', g.lead, g.size, true,"
        f" :at, '{RAIL}' FROM recon_group g WHERE {within} AND {free}",
        version=version,
        at=to_micros(now),
        **span,
        **_values(rule_set),
    )
    run(
        session,
        "INSERT INTO recon_member (match_id, record_id, live) SELECT x.id, k.record_id, true"
        " FROM recon_match x CROSS JOIN recon_pick k"
        " WHERE x.id > :newest AND x.live AND x.kind = 'auto' AND k.lead = x.lead_id",
        newest=newest,
    )
    run(
        session,
        "UPDATE recon_record SET state = 'matched', fresh = false WHERE state = 'open' AND id IN"
        # Of a group that was passed over nobody is matched.
        " (SELECT m.record_id FROM recon_match x JOIN recon_member m ON m.match_id = x.id"
        " WHERE x.id > :newest AND x.live AND x.kind = 'auto' AND m.live)",
        newest=newest,
    )
    return made, int(last)


def settle_left_over(session: Session) -> int:
    """Note that what is still open has been looked at; return how many that are."""
    return run(
        session,
        "UPDATE recon_record SET fresh = false WHERE fresh AND state = 'open'"
        " AND id IN (SELECT id FROM recon_scope)",
    )


def _case(rule_set: RuleSet, name: str) -> str:
    """A rule's value by its number; texts as bound values."""
    said = " ".join(
        f"WHEN {i} THEN " + (f":{name}_{i}" if name == "id" else str(getattr(rule, name)))
        for i, rule in enumerate(rule_set.rules)
    )
    return f"CASE g.rule_no {said} END"


def _values(rule_set: RuleSet) -> dict[str, object]:
    values: dict[str, object] = {}
    for i, rule in enumerate(rule_set.rules):
        values |= {f"id_{i}": rule.id, f"why_{i}": _why(rule)}
    return values


def _why(rule: Rule) -> str:
    """The beginning of a match's reasons: what its rule has found equal."""
    agree = ["currency", "sign", *rule.key]
    said = {"rule": rule.title, "agree": agree, "cardinality": cardinality(rule)}
    return orjson.dumps(said).decode()[:-1]


def _reasons(session: Session, rule_set: RuleSet) -> str:
    why = " ".join(f"WHEN {i} THEN :why_{i}" for i in range(len(rule_set.rules)))
    text = "" if is_sqlite(session) else "::text"
    return (
        f'CASE g.rule_no {why} END || \',"difference_micro":"\' || g.miss{text}'
        f" || '\",\"days_apart\":' || g.apart{text} || '}}'"
    )
