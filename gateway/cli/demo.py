"""`settle demo`: a trading day on a chain of its own, and what it came to."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(epilog="Example: settle demo --json")
def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object last.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it running afterwards and say how to look around.")
    ] = False,
    home: Annotated[
        Path | None,
        typer.Option(help="Where its files are, emptied first; else a temporary place."),
    ] = None,
) -> None:
    """Run a trading day: at least 60 invoices, a blocked payee, a reorg, and the books at the end.

    Exit code 0 only if every invariant holds and every balance ties out.
    """
    from gateway import processes
    from gateway.demo import report
    from gateway.demo.day import TradingDay
    from gateway.installation import Installation
    from settlement.config import Settings

    began = time.monotonic()
    processes.end_with_parent()
    place = _empty(home)
    settings = Settings(home=place, port=0, database_url="", rpc_url="")
    say = _Teller(began)
    try:
        say("starting chain, signer and gateway; deploying rail, tokens and mandates")
        with Installation.start(settings, block_seconds=None) as running:
            day = TradingDay.on(running, say)
            book = day.play()
            say("the checker reads database and chain")
            found = report.figures(running, book, seconds=time.monotonic() - began)
            typer.echo(report.as_text(found), err=as_json)
            if as_json:
                typer.echo(json.dumps(found))
            if keep:
                _keep(running, day)
    except Exception:
        home = place  # Its logs say why: they stay.
        raise
    finally:
        if home is None:
            shutil.rmtree(place, ignore_errors=True)
    raise typer.Exit(0 if found["ok"] else 1)


class _Teller:
    """Says on standard error what happens, with the seconds since the start."""

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self, what: str) -> None:
        typer.echo(f"{time.monotonic() - self._began:6.1f} s  {what}", err=True)


def _empty(home: Path | None) -> Path:
    if home is None:
        return Path(tempfile.mkdtemp(prefix="settle-demo-"))
    marker = home / "settle.sqlite3"
    if home.exists() and any(home.iterdir()) and not marker.exists():
        raise typer.BadParameter(f"{home} is not empty and no rail's home", param_hint="--home")
    shutil.rmtree(home, ignore_errors=True)
    return home


def _keep(running: object, day: object) -> None:
    from gateway import processes
    from gateway.cli.up import announce
    from gateway.demo.day import TradingDay
    from gateway.installation import Installation

    assert isinstance(running, Installation)
    assert isinstance(day, TradingDay)
    stop = processes.stop_event()
    day.worker.stop()
    day.controls.set_mining_interval(1)
    running.start_worker()
    announce(running, as_json=False, seconds=0.0)
    running.supervisor.watch(stop)
