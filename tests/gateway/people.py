"""People for the tests of doors: registered straight in the database."""

import itertools

from gateway.auth import Role
from settlement import store
from settlement.access import open_vault, people
from tests.gateway.builders import Door
from tests.invoices.builders import NOW

_numbers = itertools.count(1)


def a_person(door: Door, role: Role = Role.TREASURY, email: str = "") -> str:
    """Register somebody; return their id."""
    gateway = door.app.state.gateway
    wanted = people.NewPerson(
        name="Maria Keller", email=email or f"maria.{next(_numbers)}@example.com", role=role
    )
    with store.transaction(door.engine) as session:
        return people.add(
            session,
            open_vault(gateway.settings.home),
            gateway.keys.pepper,
            wanted,
            created_by="machine",
            ids=gateway.ids,
            now=NOW,
        ).id
