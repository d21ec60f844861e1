"""`settle bank`: accounts at banks, their statements and entries, and how their CSV is read.

A file goes to the gateway; one that is too large for that is imported on this machine, with --here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import show
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

app = noun("Register bank accounts, import their statements, list what banks say.")
account = noun("Register and list accounts at banks.")
mapping = noun("Say how an account's CSV files are read.")
app.add_typer(account, name="account", epilog="Example: settle bank account list")
app.add_typer(mapping, name="mapping", epilog="Example: settle bank mapping show bka_019a…")

SENT_MAX_BYTES = 10 * 1024 * 1024

_ACCOUNTS = ("id", "role", "iban", "currency", "servicer_bic", "owner_id", "payout_days", "name")
_STATEMENTS = (
    "id", "account_id", "statement_id", "kind", "sequence", "from_date", "to_date", "opening",
    "closing", "currency", "entries",
)  # fmt: skip
_ENTRIES = (
    "id", "account_id", "booking_date", "amount", "currency", "status", "end_to_end_id",
    "bank_reference", "counterparty_name", "duplicate_of", "remittance",
)  # fmt: skip

Account = Annotated[str | None, typer.Option("--account", help="Only of the account with this id.")]


@app.callback()
def bank() -> None:
    """Register bank accounts, import their statements, list what banks say."""


@account.command(
    "add",
    epilog="Example: settle bank account add par_019a… --iban DE89370400440532013000"
    " --bic COBADEFFXXX --currency EUR --role payout --name Receivables",
)
def add(
    owner: Annotated[str, typer.Argument(help="The participant's id.")],
    iban: Annotated[str, typer.Option("--iban", help="With or without spaces.")],
    bic: Annotated[str, typer.Option("--bic", help="The bank's.")],
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217.")],
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    role: Annotated[str, typer.Option("--role", help="payout, reserve or nostro.")] = "payout",
    reserve_of: Annotated[
        str | None, typer.Option("--reserve-of", help="Of a reserve: the token's address.")
    ] = None,
    payout_days: Annotated[
        int, typer.Option("--payout-days", help="Days from the chain to the bank.")
    ] = 0,
    idempotency_key: IdempotencyKey = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Register an account; IBAN and BIC are checked."""
    body: Json = {
        "owner_id": owner, "name": name, "iban": iban, "servicer_bic": bic, "currency": currency,
        "role": role, "reserve_of": reserve_of, "payout_days": payout_days,
    }  # fmt: skip
    api = open_api(url, key_file, key_name)
    answer = api.post("/v1/bank/accounts", body, idempotency_key=idempotency_key)
    show.fields(answer, as_json=as_json)


@account.command("list", epilog="Example: settle bank account list --json")
def accounts(
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List accounts at banks."""
    found = open_api(url, key_file, key_name).pages("/v1/bank/accounts", limit=limit)
    show.table(list(found), _ACCOUNTS, as_json=as_json)


@mapping.command("set", epilog="Example: settle bank mapping set bka_019a… mapping.json")
def set_(
    account_id: Annotated[str, typer.Argument(help="The account's id.")],
    file: Annotated[Path, typer.Argument(help="The mapping as JSON.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Save how an account's CSV files are read; the next import uses it."""
    api = open_api(url, key_file, key_name)
    answer = api.post(f"/v1/bank/accounts/{account_id}/mapping", _content(file))
    show.fields(answer, as_json=as_json)


@mapping.command("show", epilog="Example: settle bank mapping show bka_019a… --json")
def show_(
    account_id: Annotated[str, typer.Argument(help="The account's id.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show how an account's CSV files are read."""
    found = open_api(url, key_file, key_name).get(f"/v1/bank/accounts/{account_id}/mapping")
    show.fields(found, as_json=as_json)


@app.command("import", epilog="Example: settle bank import 2026-11-20.xml")
def import_(
    file: Annotated[Path, typer.Argument(help="camt.053, camt.054, or CSV with a saved mapping.")],
    account_id: Annotated[
        str | None, typer.Option("--account", help="The account's id; a CSV needs it.")
    ] = None,
    mapping_file: Annotated[
        Path | None, typer.Option("--mapping", help="Save this mapping for the account first.")
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Into this machine's database: for large files.")
    ] = False,
    idempotency_key: IdempotencyKey = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Import a file, whole or not at all; the same file again is answered with the first result."""
    from settlement.errors import Invalid

    if mapping_file is not None and account_id is None:
        raise Invalid("--mapping needs --account", field="account", repair="name the account")
    if here:
        show.fields(_import_here(file, account_id, mapping_file), as_json=as_json)
        return
    content = _content(file)
    api = open_api(url, key_file, key_name)
    if mapping_file is not None:
        api.post(f"/v1/bank/accounts/{account_id}/mapping", _content(mapping_file))
    path = f"/v1/bank/accounts/{account_id}/statements" if account_id else "/v1/bank/statements"
    answer = api.post(
        path, content, media_type="application/octet-stream", idempotency_key=idempotency_key
    )
    show.fields(answer, as_json=as_json)


@app.command(epilog="Example: settle bank statements --account bka_019a… --limit 5")
def statements(
    account_id: Account = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List statements and notifications, newest first."""
    api = open_api(url, key_file, key_name)
    found = api.pages("/v1/bank/statements", limit=limit, account_id=account_id)
    show.table(list(found), _STATEMENTS, as_json=as_json)


@app.command(epilog="Example: settle bank entries --account bka_019a… --limit 100")
def entries(
    account_id: Account = None,
    statement: Annotated[str | None, typer.Option(help="The statement's id, bst_….")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List entries, in the order in which they were stored."""
    api = open_api(url, key_file, key_name)
    found = api.pages(
        "/v1/bank/entries", limit=limit, account_id=account_id, statement_id=statement
    )
    show.table(list(found), _ENTRIES, as_json=as_json)


@app.command(epilog="Example: settle bank gaps")
def gaps(
    account_id: Account = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List where statements are missing between those that are there."""
    found = open_api(url, key_file, key_name).get("/v1/bank/gaps", account_id=account_id)
    show.table(found["data"], ("account_id", "after", "before", "reason"), as_json=as_json)


def _content(file: Path) -> bytes:
    from settlement.errors import Invalid

    if file.is_file() and file.stat().st_size > SENT_MAX_BYTES:
        raise Invalid(
            f"{file} has more than {SENT_MAX_BYTES} bytes", field="file",
            repair="import it beside the database, with --here",
        )  # fmt: skip
    return content_of(file)


def _import_here(file: Path, account_id: str | None, mapping_file: Path | None) -> dict[str, Any]:
    """Import into the database of this machine's settings, in bounded memory."""
    from gateway import at_the_machine, wiring
    from gateway.processes import collect_garbage_seldom
    from settlement import bank as room
    from settlement.clock import new_id
    from settlement.config import Settings
    from settlement.store import open_engine, require_current, transaction

    engine = open_engine(wiring.database_url(Settings()))
    require_current(engine)
    collect_garbage_seldom()
    now = datetime.now(UTC)
    if mapping_file is not None and account_id is not None:
        with transaction(engine) as session:
            room.set_mapping(session, account_id, _content(mapping_file), actor="cli", now=now)
    result = room.import_file(engine, file, actor="cli", ids=new_id, now=now, account_id=account_id)
    with transaction(engine) as session:
        at_the_machine.record(session, "settle bank import", now, *result.statement_ids[:100])
    engine.dispose()
    told = {**result._asdict(), "statement_ids": list(result.statement_ids)}
    return {"object": "statement_import", **told}
