"""What `settle participant` does about changes and wallets. Keys stay on this machine.

The text that the gateway wants signed is checked against what was typed, not believed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import (
    LIMIT,
    URL,
    AsJson,
    KeyFile,
    KeyName,
    Limit,
    Reason,
    Url,
    noun,
)

wallet = noun("Prove wallets by signature, and give them up.")

_CHANGES = ("id", "kind", "state", "asked_by", "usable_from", "subject")

Id = Annotated[str, typer.Argument(help="The participant's id, par_….")]


def register(app: typer.Typer) -> None:
    """Add these commands to a noun's."""
    for act, example in (
        (changes, "changes par_019a… --state pending"),
        (stop, "stop par_019a… pch_019a… --reason 'not us'"),
        (erase, "erase par_019a… nat_019a… --reason 'asked to'"),
    ):
        app.command(epilog=f"Example: settle participant {example}")(act)
    app.add_typer(
        wallet, name="wallet", epilog="Example: settle participant wallet prove par_019a… …"
    )


def changes(
    participant_id: Id,
    state: Annotated[
        str | None,
        typer.Option("--state", help="pending, approved, effective, refused or withdrawn."),
    ] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List changes: what waits, what cools off, what counts."""
    api = open_api(url, key_file, key_name)
    found = api.pages(f"/v1/participants/{participant_id}/changes", limit=limit, state=state)
    show.table(list(found), _CHANGES, as_json=as_json)


def stop(
    participant_id: Id,
    change_id: Annotated[str, typer.Argument(help="The change's id, pch_….")],
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Take a change back before money follows it; one person is enough."""
    path = f"/v1/participants/{participant_id}/changes/{change_id}/withdraw"
    answer = open_api(url, key_file, key_name).post(path, {"reason": reason})
    show.fields(answer, as_json=as_json)


def erase(
    participant_id: Id,
    person_id: Annotated[str, typer.Argument(help="The person's id, nat_….")],
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Overwrite a person's fields for good; hashes and events stay."""
    path = f"/v1/participants/{participant_id}/persons/{person_id}/erase"
    answer = open_api(url, key_file, key_name).post(path, {"reason": reason})
    show.fields(answer, as_json=as_json)


@wallet.command(
    "prove",
    epilog="Example: settle participant wallet prove par_019a… --keystore wallet.json"
    " --reason 'our new wallet' --as hartwig-exporter",
)
def prove(
    participant_id: Id,
    keystore: Annotated[Path, typer.Option("--keystore", help="The wallet's key file (v3).")],
    reason: Reason,
    provider: Annotated[
        str | None, typer.Option("--provider", help="Who keeps it for you; else it is your own.")
    ] = None,
    password_fd: Annotated[
        int | None,
        typer.Option("--password-fd", help="A descriptor with its password; else you are asked."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a challenge, show it, sign it on this machine, and send the signature."""
    from gateway.passwords import unlocked
    from settlement.participants.challenges import personal_payload

    api = open_api(url, key_file, key_name)
    keys = unlocked(keystore, password_fd)
    asked = api.post(
        f"/v1/participants/{participant_id}/wallets/challenge",
        {
            "address": keys.address,
            "kind": "self_hosted" if provider is None else "custodial",
            "provider": provider,
        },
    )
    _require_own(asked["message"], keys.address, participant_id)
    typer.echo(asked["message"], err=True)
    if not yes:
        typer.confirm("Sign?", abort=True, err=True)
    signature = keys.sign(personal_payload(asked["message"]))
    answer = api.post(
        f"/v1/participants/{participant_id}/wallets/proof",
        {
            "challenge_id": asked["id"],
            "method": "eip191",
            "signature": "0x" + signature.hex(),
            "reason": reason,
        },
    )
    show.fields(answer, as_json=as_json)


@wallet.command("remove", epilog="Example: settle participant wallet remove par_019a… 0x3C44…")
def remove(
    participant_id: Id,
    address: Annotated[str, typer.Argument(help="The wallet's address.")],
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Give a wallet up: nothing is paid from or to it any more."""
    path = f"/v1/participants/{participant_id}/wallets/remove"
    body = {"address": address, "reason": reason}
    show.fields(open_api(url, key_file, key_name).post(path, body), as_json=as_json)


def _require_own(message: str, address: str, participant_id: str) -> None:
    """Return quietly if the text is about this wallet and participant, and nothing else.

    Raises:
        ChainContradicts: the gateway asks for another signature.
    """
    from settlement.errors import ChainContradicts
    from settlement.participants import checksummed
    from settlement.participants.challenges import STATEMENT

    lines = message.split("\n")
    wanted = STATEMENT.format(participant_id=participant_id)
    if len(lines) != 12 or lines[1] != checksummed(address) or lines[3] != wanted:
        raise ChainContradicts("the gateway asks for another signature than was wanted: not signed")
