"""Versions of the policy: drafted by one, tried on history, published by another, in force.

The database itself refuses that one person does both. Judges nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.compliance import policy
from settlement.compliance.policy import Policy
from settlement.compliance.policy_errors import OwnPolicy, PolicyDecided, PolicyOutdated
from settlement.errors import Invalid, NotFound
from settlement.store.bulk import rows

SHIPPED_BY = "the rail as shipped"
INSTALLED_BY = "who installed the rail"

_FILE_MAX = 1_000_000
_FILE_NAME = re.compile(r"[a-z0-9_]{1,60}\.(yaml|csv)\Z")
_COLUMNS = "version, sha256, note, author, created_at, tried, published_by, in_force_from"
_IN_FORCE = (
    "SELECT version FROM policy_version WHERE in_force_from <= ?"
    " ORDER BY in_force_from DESC, version DESC LIMIT 1"
)


class PolicySource(Protocol):
    """Says which policy is in force at a moment. A `Policy` says that it is."""

    def at(self, session: Session, now: datetime, /) -> Policy:
        """Return the policy in force."""


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A version of the policy without its files. Times are microseconds."""

    version: int
    sha256: str
    """Over its files and the number of the version in force that it was made on."""
    note: str
    author: str
    created_at: int
    tried: str | None
    published_by: str | None
    in_force_from: int | None

    @property
    def state(self) -> str:
        """draft, or published; which of the published is in force, `in_force` says."""
        return "draft" if self.published_by is None else "published"


class StoredPolicies:
    """The policy in force at a moment, by the database; each version is read once a process."""

    def __init__(self) -> None:
        self._read: dict[int, Policy] = {}

    def at(self, session: Session, now: datetime) -> Policy:
        """Return the policy in force; the shipped one becomes version 1 where there is none."""
        version = in_force(session, now)
        if version not in self._read:
            self._read[version] = parsed(session, version)
        return self._read[version]


def in_force(session: Session, now: datetime) -> int:
    """Return the version in force at `now`; at first the shipped one is installed."""
    return install(session, now)


def lock_in_force(session: Session, now: datetime) -> int:
    """Return the version in force, locked: who publishes next waits, and sees what is then."""
    if session.connection().dialect.name == "postgresql":
        version = in_force(session, now)
        rows(session, "SELECT 1 FROM policy_version WHERE version = ? FOR UPDATE", (version,))
    return in_force(session, now)


def current(session: Session, now: datetime) -> int | None:
    """Return the version in force at `now`, None before one is installed. Writes nothing."""
    found = rows(session, _IN_FORCE, (to_micros(now),))
    return int(found[0][0]) if found else None


def install(session: Session, now: datetime) -> int:
    """Publish the packs as shipped, where nothing is published; return the version in force."""
    if (known := current(session, now)) is not None:
        return known
    files = policy.files_of()
    policy.read(files)
    sha256 = _digest(files, 0)
    version = _insert(session, files, sha256=sha256, author=SHIPPED_BY, note="as shipped", now=now)
    _publish(session, version, by=INSTALLED_BY, at=now)
    return version


def draft(
    session: Session, changes: Mapping[str, bytes | None], *, note: str, actor: str, now: datetime
) -> StoredPolicy:
    """Keep a draft: the files in force with `changes`, where None takes a file away.

    The same files are kept once for each version in force that they are drafted on. Without a
    change it is the version in force.

    Raises:
        PackInvalid: with file and line.
        Invalid: there is nothing in it, or too much.
    """
    base = in_force(session, now)
    files = files_of(session, base)
    before = dict(files)
    for name, content in changes.items():
        if not _FILE_NAME.match(name):
            raise Invalid(f"{name[:64]!r} is no name of a pack or a table", field="files")
        if content is None:
            files.pop(name, None)
        elif len(content) > _FILE_MAX:
            raise Invalid(f"{name} has more than {_FILE_MAX} bytes", field=name)
        else:
            files[name] = content
    policy.require_always_on(policy.read(files))
    if files == before:
        return get(session, base)
    sha256 = _digest(files, base)
    known = rows(session, "SELECT version FROM policy_version WHERE sha256 = ?", (sha256,))
    if known:
        return get(session, int(known[0][0]))
    version = _insert(session, files, sha256=sha256, author=actor, note=note, now=now)
    return get(session, version)


def publish(
    session: Session, version: int, *, actor: str, in_force_from: datetime, now: datetime
) -> StoredPolicy:
    """Put a draft in force from a moment on, never from one that has passed.

    What was published and is not in force yet is a draft again: it was made on another version
    than will be in force on its day.

    Raises:
        NotFound: there is none of that number.
        PolicyDecided: it was published before.
        PolicyOutdated: it was made on what is in force no more.
        OwnPolicy: the author himself.
    """
    lock_in_force(session, now)
    known = get(session, version)
    if known.published_by is not None:
        raise PolicyDecided(version, known.published_by)
    require_current(session, known, now)
    if known.author == actor:
        raise OwnPolicy(version, actor)
    session.connection().execute(
        text(
            "UPDATE policy_version SET published_by = NULL, in_force_from = NULL"
            " WHERE in_force_from > :now"
        ),
        {"now": to_micros(now)},
    )
    if _publish(session, version, by=actor, at=max(in_force_from, now)) != 1:
        raise PolicyDecided(version, "somebody, a moment ago")
    return get(session, version)


def require_current(session: Session, stored: StoredPolicy, now: datetime) -> int:
    """Return the version in force, on which a draft was made.

    Raises:
        PolicyOutdated: it was made on another.
    """
    base = in_force(session, now)
    if stored.sha256 != _digest(files_of(session, stored.version), base):
        raise PolicyOutdated(stored.version, base)
    return base


def waiting(session: Session, now: datetime) -> list[int]:
    """Return the versions that are published and not in force yet."""
    found = rows(
        session, "SELECT version FROM policy_version WHERE in_force_from > ? ORDER BY version",
        (to_micros(now),),
    )  # fmt: skip
    return [int(version) for (version,) in found]


def keep_trial(session: Session, version: int, figures: Mapping[str, object]) -> None:
    """Note what a trial of a draft on history came to."""
    session.connection().execute(
        text("UPDATE policy_version SET tried = :tried WHERE version = :version"),
        {"tried": orjson.dumps(dict(figures)).decode(), "version": version},
    )


def get(session: Session, version: int) -> StoredPolicy:
    """Return one version.

    Raises:
        NotFound: there is none of that number.
    """
    found = session.connection().execute(
        text(f"SELECT {_COLUMNS} FROM policy_version WHERE version = :version"),
        {"version": version},
    ).first()  # fmt: skip
    if found is None:
        raise NotFound("policy", str(version))
    return StoredPolicy(*found)


def listed(session: Session, *, before: int = 2**62, limit: int = 100) -> list[StoredPolicy]:
    """Return versions below `before`, newest first."""
    found = session.connection().execute(
        text(
            f"SELECT {_COLUMNS} FROM policy_version WHERE version < :before"
            " ORDER BY version DESC LIMIT :limit"
        ),
        {"before": before, "limit": limit},
    )
    return [StoredPolicy(*row) for row in found]


def files_of(session: Session, version: int) -> dict[str, bytes]:
    """Return the files of a version, by name.

    Raises:
        NotFound: there is none of that number.
    """
    found = rows(session, "SELECT files FROM policy_version WHERE version = ?", (version,))
    if not found:
        raise NotFound("policy", str(version))
    return {name: content.encode() for name, content in orjson.loads(found[0][0]).items()}


def parsed(session: Session, version: int) -> Policy:
    """Return a version as it judges. Raises as `files_of`."""
    return policy.read(files_of(session, version), label=f"v{version}")


def _publish(session: Session, version: int, *, by: str, at: datetime) -> int:
    changed: int = session.connection().execute(
        text(
            "UPDATE policy_version SET published_by = :by, in_force_from = :at"
            " WHERE version = :version AND published_by IS NULL"
        ),
        {"by": by, "at": to_micros(at), "version": version},
    ).rowcount  # fmt: skip
    return changed


def _insert(
    session: Session,
    files: Mapping[str, bytes],
    *,
    sha256: str,
    author: str,
    note: str,
    now: datetime,
) -> int:
    connection = session.connection()
    newest = connection.execute(
        text("SELECT COALESCE(MAX(version), 0) FROM policy_version")
    ).scalar_one()
    named = {name: content.decode() for name, content in sorted(files.items())}
    connection.execute(
        text(
            "INSERT INTO policy_version (version, sha256, files, note, author, created_at)"
            " VALUES (:version, :sha, :files, :note, :author, :at)"
        ),
        {
            "version": newest + 1,
            "sha": sha256,
            "files": orjson.dumps(named).decode(),
            "note": note,
            "author": author,
            "at": to_micros(now),
        },
    )
    return int(newest) + 1


def _digest(files: Mapping[str, bytes], base: int) -> str:
    """Return what a version is known by: its files, and the version in force it was made on."""
    digest = hashlib.sha256(f"on {base}\n".encode() if base else b"")
    for name, content in sorted(files.items()):
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()
