"""One pass after the chain: ask the node, decide, store. Bounded, and harmless to repeat.

Facts only: what a new or an orphaned block means for payments and books is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from settlement.chain.port import Address, BlockRef, ChainPort, Hash
from settlement.config import Settings
from settlement.errors import ChainUnreachable, ReorgTooDeep
from settlement.store import reading, transaction
from settlement.store.bulk import rows
from settlement.watcher import storing
from settlement.watcher.backfill import Stretch, stretch
from settlement.watcher.decoding import Filter, Rows, decode
from settlement.watcher.fetching import fetched
from settlement.watcher.identity import Deployed, deployed, require_same_chain
from settlement.watcher.position import Tip, final, head
from settlement.watcher.steps import Behind, Extended, Forked, Step, TooDeep, Unclear, step

LOGS_PER_COMMIT = 10_000
LOGS_WHILE_WAITING = 2_500
"""So many are stored already while the node makes up its next answer."""


Guard = Callable[[Session], object]
"""Called first in every database transaction that writes: raises where writing is not ours."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What one pass did."""

    new_blocks: int
    orphaned_blocks: int
    head: Tip
    """The newest canonical block that is stored now; a node that is late does not lower it."""
    stood_at: Tip | None
    """What the head was before; None in an empty database."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the database stands, read before the node is asked."""

    deployed: Deployed
    head: Tip | None
    final: Tip | None
    stored: dict[int, Hash]
    filter: Filter


def follow(
    engine: Engine,
    chain: ChainPort,
    settings: Settings,
    now: datetime,
    guard: Guard = lambda _session: None,
) -> Followed:
    """Store up to `settings.blocks_per_tick_max` new canonical blocks and mark orphaned ones.

    Up to `settings.backfill_blocks_max` where the chain is far ahead and they are final.

    Raises:
        LeaseLost: the guard says that another worker follows the chain now.
        NoDeployment: the database knows no rail.
        ForeignChain: the node is on another chain.
        ReorgTooDeep: a final block was replaced; nothing was written.
        ChainUnreachable: the node did not answer, or contradicted itself.
    """
    with reading(engine) as session:
        place = _place(session, settings)
    require_same_chain(place.deployed.identity, chain.identity())
    if place.head is None or place.final is None:
        return _begin(engine, chain, place.deployed.first_block, now, guard)
    found = _ask(engine, chain, settings, place, place.head, place.final)
    match found:
        case Extended(blocks):
            coming = stretch(chain, place.head, blocks, place.filter, settings)
            return _store(engine, chain, settings, place, place.head, coming, now, guard)
        case Forked(ancestor, blocks):
            coming = Stretch(blocks[: settings.blocks_per_tick_max])
            return _store(engine, chain, settings, place, ancestor, coming, now, guard)
        case Behind():
            return Followed(0, 0, place.head, place.head)
        case TooDeep(ours, theirs):
            raise ReorgTooDeep(
                f"block {ours.number} {ours.hash} was final; the node has {theirs.hash} there"
            )
        case Unclear():
            raise ChainUnreachable("the node's headers do not follow from each other")


def _place(session: Session, settings: Settings) -> _Place:
    last_final = final(session)
    here = deployed(session)
    tokens = rows(session, "SELECT address, decimals FROM token")
    signers = rows(session, "SELECT signer FROM lane")
    ours = Filter(
        rail=here.rail,
        decimals={Address(address): decimals for address, decimals in tokens},
        signers={Address(signer) for (signer,) in signers},
        booking_depth=settings.booking_depth,
    )
    stored = storing.canonical_hashes(session, last_final.number) if last_final else {}
    return _Place(here, head(session), last_final, stored, ours)


def _begin(
    engine: Engine, chain: ChainPort, first_block: int, now: datetime, guard: Guard
) -> Followed:
    """Store the block before the first that can hold a log of ours: all others stand on it."""
    headers = chain.headers(first_block, first_block)
    if not headers:
        raise ChainUnreachable(f"the node does not have block {first_block} yet")
    with transaction(engine) as session:
        guard(session)
        storing.begin(session, headers[0], now)
    return Followed(1, 0, Tip(headers[0].number, headers[0].hash), None)


def _ask(
    engine: Engine, chain: ChainPort, settings: Settings, place: _Place, tip: Tip, floor: Tip
) -> Step:
    """Ask for headers from the tip on; where they contradict it, from the last final block on."""
    last = tip.number + settings.blocks_per_tick_max
    found = step(tip, floor, place.stored, chain.headers(tip.number, last))
    if not isinstance(found, Unclear):
        return found
    headers = chain.headers(floor.number, last)
    if headers:
        return step(tip, floor, place.stored, headers)
    # The node ends below what is final: late, or on a branch of its own.
    theirs = chain.head()
    with reading(engine) as session:
        ours = storing.canonical_hash(session, theirs.number)
    if ours is None or ours == theirs.hash:
        return Behind()
    return TooDeep(Tip(theirs.number, ours), theirs)


def _store(
    engine: Engine,
    chain: ChainPort,
    settings: Settings,
    place: _Place,
    ancestor: Tip,
    coming: Stretch,
    now: datetime,
    guard: Guard,
) -> Followed:
    """Store blocks on top of `ancestor`, a bounded group of them per database transaction."""
    assert place.head is not None and place.final is not None, "the first block is stored"
    tip, last_final, orphaned_blocks = place.head, place.final, 0
    blocks = coming.blocks
    if not blocks:
        return Followed(0, 0, tip, tip)
    with reading(engine) as session:
        seen_before = storing.known(session, blocks)
    passed_over = seen_before | coming.passed_over
    for group, facts in _groups(chain, blocks, passed_over, place.filter):
        parent = ancestor if tip == place.head else tip
        newest = Tip(group[-1].number, group[-1].hash)
        with transaction(engine) as session:
            guard(session)
            storing.move_head(session, tip, newest, now)
            # With the first group of a new branch the old one goes, in the same commit.
            orphaned_blocks += storing.orphan(session, parent.number)
            storing.revive(session, [block for block in group if block.hash in seen_before])
            fresh = [block for block in group if block.hash not in seen_before]
            storing.insert_blocks(session, fresh, now)
            storing.insert_facts(session, facts)
            limit = newest.number - settings.finality_confirmations + 1
            last_final = storing.raise_final(session, last_final, limit, now)
        tip = newest
    return Followed(len(blocks), orphaned_blocks, tip, place.head)


def _groups(
    chain: ChainPort, blocks: Sequence[BlockRef], passed_over: set[Hash], ours: Filter
) -> Iterator[tuple[list[BlockRef], Rows]]:
    """Fetch and decode blocks in order, cut into groups of about `LOGS_PER_COMMIT` logs."""
    group: list[BlockRef] = []
    facts = Rows()
    for piece in fetched(chain, blocks, passed_over):
        for block, receipts in piece.found:
            decode(block, receipts, ours, facts)
        group += piece.blocks
        if len(facts.logs) >= (LOGS_PER_COMMIT if piece.next_is_there else LOGS_WHILE_WAITING):
            yield group, facts
            group, facts = [], Rows()
    if group:
        yield group, facts
