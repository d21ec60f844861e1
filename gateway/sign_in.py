"""Signing in: a password and then a code, or a recovery code; the sessions that come of it.

Knows no cookie and no page: `console` does. Every refusal of a sign-in has the same words and takes
as long, whether or not there is such an account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from gateway.refusals import CodeRefused, SignInBusy, SignInRefused
from gateway.trail import Origins
from settlement import audit
from settlement.access import Vault, credentials, failures, one_time_codes, passwords, people
from settlement.access import sessions as stored
from settlement.access.passwords import PasswordWeak
from settlement.access.sessions import PersonSession, Stage
from settlement.audit import Act
from settlement.clock import Ids
from settlement.config import Settings
from settlement.store import reading, transaction

HASHES_AT_ONCE = 2
HASHES_WAITING_MAX = 32
STAGE_LIFETIME = timedelta(minutes=10)
"""Of a sign-in that has not come to its end."""

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class From:
    """Where a request comes from: the network's address, and what the program calls itself."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A session's token, how far it has come, and recovery codes where they are new."""

    token: str
    stage: Stage
    recovery_codes: tuple[str, ...] = ()


class SignIn:
    """What signs people in, for one gateway."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        pepper: bytes,
        vault: Vault,
        clock: Callable[[], datetime],
        ids: Ids,
    ) -> None:
        self._engine = engine
        self._pepper = pepper
        self.vault = vault
        self._origins = Origins(vault)
        self._clock = clock
        self._ids = ids
        self._lifetime = timedelta(minutes=settings.session_minutes)
        self._pool = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0

    def close(self) -> None:
        """End the pool."""
        self._pool.shutdown(cancel_futures=True)

    async def with_password(self, email: str, password: str, origin: From) -> Begun:
        """Take the first factor; the session that begins is good for the second only.

        Raises:
            SignInRefused: no such account, another password, disabled, or to be tried later.
            SignInBusy: too many passwords wait to be looked at.
        """
        of = failures.subjects(self._pepper, email, origin.address)
        may, person, credential = await asyncio.to_thread(self._candidate, email, of)
        is_right = await self._hashed(lambda: passwords.matches(credential.password_hash, password))
        if not (may and is_right and person is not None and person.state == "active"):
            if person is not None:
                await asyncio.to_thread(self._record, person.id, "sign-in", "refused", origin)
            raise SignInRefused
        stage = Stage.ENROL if credential.totp_confirmed_at is None else Stage.CODE
        return await asyncio.to_thread(self._begin, person.id, stage, "password", origin, of)

    async def with_code(self, found: PersonSession, code: str, origin: From) -> Begun:
        """Take the second factor: a code of the moment, once, or a recovery code, once.

        Raises:
            CodeRefused: another code, one that was used, or to be tried later.
        """
        return await asyncio.to_thread(self._second, found, code, origin)

    async def enrol(self, found: PersonSession, code: str, origin: From) -> Begun:
        """Take the first code of a new secret; recovery codes come with it.

        Raises:
            CodeRefused: another code.
        """
        return await asyncio.to_thread(self._enrol, found, code, origin)

    async def with_provider(self, person_id: str, origin: From) -> Begun:
        """Begin a session for somebody whom an OpenID provider has named."""
        return await asyncio.to_thread(self._begin, person_id, Stage.FULL, "oidc", origin, None)

    async def change_password(
        self, found: PersonSession, current: str, new: str, origin: From
    ) -> Begun:
        """Set another password; all other sessions of the person end.

        Raises:
            SignInRefused: the current password is another.
            PasswordWeak: the new one is, or it is the current one.
        """
        of = failures.subjects(self._pepper, found.person_id, origin.address)
        may, credential, email = await asyncio.to_thread(self._own, found, of)
        is_right = await self._hashed(lambda: passwords.matches(credential.password_hash, current))
        if not (may and is_right):
            raise SignInRefused
        passwords.require_strong(new, email)
        if new == current:
            raise PasswordWeak("is the one that you have")
        stored_hash = await self._hashed(lambda: passwords.hashed(new))
        return await asyncio.to_thread(self._changed, found, stored_hash, origin, of)

    def new_recovery_codes(self, session: Session, person_id: str, now: datetime) -> list[str]:
        """Make and keep new recovery codes; return them, to be shown once."""
        codes = one_time_codes.new_recovery_codes()
        credentials.set_recovery_codes(session, self._pepper, person_id, codes, now)
        return codes

    async def _hashed(self, work: Callable[[], Done]) -> Done:
        """Do slow work in the bounded pool."""
        if self._waiting >= HASHES_WAITING_MAX:
            raise SignInBusy(self._waiting)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def _candidate(
        self, email: str, of: failures.Subjects
    ) -> tuple[bool, people.Person | None, credentials.Credential]:
        with transaction(self._engine) as session:
            may = failures.may_try(session, of, self._clock())
            person = people.by_email(session, self._pepper, email)
            if person is None:
                return may, None, credentials.Credential()
            return may, person, credentials.of(session, person.id)

    def _own(
        self, found: PersonSession, of: failures.Subjects
    ) -> tuple[bool, credentials.Credential, str]:
        with transaction(self._engine) as session:
            may = failures.may_try(session, of, self._clock())
            email = people.one(session, found.person_id).email(session, self.vault)
            return may, credentials.of(session, found.person_id), email or ""

    def _second(self, found: PersonSession, code: str, origin: From) -> Begun:
        now = self._clock()
        of = failures.subjects(self._pepper, f"code:{found.person_id}", origin.address)
        with transaction(self._engine) as session:
            is_right = failures.may_try(session, of, now) and self._takes(
                session, found.person_id, code, now
            )
        if not is_right:
            self._record(found.person_id, "sign-in code", "refused", origin)
            raise CodeRefused
        with reading(self._engine) as session:
            must_change = credentials.of(session, found.person_id).must_change
        stage = Stage.PASSWORD if must_change else Stage.FULL
        return self._begin(found.person_id, stage, found.method, origin, of, ends=found)

    def _takes(self, session: Session, person_id: str, code: str, now: datetime) -> bool:
        secret = credentials.secret(session, self.vault, person_id)
        if secret is None:
            return False
        step = one_time_codes.matching_step(secret, code, now)
        if step is not None:
            return credentials.take_step(session, person_id, step)
        return credentials.use_recovery_code(session, self._pepper, person_id, code, now)

    def _enrol(self, found: PersonSession, code: str, origin: From) -> Begun:
        now = self._clock()
        of = failures.subjects(self._pepper, f"code:{found.person_id}", origin.address)
        with transaction(self._engine) as session:
            may = failures.may_try(session, of, now)
            secret = credentials.secret(session, self.vault, found.person_id)
            step = one_time_codes.matching_step(secret, code, now) if secret and may else None
            is_right = step is not None and credentials.confirm(session, found.person_id, step, now)
            codes = self.new_recovery_codes(session, found.person_id, now) if is_right else []
            must_change = credentials.of(session, found.person_id).must_change
        if not is_right:
            raise CodeRefused
        stage = Stage.PASSWORD if must_change else Stage.FULL
        begun = self._begin(found.person_id, stage, found.method, origin, of, ends=found)
        return Begun(begun.token, begun.stage, tuple(codes))

    def _changed(
        self, found: PersonSession, stored_hash: str, origin: From, of: failures.Subjects
    ) -> Begun:
        now = self._clock()
        with transaction(self._engine) as session:
            credentials.set_password(
                session, found.person_id, stored_hash, must_change=False, now=now
            )
            people.end_sessions(session, found.person_id, now)
            self._note(session, found.person_id, "change password", "done", origin, now)
        return self._begin(found.person_id, Stage.FULL, found.method, origin, of)

    def _begin(
        self,
        person_id: str,
        stage: Stage,
        method: str,
        origin: From,
        of: failures.Subjects | None,
        ends: PersonSession | None = None,
    ) -> Begun:
        """Store a session. Each stage has a token of its own: nobody's earlier one grows."""
        now = self._clock()
        with transaction(self._engine) as session:
            if of is not None:
                failures.forget(session, of)
            if ends is not None:
                stored.end(session, ends.id, ends.person_id, now)
            if stage is Stage.ENROL:
                credentials.begin_enrolment(session, self.vault, person_id, now)
            token = stored.begin(
                session,
                self._pepper,
                person_id,
                stage=stage,
                method=method,
                address=origin.address,
                agent=origin.agent,
                lifetime=self._lifetime if stage is Stage.FULL else STAGE_LIFETIME,
                ids=self._ids,
                now=now,
            )
            if stage in (Stage.FULL, Stage.PASSWORD):
                self._note(session, person_id, f"sign-in by {method}", "done", origin, now)
        return Begun(token, stage)

    def _record(self, person_id: str, act: str, outcome: str, origin: From) -> None:
        now = self._clock()
        with transaction(self._engine) as session:
            self._note(session, person_id, act, outcome, origin, now)

    def _note(
        self,
        session: Session,
        person_id: str,
        act: str,
        outcome: str,
        origin: From,
        now: datetime,
    ) -> None:
        """Put it into the trail; the address is sealed under the person's own key."""
        role = people.one(session, person_id).role
        done = Act(person_id, role, act, (person_id,), outcome, origin=origin.address)
        audit.record(session, self._origins.placed(session, done, now), now)
