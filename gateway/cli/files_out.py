"""Files that the command line writes: new ones only, and whole ones only.

Knows no command.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from gateway.cli.client import open_api

Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="A new file; else standard output.")
]


@contextmanager
def a_new_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to; it has its name only when all of it is written.

    Raises:
        Conflict: there is a file of that name.
        Invalid: it cannot be written there.
    """
    from settlement.errors import Conflict

    there = Conflict(f"{path} is there already", repair="name a new file")
    with writable(path):
        if path.exists():
            raise there
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("xb") as stream:
                yield stream
            try:
                os.link(part, path)  # Unlike a rename, it never takes the place of another file.
            except FileExistsError:
                raise there from None
        finally:
            with suppress(NotADirectoryError):
                part.unlink(missing_ok=True)


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Say of a file that it cannot be written, and why, where the system refuses it.

    Raises:
        Invalid: the folder is not there, may not be written, the disk is full, and the like.
    """
    from settlement.errors import Invalid

    try:
        yield
    except OSError as error:
        raise Invalid(
            f"{path} cannot be written: {error.strerror or error}", field="output",
            repair="name a file in a folder that is there, that you may write and that has room",
        ) from error  # fmt: skip


def saved(
    door: tuple[str, Path | None, str | None],
    path: str,
    output: Path | None,
    *,
    as_json: bool,
    **parameters: object,
) -> None:
    """Fetch a file from the gateway into `output`, or to standard output.

    Raises:
        Conflict: the file is there already, or a JSON answer has no file to tell of.
    """
    from settlement.errors import Invalid

    api = open_api(*door)
    if output is None:
        if as_json:
            raise Invalid("--json tells of a file", repair="name one with --output")
        api.download(path, sys.stdout.buffer, **parameters)
        sys.stdout.buffer.flush()
        return
    with a_new_file(output) as stream:
        media_type = api.download(path, stream, **parameters)
        count = stream.tell()
    if as_json:
        said = {"file": str(output), "media_type": media_type, "bytes": count}
        typer.echo(json.dumps(said))
    else:
        typer.echo(f"{output}: {count} bytes", err=True)
