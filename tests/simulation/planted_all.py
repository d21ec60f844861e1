"""All planted bugs."""

from __future__ import annotations

from tests.simulation.planted import Bug
from tests.simulation.planted_books import IN_BOOKS
from tests.simulation.planted_doors import AT_DOORS
from tests.simulation.planted_following import IN_FOLLOWING
from tests.simulation.planted_paying import IN_PAYING
from tests.simulation.planted_sending import IN_SENDING
from tests.simulation.planted_working import IN_WORKING

BUGS: tuple[Bug, ...] = (
    *IN_PAYING,
    *IN_SENDING,
    *IN_FOLLOWING,
    *IN_BOOKS,
    *AT_DOORS,
    *IN_WORKING,
)
