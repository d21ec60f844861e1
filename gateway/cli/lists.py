"""`settle list`: lists of parties that may not be paid, put in force from files.

A file goes to the gateway; one that is too large for that is read on this machine, with --here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import URL, AsJson, IdempotencyKey, KeyFile, KeyName, Url, noun
from settlement.errors import Invalid

app = noun("Put lists of parties that may not be paid in force, and show what changed.")

_COLUMNS = ("name", "format", "parties", "id", "created_at", "loaded_by")
_SENT_MAX_BYTES = 10 * 1024 * 1024

Name = Annotated[str, typer.Argument(help="Of the list, such as ofac.")]


@app.command(
    epilog="Example: settle list load ofac SDN.CSV ALT.CSV ADD.CSV SDN_COMMENTS.CSV",
)
def load(
    name: Name,
    files: Annotated[list[Path], typer.Argument(help="As the publisher gives them; OFAC's four.")],
    shrinks: Annotated[
        str, typer.Option("--shrinks", help="`accept`: much was taken off the list.")
    ] = "",
    other_format: Annotated[
        str, typer.Option("--format", help="`accept`: the list comes in another format.")
    ] = "",
    here: Annotated[
        bool, typer.Option("--here", help="Into this machine's database: for large files.")
    ] = False,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Put a list in force; open payments of whom it newly lists are stopped at once."""
    content = b"\n".join(_content(each) for each in files) if len(files) > 1 else _content(files[0])
    smaller, other = shrinks == "accept", other_format == "accept"
    if here:
        found = _load_here(name, content, accept_shrinking=smaller, accept_format=other)
        show.fields(found, as_json=as_json)
        return
    if len(content) > _SENT_MAX_BYTES:
        raise Invalid(
            "the file is too large for the gateway",
            field="file",
            repair="read it beside the database, with --here",
        )
    accepted = ("/other-format" if other else "") + ("/smaller" if smaller else "")
    api = open_api(url, key_file, key_name)
    answer = api.post(
        f"/v1/lists/{name}{accepted}", content, media_type="application/octet-stream",
        idempotency_key=idempotency_key,
    )  # fmt: skip
    show.fields(answer, as_json=as_json)


@app.command("list", epilog="Example: settle list list --as compliance")
def list_(
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show the lists in force."""
    found = open_api(url, key_file, key_name).get("/v1/lists")
    show.table(found["data"], _COLUMNS, as_json=as_json)


@app.command(epilog="Example: settle list diff ofac --as compliance")
def diff(
    name: Name,
    version: Annotated[str, typer.Option("--version", help="A version's id; else the last.")] = "",
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show what a version added, changed and removed."""
    api = open_api(url, key_file, key_name)
    found = api.get(f"/v1/lists/{name}/diff", version=version or None)
    show.fields(found, as_json=as_json)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes().rstrip(b"\x1a")
    except OSError as error:
        raise Invalid(
            f"{file} cannot be read: {error.strerror}", field="file", repair="name a file"
        ) from None


def _load_here(
    name: str, content: bytes, *, accept_shrinking: bool, accept_format: bool
) -> dict[str, Any]:
    """Put a list in force in the database of this machine's settings."""
    from gateway import at_the_machine, wiring
    from gateway.api import screening_shapes as shapes
    from gateway.processes import collect_garbage_seldom
    from settlement.clock import new_id
    from settlement.compliance import screening
    from settlement.config import Settings
    from settlement.store import open_engine, require_current, transaction
    from settlement.store.locks import leave_out_locks

    leave_out_locks()
    engine = open_engine(wiring.database_url(Settings()))
    require_current(engine)
    collect_garbage_seldom()
    with transaction(engine) as session:
        found = screening.put_in_force(
            session, name=shapes.list_name(name), content=content, ids=new_id,
            now=datetime.now(UTC), actor="cli", accept_shrinking=accept_shrinking,
            accept_format=accept_format,
        )  # fmt: skip
        at_the_machine.record(session, "settle list load", datetime.now(UTC), name)
    engine.dispose()
    return shapes.loaded(found)
