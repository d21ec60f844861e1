"""Catching up from far behind: long runs of final blocks, most of which have nothing of ours.

A block is passed over only where two things are certain: its header's bloom filter excludes our
contracts, and the nonces before and after it say that no lane of ours signed anything in it.
Stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from settlement.chain.bloom import bloom
from settlement.chain.port import Address, BlockRef, ChainPort, Hash
from settlement.config import Settings
from settlement.errors import ChainUnreachable
from settlement.watcher.decoding import Filter
from settlement.watcher.position import Tip


@dataclass(frozen=True, slots=True)
class Stretch:
    """Blocks to store, each the parent of the next, and which of them hold nothing of ours."""

    blocks: Sequence[BlockRef]
    passed_over: set[Hash] = field(default_factory=set)


def stretch(
    chain: ChainPort, tip: Tip, blocks: Sequence[BlockRef], ours: Filter, settings: Settings
) -> Stretch:
    """Return what to store on `tip`: `blocks`, or far more where the chain is far ahead of them.

    Raises:
        ChainUnreachable: the node did not answer.
    """
    page = settings.blocks_per_tick_max
    blocks = blocks[:page]
    if len(blocks) < page:
        return Stretch(blocks)
    # What the same node does not call final yet may still be replaced: it is followed slowly.
    last_final = chain.head().number - settings.finality_confirmations + 1
    last = min(last_final, tip.number + settings.backfill_blocks_max)
    if last <= blocks[-1].number:
        return Stretch(blocks)
    longer = [*blocks, *_more(chain, blocks[-1], last, page)]
    return Stretch(longer, _without_ours(chain, tip.hash, longer, ours))


def _more(chain: ChainPort, tip: BlockRef, last: int, page: int) -> Sequence[BlockRef]:
    """Return headers on top of `tip`: half as many each time that the node does not give them."""
    count = last - tip.number
    while count >= page:
        try:
            found = chain.headers(tip.number, tip.number + count)
        except ChainUnreachable:
            count //= 2
            continue
        # A reorg between two requests: what was there first is judged by the next pass.
        return found[1:] if found and found[0].hash == tip.hash else ()
    return ()


def _without_ours(
    chain: ChainPort, parent: Hash, blocks: Sequence[BlockRef], ours: Filter
) -> set[Hash]:
    contracts = [bloom((address,)) for address in (ours.rail, *ours.decimals)]
    quiet: set[Hash] = set()
    run: list[BlockRef] = []
    before = parent
    for block in blocks:
        bits = int(block.logs_bloom, 16) if block.logs_bloom else -1
        if any(bits & contract == contract for contract in contracts):
            quiet |= _unsigned(chain, before, run, sorted(ours.signers))
            run, before = [], block.hash
        else:
            run.append(block)
    return quiet | _unsigned(chain, before, run, sorted(ours.signers))


def _unsigned(
    chain: ChainPort, parent: Hash, run: Sequence[BlockRef], signers: Sequence[Address]
) -> set[Hash]:
    """Return the blocks of a run on `parent` in which none of `signers` has a chain transaction.

    By their nonces at both ends; a run in which one moved is halved.
    """
    if not any(block.tx_count for block in run):
        return {block.hash for block in run}
    try:
        if chain.nonces_at(signers, parent) == chain.nonces_at(signers, run[-1].hash):
            return {block.hash for block in run}
    except ChainUnreachable:
        return set()  # Not every node knows old nonces: then all receipts are looked at.
    if len(run) == 1:
        return set()
    half = len(run) // 2
    first = _unsigned(chain, parent, run[:half], signers)
    return first | _unsigned(chain, run[half - 1].hash, run[half:], signers)
