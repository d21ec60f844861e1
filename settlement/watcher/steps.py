"""How a node's headers relate to the blocks that are stored: the decision behind every step.

Pure: no node, no database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from settlement.chain.port import BlockRef, Hash
from settlement.watcher.position import Tip


@dataclass(frozen=True, slots=True)
class Extended:
    """`blocks` follow the tip; none when the node has nothing new."""

    blocks: Sequence[BlockRef]


@dataclass(frozen=True, slots=True)
class Forked:
    """The stored blocks above `ancestor` are orphaned; `blocks` follow it instead."""

    ancestor: Tip
    blocks: Sequence[BlockRef]


@dataclass(frozen=True, slots=True)
class Behind:
    """The node has only blocks that are stored already: it is late, nothing moves."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """The headers do not reach down to a stored block: ask again from the last final one."""


@dataclass(frozen=True, slots=True)
class TooDeep:
    """The node replaced a block that was final."""

    ours: Tip
    theirs: BlockRef


Step: TypeAlias = Extended | Forked | Behind | Unclear | TooDeep


def step(tip: Tip, final: Tip, stored: Mapping[int, Hash], headers: Sequence[BlockRef]) -> Step:
    """Say what `headers` (a node's, each the parent of the next) mean for the blocks stored so far.

    `stored` are canonical hashes by number, from `final` (the last that may not change) to `tip`.
    """
    agreed = None
    for place, header in enumerate(headers):
        ours = stored.get(header.number)
        if ours is not None and ours != header.hash:
            if header.number <= final.number:
                return TooDeep(Tip(header.number, ours), header)
            if agreed is None:
                return Unclear()
            return Forked(Tip(agreed.number, agreed.hash), headers[place:])
        if header.number == tip.number + 1:
            # Nothing below was contradicted, so only its parent can tell a fork.
            return Extended(headers[place:]) if header.parent_hash == tip.hash else Unclear()
        agreed = header if ours is not None else agreed
    if not headers:
        return Unclear()
    return Extended(()) if headers[-1].number == tip.number else Behind()
