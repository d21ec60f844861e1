"""When things were said, against when the blocks that allow them had been seen: a part of I10.

Clocks may step back, and hosts differ: the largest step that the records show is forgiven.
"""

from __future__ import annotations

from bisect import bisect_left

from settlement.verify.database import Database
from settlement.verify.findings import Finding
from settlement.verify.scene import Scene

_FINALLY = (
    # What, block, moment: each of these may be said only when the block is final.
    (
        "was called final",
        "SELECT e.settlement_id, s.block_number, e.at FROM settlement_event e"
        " JOIN settlement s ON s.id = e.settlement_id WHERE e.move = 'finalized'",
    ),
    (
        "was announced as settled",
        "SELECT o.aggregate_id, s.block_number, o.at FROM outbox o"
        " JOIN settlement s ON s.id = o.aggregate_id WHERE o.kind = 'settlement.settled'",
    ),
    (
        "was called rejected for good",
        "SELECT e.settlement_id, s.block_number, e.at FROM settlement_event e"
        " JOIN settlement s ON s.id = e.settlement_id AND s.state = 'REJECTED'"
        " WHERE e.move = 'rejected' AND NOT EXISTS (SELECT 1 FROM settlement_event l"
        " WHERE l.settlement_id = e.settlement_id AND l.id > e.id)",
    ),
    (
        "was ended",
        "SELECT e.chain_tx_id, c.block_number, e.at FROM chain_tx_event e"
        " JOIN chain_tx c ON c.id = e.chain_tx_id"
        " WHERE e.move IN ('finalize', 'revert', 'replace')",
    ),
)
_BOOKED = (
    "SELECT e.seq, e.block_number, e.booked_at, r.depth FROM journal_entry e"
    " JOIN receipt r ON r.block_hash = e.block_hash AND r.tx_hash = e.tx_hash"
    " WHERE e.kind IN ('payment', 'transfer', 'mint', 'burn', 'gas')"
)
_STEPS = (
    "SELECT at FROM settlement_event ORDER BY id",
    "SELECT booked_at FROM journal_entry ORDER BY seq",
    "SELECT at FROM chain_tx_event ORDER BY id",
)


class Heights:
    """When each height of the chain, or a higher one, had first been seen."""

    def __init__(self, database: Database) -> None:
        heights: list[int] = []
        first_seen: list[int] = []
        for number, seen_at in database.stream(
            "SELECT number, MIN(seen_at) FROM block GROUP BY number ORDER BY number DESC"
        ):
            heights.append(number)
            first_seen.append(min(seen_at, first_seen[-1]) if first_seen else seen_at)
        self._heights, self._first_seen = heights[::-1], first_seen[::-1]

    def seen_by(self, number: int, at: int) -> bool:
        """Whether a block of that height, or a higher one, had been seen at a moment."""
        place = bisect_left(self._heights, number)
        return place < len(self._heights) and self._first_seen[place] <= at


def judge_moments(scene: Scene, finding: Finding) -> None:
    """Bring forward what was called final, or booked, before the blocks for it had been seen."""
    heights, slack = Heights(scene.database), _largest_step_back(scene.database)
    for said, statement in _FINALLY:
        for key, number, at in scene.database.stream(statement):
            if number is None:
                continue
            needed = number + scene.confirmations - 1
            if not heights.seen_by(needed, at + slack):
                finding.against(
                    f"{key} of block {number} {said} before block {needed} had been seen"
                )
    for seq, number, at, depth in scene.database.stream(_BOOKED):
        if not heights.seen_by(number + depth - 1, at + slack):
            finding.against(
                f"je_{seq} of block {number} was booked before block {number + depth - 1}"
                " had been seen"
            )
    finding.counts["clock_stepped_back_micros"] = slack


def judge_depths(scene: Scene, finding: Finding) -> None:
    """Compare each receipt's depth with the policy's tier for its largest total.

    A receipt of our own rail that is booked too early by its tier is found by its depth.
    """
    if not scene.booking_tiers:
        return
    totals: dict[tuple[str, str], dict[str, int]] = {}
    for transfer in scene.seen.transfers:
        key = (transfer.place.block_hash, transfer.place.tx_hash)
        of_tokens = totals.setdefault(key, {})
        of_tokens[transfer.token] = of_tokens.get(transfer.token, 0) + transfer.amount
    for block_hash, tx_hash, depth in scene.database.stream(
        "SELECT block_hash, tx_hash, depth FROM receipt"
    ):
        of_tokens = totals.get((block_hash, tx_hash), {})
        units = max(
            (total // 10 ** scene.decimals[token] for token, total in of_tokens.items()), default=0
        )
        wanted = max((need for least, need in scene.booking_tiers if units >= least), default=None)
        if of_tokens and wanted is not None and depth != wanted:
            finding.against(
                f"{tx_hash} moved {units} and is booked at {depth} confirmations, not {wanted}"
            )


def _largest_step_back(database: Database) -> int:
    largest = 0
    for statement in _STEPS:
        newest = 0
        for (at,) in database.stream(statement):
            newest = max(newest, at)
            largest = max(largest, newest - at)
    return largest
