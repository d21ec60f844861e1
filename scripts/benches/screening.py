"""How fast names are compared with lists, and how well: one by one, everybody, labelled pairs.

Whoever has open payments is compared with a new version while that is put in force (`diff_`).
Everybody is compared by two processes from a durable SQLite database, as `settle screening rescreen
--here` does it. The yardstick is what a plain scan by rapidfuzz over all names costs a name.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.process import extract

from gateway.processes import collect_garbage_seldom
from scripts.benches._report import common, peak_rss_mb, publish, say
from scripts.benches._screening_diff import diff
from scripts.benches._screening_lists import company, made_up, misspelt, read_folder
from scripts.benches._screening_pairs import Pair, made_pairs, read_pairs
from settlement.clock import new_id, to_micros
from settlement.compliance.list_files.reading import ListFile, read_list
from settlement.compliance.screening import rounds
from settlement.compliance.screening.index import Index, Listed
from settlement.compliance.screening.loading import put_in_force
from settlement.compliance.screening.names import NameKind, prepared, romanised
from settlement.compliance.screening.scoring import THRESHOLD, compare
from settlement.compliance.screening.together import compare_everybody
from settlement.store import open_engine, transaction
from settlement.store.bulk import insert_rows
from settlement.store.locks import leave_out_locks
from settlement.store.migrate import migrate

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
ASKED = 400
EXACT = 4_000
PROCESSES = 2


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench screening", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--parties", type=int, default=100_000, help="compared anew, all of them")
    parser.add_argument("--pairs", type=Path, help="labelled pairs as CSV; else some are made")
    parser.add_argument("--lists", type=Path, help="a folder of list files; else SETTLE_LISTS")
    options = parser.parse_args(argv)
    leave_out_locks()
    collect_garbage_seldom()
    started = time.perf_counter()
    folder = options.lists or (Path(os.environ["SETTLE_LISTS"]) if os.environ.get("SETTLE_LISTS")
                               else None)  # fmt: skip
    began = time.perf_counter()
    lists = read_folder(folder) if folder else {"madeup": read_list("madeup", made_up())}
    read_seconds = time.perf_counter() - began
    parties = [party for found in lists.values() for party in found.parties]
    index = Index(_listed(lists))
    say(f"{index.parties} parties, {index.names} names from {folder or 'a made-up list'}")
    figures = _asked(index, parties)
    figures |= _quality(read_pairs(options.pairs) if options.pairs else made_pairs(parties))
    began = time.perf_counter()
    figures |= diff(lists, NOW)
    if options.parties:
        figures |= _everybody(lists, options.parties)
    figures = {
        "entries": index.parties,
        "names": index.names,
        "lists": str(folder.name) if folder else "made up",
        "pairs_from": options.pairs.name if options.pairs else "made, held out",
        "parties": options.parties,
        "read_seconds": round(read_seconds, 3),
        **figures,
        "threshold": THRESHOLD,
    }
    total = time.perf_counter() - started
    figures |= common(
        anvil=None, database="sqlite", seconds=time.perf_counter() - began, total_seconds=total,
        rss_mb=peak_rss_mb(),
    )  # fmt: skip
    publish(figures, options.json)
    return 0 if figures["exact_found"] == 1 else 1


def _listed(lists: dict[str, ListFile]) -> list[Listed]:
    return [
        Listed(f"{name}/{party.key}", name, party.key, NameKind(party.kind),
               tuple(party.names.items()), frozenset(party.countries),
               frozenset(party.birth_dates), tuple(party.identifiers))
        for name, found in lists.items() for party in found.parties
    ]  # fmt: skip


def _asked(index: Index, parties: Sequence[Any]) -> dict[str, Any]:
    """Ask for names one by one: every one is met for the first time."""
    chance = random.Random(3)
    said = [(name, NameKind(party.kind), party.key) for party in parties for name in party.names]
    asked = [(company(chance), NameKind.ORGANIZATION) for _ in range(ASKED // 2)]
    asked += [(misspelt(name, chance), kind) for name, kind, _ in chance.sample(said, ASKED // 2)]
    seconds = []
    for name, kind in asked:
        prepared.cache_clear()
        began = time.perf_counter()
        index.search(name, kind)
        seconds.append(time.perf_counter() - began)
    sample = said if len(said) <= EXACT else chance.sample(said, EXACT)
    missed = [
        name for name, kind, key in sample
        if key not in {each.listed.entry_key for each in index.search(name, kind)}
    ]  # fmt: skip
    if missed:
        say(f"not found by its own name: {missed[:10]}")
    plain = [romanised(name) for name, _, _ in said]
    began = time.perf_counter()
    for name, _ in asked[:20]:
        extract(romanised(name), plain, scorer=fuzz.token_sort_ratio, score_cutoff=80, limit=10)
    scan_seconds = (time.perf_counter() - began) / 20
    return {
        "ms_per_name": round(statistics.mean(seconds) * 1_000, 3),
        "ms_per_name_p95": round(statistics.quantiles(seconds, n=20)[-1] * 1_000, 3),
        "scan_ms_per_name": round(scan_seconds * 1_000, 3),
        "exact_asked": len(sample),
        "exact_found": (len(sample) - len(missed)) / len(sample),
    }


def _quality(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Judge labelled pairs by the shipped threshold."""
    found = [(compare(*pair[:3]).points >= THRESHOLD, pair.is_match) for pair in pairs]
    true = sum(said and right for said, right in found)
    said_yes, are = sum(said for said, _ in found), sum(right for _, right in found)
    return {
        "pairs": len(pairs),
        "precision": round(true / said_yes, 4) if said_yes else 0,
        "recall": round(true / are, 4) if are else 0,
        "f1": round(2 * true / (said_yes + are), 4) if said_yes + are else 0,
    }


def _everybody(lists: dict[str, ListFile], count: int) -> dict[str, Any]:
    """Compare `count` participants with the lists, from the database and into it."""
    chance = random.Random(5)
    names = [party.name for found in lists.values() for party in found.parties]
    with tempfile.TemporaryDirectory(prefix="settle-screening-") as folder:
        engine = open_engine(f"sqlite:///{folder}/settle.sqlite3")
        migrate(engine)
        with transaction(engine) as session:
            columns = ("id", "name", "country", "street", "post_code", "town", "state",
                       "legal_form", "lei", "created_at")  # fmt: skip
            rows = []
            for number in range(count):
                # One of a hundred sounds like somebody listed.
                name = (
                    misspelt(chance.choice(names), chance) if number % 100 == 0 else company(chance)
                )
                rows.append((f"par_{number:032x}", name, "DE", "", "", "Ulm", "active",
                             "legal_entity", f"LEI{number}", to_micros(NOW)))  # fmt: skip
            insert_rows(session, "participant", columns, rows)
        for name, found in lists.items():
            say(f"loading {name}")
            with transaction(engine) as session:
                put_in_force(session, name=name, content=name.encode(), found=found, ids=new_id,
                             now=NOW)  # fmt: skip
        say(f"comparing {count} participants by {PROCESSES} processes")
        began, burnt = time.perf_counter(), _cpu_seconds()
        counts = compare_everybody(engine, processes=PROCESSES, actor="bench", ids=new_id, now=NOW)
        seconds, cpu_seconds = time.perf_counter() - began, _cpu_seconds() - burnt
        assert counts.compared == count, counts
        with transaction(engine) as session:
            assert rounds.log(session)[0].state == "done"
        engine.dispose()
    return {
        "rescreen_seconds": round(seconds, 2),
        "rescreen_cpu_seconds": round(cpu_seconds, 2),
        "rescreened_per_second": round(count / seconds),
        "rescreen_hits": counts.found,
    }


def _cpu_seconds() -> float:
    """Seconds of CPU that this process and those it has waited for have used."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (
            resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN),
        )
    )  # fmt: skip
