"""Proposing matches: rule by rule over the records in scope, into tables of this connection's own.

What has one record of each side is decided by one statement; only the rest is looked at one by one
(`solving`). Writes nothing that another connection could see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import text
from sqlmodel import Session

from settlement.reconciliation.engine.dialect import is_sqlite
from settlement.reconciliation.engine.rules import Rule, RuleSet
from settlement.reconciliation.engine.rules.model import MICRO_OF_A_CENT
from settlement.reconciliation.engine.solving import Item, Solved, solve
from settlement.store.bulk import Row, insert_rows, rows

_TEMPORARY = {
    "recon_scope": "id BIGINT PRIMARY KEY, step INTEGER NOT NULL",
    "recon_group": "lead BIGINT PRIMARY KEY, rule_no INTEGER NOT NULL, size INTEGER NOT NULL,"
    " miss BIGINT NOT NULL, apart INTEGER NOT NULL, second BIGINT, third BIGINT",
    "recon_pick": "lead BIGINT NOT NULL, record_id BIGINT NOT NULL, PRIMARY KEY (lead, record_id)",
    "recon_old": "match_id BIGINT PRIMARY KEY",
}
"""The records that are looked at; groups that a rule has found, and who is in them; live matches
that are looked at anew."""
_LOW, _HIGH = "COALESCE(r.low_micro, r.amount_micro)", "COALESCE(r.high_micro, r.amount_micro)"
_FIRST, _LAST = "COALESCE(r.first_day, r.value_day)", "COALESCE(r.last_day, r.value_day)"
_BOUNDED = "expected"
"""The only source whose records have bounds; all others are of one amount and one day."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """How many groups were found, and the rules under which some block was too much work."""

    groups: int
    cut: tuple[str, ...]


def prepare(session: Session) -> None:
    """Make the connection's own tables, empty."""
    keyed = " WITHOUT ROWID" if is_sqlite(session) else ""
    for name, columns in _TEMPORARY.items():
        # SQLite numbers rows by an INTEGER key; BIGINT would be a second tree.
        said = columns.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY") if keyed else columns
        tail = keyed if name == "recon_pick" else ""
        run(session, f"DROP TABLE IF EXISTS {_own(session)}{name}")
        run(session, f"CREATE TEMPORARY TABLE {name} ({said}){tail}")


def discard(session: Session) -> None:
    """Drop the connection's own tables."""
    for name in _TEMPORARY:
        run(session, f"DROP TABLE IF EXISTS {_own(session)}{name}")


def propose(session: Session, rule_set: RuleSet) -> Proposed:
    """Try every rule on the records in scope; what one has taken, the next does not see."""
    groups, cut = 0, []
    for number, rule in enumerate(rule_set.rules):
        if not _has_all_sides(session, rule):
            continue
        found = _take_simple(session, rule, number)
        more, is_cut = _take_solved(session, rule, number)
        if more:
            _leave_scope(session, number)
        groups += found + more
        if is_cut:
            cut.append(rule.id)
    return Proposed(groups, tuple(cut))


def run(session: Session, sql: str, **values: object) -> int:
    """Run one statement; return how many rows it changed."""
    return int(session.connection().execute(text(sql), values).rowcount)


def side(rule: Rule, number: int, alias: str = "r") -> str:
    """The condition that a record is of a side of the rule."""
    listed = ", ".join(f"'{source}'" for source in rule.between[number])
    return f"{alias}.source IN ({listed})"


def _own(session: Session) -> str:
    return "temp." if is_sqlite(session) else "pg_temp."


def _has_all_sides(session: Session, rule: Rule) -> bool:
    return all(
        rows(
            session,
            "SELECT 1 FROM recon_scope c JOIN recon_record r ON r.id = c.id"
            f" WHERE {side(rule, number)} LIMIT 1",
        )
        for number in range(len(rule.between))
    )


def _block_key(rule: Rule) -> str:
    """The columns that are equal in all records of a block."""
    amount = ["r.amount_micro"] if _is_of_one_amount(rule) else []
    sign = [] if amount else ["r.amount_micro > 0"]
    # What tells most records apart comes first: sorting then seldom looks at the rest.
    return ", ".join([*(f"r.{k}" for k in rule.key), *amount, "r.currency", *sign])


def _is_bounded(rule: Rule) -> bool:
    return any(_BOUNDED in sources for sources in rule.between)


def _is_of_one_amount(rule: Rule) -> bool:
    """Whether all records of a block have the same amount."""
    return rule.is_pairwise and rule.is_exact and not _is_bounded(rule)


def _in_scope(rule: Rule) -> str:
    """The records in scope that have the rule's keys. The scope leads: the records are many."""
    sources = ", ".join(f"'{source}'" for sources in rule.between for source in sources)
    given = " AND ".join(f"r.{name} <> ''" for name in rule.key)
    return (
        f" FROM recon_scope c CROSS JOIN recon_record r WHERE r.id = c.id"
        f" AND r.source IN ({sources}) AND {given}"
    )


def _of(rule: Rule, number: int, value: str) -> str:
    return f"MAX(CASE WHEN {side(rule, number)} THEN {value} END)"


def _count(rule: Rule, number: int) -> str:
    return f"SUM(CASE WHEN {side(rule, number)} THEN 1 ELSE 0 END)"


def _take_simple(session: Session, rule: Rule, number: int) -> int:
    """Take blocks of one record a side that agrees: nothing can tie there."""
    others = range(1, len(rule.between))
    having = [f"{_count(rule, n)} = 1" for n in range(len(rule.between))]
    having += [
        f"(MIN(r.{name}) IS NULL OR MIN(r.{name}) = MAX(r.{name}))" for name in rule.must_not_differ
    ]
    for n in others:
        having += [*_amounts_agree(rule, n), *_days_agree(rule, n)]
    amount, day = _of(rule, 0, "r.amount_micro"), _of(rule, 0, "r.value_day")
    more = "0" if _is_of_one_amount(rule) else f"{_of(rule, 1, 'r.amount_micro')} - {amount}"
    taken = run(
        session,
        "INSERT INTO recon_group (lead, rule_no, size, miss, apart, second, third)"
        f" SELECT {_of(rule, 0, 'r.id')}, {number}, {len(rule.between)},"
        f" {more}, {_of(rule, 1, 'r.value_day')} - {day},"
        f" {_of(rule, 1, 'r.id')}, {_of(rule, 2, 'r.id') if 2 in others else 'NULL'}"
        f"{_in_scope(rule)} GROUP BY {_block_key(rule)} HAVING {' AND '.join(having)}",
    )
    if taken:
        for column in ("lead", "second", "third")[: len(rule.between)]:
            run(
                session,
                f"INSERT INTO recon_pick (lead, record_id) SELECT lead, {column}"
                f" FROM recon_group WHERE rule_no = {number}",
            )
        _leave_scope(session, number)
    return taken


def _amounts_agree(rule: Rule, number: int) -> list[str]:
    if _is_of_one_amount(rule):
        return []
    low, high = _of(rule, 0, _LOW), _of(rule, 0, _HIGH)
    allowed = _tolerance(rule, low, high)
    return [
        f"{low} - {_of(rule, number, _HIGH)} <= {allowed}",
        f"{_of(rule, number, _LOW)} - {high} <= {allowed}",
    ]


def _days_agree(rule: Rule, number: int) -> list[str]:
    # Each value is taken out of its block at a cost: of one day there is one.
    first, last = (_FIRST, _LAST) if _is_bounded(rule) else ("r.value_day", "r.value_day")
    return [
        f"{_of(rule, number, last)} >= {_of(rule, 0, first)} - {rule.days_before}",
        f"{_of(rule, number, first)} <= {_of(rule, 0, last)} + {rule.days_after}",
    ]


def _tolerance(rule: Rule, low: str, high: str) -> str:
    """`rules.tolerance` in whole numbers, in steps that 64 bits hold."""
    if rule.percent_ppm == 0:
        return str(rule.tolerance_micro)
    pair = (f"ABS({low})", f"ABS({high})")
    size = f"(CASE WHEN {pair[0]} > {pair[1]} THEN {pair[0]} ELSE {pair[1]} END)"
    rest = f"({size} % 1000000) * {rule.percent_ppm}"
    carried = 999_999 if rule.rounding == "up" else 0
    added = {"down": 0, "up": MICRO_OF_A_CENT - 1, "half_up": MICRO_OF_A_CENT // 2}[rule.rounding]
    share = f"({size} / 1000000 * {rule.percent_ppm} + ({rest} + {carried}) / 1000000 + {added})"
    share = f"({share} / {MICRO_OF_A_CENT} * {MICRO_OF_A_CENT})"
    return f"(CASE WHEN {share} > {rule.tolerance_micro} THEN {share}" + (
        f" ELSE {rule.tolerance_micro} END)"
    )


def _take_solved(session: Session, rule: Rule, number: int) -> tuple[int, bool]:
    """Look at the blocks of more than one record a side."""
    found: list[tuple[Item, ...]] = []
    is_cut = False
    for items in _blocks(session, rule):
        solved: Solved = solve(rule, items)
        found += solved.groups
        is_cut |= solved.is_cut
    insert_rows(
        session,
        "recon_group",
        ("lead", "rule_no", "size", "miss", "apart"),
        [(_lead(group), number, len(group), *_miss(group)) for group in found],
    )
    insert_rows(
        session,
        "recon_pick",
        ("lead", "record_id"),
        [(_lead(group), item.id) for group in found for item in group],
    )
    return len(found), is_cut


def _lead(group: Sequence[Item]) -> int:
    return min(item.id for item in group if item.side == 0)


def _miss(group: Sequence[Item]) -> tuple[int, int]:
    """By how much the second side is more than the first, and how many days it is later."""
    first = [item for item in group if item.side == 0]
    second = [item for item in group if item.side == 1]
    more = sum(_amount(item) for item in second) - sum(_amount(item) for item in first)
    return more, max(item.first for item in second) - min(item.first for item in first)


def _amount(item: Item) -> int:
    """The bound that stands for the amount: the one of greater size."""
    return item.high if item.high > 0 else item.low


def _blocks(session: Session, rule: Rule) -> Iterator[list[Item]]:
    keys = _block_key(rule)
    names = [f"k{i}" for i in range(len(keys.split(", ")))]
    columns = ", ".join(f"{k} AS {n}" for k, n in zip(keys.split(", "), names, strict=True))
    sides = " ".join(f"WHEN {side(rule, n)} THEN {n}" for n in range(len(rule.between)))
    having = " AND ".join(f"{_count(rule, n)} > 0" for n in range(len(rule.between)))
    given = "".join(f", r.{name}" for name in rule.must_not_differ)
    on = " AND ".join(
        f"{k} = b.{n}" if not k.endswith("> 0") else f"({k}) = b.{n}"
        for k, n in zip(keys.split(", "), names, strict=True)
    )
    found: Iterable[Row] = rows(
        session,
        f"WITH b AS (SELECT {columns}, MIN(r.id) AS name{_in_scope(rule)} GROUP BY {keys}"
        f" HAVING COUNT(*) > {len(rule.between)} AND {having})"
        f" SELECT b.name, r.id, CASE {sides} END, {_LOW}, {_HIGH}, {_FIRST}, {_LAST}{given}"
        f" FROM ({_all_of(rule)}) r JOIN b ON {on} ORDER BY b.name",
    )
    for _name, block in groupby(found, key=lambda row: row[0]):
        yield [Item._make((*row[1:7], row[7:])) for row in block]


def _all_of(rule: Rule) -> str:
    return f"SELECT r.*{_in_scope(rule)}"


def _leave_scope(session: Session, number: int) -> None:
    run(
        session,
        "DELETE FROM recon_scope WHERE id IN (SELECT k.record_id FROM recon_group g"
        f" JOIN recon_pick k ON k.lead = g.lead WHERE g.rule_no = {number})",
    )
