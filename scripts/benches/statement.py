"""How fast a bank's statement is read and stored, and in how much memory.

A camt.053 is written first; then a process of its own reads, judges and stores it as `settle bank
import` does. The yardstick parses the same bytes with lxml and does nothing else.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.benches._children import Children
from scripts.benches._report import ROOT, common, publish, say
from scripts.benches._statement_file import IBAN, write

NOW = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
ENTRIES = 1_000_000
MEMORY_MAX_MB = 300
PER_SECOND_MIN = 20_000


def main(argv: list[str]) -> int:
    asked = _parser().parse_args(argv)
    if asked.part:
        print(json.dumps(_PARTS[asked.part](asked.folder)))
        return 0
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="statement-") as name:
        folder = Path(name)
        say(f"writing a statement of {asked.entries} entries")
        rows = write(folder / "statement.xml", asked.entries)
        size = (folder / "statement.xml").stat().st_size
        say(f"{size // 1_000_000} MB; parsing it and nothing else")
        bare = _apart("bare", folder)
        say("reading, judging and storing it")
        product = _apart("product", folder)
    assert product["rows"] == rows, f"{product['rows']} rows are stored, {rows} were written"
    read, stored = product["read_seconds"], product["store_seconds"]
    figures: dict[str, Any] = {
        **common(
            anvil=None,
            database="sqlite",
            seconds=read + stored,
            total_seconds=time.perf_counter() - began,
            rss_mb=product["rss_mb"],
        ),
        "entries": asked.entries,
        "rows": rows,
        "file_mb": size // 1_000_000,
        "per_second": int(asked.entries / read),
        "read_seconds": round(read, 3),
        "store_seconds": round(stored, 3),
        "read_cpu_seconds": [round(each, 2) for each in product["read_cpu_seconds"]],
        "stored_rows_per_second": int(rows / stored),
        "read_and_stored_per_second": int(asked.entries / (read + stored)),
        "bare_parse_per_second": int(asked.entries / bare["seconds"]),
        "ratio_to_bare_parse": round(read / bare["seconds"], 2),
        "reader_rss_mb": product["reader_rss_mb"],
        "judge_rss_mb": product["judge_rss_mb"],
    }
    publish(figures, asked.json)
    is_met = figures["per_second"] >= PER_SECOND_MIN and figures["rss_mb"] <= MEMORY_MAX_MB
    say("met" if is_met else f"below {PER_SECOND_MIN}/s, or above {MEMORY_MAX_MB} MB")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench statement", description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", choices=sorted(_PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser


def _apart(part: str, folder: Path) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "scripts.benches.statement",
        "--part",
        part,
        "--folder",
        str(folder),
    ]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def _bare(folder: Path) -> dict[str, Any]:
    """Parse the file entry by entry with lxml, and let go of each."""
    from lxml import etree

    began = time.perf_counter()
    tag = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}Ntry"
    for _event, element in etree.iterparse(str(folder / "statement.xml"), tag=tag):
        element.clear()
        parent = element.getparent()
        while element.getprevious() is not None:
            del parent[0]
    return {"seconds": time.perf_counter() - began}


def _product(folder: Path) -> dict[str, Any]:
    """Import the file into a database of its own, as the command line does on this machine."""
    from gateway.processes import collect_garbage_seldom
    from settlement import bank
    from settlement.clock import new_id
    from settlement.store import migrate, open_engine, reading, transaction

    engine = open_engine(f"sqlite:///{folder / 'bench.sqlite3'}")
    migrate(engine)
    with transaction(engine) as session:
        connection = session.connection()
        connection.exec_driver_sql(
            "INSERT INTO participant (id, lei, name, country, street, post_code, town, state,"
            " created_at) VALUES ('par_1', 'x', 'Bench', 'DE', '', '', 'Bremen', 'active', 0)"
        )
        account = bank.NewBankAccount("par_1", "Bench", IBAN, "COBADEFFXXX", "EUR", "nostro")
        bank.register(session, account, ids=new_id, now=NOW)
    collect_garbage_seldom()
    path = folder / "statement.xml"
    children = Children()
    began, began_cpu = time.perf_counter(), _cpu_seconds()
    with path.open("rb") as file, reading(engine) as session:
        prepared = bank.prepare(session, bank.Source(file, path.name, path), actor="bench")
    assert isinstance(prepared, bank.Prepared)
    read, read_cpu = time.perf_counter(), _cpu_seconds()
    with transaction(engine) as session:
        result = prepared.store(session, ids=new_id, now=NOW)
    stored = time.perf_counter()
    prepared.spool.close()
    reader = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    judge = children.most_mb()
    return {
        "rows": result.entries,
        "read_seconds": read - began,
        "store_seconds": stored - read,
        "read_cpu_seconds": [
            each - before for each, before in zip(read_cpu, began_cpu, strict=True)
        ],
        "reader_rss_mb": round(reader, 1),
        "judge_rss_mb": round(judge, 1),
        "rss_mb": reader + judge,
    }


def _cpu_seconds() -> tuple[float, float]:
    """Of this process, and of those beside it that have ended."""
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return both[0].ru_utime + both[0].ru_stime, both[1].ru_utime + both[1].ru_stime


_PARTS = {"bare": _bare, "product": _product}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
