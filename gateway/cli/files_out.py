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

from gateway.cli.client import Api, open_api

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
    """Fetch a file from the gateway; as `download`."""
    download(open_api(*door), path, output, as_json=as_json, **parameters)


def require_file(output: Path | None, *, as_json: bool) -> None:
    """Refuse --json where there is no file to tell of: standard output is the content's.

    Raises:
        Invalid: --json without --output.
    """
    from settlement.errors import Invalid

    if as_json and output is None:
        raise Invalid("--json tells of a file", field="--json", repair="name one with --output")


def download(
    api: Api, path: str, output: Path | None, *, as_json: bool, **parameters: object
) -> None:
    """Fetch a file from the gateway into `output`, or to standard output.

    Raises:
        Conflict: the file is there already.
        Invalid: a JSON answer has no file to tell of.
    """
    require_file(output, as_json=as_json)
    if output is None:
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
