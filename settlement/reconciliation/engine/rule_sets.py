"""Rule sets as they are kept: drafted by one, tried on history, approved by another, in force.

Matches nothing; the database itself refuses that one person does both.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.approvals import same_hand
from settlement.clock import to_micros
from settlement.errors import Conflict, NotFound
from settlement.reconciliation.engine import rules
from settlement.reconciliation.engine.rules import RuleSet
from settlement.reconciliation.engine.trying import Diff, dry_run

SHIPPED_BY = "the rail as shipped"
INSTALLED_BY = "who installed the rail"


class OwnRuleSet(Conflict):
    """Nobody approves what he wrote himself."""

    def __init__(self, version: int, actor: str) -> None:
        super().__init__(
            f"rule set {version} was written by {actor}: nobody approves his own",
            field="version",
            repair="ask a second person",
        )


class RuleSetDecided(Conflict):
    """The rule set is in force already, or a newer one is."""


@dataclass(frozen=True, slots=True)
class StoredRuleSet:
    """A version of the rules. Times are microseconds; `tried` is the dry run's figures as JSON."""

    version: int
    body: str
    sha256: str
    author: str
    created_at: int
    tried: str | None
    approved_by: str | None
    in_force_from: int | None

    @property
    def state(self) -> str:
        """draft, or approved; which of the approved is in force, `in_force` says."""
        return "draft" if self.approved_by is None else "approved"


_COLUMNS = "version, body, sha256, author, created_at, tried, approved_by, in_force_from"


def in_force(session: Session, now: datetime) -> tuple[int, RuleSet]:
    """Return the rule set that decides at `now`, with its version; at first, the shipped one."""
    found = session.connection().execute(
        text(
            "SELECT version, body FROM recon_rule_set WHERE in_force_from <= :at"
            " ORDER BY in_force_from DESC, version DESC LIMIT 1"
        ),
        {"at": to_micros(now)},
    ).first()  # fmt: skip
    if found is not None:
        return int(found.version), rules.load(found.body.encode())
    return _install(session, now), rules.shipped()


def listed(session: Session) -> list[StoredRuleSet]:
    """Return all versions, newest first."""
    found = session.connection().execute(
        text(f"SELECT {_COLUMNS} FROM recon_rule_set ORDER BY version DESC LIMIT 1000")
    )
    return [StoredRuleSet(*row) for row in found]


def get(session: Session, version: int) -> StoredRuleSet:
    """Return one version.

    Raises:
        NotFound: there is none of that number.
    """
    found = session.connection().execute(
        text(f"SELECT {_COLUMNS} FROM recon_rule_set WHERE version = :version"),
        {"version": version},
    ).first()  # fmt: skip
    if found is None:
        raise NotFound("rule set", str(version))
    return StoredRuleSet(*found)


def draft(session: Session, rule_set: RuleSet, *, actor: str, now: datetime) -> StoredRuleSet:
    """Keep a rule set for approval, with what it would change; the same rules are kept once."""
    known = session.connection().execute(
        text("SELECT version FROM recon_rule_set WHERE sha256 = :sha"), {"sha": rule_set.sha256}
    ).scalar()  # fmt: skip
    if known is not None:
        return get(session, int(known))
    _install_if_none(session, now)
    tried: Diff = dry_run(session, rule_set)
    figures = {name: value for name, value in asdict(tried).items() if isinstance(value, int)}
    version = _insert(session, rule_set, actor, now, tried=orjson.dumps(figures).decode())
    return get(session, version)


def approve(session: Session, version: int, *, actor: str, now: datetime) -> StoredRuleSet:
    """Put a draft in force from now on; the next run looks at everything with it.

    Raises:
        OwnRuleSet: the author himself.
        RuleSetDecided: it was approved before.
        NotFound: there is none of that number.
    """
    known = get(session, version)
    if known.approved_by is not None:
        raise RuleSetDecided(
            f"rule set {version} was approved by {known.approved_by}",
            field="version",
            repair="propose a changed one",
        )
    if same_hand(known.author, actor):
        raise OwnRuleSet(version, actor)
    at = to_micros(now)
    changed = session.connection().execute(
        text(
            "UPDATE recon_rule_set SET approved_by = :actor, in_force_from = :at"
            " WHERE version = :version AND approved_by IS NULL"
        ),
        {"actor": actor, "at": at, "version": version},
    ).rowcount  # fmt: skip
    if changed != 1:
        raise RuleSetDecided(f"rule set {version} was approved a moment ago", field="version")
    return get(session, version)


def _install_if_none(session: Session, now: datetime) -> None:
    if not listed(session):
        _install(session, now)


def _install(session: Session, now: datetime) -> int:
    """Keep the shipped rules as a version of their own, in force."""
    shipped = rules.shipped()
    version = _insert(session, shipped, SHIPPED_BY, now, tried="{}")
    session.connection().execute(
        text(
            "UPDATE recon_rule_set SET approved_by = :by, in_force_from = :at"
            " WHERE version = :version"
        ),
        {"by": INSTALLED_BY, "at": to_micros(now), "version": version},
    )
    return version


def _insert(session: Session, rule_set: RuleSet, author: str, now: datetime, *, tried: str) -> int:
    connection = session.connection()
    newest = connection.execute(
        text("SELECT COALESCE(MAX(version), 0) FROM recon_rule_set")
    ).scalar_one()
    connection.execute(
        text(
            "INSERT INTO recon_rule_set (version, body, sha256, author, created_at, tried,"
            " tried_at) VALUES (:version, :body, :sha256, :author, :at, :tried, :at)"
        ),
        {
            "version": newest + 1,
            "body": rules.canonical(rule_set).decode(),
            "sha256": rule_set.sha256,
            "author": author,
            "at": to_micros(now),
            "tried": tried,
        },
    )
    return int(newest) + 1
