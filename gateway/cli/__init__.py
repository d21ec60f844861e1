"""What a person types: the `settle` command and its nouns, each loaded only when it is used.

It does not decide anything about money. A noun is a module of this package with a typer `app`,
and a line below.
"""

from __future__ import annotations

import sys

import typer

from gateway.cli.lazy import lazy_group

COMMANDS: dict[str, str] = {
    "up": "Run the whole rail on this machine, with test money.",
    "demo": "Run a trading day and print what happened.",
    "invoice": "Submit, list, show, accept, query, reject and cancel invoices.",
    "settlement": "Instruct, list, show, hold, release, cancel and retry settlements.",
    "mandate": "Show, grant, lower and revoke what a debtor lets the rail take.",
    "registry": "Show what is listed and frozen on the chain; freeze and free wallets.",
    "policy": "Draft, try, publish and explain the rules that payments are cleared by.",
    "register": "Load and list registers that rules look things up in.",
    "trade": "Declare the trade behind an invoice.",
    "list": "Put lists of parties that may not be paid in force, and show what changed.",
    "screening": "Judge who may be a listed party; compare a name with the lists.",
    "inquiry": "Ask for information about payments, answer and accept it.",
    "limit": "List limits and what is used of them, ask for changes.",
    "report": "List, show, file and export reports for the supervisor.",
    "participant": "Register participants, keep their files, and change what money is paid to.",
    "trace": "Show a payment's whole journey from any of its ids.",
    "proof": "Write the file that shows to others that an invoice was paid.",
    "verify": "Judge database and chain, or a proof, or the journal, by code of its own.",
    "break": "List what does not agree, and work on it.",
    "bank": "Register bank accounts, import their statements, list what banks say.",
    "reconcile": "Match what must agree, by rules; list records, matches and rules.",
    "tie-out": "Compare every balance of the ledger with the chain.",
    "lane": "List the signers' lanes, pause, resume, drain and heal them.",
    "review": "List settlements that need a person, and decide about them.",
    "account": "List accounts, show them, state and watch them.",
    "period": "List accounting periods, ask for their close and approve it.",
    "journal": "Show journal entries and verify their chain of hashes.",
    "statement": "Write an account's statement of a day: camt.053, csv, xlsx or pdf.",
    "advice": "Write an advice of a payment: pdf, remt.001, camt.054, pacs.008, pacs.002.",
    "export": "Write lists to a file, or the journal for accounting tools.",
    "doctor": "Check this machine, database and chain, and say what to do.",
    "key": "Issue, list, rotate and revoke API keys.",
    "person": "Register people, list, disable and erase them, give them a new password.",
    "approval": "List what needs a second person, look at it, approve or refuse it.",
    "audit": "List who did what, write it to a file, verify that nothing was changed.",
    "gateway": "Serve the HTTP API.",
    "signer": "Hold the operator's key and sign what is cleared.",
    "backup": "Copy the records into one file.",
    "restore": "Put a backup's records back.",
    "worker": "Follow the chain, book, clear and send.",
}
"""Name and one line of help. The command `tie-out` lives in `gateway/cli/tie_out.py`."""

MODULES: dict[str, str] = {"break": "breaks", "list": "lists"}
"""Names that Python cannot give a module."""

app = typer.Typer(
    name="settle",
    cls=lazy_group(COMMANDS, MODULES),
    no_args_is_help=True,
    help="Pay trade invoices across borders in tokenised money.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def settle() -> None:
    """Pay trade invoices across borders in tokenised money."""


def main() -> None:
    """Run the command line; a failure is a sentence, what to do, and exit code 1: no traceback."""
    from settlement.errors import RailError

    try:
        app()
    except RailError as error:
        _fail(str(error), getattr(error, "repair", None))
    except Exception as error:  # noqa: BLE001 - the last place where somebody can be told.
        from gateway.cli import failures

        failure = failures.failure_of(error)
        _fail(failure.said, failure.repair)


def _fail(said: str, repair: str | None) -> None:
    print(f"settle: {said}" + (f"\n  {repair}" if repair else ""), file=sys.stderr)
    sys.exit(1)
