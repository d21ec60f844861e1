"""Receipts of a run of blocks, asked for ahead of what is decoded and stored.

Decides nothing and stores nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple, TypeAlias

from settlement.chain.port import BlockRef, ChainPort, Hash, Receipt

TXS_PER_FETCH = 16
"""Chain transactions whose receipts are asked for at once; a block with more comes alone."""
FETCHES_AHEAD = 4
"""Answers that wait decoded in memory while the ones before are stored."""

Found: TypeAlias = list[tuple[BlockRef, list[Receipt]]]


class Piece(NamedTuple):
    """Some blocks, and the receipts of those of them that were asked for."""

    blocks: list[BlockRef]
    found: Found
    next_is_there: bool
    """Whether what follows has been answered: else there is time to store."""


def fetched(
    chain: ChainPort, blocks: Sequence[BlockRef], passed_over: set[Hash]
) -> Iterator[Piece]:
    """Yield `blocks` in order, by pieces, with the receipts of those not `passed_over`.

    Raises:
        ChainUnreachable: the node did not answer, or not in keeping with its headers.
    """

    def fetch_receipts(piece: list[BlockRef]) -> Found:
        wanted = [block for block in piece if block.hash not in passed_over]
        return list(zip(wanted, chain.receipts(wanted), strict=True))

    pieces = _pieces(blocks, passed_over)
    first = list(islice(pieces, 2))
    if len(first) < 2:
        for piece in first:
            yield Piece(piece, fetch_receipts(piece), next_is_there=False)
        return
    # One thread, one request at a time: the chain is never asked twice at once.
    with ThreadPoolExecutor(1, thread_name_prefix="receipts") as ahead:
        coming: deque[tuple[list[BlockRef], Future[Found]]] = deque()
        try:
            for piece in (*first, *pieces):
                coming.append((piece, ahead.submit(fetch_receipts, piece)))
                if len(coming) > FETCHES_AHEAD:
                    yield _oldest(coming)
            while coming:
                yield _oldest(coming)
        finally:
            for _, answer in coming:
                answer.cancel()


def _oldest(coming: deque[tuple[list[BlockRef], Future[Found]]]) -> Piece:
    blocks, answer = coming.popleft()
    found = answer.result()
    return Piece(blocks, found, next_is_there=bool(coming) and coming[0][1].done())


def _pieces(blocks: Sequence[BlockRef], passed_over: set[Hash]) -> Iterator[list[BlockRef]]:
    piece: list[BlockRef] = []
    weight = 0
    for block in blocks:
        own_weight = 0 if block.hash in passed_over else block.tx_count
        if piece and weight + own_weight > TXS_PER_FETCH:
            yield piece
            piece, weight = [], 0
        piece.append(block)
        weight += own_weight
    if piece:
        yield piece
