"""`settle reconcile`: the matching engine; its records, matches, runs and rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import expecting, show
from gateway.cli.client import Json, open_api
from gateway.cli.files_in import content_of
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

app = noun("Match what must agree, by rules; list records, matches and rules.")
rules_app = noun("Show, check, try, propose and approve the rules of matching.")
app.add_typer(rules_app, name="rules", epilog="Example: settle reconcile rules show")
expecting.add_to(app)

_ROOT = "/v1/reconciliation"
_RECORD = ("id", "source", "origin", "state", "amount", "currency", "value_date", "match_id")
_MATCH = ("id", "rule", "score", "kind", "live", "records", "created_at", "undone_reason")
_RUN = (
    "id", "state", "rule_set", "started_at", "added", "withdrawn", "looked_at", "matched", "undone",
    "opened", "closed",
)  # fmt: skip
_RULES = ("version", "state", "sha256", "author", "approved_by", "in_force_from")
_RULE = ("id", "between", "key", "cardinality", "days", "tolerance", "score", "title")
_TRIED = ("change", "rule", "origins", "instead_of")

File = Annotated[
    Path, typer.Argument(help="A rule set, YAML or JSON.", exists=True, dir_okay=False)
]
Records = Annotated[list[int], typer.Argument(help="Ids of records.")]
Reason = Annotated[str | None, typer.Option(help="Why; needed where the two sides differ.")]
Why = Annotated[str, typer.Option("--reason", help="Why the match is undone.")]


@app.callback()
def reconcile() -> None:
    """Match what must agree, by rules; list records, matches and rules."""


@app.command(epilog="Example: settle reconcile run")
def run(
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Match what is new, now; the worker does it by itself when it is idle."""
    api = open_api(url, key_file, key_name)
    show.fields(api.post(f"{_ROOT}/run", {}, idempotency_key=idempotency_key), as_json=as_json)


@app.command(epilog="Example: settle reconcile status --json")
def status(
    limit: Limit = 10,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List the newest runs and what they did."""
    found = open_api(url, key_file, key_name).get(f"{_ROOT}/runs", limit=min(limit, 100))
    runs = found["data"] if as_json else [{**each["counts"], **each} for each in found["data"]]
    show.table(runs, _RUN, as_json=as_json)


@app.command(epilog="Example: settle reconcile records --state open --source bank")
def records(
    state: Annotated[str | None, typer.Option(help="open, matched, withdrawn, …")] = None,
    source: Annotated[str | None, typer.Option(help="payment, bank, expected, …")] = None,
    owner: Annotated[str | None, typer.Option(help="A participant's id.")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List what is to be matched, and what was; oldest first."""
    api = open_api(url, key_file, key_name)
    found = api.pages(f"{_ROOT}/records", limit=limit, state=state, source=source, owner=owner)
    show.table(list(found), _RECORD, as_json=as_json)


@app.command(epilog="Example: settle reconcile matches --rule payment-end-to-end")
def matches(
    rule: Annotated[str | None, typer.Option(help="A rule's id.")] = None,
    kind: Annotated[str | None, typer.Option(help="auto or manual.")] = None,
    is_live: Annotated[
        bool | None, typer.Option("--live/--undone", help="Only live, or only undone ones.")
    ] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List matches, newest first; --json has the reasons."""
    api = open_api(url, key_file, key_name)
    live = None if is_live is None else str(is_live).lower()
    found = api.pages(f"{_ROOT}/matches", limit=limit, rule=rule, kind=kind, live=live)
    show.table(list(found), _MATCH, as_json=as_json)


@app.command(epilog="Example: settle reconcile match 4 7 --reason 'the bank kept its fee'")
def match(
    records: Records,
    reason: Reason = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Match records by hand."""
    api = open_api(url, key_file, key_name)
    body: Json = {"records": records, "reason": reason}
    made = api.post(f"{_ROOT}/matches", body, idempotency_key=idempotency_key)
    show.fields(made, as_json=as_json)


@app.command(epilog="Example: settle reconcile unmatch 2 --reason 'another payment'")
def unmatch(
    match_id: Annotated[int, typer.Argument(help="A match's id.")],
    reason: Why,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Undo a match; its records are open again."""
    api = open_api(url, key_file, key_name)
    path = f"{_ROOT}/matches/{match_id}/unmatch"
    show.fields(
        api.post(path, {"reason": reason}, idempotency_key=idempotency_key), as_json=as_json
    )


@app.command(epilog="Example: settle reconcile split 4 4000.00 320.00")
def split(
    record_id: Annotated[int, typer.Argument(help="An open record's id.")],
    amounts: Annotated[list[str], typer.Argument(help="Two or more, which sum to the record's.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Split an open record in parts that are matched one by one; below zero behind a --."""
    api = open_api(url, key_file, key_name)
    path = f"{_ROOT}/records/{record_id}/split"
    body: Json = {"amounts": amounts}
    show.fields(api.post(path, body, idempotency_key=idempotency_key), as_json=as_json)


@app.command(epilog="Example: settle reconcile join 4")
def join(
    record_id: Annotated[int, typer.Argument(help="A split record's id.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Take a split back, while none of its parts is matched."""
    api = open_api(url, key_file, key_name)
    path = f"{_ROOT}/records/{record_id}/join"
    show.fields(api.post(path, {}, idempotency_key=idempotency_key), as_json=as_json)


@rules_app.callback()
def rules() -> None:
    """Show, check, try, propose and approve the rules of matching."""


@rules_app.command("show", epilog="Example: settle reconcile rules show --version 2")
def rules_show(
    version: Annotated[int | None, typer.Option(help="This one, with its rules.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List the versions of the rules, newest first, or show one of them."""
    from settlement.errors import NotFound

    found = open_api(url, key_file, key_name).get(f"{_ROOT}/rules")["data"]
    if version is None:
        show.table(found, _RULES, as_json=as_json)
        return
    chosen = [each for each in found if each["version"] == version]
    if not chosen:
        raise NotFound("rule set", str(version))
    _show_rules(chosen[0], as_json)


@rules_app.command("check", epilog="Example: settle reconcile rules check ours.yaml")
def rules_check(file: File, as_json: AsJson = False) -> None:
    """Check a file, here and without a gateway; a fault is named with its line."""
    from settlement.reconciliation.engine import rules as engine_rules

    found = engine_rules.load(content_of(file))
    told = {"name": found.name, "rules": len(found.rules), "sha256": found.sha256}
    show.fields(told, as_json=as_json)


@rules_app.command("dry-run", epilog="Example: settle reconcile rules dry-run ours.yaml")
def rules_dry_run(
    file: File,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say what the rules would change on all that is there, and change nothing."""
    found = _sent("/rules/dry-run", file, url, key_file, key_name, idempotency_key)
    if as_json:
        show.fields(found, as_json=True)
        return
    counts = ("kept", "gained", "lost", "changed")
    show.fields({name: found[name] for name in counts}, as_json=False)
    told = {"new": "gained", "gone": "lost", "other": "changed"}
    show.table(
        [{"change": word, **each} for name, word in told.items() for each in found[name]],
        _TRIED,
        as_json=False,
    )


@rules_app.command("propose", epilog="Example: settle reconcile rules propose ours.yaml")
def rules_propose(
    file: File,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Keep the rules as a draft, with their dry run, for a second person to approve."""
    _show_rules(_sent("/rules", file, url, key_file, key_name, idempotency_key), as_json)


@rules_app.command("approve", epilog="Example: settle reconcile rules approve 2 --sha256 b5bb9d…")
def rules_approve(
    version: Annotated[int, typer.Argument(help="A draft's version.")],
    sha256: Annotated[str, typer.Option("--sha256", help="Its hash, as it was read.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Put a draft in force; not by the one who proposed it."""
    api = open_api(url, key_file, key_name)
    body: Json = {"version": version, "sha256": sha256}
    found = api.post(f"{_ROOT}/rules/approve", body, idempotency_key=idempotency_key)
    show.fields(found, as_json=as_json)


def _show_rules(found: Json, as_json: bool) -> None:
    plain = found if as_json else {key: each for key, each in found.items() if key != "rules"}
    show.fields(plain, as_json=as_json)
    if not as_json:
        typer.echo()
        show.table(found["rules"]["rules"], _RULE, as_json=False)


def _sent(
    path: str,
    file: Path,
    url: str,
    key_file: Path | None,
    key_name: str | None,
    idempotency_key: str | None,
) -> Json:
    """Check the rules here, where a fault's line is named, and send them."""
    from settlement.reconciliation.engine import rules as engine_rules

    content = content_of(file)
    engine_rules.load(content)
    api = open_api(url, key_file, key_name)
    body: Json = {"content": content.decode("utf-8-sig")}
    return api.post(f"{_ROOT}{path}", body, idempotency_key=idempotency_key)
