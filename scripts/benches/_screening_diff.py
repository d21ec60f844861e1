"""What a new version of a list costs the rail: compared at once with all who have open payments.

A durable SQLite database; everybody in it was compared with the version before. The file is read
beforehand, as the API does it; the caches of names are emptied before each version. There is one
figure of a process that has just begun, and one (`diff_ready`) of a gateway, which makes the names
of whoever has open payments ready when it starts.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from gateway.names_ahead import NamesAhead
from scripts.benches._policy_world import World
from scripts.benches._report import say
from scripts.benches._screening_lists import company, misspelt
from settlement.clock import new_id, to_micros
from settlement.compliance.list_files.reading import ListFile
from settlement.compliance.list_files.record import Party
from settlement.compliance.policy.names import fold
from settlement.compliance.screening import look_up, names, pairing, scoring, spelling
from settlement.compliance.screening.loading import InForce, put_in_force
from settlement.compliance.screening.together import compare_everybody
from settlement.store import open_engine, reading, transaction
from settlement.store.bulk import rows
from settlement.store.migrate import migrate

PARTIES = 5_000
VERSIONS = 3
ADDED = 250
CHANGED = 150
REMOVED = 100
NEWLY_LISTED = 20
"""Of those added: participants with open payments, half of them by their exact name."""
_OWNED_BY_PERSON = 3
_ALSO_CALLED = 10
_COUNTRIES = ("DE", "AE", "IN", "CN", "US", "SG", "HK", "FR", "JP", "CH")
_CACHES = (
    fold, names.prepared, look_up.keys, pairing._joints, scoring.weights, spelling.sound,
    spelling.consonants, spelling.alike, spelling.bare_alike,
)  # fmt: skip


def diff(lists: dict[str, ListFile], now: datetime) -> dict[str, Any]:
    """Put versions in force one after another; return what the middle ones took."""
    chance = random.Random(11)
    with tempfile.TemporaryDirectory(prefix="settle-screening-") as folder:
        engine = open_engine(f"sqlite:///{folder}/settle.sqlite3")
        migrate(engine)
        called = _open_payments(engine, now, chance)
        _compared(engine, lists, now)
        name = max(lists, key=lambda each: len(lists[each].parties))
        standing = lists[name]
        unlisted = sorted(called)
        seconds, cpu_seconds, ready_seconds = [], [], []
        for number in range(2 * VERSIONS):
            is_ready = number % 2 == 1
            newly = [unlisted.pop(chance.randrange(len(unlisted))) for _ in range(NEWLY_LISTED)]
            standing = _next_version(standing, [called[each] for each in newly], number, chance)
            _empty_caches()
            if is_ready:
                ahead = NamesAhead(engine)
                ahead.start()
                ahead.wait()
            began, burnt = time.perf_counter(), time.process_time()
            with transaction(engine) as session:
                found = put_in_force(
                    session, name=name, content=f"{name} {number}".encode(), found=standing,
                    ids=new_id, now=now, actor="bench",
                )  # fmt: skip
            took, burnt = time.perf_counter() - began, time.process_time() - burnt
            if is_ready:
                ready_seconds.append(took)
            else:
                seconds.append(took)
                cpu_seconds.append(burnt)
            say(f"a version with {_changes(found)} changes: {took:.2f} s")
            _require_stopped(engine, found, newly)
        engine.dispose()
    return {
        "diff_seconds": round(statistics.median(seconds), 3),
        "diff_worst_seconds": round(max(seconds), 3),
        "diff_cpu_seconds": round(statistics.median(cpu_seconds), 3),
        "diff_ready_seconds": round(statistics.median(ready_seconds), 3),
        "diff_parties": found.counts.compared,
        "diff_changes": _changes(found),
        "diff_hits": found.counts.found,
        "diff_stopped": len(found.settlements),
    }


def _open_payments(engine: Engine, now: datetime, chance: random.Random) -> dict[str, str]:
    """Put participants there, each of whom pays the next one; return their names by their ids."""
    world = World(engine, new_id, now)
    token = world.token("TEUR", "EUR")
    called = {}
    for place in range(PARTIES):
        name, country = company(chance), _COUNTRIES[place % len(_COUNTRIES)]
        key = world.party(country, name=name, vat_id=f"{country}{place:09d}")
        called[key] = name
        if place % _OWNED_BY_PERSON == 0:
            _owner(world, key, country, chance)
        if place % _ALSO_CALLED == 0:
            world.row("participant_alias", id=new_id("pal"), participant_id=key,
                      name=company(chance), kind="trading", live=True, created_at=0)  # fmt: skip
    parties = list(called)
    wallets = [world.wallet(key) for key in parties]
    for place in range(PARTIES):
        pair = (place, (place + 1) % PARTIES)
        debtor, creditor = parties[pair[0]], parties[pair[1]]
        paying, paid = wallets[pair[0]], wallets[pair[1]]
        settlement = world.settlement(
            (debtor, creditor), (paying, paid), token, 1_000,
            world.invoice(creditor, debtor, "EUR"), state="CLEARED",
        )  # fmt: skip
        world.row(
            "clearance", id=new_id("clr"), settlement_id=settlement, outcome="ALLOW",
            inputs_hash="", verdicts="[]", policy_version="", list_versions="{}",
            debtor_wallet=paying, creditor_wallet=paid, token=token, amount_minor=1_000,
            reference=settlement, expires_at=to_micros(now) + 1, created_at=0,
        )  # fmt: skip
    world.store()
    return called


def _owner(world: World, participant_id: str, country: str, chance: random.Random) -> None:
    """Let a person own a participant."""
    person = new_id("per")
    first, last = (company(chance).split()[0] for _ in range(2))
    world.row("natural_person", id=person, key_id=person, name=f"{first} {last}", country=country,
              birth_date="1970-01-01", salt="", digest="", created_at=0)  # fmt: skip
    world.row("participant_owner", id=new_id("pow"), participant_id=participant_id, role="owner",
              share_bp=10_000, person_id=person, live=True, created_at=0)  # fmt: skip


def _compared(engine: Engine, lists: dict[str, ListFile], now: datetime) -> None:
    """Put the lists in force and compare everybody with them."""
    for name, found in lists.items():
        with transaction(engine) as session:
            put_in_force(session, name=name, content=name.encode(), found=found, ids=new_id,
                         now=now)  # fmt: skip
    counts = compare_everybody(engine, processes=2, actor="bench", ids=new_id, now=now)
    assert counts.compared == PARTIES, counts


def _next_version(
    standing: ListFile, newly: Sequence[str], number: int, chance: random.Random
) -> ListFile:
    """Return a version that lacks some parties, says more of some, and adds some."""
    parties = chance.sample(standing.parties, len(standing.parties))
    removed, changed, kept = REMOVED, REMOVED + CHANGED, parties[REMOVED + CHANGED :]
    renamed = [
        replace(party, names={**party.names, misspelt(company(chance), chance): "strong"})
        for party in parties[removed:changed]
    ]
    listed = [name if place % 2 else misspelt(name, chance) for place, name in enumerate(newly)] + [
        company(chance) for _ in range(ADDED - len(newly))
    ]
    added = [
        Party(key=f"new-{number}-{place}", kind="organization", names={name: "main"})
        for place, name in enumerate(listed)
    ]
    return ListFile(standing.format, [*kept, *renamed, *added])


def _empty_caches() -> None:
    for cached in _CACHES:
        cached.cache_clear()


def _changes(found: InForce) -> int:
    loaded = found.loaded
    return len(loaded.added) + len(loaded.changed) + len(loaded.removed)


def _require_stopped(engine: Engine, found: InForce, newly: Sequence[str]) -> None:
    """Require that all who were compared were, and that no payment of the newly listed is left."""
    assert found.counts.compared == PARTIES, found.counts
    assert set(newly[1::2]) <= found.counts.against, "somebody listed by the exact name goes on"
    assert len(found.counts.against & set(newly)) >= NEWLY_LISTED * 3 // 4, found.counts
    with reading(engine) as session:
        alive = {
            row[0]
            for row in rows(session, "SELECT settlement_id FROM clearance WHERE revoked_at IS NULL")
        }
        of_newly = {
            row[0]
            for row in rows(session, "SELECT id, debtor_id, creditor_id FROM settlement")
            if found.counts.against.intersection(row[1:])
        }
        states = rows(session, "SELECT kind, state, held FROM screening_run ORDER BY id DESC")
    assert set(found.settlements) == of_newly
    assert not alive & of_newly, "a payment of somebody newly listed may still be signed"
    assert alive, "payments of all others go on"
    assert [tuple(row) for row in states[:2]] == [
        ("all", "running", 0),
        ("diff", "done", len(of_newly)),
    ]
