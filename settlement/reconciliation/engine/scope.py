"""The scope of a run: what is new, and everything that it could change the answer for.

A record that came late may tie with one that is matched already. So that the answer is the one that
a run over everything would give, whatever it could be matched with is looked at again.
"""

from __future__ import annotations

from sqlmodel import Session

from settlement.reconciliation.engine.proposing import run, side
from settlement.reconciliation.engine.rules import Rule, RuleSet
from settlement.store.bulk import rows

ROUNDS_MAX = 24
"""Steps from neighbour to neighbour; what is wider is looked at as a whole."""
_OURS = "m.live AND m.record_id = o.id"
_AUTO = "x.id = m.match_id AND x.kind = 'auto'"


def everything(session: Session) -> int:
    """Take all records into scope that no person has matched; return how many."""
    taken = run(
        session,
        "INSERT INTO recon_scope (id, step) SELECT o.id, 0 FROM recon_record o"
        " WHERE o.state = 'open' OR (o.state = 'matched' AND EXISTS (SELECT 1 FROM recon_member m"
        f" JOIN recon_match x ON {_AUTO} WHERE {_OURS})) ON CONFLICT DO NOTHING",
    )
    _take_matches(session)
    return taken


def what_is_new(session: Session, rule_set: RuleSet) -> int:
    """Take what no run has looked at into scope, and what that could be matched with."""
    taken = run(
        session,
        "INSERT INTO recon_scope (id, step)"
        " SELECT id, 0 FROM recon_record WHERE fresh AND state = 'open'",
    )
    if not taken or not _anything_older(session):
        return taken
    present = _sources(session)
    for step in range(ROUNDS_MAX):
        more = sum(
            _take_neighbours(session, rule_set, number, step)
            for number, rule in enumerate(rule_set.rules)
            if all(present & set(sources) for sources in rule.between)
        )
        if more == 0:
            _take_matches(session)
            return taken
        taken += more + _take_partners(session, step)
    return taken + everything(session)


def _anything_older(session: Session) -> bool:
    return bool(
        rows(
            session,
            "SELECT 1 FROM recon_record WHERE NOT fresh AND state IN ('open', 'matched') LIMIT 1",
        )
    )


def _sources(session: Session) -> set[str]:
    """Return which sources have records: one look into the index for each."""
    return {
        source
        for source in ("payment", "mint", "burn", "deposit", "withdrawal", "invoice", "expected",
                       "bank")
        if rows(session, "SELECT 1 FROM recon_record WHERE source = ? LIMIT 1", (source,))
    }  # fmt: skip


def _take_neighbours(session: Session, rule_set: RuleSet, number: int, step: int) -> int:
    """Take in what the records of this step could meet under a rule, unless a better one has it."""
    rule = rule_set.rules[number]
    better = [other.id for other in rule_set.rules[:number]]
    held = ""
    if better:
        listed = ", ".join(f":rule_{i}" for i in range(number))
        held = f" AND x.rule_id NOT IN ({listed})"
    taken = 0
    for one in range(len(rule.between)):
        for other in range(len(rule.between)):
            if one == other:
                continue
            taken += run(
                session,
                f"INSERT INTO recon_scope (id, step) SELECT DISTINCT o.id, {step + 1}"
                " FROM recon_scope c CROSS JOIN recon_record r CROSS JOIN recon_record o"
                f" WHERE c.step = {step} AND r.id = c.id AND {side(rule, one)}"
                f" AND {side(rule, other, 'o')} AND {_could_meet(rule)}"
                " AND (o.state = 'open' OR (o.state = 'matched' AND EXISTS"
                f" (SELECT 1 FROM recon_member m JOIN recon_match x ON {_AUTO}"
                f" WHERE {_OURS}{held}))) ON CONFLICT DO NOTHING",
                **{f"rule_{i}": name for i, name in enumerate(better)},
            )
    return taken


def _could_meet(rule: Rule) -> str:
    """Equal keys, and what else an index or a look at the row can say. Wider than the rule is."""
    equal = {"currency", "owner", *rule.key} if "account" in rule.key else {"currency", *rule.key}
    said = [f"o.{name} = r.{name}" for name in sorted(equal)]
    said += [f"r.{name} <> ''" for name in rule.key]
    bounded = any("expected" in sources for sources in rule.between)
    if rule.is_pairwise and rule.is_exact and not bounded:
        said.append("o.amount_micro = r.amount_micro")
    if not bounded:
        days = max(rule.days_before, rule.days_after)
        said.append(f"o.value_day BETWEEN r.value_day - {days} AND r.value_day + {days}")
    return " AND ".join(said)


def _take_partners(session: Session, step: int) -> int:
    """Take in the other records of matches that are looked at anew."""
    return run(
        session,
        f"INSERT INTO recon_scope (id, step) SELECT DISTINCT p.record_id, {step + 1}"
        " FROM recon_scope c CROSS JOIN recon_member m CROSS JOIN recon_member p"
        f" WHERE c.step = {step + 1} AND m.record_id = c.id AND m.live AND p.match_id = m.match_id"
        " ON CONFLICT DO NOTHING",
    )


def _take_matches(session: Session) -> None:
    """Note the live matches whose records are in scope."""
    run(
        session,
        "INSERT INTO recon_old (match_id) SELECT DISTINCT m.match_id FROM recon_scope c"
        " CROSS JOIN recon_member m WHERE m.record_id = c.id AND m.live ON CONFLICT DO NOTHING",
    )
