"""`settle break assign`, `attribute`, `approve` and the other acts: one command each.

Each acts on the break as it is at this moment, or on the version that is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url

OneId = Annotated[str, typer.Argument(help="A break's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays in the history.")]
Seen = Annotated[
    int | None, typer.Option("--version", help="Of the break as you read it; else its present one.")
]
Amount = Annotated[str | None, typer.Option(help="Left out: all that is left.")]
Part = Annotated[int | None, typer.Option(help="Of a split break.")]
Proposal = Annotated[str | None, typer.Option(help="Left out: the open one.")]

_SHOWN = ("id", "kind", "version", "amount", "unit", "owner", "closed_at", "closed_reason")


def _act(
    act: str,
    break_id: str,
    body: Mapping[str, object],
    seen: int | None,
    at: tuple[str, Path | None, str | None],
    as_json: bool,
) -> None:
    api = open_api(*at)
    path = f"/v1/breaks/{break_id}"
    version = seen or api.get(path)["version"]
    given = {name: value for name, value in body.items() if value is not None}
    if act != "comment":
        given["version"] = version
    answer = api.post(f"{path}/{act}", given)
    if as_json:
        show.fields(answer, as_json=True)
    else:
        show.table([answer], _SHOWN, as_json=False)


def _plain(act: str, line: str, example: str) -> tuple[str, str, object]:
    """Return a command that needs a reason and nothing else."""

    def run(
        break_id: OneId,
        reason: Reason,
        seen: Seen = None,
        url: Url = URL,
        key_file: KeyFile = None,
        key_name: KeyName = None,
        as_json: AsJson = False,
    ) -> None:
        _act(act, break_id, {"reason": reason}, seen, (url, key_file, key_name), as_json)

    run.__doc__ = line
    return act, example, run


def _deciding(act: str, line: str, example: str) -> tuple[str, str, object]:
    """Return a command about a proposal."""

    def run(
        break_id: OneId,
        reason: Reason,
        proposal: Proposal = None,
        seen: Seen = None,
        url: Url = URL,
        key_file: KeyFile = None,
        key_name: KeyName = None,
        as_json: AsJson = False,
    ) -> None:
        body = {"reason": reason, "proposal": proposal}
        _act(act, break_id, body, seen, (url, key_file, key_name), as_json)

    run.__doc__ = line
    return act, example, run


def assign(
    break_id: OneId,
    owner: Annotated[str, typer.Argument(help="Who works on it; '' for nobody.")],
    reason: Reason,
    seen: Seen = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Give a break to somebody to work on."""
    body = {"owner": owner, "reason": reason}
    _act("assign", break_id, body, seen, (url, key_file, key_name), as_json)


def match(
    break_id: OneId,
    records: Annotated[list[str], typer.Argument(help="Records by id or origin.")],
    reason: Reason,
    seen: Seen = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Match by hand the break's own record with others."""
    body = {"records": records, "reason": reason}
    _act("match", break_id, body, seen, (url, key_file, key_name), as_json)


def unmatch(
    break_id: OneId,
    reason: Reason,
    number: Annotated[int | None, typer.Option("--match", help="Else the break's own.")] = None,
    seen: Seen = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Undo a match."""
    body = {"match": number, "reason": reason}
    _act("unmatch", break_id, body, seen, (url, key_file, key_name), as_json)


def split(
    break_id: OneId,
    parts: Annotated[list[str], typer.Argument(help="Amounts that sum to what is left.")],
    reason: Reason,
    seen: Seen = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Split a break into parts, each to be dealt with on its own."""
    body = {"parts": parts, "reason": reason}
    _act("split", break_id, body, seen, (url, key_file, key_name), as_json)


def attribute(
    break_id: OneId,
    invoice: Annotated[str, typer.Argument(help="Its id, or its number.")],
    reason: Reason,
    amount: Amount = None,
    part: Part = None,
    seen: Seen = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Let unexplained money pay an invoice; never more than is open."""
    body = {"invoice": invoice, "amount": amount, "part": part, "reason": reason}
    _act("attribute", break_id, body, seen, (url, key_file, key_name), as_json)


def send_back(
    break_id: OneId,
    reason: Reason,
    invoice: Annotated[str | None, typer.Option(help="The paid invoice; else the break's.")] = None,
    amount: Amount = None,
    seen: Seen = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Send money back to the debtor over the rail, under the creditor's own mandate."""
    body = {"invoice": invoice, "amount": amount, "reason": reason}
    _act("return", break_id, body, seen, (url, key_file, key_name), as_json)


def undo(
    break_id: OneId,
    reason: Reason,
    effect: Annotated[str | None, typer.Option(help="Left out: the newest.")] = None,
    seen: Seen = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Take an act back by reversal; nothing is deleted."""
    body = {"effect": effect, "reason": reason}
    _act("undo", break_id, body, seen, (url, key_file, key_name), as_json)


def propose(
    break_id: OneId,
    act: Annotated[str, typer.Argument(help="write_off, adjust or undo.")],
    reason: Reason,
    amount: Amount = None,
    part: Part = None,
    invoice: Annotated[str | None, typer.Option(help="Let the rest of its claim go.")] = None,
    against: Annotated[
        str | None, typer.Option(help="write_off, fees, fx_difference or rounding.")
    ] = None,
    debit: Annotated[str | None, typer.Option(help="Account of an adjustment.")] = None,
    credit: Annotated[str | None, typer.Option(help="Account of an adjustment.")] = None,
    effect: Annotated[str | None, typer.Option(help="What is to be undone.")] = None,
    seen: Seen = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Propose what a second person has to approve."""
    body = {
        "act": act,
        "amount": amount,
        "part": part,
        "invoice": invoice,
        "against": against,
        "debit": debit,
        "credit": credit,
        "effect": effect,
        "reason": reason,
    }
    _act("propose", break_id, body, seen, (url, key_file, key_name), as_json)


_COMMANDS: tuple[tuple[str, str, object], ...] = (
    ("assign", 'assign brk_0660… anna --reason "knows the buyer"', assign),
    _plain("comment", "Say something about a break.", 'comment brk_0660… --reason "asked bank"'),
    ("match", 'match brk_0660… 812 813 --reason "one delivery"', match),
    ("unmatch", 'unmatch brk_0660… --reason "wrong month"', unmatch),
    ("split", 'split brk_0660… 30.00 70.00 --reason "two invoices"', split),
    ("attribute", 'attribute brk_0660… RE-118 --reason "buyer\'s mail"', attribute),
    (
        "return",
        'return brk_0660… --invoice RE-118 --reason "goods came back"',
        send_back,
    ),
    ("undo", 'undo brk_0660… --reason "wrong invoice"', undo),
    ("propose", 'propose brk_0660… write_off --amount 2.50 --reason "bank fee"', propose),
    _deciding(
        "approve",
        "Approve what somebody else has proposed.",
        'approve brk_0660… --as approver --reason "seen the statement"',
    ),
    _deciding("refuse", "Refuse a proposal.", 'refuse brk_0660… --as approver --reason "too much"'),
    _deciding("withdraw", "Take your own proposal back.", 'withdraw brk_0660… --reason "mistaken"'),
    _plain("reopen", "Open a closed break again.", 'reopen brk_0660… --reason "not solved"'),
    _plain("close", "Close a break with a reason.", 'close brk_0660… --reason "explained"'),
)


def register(app: typer.Typer) -> None:
    """Add the acts to the noun."""
    for name, example, run in _COMMANDS:
        app.command(name, epilog=f"Example: settle break {example}")(run)  # type: ignore[type-var]
