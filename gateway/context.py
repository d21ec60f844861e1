"""What every route of a gateway shares: opened once, handed in, closed at the end.

Chooses nothing: `wiring` and tests do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from gateway.auth import KeyRing
from gateway.idempotency import InFlight
from gateway.metrics import Metrics
from gateway.oidc import Provider
from gateway.rate_limits import Limits
from gateway.session_ring import SessionRing
from gateway.sign_in import SignIn
from gateway.trail import Trail
from gateway.writer import Writer
from settlement.chain.port import ChainPort
from settlement.clock import Ids
from settlement.config import Settings
from settlement.documents.rules_engine import RulesEngine
from settlement.proof import JournalTree


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway process."""

    engine: Engine
    settings: Settings
    clock: Callable[[], datetime]
    ids: Ids
    chain: ChainPort | None
    rules: RulesEngine
    keys: KeyRing
    writer: Writer
    in_flight: InFlight
    metrics: Metrics
    trail: Trail
    sessions: SessionRing
    sign_in: SignIn
    provider: Provider
    limits: Limits
    journal_tree: JournalTree = field(default_factory=JournalTree)
