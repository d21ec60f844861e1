"""`settle lane`: the signers' lanes, whether they work, and healing one from the chain."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import show
from gateway.cli.options import AsJson, noun

if TYPE_CHECKING:
    from settlement.sender.heal import Healed

app = noun("List lanes, pause, resume, drain and heal them.")

_COLUMNS = ("signer", "kind", "state", "next_nonce", "unfinished", "holder", "reason")

Signer = Annotated[
    str, typer.Argument(help="The signer's address; may be left out if one alone pays.")
]


@app.callback()
def lane() -> None:
    """List lanes, pause, resume, drain and heal them."""


@app.command("list", epilog="Example: settle lane list")
def list_(as_json: AsJson = False) -> None:
    """List lanes: state, next nonce, chain transactions under way, the worker that holds it."""
    from dataclasses import asdict

    from gateway import wiring
    from settlement.config import Settings
    from settlement.sender import lanes
    from settlement.store import reading

    with reading(wiring.open_database(Settings())) as session:
        found = lanes.listed(session)
    show.table([asdict(each) for each in found], _COLUMNS, as_json=as_json)


@app.command(epilog="Example: settle lane pause --reason 'treasury asked'")
def pause(
    reason: Annotated[str, typer.Option(help="Why; shown to everybody who looks.")],
    signer: Signer = "",
    as_json: AsJson = False,
) -> None:
    """Let a lane claim nothing new; what it has sent is followed to its end."""
    _set_state(signer, "paused", reason, as_json=as_json)


@app.command(epilog="Example: settle lane drain 0x… --reason 'its key is to be replaced'")
def drain(
    reason: Annotated[str, typer.Option(help="Why; shown to everybody who looks.")],
    signer: Signer = "",
    as_json: AsJson = False,
) -> None:
    """Let a lane claim nothing new and end what it has; then it says that it is drained."""
    from gateway import at_the_machine, wiring
    from settlement.config import Settings
    from settlement.errors import Conflict
    from settlement.sender import lanes
    from settlement.store import transaction

    chosen = _chosen(signer)
    with transaction(wiring.open_database(Settings())) as session:
        state = lanes.drain(session, chosen, reason)
        at_the_machine.record(session, "settle lane drain", wiring.now(), chosen, outcome=state)
    if state == "halted":
        raise Conflict(
            f"the lane {chosen} is halted: what it has under way does not move",
            repair="find out why with `settle lane list`, heal it, then drain it",
        )
    _tell(chosen, state, as_json=as_json)


@app.command(epilog="Example: settle lane resume")
def resume(signer: Signer = "", as_json: AsJson = False) -> None:
    """Let a paused or halted lane work again. Heal it first if it lost touch with the chain."""
    from gateway import wiring
    from settlement.config import Settings
    from settlement.sender.nonces import require_own_nonces

    settings = Settings()
    chosen = _chosen(signer)
    with closing(wiring.open_chain(settings)) as chain:
        require_own_nonces(wiring.open_database(settings), chain, chosen)
    _set_state(chosen, "active", None, as_json=as_json)
    _tell_of_those_that_rest()


@app.command(epilog="Example: settle lane heal")
def heal(signer: Signer = "", as_json: AsJson = False) -> None:
    """Write down from the chain what the records lost. Sends nothing, pays nobody."""
    import json
    from dataclasses import asdict

    chosen = _chosen(signer)
    healed = _heal(chosen)
    if as_json:
        typer.echo(json.dumps(asdict(healed)))
        return
    typer.echo(
        f"{healed.mined} chain transactions written down, {len(healed.recovered)} settlements"
        f" recovered, {healed.closed} nonces to be closed; next nonce {healed.next_nonce}."
    )
    for each in healed.unknown:
        typer.echo(
            f"  paid without a record: {each.amount_minor} of {each.token} from"
            f" {each.debtor_wallet} to {each.creditor_wallet} ({each.tx_hash})"
        )
    for key in healed.unplaced:
        typer.echo(f"  could not be placed: {key}; look with `settle trace {key}`")
    typer.echo(f"The lane is {healed.state}." + (
        "" if healed.state == "active" else f" Look at these, then `settle lane resume {chosen}`."
    ))  # fmt: skip


def _heal(chosen: str) -> Healed:
    from datetime import timedelta

    from gateway import at_the_machine, wiring
    from settlement.clock import new_id
    from settlement.config import Settings
    from settlement.errors import Conflict
    from settlement.sender import lanes
    from settlement.sender.heal import heal as rebuild
    from settlement.store import transaction

    settings = Settings()
    engine, now = wiring.open_database(settings), wiring.now()
    # The signer's memory says what was signed and never mined: no healing without it.
    signed_through = wiring.signer_of(settings, chosen).signed_through()
    with transaction(engine) as session:
        seat = lanes.seats(session)[chosen]
        # Where a person is waited for, its worker claims nothing; by the fence it writes nothing
        # either, and takes the lane again when it is healed.
        rests = seat.state in ("halted", "paused")
        gone = seat.owner if seat.owner and (rests or wiring.has_ended(seat.owner)) else None
        lease = lanes.acquire(
            session, chosen, owner=f"heal:{new_id('wrk')[-8:]}", lifetime=timedelta(minutes=10),
            now=now, gone=gone,
        )  # fmt: skip
    if lease is None:
        raise Conflict(
            f"the lane {chosen} is {seat.state}, and a worker is on it",
            repair="let it rest with `settle lane pause`, then run this again",
        )
    try:
        with closing(wiring.open_chain(settings)) as chain:
            return rebuild(
                engine, chain, lease, settings,
                ids=new_id, now=now, signed_through=signed_through,
            )  # fmt: skip
    finally:
        with transaction(engine) as session:
            lanes.release(session, lease)
            at_the_machine.record(session, "settle lane heal", now, chosen)


def _chosen(signer: str) -> str:
    from gateway import wiring
    from settlement.config import Settings
    from settlement.errors import Invalid, NotFound
    from settlement.sender import lanes
    from settlement.store import reading

    with reading(wiring.open_database(Settings())) as session:
        found = lanes.listed(session)
    if signer and signer.lower() not in [each.signer for each in found]:
        raise NotFound("lane", signer)
    # The admin's lane is meant only where it is named.
    paying = [each.signer for each in found if each.kind == lanes.OPERATOR]
    if not signer and len(paying) != 1:
        raise Invalid(f"there are {len(paying)} lanes", field="SIGNER", repair="name one of them")
    return signer.lower() or paying[0]


def _tell_of_those_that_rest() -> None:
    """Say which other lanes do not work, among them the admin's, which is meant only by name."""
    from gateway import wiring
    from settlement.config import Settings
    from settlement.sender import lanes
    from settlement.store import reading

    with reading(wiring.open_database(Settings())) as session:
        resting = [each for each in lanes.listed(session) if each.state != "active"]
    for each in resting:
        typer.echo(
            f"{each.signer} is {each.state} still: {lanes.RESTING[each.kind]}"
            f" until `settle lane resume {each.signer}`",
            err=True,
        )


def _tell(signer: str, state: str, *, as_json: bool) -> None:
    show.done(f"{signer}: {state}", {"signer": signer, "state": state}, as_json=as_json)


def _set_state(signer: str, state: str, reason: str | None, *, as_json: bool) -> None:
    from gateway import at_the_machine, wiring
    from settlement.config import Settings
    from settlement.sender import lanes
    from settlement.store import transaction

    chosen = _chosen(signer)
    with transaction(wiring.open_database(Settings())) as session:
        lanes.set_state(session, chosen, state, reason)
        at_the_machine.record(session, "settle lane", wiring.now(), chosen, outcome=state)
    _tell(chosen, state, as_json=as_json)
