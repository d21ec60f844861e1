"""`settle screening`: hits that a person judges, and a name compared with the lists in force."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import (
    LIMIT,
    URL,
    AsJson,
    IdempotencyKey,
    KeyFile,
    KeyName,
    Limit,
    Url,
    noun,
)

app = noun("Judge who may be a listed party; compare a name with the lists.")

_HITS = ("id", "state", "score", "subject_kind", "subject", "list_name", "entry", "participant_id")
_CHECKED = ("score", "list_name", "entry_key", "kind", "entry")

Named = Annotated[str, typer.Argument(help="The hit's id.")]
Why = Annotated[str, typer.Option("--reason", help="What the decision rests on.")]


@app.command(epilog="Example: settle screening hits --state open --as compliance")
def hits(
    state: Annotated[str, typer.Option("--state", help="open, cleared, confirmed or lapsed.")] = "",
    participant: Annotated[str, typer.Option("--participant", help="Of one participant.")] = "",
    list_name: Annotated[str, typer.Option("--list", help="On one list.")] = "",
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List hits, newest first."""
    api = open_api(url, key_file, key_name)
    found = api.pages(
        "/v1/screening/hits", limit=limit, state=state or None,
        participant_id=participant or None, list_name=list_name or None,
    )  # fmt: skip
    show.table(list(found), _HITS, as_json=as_json)


@app.command("show", epilog="Example: settle screening show hit_019a8f… --as compliance")
def show_(
    hit_id: Named,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show a hit with what its score is made of, and its history."""
    found = open_api(url, key_file, key_name).get(f"/v1/screening/hits/{hit_id}")
    show.fields(found, as_json=as_json)


@app.command(
    epilog="Example: settle screening clear hit_019a8f… --reason 'another register number'"
)
def clear(
    hit_id: Named,
    reason: Why,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say that a hit is somebody else; a close one waits for a second person's approval."""
    _decide(hit_id, "clear", {"reason": reason}, url, key_file, key_name, idempotency_key, as_json)


@app.command(epilog="Example: settle screening confirm hit_019a8f… --reason 'same passport'")
def confirm(
    hit_id: Named,
    reason: Why,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say that a hit is the listed party: nothing is paid to it or by it."""
    body = {"reason": reason}
    _decide(hit_id, "confirm", body, url, key_file, key_name, idempotency_key, as_json)


@app.command(epilog="Example: settle screening assign hit_019a8f… --to 'A. Officer'")
def assign(
    hit_id: Named,
    to: Annotated[str, typer.Option("--to", help="Who looks at it.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say who looks at a hit."""
    _decide(hit_id, "assign", {"to": to}, url, key_file, key_name, idempotency_key, as_json)


@app.command(epilog="Example: settle screening comment hit_019a8f… --text 'asked for its register'")
def comment(
    hit_id: Named,
    text: Annotated[str, typer.Option("--text", help="What was found out.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Write down what was found out about a hit."""
    _decide(hit_id, "comment", {"comment": text}, url, key_file, key_name, idempotency_key, as_json)


@app.command(
    epilog="Example: settle screening check 'Maksim Orlovsky' --kind person --country RU"
    " --birth-date 1970-09-21 --as compliance"
)
def check(
    name: Annotated[str, typer.Argument(help="In any script.")],
    kind: Annotated[
        str, typer.Option("--kind", help="person, organization, vessel or unknown.")
    ] = "unknown",
    country: Annotated[str, typer.Option("--country", help="ISO 3166-1 alpha-2.")] = "",
    birth_date: Annotated[str, typer.Option("--birth-date", help="YYYY-MM-DD.")] = "",
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show the listed parties that a name may be, best first; --json has each score's parts."""
    api = open_api(url, key_file, key_name)
    found = api.get(
        "/v1/screening/check", name=name, kind=kind, country=country or None,
        birth_date=birth_date or None,
    )  # fmt: skip
    show.table(found["data"], _CHECKED, as_json=as_json)


@app.command(epilog="Example: settle screening rescreen --here --processes 2")
def rescreen(
    here: Annotated[
        bool, typer.Option("--here", help="On this machine, at once, instead of by the worker.")
    ] = False,
    processes: Annotated[
        int, typer.Option("--processes", min=1, max=32, help="With --here: how many compare.")
    ] = 2,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Compare everybody anew: begun here and gone on with by the worker, or done with --here."""
    if here:
        show.fields(_rescreen_here(processes), as_json=as_json)
        return
    api = open_api(url, key_file, key_name)
    found = api.post("/v1/screening/rounds", {}, idempotency_key=idempotency_key)
    show.fields(found, as_json=as_json)


def _rescreen_here(processes: int) -> dict[str, Any]:
    """Compare everybody in the database of this machine's settings."""
    from gateway import wiring
    from settlement.clock import new_id
    from settlement.compliance.screening.together import compare_everybody
    from settlement.config import Settings
    from settlement.store import open_engine, require_current

    engine = open_engine(wiring.database_url(Settings()))
    require_current(engine)
    found = compare_everybody(
        engine, processes=processes, actor="cli", ids=new_id, now=datetime.now(UTC)
    )
    engine.dispose()
    return {
        "object": "screening_round", "compared": found.compared, "found": found.found,
        "reopened": found.reopened, "lapsed": found.lapsed,
    }  # fmt: skip


def _decide(
    hit_id: str,
    act: str,
    body: dict[str, Any],
    url: str,
    key_file: Any,
    key_name: str | None,
    idempotency_key: str | None,
    as_json: bool,
) -> None:
    api = open_api(url, key_file, key_name)
    path = f"/v1/screening/hits/{hit_id}/{act}"
    show.fields(api.post(path, body, idempotency_key=idempotency_key), as_json=as_json)
