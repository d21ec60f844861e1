"""`settle inquiry`: requests for information that hold a payment until they are accepted."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path
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
    Reason,
    Url,
    noun,
)
from settlement.errors import Invalid

app = noun("Ask for information about payments, answer, accept and list what is asked.")

_COLUMNS = ("id", "state", "due_date", "settlement_id", "asked_of", "question")

Named = Annotated[str, typer.Argument(help="The inquiry's id.")]
Question = Annotated[str, typer.Option("--question", help="What is wanted, in words.")]
Due = Annotated[str, typer.Option("--due", help="The last day (UTC), YYYY-MM-DD.")]


@app.command("list", epilog="Example: settle inquiry list --state OVERDUE --as compliance")
def list_(
    state: Annotated[str | None, typer.Option("--state", help="OPEN, ANSWERED, …")] = None,
    settlement_id: Annotated[str | None, typer.Option("--settlement", help="Of one.")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List requests for information, newest first; a company sees what is asked of it."""
    api = open_api(url, key_file, key_name)
    found = api.pages("/v1/inquiries", limit=limit, state=state, settlement_id=settlement_id)
    show.table(list(found), _COLUMNS, as_json=as_json)


@app.command("show", epilog="Example: settle inquiry show inq_019a8f2e6c1f7d3e9b6a2d4c5e6f7081")
def show_(
    inquiry_id: Named,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show one with its thread and files."""
    found = open_api(url, key_file, key_name).get(f"/v1/inquiries/{inquiry_id}")
    show.fields(found, as_json=as_json)


@app.command(
    epilog="Example: settle inquiry ask stl_019a8f… --of par_019a8f… --due 2026-12-04"
    " --question 'Which contract is it?' --as compliance"
)
def ask(
    settlement_id: Annotated[str, typer.Argument(help="The payment that is held.")],
    asked_of: Annotated[str, typer.Option("--of", help="Its debtor or its creditor.")],
    question: Question,
    due: Due,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Ask one of a payment's parties; the payment is held until the answer is accepted."""
    body = {
        "settlement_id": settlement_id, "asked_of": asked_of, "question": question,
        "due_date": due,
    }  # fmt: skip
    api = open_api(url, key_file, key_name)
    found = api.post("/v1/inquiries", body, idempotency_key=idempotency_key)
    show.fields(found, as_json=as_json)


@app.command(
    epilog="Example: settle inquiry answer inq_019a8f… --words 'Contract 118, attached.'"
    " --file contract=contract.pdf --as hartwig-exporter"
)
def answer(
    inquiry_id: Named,
    words: Annotated[str, typer.Option("--words", help="What you answer.")],
    file: Annotated[
        list[str] | None, typer.Option("--file", help="KIND=PATH, such as contract=a.pdf.")
    ] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Answer what is asked of your company, with files."""
    body = {"words": words, "attachments": [_attachment(each) for each in file or []]}
    api = open_api(url, key_file, key_name)
    path = f"/v1/inquiries/{inquiry_id}/answer"
    show.fields(api.post(path, body, idempotency_key=idempotency_key), as_json=as_json)


@app.command(
    "ask-again",
    epilog="Example: settle inquiry ask-again inq_019a8f… --question 'And the transport?'"
    " --due 2026-12-11 --as compliance",
)
def ask_again(
    inquiry_id: Named,
    question: Question,
    due: Due,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Ask on, with a new date."""
    body = {"question": question, "due_date": due}
    api = open_api(url, key_file, key_name)
    path = f"/v1/inquiries/{inquiry_id}/ask-again"
    show.fields(api.post(path, body, idempotency_key=idempotency_key), as_json=as_json)


@app.command(epilog="Example: settle inquiry accept inq_019a8f… --as compliance")
def accept(
    inquiry_id: Named,
    reason: Annotated[str, typer.Option("--reason", help="What was found.")] = "",
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Accept the answer; the payment is cleared anew if nothing else holds it."""
    api = open_api(url, key_file, key_name)
    path = f"/v1/inquiries/{inquiry_id}/accept"
    found = api.post(path, {"reason": reason}, idempotency_key=idempotency_key)
    show.fields(found, as_json=as_json)


@app.command(epilog="Example: settle inquiry cancel inq_019a8f… --reason 'asked in error'")
def cancel(
    inquiry_id: Named,
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """End an inquiry without its answer."""
    api = open_api(url, key_file, key_name)
    path = f"/v1/inquiries/{inquiry_id}/cancel"
    found = api.post(path, {"reason": reason}, idempotency_key=idempotency_key)
    show.fields(found, as_json=as_json)


def _attachment(named: str) -> dict[str, Any]:
    kind, _, path = named.partition("=")
    file = Path(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        repair = "name it as KIND=PATH, such as contract=contract.pdf"
        raise Invalid(f"{named!r} cannot be read: {error}", field="--file", repair=repair) from None
    return {
        "kind": kind,
        "filename": file.name,
        "media_type": mimetypes.guess_type(file.name)[0] or "text/plain",
        "content": base64.b64encode(content).decode(),
    }
