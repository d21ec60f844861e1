"""What `settle doctor` reads in the records alone: lanes that wait, and who is wrong on the chain.

And what a finding is. Asks no node and repairs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine, text

from settlement import watcher
from settlement.config import Settings
from settlement.sender import lanes
from settlement.store import reading


class Health(StrEnum):
    """How a check came out."""

    WELL = "ok"
    DOUBTFUL = "warn"
    ILL = "fail"
    SKIPPED = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `repair` is empty where nothing is to be done."""

    check: str
    health: Health
    found: str
    repair: str = ""


def waiting_lanes(engine: Engine) -> Iterator[Finding]:
    """Yield each lane that waits for a person, or for money or fees, or that none does."""
    with reading(engine) as session:
        found = lanes.listed(session)
    waiting = [each for each in found if each.state != "active" or each.reason]
    for each in waiting:
        words = f"{each.signer} is {each.state}" + (f": {each.reason}" if each.reason else "")
        if each.state == "halted":
            repair = (
                f"put that right, then `settle lane heal {each.signer}`"
                f" and `settle lane resume {each.signer}`"
            )
            yield Finding("lanes", Health.ILL, words, repair)
        elif each.state == "active":
            yield Finding(
                "lanes",
                Health.DOUBTFUL,
                words,
                "nothing is lost: it goes on by itself when that has changed",
            )
        else:
            repair = f"{lanes.RESTING[each.kind]} until `settle lane resume {each.signer}`"
            yield Finding("lanes", Health.DOUBTFUL, words, repair)
    if found and not waiting:
        yield Finding("lanes", Health.WELL, f"none of {len(found)} waits")


def registry(engine: Engine, settings: Settings) -> Finding:
    """Whether the chain lists and freezes whom it is to."""
    with reading(engine) as session:
        differing = text(
            "SELECT COUNT(*), MIN(differs_from_block) FROM registry_standing WHERE wanted <> actual"
        )
        count, since = session.connection().execute(differing).one()
        head = watcher.head(session)
    if not count:
        return Finding("registry", Health.WELL, "every wallet is on the chain what it is to be")
    found = f"{count} wallets are not what they are to be, since block {since}"
    late = head is not None and head.number - since >= settings.registry_differs_blocks_max
    repair = "look with `settle registry list --differs` and `settle lane list`"
    return Finding("registry", Health.DOUBTFUL, found, repair if late else "")
