"""`settle review`: settlements that wait for a person, and what the person decides."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.options import AsJson, noun

app = noun("List settlements that need a person, and decide about them.")

_COLUMNS = ("id", "invoice_id", "amount", "reason", "tx_hash", "since")


@app.callback()
def review() -> None:
    """List settlements that need a person, and decide about them."""


@app.command("list", epilog="Example: settle review list")
def list_(as_json: AsJson = False) -> None:
    """List what waits for a person."""
    from gateway import wiring
    from settlement.clock import iso
    from settlement.config import Settings
    from settlement.documents.identifiers import minor_units
    from settlement.money import format_minor
    from settlement.settlements import review as reviews
    from settlement.store import reading

    with reading(wiring.open_database(Settings())) as session:
        found = reviews.waiting(session)
    rows = [
        {
            "id": each.id,
            "invoice_id": each.invoice_id,
            "amount": f"{format_minor(each.claim_minor, minor_units(each.currency) or 0)}"
            f" {each.currency}",
            "reason": each.reason,
            "tx_hash": each.tx_hash,
            "since": iso(each.since) if each.since else None,
        }
        for each in found
    ]
    show.table(rows, _COLUMNS, as_json=as_json)


@app.command(
    epilog="Example: settle review resolve stl_01… --as retry --reason 'seen with the bank'"
)
def resolve(
    settlement_id: Annotated[str, typer.Argument(help="The settlement's id.")],
    decision: Annotated[str, typer.Option("--as", help="paid, retry or close.")],
    reason: Annotated[str, typer.Option(help="What was found; kept for ever.")],
    actor: Annotated[str, typer.Option(help="Who decides; this system's user if left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Decide: it was paid after all, it is to be tried again, or it is closed unpaid."""
    from getpass import getuser

    from gateway import at_the_machine, wiring
    from settlement.config import Settings
    from settlement.errors import Invalid
    from settlement.settlements.review import Decision
    from settlement.settlements.review import resolve as decide
    from settlement.store import transaction

    if decision not in list(Decision):
        raise Invalid(
            f"{decision!r:.40} is no decision", field="--as", repair="say paid, retry or close"
        )
    with transaction(wiring.open_database(Settings())) as session:
        decide(
            session,
            [settlement_id],
            Decision(decision),
            reason=reason,
            actor=f"cli:{actor or getuser()}",
            now=wiring.now(),
        )
        act = "settle review resolve"
        at_the_machine.record(session, act, wiring.now(), settlement_id, outcome=decision)
    facts = {"id": settlement_id, "decision": decision}
    show.done(f"{settlement_id}: {decision}", facts, as_json=as_json)
