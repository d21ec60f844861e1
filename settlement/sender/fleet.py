"""The lanes of one worker: compared with the chain when taken, claimed for together, advanced.

What befalls one lane stops that lane; the others go on. Holds no lease of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from settlement import watcher
from settlement.chain.port import ChainPort
from settlement.clock import Ids
from settlement.config import Settings
from settlement.errors import Fatal, LeaseLost, Retryable
from settlement.registry.differences import differences
from settlement.sender import lanes
from settlement.sender.changes import claim_changes
from settlement.sender.claim import claim
from settlement.sender.lanes import Lease
from settlement.sender.pipeline import Lane, Moved
from settlement.sender.takeover import take_over
from settlement.signer import Signer
from settlement.store import reading, transaction

BEHIND_MAX = 12
"""Blocks by which the records may be behind the chain where wallets are listed by them."""


@dataclass(slots=True)
class Advanced:
    """What one round did, and what befell which lane."""

    claimed: int = 0
    changes: int = 0
    """Wallets that the admin's lane was given to list, unlist, freeze or free."""
    signed: int = 0
    sent: int = 0
    troubles: dict[str, Fatal | Retryable] = field(default_factory=dict)


@dataclass(slots=True)
class Fleet:
    """Signers and leases by address; `chain_of` gives each lane its line to the node."""

    engine: Engine
    chain_of: Callable[[str], ChainPort]
    signers: Mapping[str, Signer]
    leases: Mapping[str, Lease]
    settings: Settings
    ids: Ids
    checked: dict[str, Lease]
    """Lanes that were looked at since they were taken."""

    def advance(self, now: datetime) -> Advanced:
        """Claim for every lane at once, then let each sign and send.

        Raises:
            LeaseLost: a lane was taken while we claimed for all of them.
            Retryable, Fatal: what befell the lanes, where it befell every one of them.
        """
        done = Advanced()
        # Who is to be stopped is stopped before anybody is paid.
        ordered = sorted(self.leases, key=lambda signer: self.leases[signer].kind != lanes.ADMIN)
        self._each(ordered, self._take_over, done, now)
        sound = [signer for signer in ordered if signer not in done.troubles]
        self._claim([self.leases[signer] for signer in sound], done, now)
        for moved in self._each(sound, self._advance, done, now):
            done.signed += moved.signed
            done.sent += moved.sent
        for signer, error in done.troubles.items():
            if isinstance(error, Fatal):
                self._halt(signer, str(error), now)
        if done.troubles and len(done.troubles) == len(self.leases):
            # One that may pass first: as long as there is such a lane, the worker goes on.
            raise min(done.troubles.values(), key=lambda error: isinstance(error, Fatal))
        return done

    def _claim(self, leases: list[Lease], done: Advanced, now: datetime) -> None:
        """Claim for the lanes that work: the admin's by itself, those that pay all at once."""
        paying = [lease for lease in leases if lease.kind == lanes.OPERATOR]
        for lease in leases:
            if lease.kind == lanes.ADMIN:
                self._claim_changes(lease, done, now)
        if paying:
            with transaction(self.engine) as session:
                done.claimed = claim(session, paying, self.settings, ids=self.ids, now=now)

    def _claim_changes(self, lease: Lease, done: Advanced, now: datetime) -> None:
        with reading(self.engine) as session:
            if not differences(session):
                return
            followed = watcher.head(session)
        # What a wallet is, is known only where the chain's newest logs are stored.
        head = self.chain_of(lease.signer).head()
        if followed is None or head.number - followed.number > BEHIND_MAX:
            return
        with transaction(self.engine) as session:
            done.changes += claim_changes(session, lease, self.settings, ids=self.ids, now=now)

    def _each(
        self,
        signers: list[str],
        step: Callable[[str, datetime], Moved],
        done: Advanced,
        now: datetime,
    ) -> list[Moved]:
        """Do a step on each lane, in order or at the same time; note what befell which."""

        def attempt(signer: str) -> Moved | Fatal | Retryable:
            try:
                return step(signer, now)
            except (Fatal, Retryable) as error:
                return error

        threads = min(self.settings.lane_threads_max, len(signers))
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                found = list(pool.map(attempt, signers))
        else:
            found = [attempt(signer) for signer in signers]
        moved = []
        for signer, result in zip(signers, found, strict=True):
            if isinstance(result, Moved):
                moved.append(result)
            else:
                done.troubles[signer] = result
        return moved

    def _take_over(self, signer: str, now: datetime) -> Moved:
        """Look at a lane once after it was taken."""
        lease = self.leases[signer]
        if self.checked.get(signer) != lease:
            take_over(self.engine, self.chain_of(signer), lease, ids=self.ids, now=now)
            self.checked[signer] = lease
        return Moved()

    def _advance(self, signer: str, now: datetime) -> Moved:
        lease = self.leases[signer]
        lane = Lane(
            self.engine,
            self.chain_of(signer),
            self.signers[signer],
            lease,
            urgent(self.settings) if lease.kind == lanes.ADMIN else self.settings,
        )
        return lane.advance(now)

    def _halt(self, signer: str, reason: str, now: datetime) -> None:
        try:
            with transaction(self.engine) as session:
                lanes.renew(session, self.leases[signer], now)
                lanes.set_state(session, signer, "halted", reason)
        except LeaseLost:
            return  # Whoever has it now will find the same.


def urgent(settings: Settings) -> Settings:
    """Return how the admin's lane sends: for a higher tip, and outbid sooner."""
    return settings.model_copy(
        update={
            "priority_fee_wei": settings.admin_priority_fee_wei,
            "bump_after_blocks": settings.admin_bump_after_blocks,
        }
    )
