"""The options that many commands share, and the help text that goes with them.

Knows no command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.client import DEFAULT_URL

Url = Annotated[
    str, typer.Option("--url", envvar="SETTLE_URL", help="The gateway's address.", metavar="URL")
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", help="A file with the API key; else SETTLE_API_KEY is used."),
]
KeyName = Annotated[
    str | None,
    typer.Option("--as", help="Name of a key that `settle up` made, such as treasury."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many at most.")]
Reason = Annotated[str, typer.Option("--reason", help="The other side reads it.")]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key", help="Repeat it to repeat a command safely; else a new one is made."
    ),
]

URL = DEFAULT_URL
LIMIT = 20


def noun(line: str) -> typer.Typer:
    """Return the app of a noun with several commands."""
    return typer.Typer(no_args_is_help=True, help=line, rich_markup_mode=None)
