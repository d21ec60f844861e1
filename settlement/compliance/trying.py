"""A draft of the policy, tried on past decisions: what would come out otherwise, by which rule.

The facts are those that were stored. Both policies are asked as of now; nothing is changed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from settlement.compliance import policies
from settlement.compliance.explaining import facts_from
from settlement.compliance.policy import Judge
from settlement.store.bulk import rows

HISTORY_MAX = 20_000
SHOWN_MAX = 500
_HISTORY = (
    "SELECT c.settlement_id, i.body, c.inputs FROM clearance c"
    " JOIN policy_inputs i ON i.sha256 = c.pair_sha256"
    # The last decision about each: what it was paid or kept back under.
    " WHERE c.id = (SELECT MAX(n.id) FROM clearance n WHERE n.settlement_id = c.settlement_id)"
    " ORDER BY c.id DESC LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A settlement that would come out otherwise."""

    settlement_id: str
    before: str
    after: str
    gained: tuple[str, ...]
    """Rules that would find something and did not."""
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a draft would have changed."""

    version: int
    against: int
    """The version in force that it was compared with."""
    looked_at: int
    same: int
    stricter: int
    milder: int
    by_rule: dict[str, int]
    """How many settlements each rule would newly find something about, or no more (negative)."""
    changed: tuple[Otherwise, ...]
    """The newest of them, at most `SHOWN_MAX`."""


def simulate(session: Session, version: int, now: datetime, *, limit: int = HISTORY_MAX) -> Trial:
    """Judge past settlements by the version in force and by another one; keep what it came to.

    Raises:
        NotFound: there is no such version.
        PolicyOutdated: it is a draft that was made on what is in force no more.
    """
    against = policies.in_force(session, now)
    stored = policies.get(session, version)
    if stored.published_by is None:
        policies.require_current(session, stored, now)
    before = Judge(policies.parsed(session, against), now)
    after = Judge(policies.parsed(session, version), now)
    counts: Counter[str] = Counter()
    by_rule: Counter[str] = Counter()
    changed: list[Otherwise] = []
    for settlement_id, pair, inputs in rows(session, _HISTORY, (min(limit, HISTORY_MAX),)):
        facts = facts_from(settlement_id, pair, inputs)
        assert facts is not None, "the query asks for those that are kept"
        (old, found), (new, found_new) = before.judge(facts), after.judge(facts)
        olds, news = ({each.rule_id for each in one} for one in (found, found_new))
        by_rule.update(news - olds)
        by_rule.subtract(olds - news)
        counts["looked_at"] += 1
        counts["stricter" if new > old else "milder" if new < old else "same"] += 1
        if new != old and len(changed) < SHOWN_MAX:
            gained, lost = tuple(sorted(news - olds)), tuple(sorted(olds - news))
            changed.append(Otherwise(settlement_id, old.name, new.name, gained, lost))
    trial = Trial(
        version, against, counts["looked_at"], counts["same"], counts["stricter"],
        counts["milder"], dict(sorted(by_rule.items())), tuple(changed),
    )  # fmt: skip
    policies.keep_trial(
        session,
        version,
        {
            "against": against,
            "looked_at": trial.looked_at,
            "same": trial.same,
            "stricter": trial.stricter,
            "milder": trial.milder,
            "by_rule": trial.by_rule,
        },
    )
    return trial
