"""What the doors tell the audit trail beside the writer's own: refused attempts, and reads.

Like attempts are counted, not written one by one: however many come, few rows are written. What a
gateway has not written yet when it is killed, two seconds' worth, is lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address, ip_network

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session
from starlette.types import Scope

from gateway.logs import Log
from settlement import audit
from settlement.access import PersonErased, Vault
from settlement.audit import Act
from settlement.store import transaction

FLUSH_SECONDS = 2.0
STRANGERS_EVERY = 15
"""Attempts without a key in force are written with every so many-th flush."""
KINDS_MAX = 500
"""Different attempts of known callers between two flushes; more are counted together."""
STRANGERS_MAX = 16
"""The same for callers without a key in force, by network."""
_CACHED_MAX = 10_000
_OTHERS = "others"

READS = frozenset(
    {
        "GET /v1/invoices/{invoice_id}/document",
        "GET /v1/invoices/{invoice_id}/proof",
        "GET /v1/settlements/{settlement_id}/travel-rule",
        "GET /v1/participants/{participant_id}/file",
        "GET /v1/statements/{account}",
        "GET /v1/account-statement",
        "GET /v1/journal",
        "GET /v1/audit",
    }
)
"""Reads of personal data, and exports: recorded where staff do them."""
_READ_PREFIXES = (
    "GET /v1/people",
    "GET /v1/participants/{participant_id}",
    "GET /v1/screening/hits/",
    "GET /v1/supervision/",
    "GET /v1/inquiries/",
)


class Origins:
    """Clients' addresses as the trail keeps them: of a person only sealed under their own key."""

    def __init__(self, vault: Vault | None) -> None:
        self._vault = vault
        self._sealed: dict[tuple[str, str], str] = {}

    def placed(self, session: Session, act: Act, now: datetime) -> Act:
        """Return the act with its origin fit to be kept."""
        if self._vault is None or not act.origin or not act.hand.startswith("per_"):
            return act
        key = (act.hand, act.origin)
        kept = self._sealed.get(key)
        if kept is None:
            try:
                kept = audit.sealed(self._vault.seal(session, act.hand, act.origin, now))
            except PersonErased:
                kept = "erased"
            if len(self._sealed) >= _CACHED_MAX:
                self._sealed.clear()
            self._sealed[key] = kept
        return act._replace(origin=kept)

    def opened(self, session: Session, person_id: str, origin: bytes) -> str | None:
        """Return an address that was sealed; None: it was erased."""
        return None if self._vault is None else self._vault.opened(session, person_id, origin)


class Trail:
    """Counts attempts and reads in memory, and writes them every few seconds."""

    def __init__(
        self, engine: Engine, *, clock: Callable[[], datetime], origins: Origins, log: Log
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._origins = origins
        self._log = log
        self._lock = threading.Lock()
        self._known: dict[Act, int] = {}
        self._strangers: dict[Act, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="trail", daemon=True)

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, then end."""
        self._stopping.set()
        self._thread.join()

    def refused(self, scope: Scope, *, status: int, problem: str) -> None:
        """Note an attempt that was refused before the writer had it."""
        act = act_of(scope)._replace(outcome=str(status), problem=problem)
        if act.hand:
            self._count(self._known, act, KINDS_MAX)
        elif status in (401, 429):
            place = network(act.origin)
            self._count(self._strangers, act._replace(origin=place), STRANGERS_MAX)

    def read(self, scope: Scope) -> None:
        """Note a read that the trail keeps, where staff did it."""
        caller = scope["caller"]
        route: str = scope["route_name"]
        if caller.party is None and (route in READS or route.startswith(_READ_PREFIXES)):
            self._count(self._known, act_of(scope)._replace(outcome="read"), KINDS_MAX)

    def opened(self, session: Session, person_id: str, origin: bytes) -> str | None:
        """Return a person's address that was sealed; None: it was erased."""
        return self._origins.opened(session, person_id, origin)

    def flush(self, *, strangers: bool = True) -> None:
        """Write what was counted so far."""
        with self._lock:
            counted, self._known = self._known, {}
            if strangers:
                counted, self._strangers = counted | self._strangers, {}
        if not counted:
            return
        now = self._clock()
        try:
            with transaction(self._engine) as session:
                for act, count in counted.items():
                    kept = self._origins.placed(session, act, now)
                    audit.record(session, kept._replace(repeated=count), now)
        except DBAPIError:
            for act, count in counted.items():  # Late rather than never: the next turn has them.
                self._count(self._known, act, KINDS_MAX, count)
            raise

    def _count(self, counted: dict[Act, int], act: Act, kinds_max: int, more: int = 1) -> None:
        with self._lock:
            if act not in counted and len(counted) >= kinds_max:
                act = act._replace(subjects=(), origin=_OTHERS, act=_OTHERS, problem=None)
            counted[act] = counted.get(act, 0) + more

    def _work(self) -> None:
        rounds = 0
        while not self._stopping.wait(FLUSH_SECONDS):
            rounds += 1
            self._try_to_flush(strangers=rounds % STRANGERS_EVERY == 0)
        self._try_to_flush(strangers=True)

    def _try_to_flush(self, *, strangers: bool) -> None:
        try:
            self.flush(strangers=strangers)
        except DBAPIError as error:
            self._log.error("trail not written", exc_info=error)


def act_of(scope: Scope) -> Act:
    """Return who asks for what, from where. X-Forwarded-For is anybody's word: it is not read."""
    client = scope.get("client")
    origin = str(client[0]) if client else ""
    route = scope.get("route_name", "unmatched")
    caller = scope.get("caller")
    subjects = tuple(_shown(str(value)) for value in scope.get("path_params", {}).values())
    if caller is None:
        return Act("", "", route, origin=origin)
    return Act(
        caller.hand, caller.role.value, route, subjects, key_prefix=caller.prefix, origin=origin
    )


def _shown(value: str) -> str:
    """Return what somebody wrote into a path as any database keeps it: no NUL, nothing unseen."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in value[:80])


def network(address: str) -> str:
    """Return the network of an address: of a stranger no more is kept. Pure."""
    try:
        bits = 24 if ip_address(address).version == 4 else 48
        return str(ip_network(f"{address}/{bits}", strict=False))
    except ValueError:
        return ""
