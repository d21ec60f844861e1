"""Compares what was found in a database with the labels of the world that was put there.

Everything is named by its content, never by a row's number: the same world in another order of rows
has the same names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Engine
from sqlmodel import Session

from scripts.benches._trouble import Labels
from settlement.store import reading
from settlement.store.bulk import rows

NOTHING = "nothing"
"""Planted nothing, or found nothing, in the confusion table."""

_MEMBERS = (
    "SELECT m.match_id, x.rule_id, r.source, r.origin, r.settlement_id, r.invoice_id"
    " FROM recon_match x JOIN recon_member m ON m.match_id = x.id"
    " JOIN recon_record r ON r.id = m.record_id WHERE x.live AND x.kind = 'auto'"
)
_BREAKS = (
    "SELECT kind, subject, detail, severity, proposed, party, amount_minor, unit"
    " FROM settlement_break WHERE closed_at IS NULL"
)
_RAIL = (
    "SELECT m.settlement_id, m.block_hash, m.log_index, e.source_key FROM settlement_match m"
    " JOIN journal_entry e ON e.seq = m.entry_seq WHERE m.live ORDER BY m.settlement_id"
)


@dataclass(frozen=True, slots=True)
class FoundBreak:
    """An open break, with everything in it named by content."""

    kind: str
    subject: str
    about: tuple[str, ...]
    """Its records; its subject where it lists none."""
    facts: str


@dataclass(slots=True)
class Found:
    """What stands in a database after reconciling."""

    rail: set[str]
    """Settlements with a live match of the first stage."""
    matches: dict[frozenset[str], str]
    """Live automatic matches by their records, with the rule."""
    breaks: list[FoundBreak]
    digest: str
    """SHA-256 over all of it, in an order of its own."""


@dataclass(slots=True)
class Score:
    """How right it is."""

    matched: int
    wrong: list[str]
    missed: list[str]
    precision: float
    recall: float
    confusion: dict[str, dict[str, int]]
    variants: dict[str, list[int]]
    """Per planted variant: how many were planted, how many found with the right kind alone."""
    faults: list[str] = field(default_factory=list)
    """The first troubles that were not classified right, in words."""

    @property
    def is_right(self) -> bool:
        """Every match right, every trouble one break of its kind, and nothing else found."""
        return not self.wrong and not self.faults


def found(engine: Engine) -> Found:
    """Read what stands after reconciling."""
    with reading(engine) as session:
        names = _Names(session)
        members: dict[int, tuple[str, set[str]]] = {}
        for match_id, rule_id, source, origin, settlement_id, invoice_id in rows(session, _MEMBERS):
            key = names.record(source, origin, settlement_id, invoice_id)
            members.setdefault(match_id, (rule_id, set()))[1].add(key)
        matches = {frozenset(keys): rule_id for rule_id, keys in members.values()}
        assert len(matches) == len(members), "two matches of the same records"
        breaks = [_break(names, row) for row in rows(session, _BREAKS)]
        rail = rows(session, _RAIL)
    digest = sha256()
    for row in rail:
        digest.update(orjson.dumps(row))
    for keys, rule_id in sorted((sorted(keys), rule_id) for keys, rule_id in matches.items()):
        digest.update(orjson.dumps((keys, rule_id)))
    for each in sorted((b.kind, b.about, b.facts) for b in breaks):
        digest.update(orjson.dumps(each))
    return Found({str(row[0]) for row in rail}, matches, breaks, digest.hexdigest())


def score(labels: Labels, what: Found) -> Score:
    """Compare with the answers. Pure."""
    is_wrong = [f"stage one: {key}" for key in sorted(what.rail - labels.rail)]
    is_wrong += [
        f"{rule}: {', '.join(sorted(keys))}"
        for keys, rule in what.matches.items()
        if keys not in labels.matches
    ]
    missed = [f"stage one: {key}" for key in sorted(labels.rail - what.rail)]
    missed += [", ".join(sorted(keys)) for keys in labels.matches if keys not in what.matches]
    made = len(what.rail) + len(what.matches)
    right = made - len(is_wrong)
    there = len(labels.rail) + len(labels.matches)
    confusion, variants, faults = _confused(labels, what)
    return Score(
        matched=made,
        wrong=is_wrong,
        missed=missed,
        precision=right / made if made else 1.0,
        recall=right / there if there else 1.0,
        confusion=confusion,
        variants=variants,
        faults=faults,
    )


def _confused(
    labels: Labels, what: Found
) -> tuple[dict[str, dict[str, int]], dict[str, list[int]], list[str]]:
    # The subject alone says what a break is about: its records may be named by others too.
    by_subject: dict[str, list[FoundBreak]] = defaultdict(list)
    for each in what.breaks:
        by_subject[each.subject].append(each)
    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    variants: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    faults, claimed = [], set()
    for planted in labels.breaks:
        answers = [each for key in sorted(planted.keys) for each in by_subject.get(key, ())]
        kinds = sorted(each.kind for each in answers)
        for kind in kinds or [NOTHING]:
            confusion[planted.kind][kind] += 1
        claimed.update(id(each) for each in answers)
        variants[planted.variant][0] += 1
        if kinds == [planted.kind]:
            variants[planted.variant][1] += 1
        else:
            faults.append(f"{planted.variant} {sorted(planted.keys)}: found {kinds or NOTHING}")
    for each in what.breaks:
        if id(each) not in claimed:
            confusion[NOTHING][each.kind] += 1
            faults.append(f"{NOTHING} planted: found {each.kind} about {each.subject}")
    plain = {kind: dict(sorted(found.items())) for kind, found in sorted(confusion.items())}
    return plain, dict(sorted(variants.items())), faults


class _Names:
    """Names rows of this database by their content."""

    def __init__(self, session: Session) -> None:
        self._entries = {
            f"bank:{key}": f"bank:{fingerprint}"
            for key, fingerprint in rows(session, "SELECT id, fingerprint FROM bank_entry")
        }
        self._expected = {
            f"exp_{key}": f"exp:{number}"
            for key, number in rows(session, "SELECT id, description FROM expected_payment")
        }
        self._payments = {
            f"match_{key}": f"stl:{settlement_id}"
            for key, settlement_id in rows(
                session, "SELECT id, settlement_id FROM settlement_match"
            )
        }

    def record(
        self, source: str, origin: str, settlement_id: str | None, invoice_id: str | None
    ) -> str:
        if source == "payment":
            return f"stl:{settlement_id}"
        return f"inv:{invoice_id}" if source == "invoice" else self.origin(origin)

    def origin(self, origin: str) -> str:
        """The name of a record's origin, or of a break's subject."""
        for known in (self._entries, self._expected, self._payments):
            if origin in known:
                return known[origin]
        kind = origin.partition(":")[0]
        if kind == "log":
            _log, block, index = origin.split(":")[:3]
            return f"log:{int(block, 16) % 2**64}:{index}"
        if origin.startswith("stl_"):
            return f"stl:{origin}"
        return f"inv:{origin}" if origin.startswith("inv_") else origin


def _break(names: _Names, row: tuple[Any, ...]) -> FoundBreak:
    kind, subject, detail, *more = row
    said: Mapping[str, Any] = orjson.loads(detail)
    records = sorted(names.origin(each["origin"]) for each in said.get("records", ()))
    key = names.origin(subject)
    # Ids of rows are in no name, and journal numbers are as the rows came.
    facts = {name: said[name] for name in ("differs", "difference", "state") if name in said}
    text = orjson.dumps([facts, *more], option=orjson.OPT_SORT_KEYS).decode()
    return FoundBreak(kind, key, tuple(records) or (key,), text)
