"""Whether every golden scenario comes out as expected, and how fast decisions are made and stored.

All packs as shipped are on. Scenarios are put into a real database and judged as the worker
judges; decisions are counted when they are committed, in batches of 1,000, on one core: gathering
facts, judging, storing (`decisions_per_second`), and with moves and reservations
(`cleared_per_second`). The yardstick is the bar of 5,000 decisions a second.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.benches._report import common, peak_rss_mb, publish, say

BATCH = 1000
BAR = 5_000
_COUNTRIES = ("DE", "AE", "IN", "CN", "US", "SG", "HK", "FR", "JP", "CH")
_COMPANIES = 40
_CURRENCIES = ("USD", "EUR", "AED", "CNY", "INR")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench policy", description=__doc__)
    parser.add_argument("--decisions", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    began = time.perf_counter()
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="settle-bench-") as folder:
        total, failed, packs = _golden(Path(folder))
        problems += failed
        say(f"{total} scenarios over {packs} packs, {len(failed)} otherwise than expected")
        decided, cleared = _speed(Path(folder), arguments.decisions, problems)
        say(f"{decided:.0f} decisions a second stored, {cleared:.0f} with moves and reservations")
    if decided < BAR:
        problems.append(f"{decided:.0f} decisions a second, below {BAR}")
    seconds = time.perf_counter() - began
    figures = common(
        anvil=None, database="sqlite (WAL, synchronous=FULL)", seconds=seconds,
        total_seconds=seconds, rss_mb=peak_rss_mb(),
    ) | {
        "scenarios": total,
        "failed": len(failed),
        "packs": packs,
        "decisions": arguments.decisions,
        "decisions_per_second": round(decided, 1),
        "cleared_per_second": round(cleared, 1),
        "bar_per_second": BAR,
        "problems": problems[:20],
    }  # fmt: skip
    for problem in problems[:20]:
        say(f"unsound: {problem}")
    publish(figures, arguments.json)
    return 1 if problems else 0


def _golden(folder: Path) -> tuple[int, list[str], int]:
    from scripts.benches import _golden as golden
    from settlement.clock import new_id
    from settlement.compliance import policy
    from settlement.store import migrate, open_engine

    engine = open_engine(f"sqlite:///{folder / 'golden.sqlite3'}")
    migrate(engine)
    wanted = golden.scenarios()
    found = golden.failures(engine, wanted, new_id)
    engine.dispose()
    return len(wanted), found, len(policy.load().packs)


def _speed(folder: Path, count: int, problems: list[str]) -> tuple[float, float]:
    """Return decisions a second, without and with what follows from them."""
    from gateway.processes import collect_garbage_seldom
    from settlement.clock import new_id
    from settlement.compliance import policy
    from settlement.compliance.spent import SpentToday
    from settlement.config import Settings
    from settlement.settlements import clearing
    from settlement.store import migrate, open_engine, transaction
    from settlement.store.bulk import rows

    engine = open_engine(f"sqlite:///{folder / 'speed.sqlite3'}")
    migrate(engine)
    now = datetime.now(UTC)
    _fill(engine, new_id, now, count)
    settings = Settings(home=folder, settlements_per_tick_max=BATCH)
    packs, spent = policy.load(), SpentToday()
    collect_garbage_seldom()  # As the worker's process does when it starts.
    decided = _decided(engine, packs, now, count)
    began, done = time.perf_counter(), 0
    while done < count:
        with transaction(engine) as session:
            one = clearing.clear(session, packs, settings, ids=new_id, now=now, spent_today=spent)
        step = one.cleared + one.held + one.rejected
        if not step:
            problems.append(f"only {done} of {count} were judged")
            break
        done += step
    cleared = done / (time.perf_counter() - began)
    with transaction(engine) as session:
        held = rows(session, "SELECT COUNT(*) FROM settlement WHERE state <> 'CLEARED'")[0][0]
    if held:
        problems.append(f"{held} ordinary payments were not cleared")
    engine.dispose()
    return decided, cleared


def _decided(engine: Any, packs: Any, now: datetime, count: int) -> float:
    """Judge and store all that waits by the thousand; nothing moves."""
    from settlement.clock import new_id
    from settlement.compliance import candidates, clearance, facts
    from settlement.compliance.policy import Judge
    from settlement.compliance.spent import SpentToday
    from settlement.settlements.clearing import booked_of, terms_of, versions
    from settlement.store import transaction

    with transaction(engine) as session:
        waiting = candidates.candidates(session, now=now, limit=count)
    spent = SpentToday()
    began = time.perf_counter()
    for start in range(0, len(waiting), BATCH):
        some = waiting[start : start + BATCH]
        with transaction(engine) as session:
            judge = Judge(packs, now)
            purses = candidates.purses(session, some, booked_of(session, some), spent)
            gathered = facts.gather(session, some, judge, now)
            judgements = []
            for row in some:
                purse = purses[row.debtor_wallet, row.token]
                known = gathered.facts(row, judge, purse)
                judgements.append(clearance.judge(judge, known, terms_of(row)))
                gathered.count(known, judge)
            clearance.decide(
                session, packs, judgements,
                list_versions=versions(session), expires=now, ids=new_id, now=now,
            )  # fmt: skip
    return len(waiting) / (time.perf_counter() - began)


def _fill(engine: Any, ids: Any, now: datetime, count: int) -> None:
    """Put companies of ten countries there, and payments among them in five currencies."""
    from scripts.benches._policy_world import World

    world = World(engine, ids, now)
    tokens = [(world.token(f"T{code}", code), f"T{code}", code) for code in _CURRENCIES]
    companies = []
    for place in range(_COMPANIES):
        party = world.party(_COUNTRIES[place % len(_COUNTRIES)])
        wallet = world.wallet(party)
        companies.append((party, wallet))
        for token in tokens:
            world.money(wallet, token[:2])
    for number in range(count):
        buyer = number % _COMPANIES
        seller = (buyer + 1 + number // _COMPANIES % (_COMPANIES - 1)) % _COMPANIES
        (debtor, paying), (creditor, paid) = companies[buyer], companies[seller]
        address, _, currency = tokens[number // 7 % len(tokens)]
        invoice = world.invoice(creditor, debtor, currency)
        world.settlement(
            (debtor, creditor), (paying, paid), address, (20 + number % 5_000) * 10**6, invoice
        )
    world.store()
