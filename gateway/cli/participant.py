"""`settle participant`: registering, files, moves, and changes of what money is paid to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import participant_changes, show
from gateway.cli.client import Json, open_api
from gateway.cli.files_in import content_of, json_of
from gateway.cli.options import (
    LIMIT,
    URL,
    AsJson,
    IdempotencyKey,
    KeyFile,
    KeyName,
    Limit,
    Reason,
    Url,
    noun,
)
from gateway.cli.participant_changes import Id

app = noun("Register participants, keep their files, and change what money is paid to.")

_ROWS = ("id", "state", "legal_form", "country", "lei", "kyb_valid_until", "name")
_EVENTS = ("at", "move", "state", "actor", "reason")

State = Annotated[
    str | None,
    typer.Option("--state", help="applied, active, suspended, expired or closed."),
]
Country = Annotated[str, typer.Option("--country", help="ISO 3166-1 alpha-2.")]


@app.command("list", epilog="Example: settle participant list --state expired --as compliance")
def list_(
    state: State = None,
    search: Annotated[str, typer.Option(help="Part of a name, LEI, VAT or tax id.")] = "",
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List participants by the state that counts now."""
    api = open_api(url, key_file, key_name)
    found = api.pages("/v1/participants", limit=limit, state=state, search=search or None)
    show.table(list(found), _ROWS, as_json=as_json)


@app.command("show", epilog="Example: settle participant show par_019a… --as compliance")
def show_(
    participant_id: Id,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show a participant's file: owners, documents, wallets, accounts, and what it lacks."""
    found = open_api(url, key_file, key_name).get(f"/v1/participants/{participant_id}/file")
    show.fields(found, as_json=as_json)


@app.command(epilog="Example: settle participant events par_019a… --as overseer")
def events(
    participant_id: Id,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List what happened to a participant, and who did it."""
    found = open_api(url, key_file, key_name).get(f"/v1/participants/{participant_id}/events")
    show.table(found["data"], _EVENTS, as_json=as_json)


@app.command(epilog="Example: settle participant needs")
def needs(
    url: Url = URL, key_file: KeyFile = None, key_name: KeyName = None, as_json: AsJson = False
) -> None:
    """Show which documents each legal form needs."""
    found = open_api(url, key_file, key_name).get("/v1/participant-requirements")
    show.fields(found, as_json=as_json)


@app.command(
    epilog="Example: settle participant apply --name 'Hartwig GmbH' --lei 529900HWMB7K2Q4T9D25"
    " --vat-id DE129274202 --country DE --town Esslingen --as compliance",
)
def apply(
    name: Annotated[str, typer.Option("--name", help="As it stands in the register.")],
    country: Country,
    town: Annotated[str, typer.Option("--town", help="The town.")],
    legal_form: Annotated[
        str, typer.Option("--form", help="legal_entity, sole_proprietor or individual.")
    ] = "legal_entity",
    lei: Annotated[str | None, typer.Option("--lei", help="A legal entity has one.")] = None,
    vat_id: Annotated[str | None, typer.Option("--vat-id", help="With its country prefix.")] = None,
    tax_id: Annotated[
        str | None, typer.Option("--tax-id", help="Where there is no VAT number.")
    ] = None,
    street: Annotated[str, typer.Option("--street", help="Its name.")] = "",
    building_number: Annotated[str, typer.Option("--building", help="The building's number.")] = "",
    post_code: Annotated[str, typer.Option("--post-code", help="The post code.")] = "",
    subdivision: Annotated[str, typer.Option("--subdivision", help="State or province.")] = "",
    alias: Annotated[list[str] | None, typer.Option("--alias", help="Another name.")] = None,
    idempotency_key: IdempotencyKey = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Register somebody as applied; a second person activates."""
    body: Json = {
        "legal_form": legal_form, "name": name, "lei": lei, "vat_id": vat_id, "tax_id": tax_id,
        "country": country, "town": town, "street": street, "building_number": building_number,
        "post_code": post_code, "subdivision": subdivision, "aliases": alias or [],
    }  # fmt: skip
    api = open_api(url, key_file, key_name)
    answer = api.post("/v1/participants", body, idempotency_key=idempotency_key)
    show.fields(answer, as_json=as_json)


@app.command("ask", epilog="Example: settle participant ask par_019a… --reason 'file complete'")
def ask(
    participant_id: Id,
    reason: Reason,
    review_on: Annotated[
        str | None, typer.Option("--review-on", help="Last day before the next look.")
    ] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Ask a second person to activate, renew or reinstate; see `settle approval`."""
    body: Json = {"reason": reason, "review_on": review_on}
    path = f"/v1/participants/{participant_id}/activate-request"
    show.fields(open_api(url, key_file, key_name).post(path, body), as_json=as_json)


@app.command(epilog="Example: settle participant suspend par_019a… --reason 'open question'")
def suspend(
    participant_id: Id,
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody neither pay nor be paid, at once."""
    answer = open_api(url, key_file, key_name).post(
        f"/v1/participants/{participant_id}/suspend", {"reason": reason}
    )
    show.fields(answer, as_json=as_json)


@app.command(epilog="Example: settle participant close par_019a… --reason 'it left'")
def close(
    participant_id: Id,
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """End a participation, or refuse an application, for good."""
    answer = open_api(url, key_file, key_name).post(
        f"/v1/participants/{participant_id}/close", {"reason": reason}
    )
    show.fields(answer, as_json=as_json)


@app.command(
    epilog="Example: settle participant document par_019a… extract.pdf --kind registry_extract"
    " --number 'HRB 1234' --issuer 'Amtsgericht Esslingen' --issued-on 2026-11-02",
)
def document(
    participant_id: Id,
    file: Annotated[Path, typer.Argument(help="Only its SHA-256 is sent.")],
    kind: Annotated[str, typer.Option("--kind", help="See `settle participant needs`.")],
    number: Annotated[str, typer.Option("--number", help="The document's own number.")],
    issuer: Annotated[str, typer.Option("--issuer", help="Who issued it.")],
    issued_on: Annotated[str, typer.Option("--issued-on", help="YYYY-MM-DD.")],
    expires_on: Annotated[str | None, typer.Option("--expires-on", help="Its last day.")] = None,
    holder: Annotated[str | None, typer.Option("--holder", help="Of a person's document.")] = None,
    holder_country: Annotated[
        str | None, typer.Option("--holder-country", help="The holder's, ISO 3166-1 alpha-2.")
    ] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Offer a document; it counts once a second person has accepted it."""
    import hashlib

    digest = hashlib.sha256(content_of(file)).hexdigest()
    body: Json = {
        "kind": kind, "number": number, "issuer": issuer, "issued_on": issued_on,
        "expires_on": expires_on, "sha256": digest, "holder_name": holder,
        "holder_country": holder_country,
    }  # fmt: skip
    path = f"/v1/participants/{participant_id}/documents"
    show.fields(open_api(url, key_file, key_name).post(path, body), as_json=as_json)


@app.command(
    epilog="Example: settle participant owners par_019a… owners.json --reason 'declared anew'"
)
def owners(
    participant_id: Id,
    file: Annotated[Path, typer.Argument(help="A JSON list of owners; see docs/participants.md.")],
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Declare all owners and controllers anew."""
    _propose(participant_id, "owners", {"owners": json_of(file)}, reason,
             (url, key_file, key_name), as_json=as_json)  # fmt: skip


@app.command(
    epilog="Example: settle participant account par_019a… --currency EUR"
    " --iban DE92611500200100417826 --reason 'payouts'",
)
def account(
    participant_id: Id,
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217.")],
    reason: Reason,
    iban: Annotated[str | None, typer.Option("--iban", help="With or without spaces.")] = None,
    number: Annotated[str | None, typer.Option("--number", help="Where there is no IBAN.")] = None,
    system: Annotated[
        str | None, typer.Option("--clearing-system", help="USABA, INFSC, CNAPS …")
    ] = None,
    code: Annotated[
        str | None, typer.Option("--clearing-code", help="The bank's number in that system.")
    ] = None,
    bic: Annotated[str | None, typer.Option("--bic", help="The bank's.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Add an account at a bank: IBAN and BIC, or number and clearing code, are checked."""
    body: Json = {
        "currency": currency, "iban": iban, "account_number": number, "clearing_system": system,
        "clearing_code": code, "bic": bic,
    }  # fmt: skip
    _propose(participant_id, "bank-accounts", body, reason, (url, key_file, key_name),
             as_json=as_json)  # fmt: skip


@app.command(epilog="Example: settle participant rename par_019a… 'Hartwig SE' --reason 'merger'")
def rename(
    participant_id: Id,
    name: Annotated[str, typer.Argument(help="The new name.")],
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Change the name; the old one is kept as a former one."""
    _propose(participant_id, "name", {"name": name}, reason, (url, key_file, key_name),
             as_json=as_json)  # fmt: skip


def _propose(
    participant_id: str, what: str, body: Json, reason: str, where: Any, *, as_json: bool
) -> None:
    path = f"/v1/participants/{participant_id}/{what}"
    show.fields(open_api(*where).post(path, {**body, "reason": reason}), as_json=as_json)


participant_changes.register(app)
