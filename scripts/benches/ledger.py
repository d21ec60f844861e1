"""The ledger against a dictionary, sequence by sequence, and a long journal as text tools take it.

`--sequences N`: N drawn sequences of operations, every invariant after each operation. With
`--resume FILE` the record in that file goes on where it ended, until it has N.
`--entries N`: a journal of N entries is written as beancount and hledger files, checked by those
tools (where they are installed), read back and compared.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from scripts.benches._journal_world import seed_world, write_journal
from scripts.benches._ledger_model import Disagreement, run_sequence
from scripts.benches._ledger_record import Record
from scripts.benches._report import common, peak_rss_mb, publish, say
from settlement.ledger import exports
from settlement.store import migrate, open_engine, reading, transaction
from settlement.store.bulk import chunks

SEED = 11
_EVERY = 500
Write = Callable[[Session], Iterator[str]]


class _UndoneError(Exception):
    """Ends a sequence: its database transaction is rolled back."""


def main(argv: list[str]) -> int:
    """Measure what is asked for; exit code 1 where something disagreed."""
    parser = argparse.ArgumentParser(prog="scripts/bench ledger", description=__doc__)
    parser.add_argument("--sequences", type=int, default=500)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--resume", type=Path, help="a record that adds up over runs")
    parser.add_argument("--entries", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="settle-bench-") as folder:
        figures: dict[str, Any] = {}
        if arguments.sequences:
            record = Record(arguments.resume, arguments.first_seed)
            last = arguments.first_seed + arguments.sequences
            _sequences(Path(folder), range(record.next_seed, last), record)
            figures |= record.figures()
        if arguments.entries:
            figures |= _files(Path(folder), arguments.entries)
    total = time.perf_counter() - began
    failed = figures.get("disagreements") or not all(
        found["ok"] for found in figures.get("files", {}).values()
    )
    published = common(
        anvil=None,
        database="sqlite (WAL, synchronous=FULL)",
        seconds=figures.pop("seconds", total),
        total_seconds=total,
        rss_mb=peak_rss_mb(),
    )
    publish({**published, **figures}, arguments.json)
    return 1 if failed else 0


def _sequences(folder: Path, seeds: range, record: Record) -> None:
    engine = _fresh(folder / "sequences.sqlite3")
    with transaction(engine) as session:
        seed_world(session)
    for some in chunks(seeds, _EVERY):
        began, operations = time.perf_counter(), 0
        disagreements: dict[int, str] = {}
        for seed in some:
            try:
                with transaction(engine) as session:
                    operations += run_sequence(session, seed)
                    raise _UndoneError
            except _UndoneError:
                pass
            except Disagreement as found:
                disagreements[seed] = str(found)
        record.add(some, operations, disagreements, time.perf_counter() - began)
        so_far = record.figures()
        say(f"{so_far['sequences']} sequences, {len(so_far['disagreements'])} disagree")
    engine.dispose()


def _files(folder: Path, entries: int) -> dict[str, Any]:
    engine = _fresh(folder / "journal.sqlite3")
    began = time.perf_counter()
    newest = write_journal(engine, entries, seed=SEED)
    posted = time.perf_counter() - began
    say(f"{entries} entries posted in {posted:.1f} s")
    files = {
        "beancount": _file(
            engine,
            folder / "books.beancount",
            exports.beancount,
            [sys.executable, "-m", "beancount.scripts.check"],
        ),
        "hledger": _file(
            engine,
            folder / "books.journal",
            lambda session: exports.hledger(session, final_block=newest),
            ["hledger", "check", "--strict", "--file"],
        ),
    }
    engine.dispose()
    return {"entries": entries, "post_seconds": round(posted, 3), "files": files}


def _file(engine: Engine, path: Path, write: Write, tool: list[str]) -> dict[str, Any]:
    before = peak_rss_mb()
    began = time.perf_counter()
    with reading(engine) as session, path.open("w", encoding="utf-8") as stream:
        for piece in write(session):
            stream.write(piece)
    wrote = time.perf_counter() - began
    grown = peak_rss_mb() - before
    began = time.perf_counter()
    with path.open(encoding="utf-8") as lines:
        read = exports.read_back(lines)
    read_seconds = time.perf_counter() - began
    with reading(engine) as session:
        agrees = exports.compare(session, read).agrees
    began = time.perf_counter()
    said = _checked(tool, path)
    found = {
        "write_seconds": round(wrote, 3),
        "write_rss_grown_mb": round(grown, 1),
        "megabytes": round(path.stat().st_size / 10**6, 1),
        "read_back_seconds": round(read_seconds, 3),
        "entries": read.entries,
        "assertions": read.assertions,
        "agrees": agrees,
        "tool": said,
        "tool_seconds": round(time.perf_counter() - began, 3),
        "ok": agrees and said in ("accepted", "not run: not installed"),
    }
    say(f"{path.name}: {found}")
    return found


def _checked(tool: list[str], path: Path) -> str:
    if shutil.which(tool[0]) is None:
        return "not run: not installed"
    ran = subprocess.run([*tool, str(path)], capture_output=True, text=True, check=False)
    if "No module named" in ran.stderr:
        return "not run: not installed"
    words = (ran.stdout + ran.stderr).strip()
    return "accepted" if ran.returncode == 0 and not words else words[-500:] or "refused"


def _fresh(file: Path) -> Engine:
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    return engine
