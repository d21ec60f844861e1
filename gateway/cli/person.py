"""`settle person`: the people who sign in and hold keys, at this machine.

A password is asked for at the terminal or read from a file descriptor; it is never an argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from gateway.cli import show
from gateway.cli.client import tell_of_more
from gateway.cli.options import LIMIT, AsJson, Limit, noun

app = noun("Register people, list, disable and erase them, give them a new password.")

_COLUMNS = ("id", "role", "state", "name", "email", "participant_id")

Id = Annotated[str, typer.Argument(help="The person's id.")]
PasswordFd = Annotated[
    int | None,
    typer.Option("--password-fd", help="Read the password's line from this file descriptor."),
]


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a command needs: the database, the secrets of the installation, the time."""

    session: Any
    vault: Any
    pepper: bytes
    now: datetime

    def record(self, act: str, person_id: str) -> None:
        """Put an act into the trail, with the database transaction that does it."""
        from gateway import at_the_machine

        at_the_machine.record(self.session, f"settle person {act}", self.now, person_id)


@app.command(
    epilog="Example: settle person add --name 'Maria Keller' --email m@example.com --role approver"
)
def add(
    name: Annotated[str, typer.Option("--name", help="As it is shown to others.")],
    email: Annotated[str, typer.Option("--email", help="With which the person signs in.")],
    role: Annotated[str, typer.Option("--role", help="What the person is when signed in.")],
    participant: Annotated[
        str | None, typer.Option("--participant", help="The company, of an exporter or importer.")
    ] = None,
    password_fd: PasswordFd = None,
    oidc_only: Annotated[
        bool, typer.Option("--oidc-only", help="No password: by the OpenID provider alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register a person, with a first password that they have to change."""
    from gateway.api.people import shown
    from settlement.access import Role, credentials, passwords, people
    from settlement.clock import new_id
    from settlement.errors import Invalid

    if role not in tuple(Role):
        raise Invalid(f"there is no role {role!r:.40}", field="--role", repair=", ".join(Role))
    stored_hash = None if oidc_only else passwords.hashed(_new_password(password_fd, email))
    wanted = people.NewPerson(name, email, Role(role), participant)
    with _desk() as desk:
        person = people.add(
            desk.session, desk.vault, desk.pepper, wanted,
            created_by=_hand(), ids=new_id, now=desk.now,
        )  # fmt: skip
        if stored_hash is not None:
            credentials.set_password(
                desk.session, person.id, stored_hash, must_change=True, now=desk.now
            )
        desk.record("add", person.id)
        found = shown(desk.session, desk.vault, person)
    show.fields(found, as_json=as_json)


@app.command("list", epilog="Example: settle person list --json")
def list_(limit: Limit = LIMIT, as_json: AsJson = False) -> None:
    """List people, newest first."""
    from gateway.api.people import shown
    from settlement.access import people

    with _desk() as desk:
        rows = people.listed(desk.session, limit=limit + 1)
        found = [shown(desk.session, desk.vault, row) for row in rows[:limit]]
    show.table(found, _COLUMNS, as_json=as_json)
    if len(rows) > limit:
        tell_of_more(limit)


@app.command(epilog="Example: settle person disable per_019a…")
def disable(person_id: Id, as_json: AsJson = False) -> None:
    """Shut a person out at once: sessions and keys end."""
    from settlement.access import people

    with _desk() as desk:
        people.disable(desk.session, person_id, by=_hand(), now=desk.now)
        desk.record("disable", person_id)
    _tell(person_id, "disabled", as_json=as_json)


@app.command(epilog="Example: settle person enable per_019a…")
def enable(person_id: Id, as_json: AsJson = False) -> None:
    """Let a disabled person in again; keys that ended stay ended."""
    from settlement.access import people

    with _desk() as desk:
        people.enable(desk.session, person_id, now=desk.now)
        desk.record("enable", person_id)
    _tell(person_id, "active", as_json=as_json)


@app.command(
    "reset-password", epilog="Example: settle person reset-password per_019a… --second-factor"
)
def reset_password(
    person_id: Id,
    password_fd: PasswordFd = None,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Let them set up the second factor anew, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give a person a password that they have to change; they are signed out everywhere."""
    from settlement.access import credentials, passwords, people

    with _desk() as desk:
        email = people.one(desk.session, person_id).email(desk.session, desk.vault)
    stored_hash = passwords.hashed(_new_password(password_fd, email or ""))
    with _desk() as desk:
        credentials.set_password(
            desk.session, person_id, stored_hash, must_change=True, now=desk.now
        )
        if second_factor:
            credentials.forget_second_factor(desk.session, person_id)
        people.end_sessions(desk.session, person_id, desk.now)
        desk.record("reset-password", person_id)
    _tell(person_id, "has a new password, and has to change it", as_json=as_json)


@app.command(epilog="Example: settle person erase per_019a… --yes")
def erase(
    person_id: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete for good what is personal of somebody; what they did stays, under their id."""
    from settlement.access import people

    if not yes:
        typer.confirm(f"erase name, address and credentials of {person_id} for good?", abort=True)
    with _desk() as desk:
        people.erase(desk.session, desk.vault, person_id, by=_hand(), now=desk.now)
        desk.record("erase", person_id)
    _tell(person_id, "erased", as_json=as_json)


@contextmanager
def _desk() -> Iterator[_Desk]:
    from gateway import wiring
    from gateway.auth import open_pepper
    from settlement.access import open_vault
    from settlement.config import Settings
    from settlement.store import transaction

    settings = Settings()
    engine = wiring.open_database(settings)  # First: the others make what is not there.
    pepper, vault = open_pepper(settings.home), open_vault(settings.home)
    with transaction(engine) as session:
        yield _Desk(session, vault, pepper, wiring.now())


def _tell(person_id: str, outcome: str, *, as_json: bool) -> None:
    facts = {"id": person_id, "outcome": outcome}
    show.done(f"{person_id}: {outcome}", facts, as_json=as_json)


def _new_password(password_fd: int | None, email: str) -> str:
    from gateway.passwords import read_password
    from settlement.access import passwords

    password = read_password(password_fd, "first password of the person: ")
    passwords.require_strong(password, email)
    return password


def _hand() -> str:
    from gateway import at_the_machine

    return at_the_machine.hand()
