"""The journal as text for other people's tools, from the database itself; and read back.

Loaded only by `settle export`.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import typer

from gateway import wiring
from gateway.cli import show
from gateway.cli.files_out import a_new_file
from settlement.config import Settings
from settlement.errors import Invalid, NotFound
from settlement.ledger import exports
from settlement.reconciliation import newest_settled_block
from settlement.store import reading

BEANCOUNT = "beancount"


def write(
    dialect: str, output: Path | None, *, first: str | None, last: str | None, as_json: bool
) -> None:
    """Write the journal, or the value dates from `first` to `last`, as one of the two."""
    begins, ends = _day(first, "--first"), _day(last, "--last")
    engine = wiring.open_database(Settings())
    target = nullcontext(sys.stdout.buffer) if output is None else a_new_file(output)
    with target as stream, reading(engine) as session:
        if dialect == BEANCOUNT:
            pieces = exports.beancount(session, first=begins, last=ends)
        else:
            final = newest_settled_block(session)
            pieces = exports.hledger(session, first=begins, last=ends, final_block=final)
        count = 0
        for piece in pieces:
            count += stream.write(piece.encode())
    engine.dispose()
    if output is None:
        typer.echo(f"{count} bytes", err=True)
    else:
        show.written(output, f"{count} bytes", {"format": dialect}, as_json=as_json)


def check(file: Path | None, *, as_json: bool) -> None:
    """Read a file of ours back and compare every balance with the journal's; exit code 1 if not."""
    if file is None:
        raise Invalid("there is no file to check", repair="settle export check FILE")
    try:
        with file.open(encoding="utf-8") as lines:
            read = exports.read_back(lines)
    except OSError as error:
        raise NotFound("file", f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise exports.FileNotSound(1, "the file is no text in UTF-8") from None
    engine = wiring.open_database(Settings())
    with reading(engine) as session:
        compared = exports.compare(session, read)
    engine.dispose()
    if as_json:
        differences = [
            {"account": each.code, "file_minor": str(each.file_minor),
             "ledger_minor": str(each.ledger_minor)}
            for each in compared.differences
        ]  # fmt: skip
        said = {
            "agrees": compared.agrees,
            "is_same_journal": compared.is_same_journal,
            "entries": read.entries,
            "assertions": read.assertions,
            "head_seq": read.head.seq,
            "differences": differences,
        }
        typer.echo(json.dumps(said))
    else:
        _tell(read, compared)
    if not compared.agrees:
        raise typer.Exit(1)


def _tell(read: exports.ReadBack, compared: exports.Compared) -> None:
    typer.echo(
        f"{read.dialect}: {read.entries} entries up to {read.head.seq}, {read.assertions} balances"
        " in the file hold"
    )
    if not compared.is_same_journal:
        typer.echo("the file is of another journal: its newest entry has another hash here")
    for each in compared.differences:
        typer.echo(f"{each.code}: {each.file_minor} in the file, {each.ledger_minor} here")
    if compared.agrees:
        typer.echo(f"all {len(read.balances)} accounts have the balances of this journal")


def _day(given: str | None, option: str) -> date | None:
    try:
        return None if given is None else date.fromisoformat(given)
    except ValueError:
        raise Invalid(f"{given!r} is no day", field=option, repair="write 2026-10-31") from None
