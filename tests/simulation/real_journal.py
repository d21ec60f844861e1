"""A journal of very many rows under a rail that runs: what a start must not depend on.

The entries move money to and fro between two wallets, at a block that is there: balances hold, and
every sum over a wallet's postings has all of them to add. The checker would miss their logs.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway import wiring
from settlement import ledger
from settlement.ledger import Entry, Line
from settlement.store import transaction
from tests.simulation.real_lives import Lives
from tests.simulation.real_patience import Patience
from tests.simulation.real_rail import RealRail
from tests.simulation.real_zygote import Zygote

_CHUNK = 10_000


FOLLOWED_SECONDS = 30


class NothingFollowed(Exception):
    """No worker has followed the chain in time."""


def fill_journal(rail: RealRail, zygote: Zygote, rows: int) -> int:
    """Post so many entries by the ledger's own code; return how many the journal has then.

    Raises:
        NothingFollowed: there is no block that they could stand on.
    """
    _let_follow(rail, zygote)
    # An old one: no chain has a million logs in a block that is not final yet.
    block = rail.rows("SELECT number, hash FROM block WHERE canonical ORDER BY number")[0]
    chunk: list[Entry] = []
    for entry in _to_and_fro(rail, block.number, block.hash, rows):
        chunk.append(entry)
        if len(chunk) == _CHUNK:
            with transaction(rail.engine) as session:
                ledger.post(session, chunk, wiring.now())
            chunk.clear()
    if chunk:
        with transaction(rail.engine) as session:
            ledger.post(session, chunk, wiring.now())
    return int(rail.one("SELECT COUNT(*) FROM journal_entry"))


def _let_follow(rail: RealRail, zygote: Zygote) -> None:
    """Let a worker store the first blocks."""
    lives, patience = Lives(rail, zygote), Patience(FOLLOWED_SECONDS)
    lives.start("signer")
    lives.start("worker")
    try:
        while not rail.rows("SELECT 1 FROM journal_entry LIMIT 1"):
            lives.look(0.02)
            if not patience.lasts():
                raise NothingFollowed
    finally:
        lives.end_all()


def _to_and_fro(rail: RealRail, number: int, block_hash: str, rows: int) -> Iterator[Entry]:
    one = f"wallet:{rail.sandbox.wallets[0].address}:TUSD"
    other = f"wallet:{rail.sandbox.wallets[1].address}:TUSD"
    for place in range(rows - rows % 2):
        minor = 1_000_000 if place % 2 else -1_000_000
        yield Entry(
            "transfer",
            f"log:{block_hash}:{1_000_000 + place}",
            (Line(one, minor), Line(other, -minor)),
            block_number=number,
            block_hash=block_hash,
            value_date="2026-11-22",
        )
