"""I1 no double pay, I10 finality: what the rail paid on the chain against what we say was paid."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from typing import NamedTuple

from settlement.verify import words
from settlement.verify.findings import Finding
from settlement.verify.node import Outcome, Place
from settlement.verify.scene import Scene

_UNDER_WAY = ("CLAIMED", "SUBMITTED", "CONFIRMING", "BOOKED")
"""States in which a payment that is final already may be met while the worker catches up."""


class _Row(NamedTuple):
    id: str
    state: str
    rail: str
    token: str
    debtor: str
    sequence: int
    creditor: str
    amount: int
    reference: str
    document_sha256: str
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    log_index: int | None


_SETTLEMENTS = (
    "SELECT id, state, rail, token, debtor_wallet, sequence, creditor_wallet, amount_minor,"
    " reference, document_sha256, block_number, block_hash, tx_hash, log_index FROM settlement"
)


def no_double_pay(scene: Scene) -> Finding:
    """I1: a sequence is settled at most once; settlements and Settled logs are one-to-one."""
    finding = Finding("I1", "no double pay")
    rows = {}
    for values in scene.database.stream(_SETTLEMENTS):
        row = _Row(*values)
        rows[(row.rail, row.debtor, row.sequence)] = row
        _judge_reference(scene, finding, row)
    logs = _one_per_sequence(scene, finding)
    paid = exact_transfers(scene)
    for key, log in logs.items():
        if scene.is_judged(log.place.block_number):
            _judge_log(finding, log, rows.get(key), paid.get(_mark(log.place)))
    for key, row in rows.items():
        later = row.block_number is not None and not scene.is_judged(row.block_number)
        if row.state == "SETTLED" and not later:
            _judge_settled(finding, row, logs.get(key))
    finding.counts = {
        "settlements": len(rows),
        "settled": sum(row.state == "SETTLED" for row in rows.values()),
        "settled_logs": len(scene.seen.settled),
        "rejected_logs": len(scene.seen.rejected),
    }
    return finding


def exact_transfers(scene: Scene) -> dict[tuple[str, int], Place]:
    """Return the exact Transfer of each Settled log: k-th with k-th of the same terms and chain tx.

    Keys are (block hash, log index) of the Settled log.
    """
    waiting: dict[tuple[str, str, str, str, str, int], list[Place]] = defaultdict(list)
    for transfer in scene.seen.transfers:
        place = transfer.place
        terms = (transfer.token, transfer.sender, transfer.receiver, transfer.amount)
        waiting[(place.block_hash, place.tx_hash, *terms)].append(place)
    taken: Counter[tuple[str, str, str, str, str, int]] = Counter()
    pairs = {}
    for log in scene.seen.settled:
        place = log.place
        terms = (log.token, log.debtor, log.creditor, log.amount)
        key = (place.block_hash, place.tx_hash, *terms)
        if taken[key] < len(waiting.get(key, ())):
            pairs[_mark(place)] = waiting[key][taken[key]]
            taken[key] += 1
    return pairs


def finality(scene: Scene) -> Finding:
    """I10: nothing is called settled before it is final, and what is final stays."""
    finding = Finding("I10", "finality")
    database = scene.database
    told = Counter(
        row[0]
        for row in database.stream(
            "SELECT aggregate_id FROM outbox WHERE kind = 'settlement.settled'"
        )
    )
    settled = 0
    for key, state, number, block_hash in database.stream(
        "SELECT id, state, block_number, block_hash FROM settlement"
    ):
        if state == "SETTLED":
            settled += 1
            if number is None or number > scene.final_number:
                finding.against(f"{key} is SETTLED in {number}, {scene.final_number} is final")
            elif not scene.is_canonical(number, block_hash):
                finding.against(f"{key} is SETTLED in {number} {block_hash}: not on the chain")
            if told[key] != 1:
                finding.against(f"{key}: settlement.settled was said {told[key]} times")
        elif told[key]:
            finding.against(f"{key} is {state}, and settlement.settled was said of it")
    _judge_moments(scene, finding)
    blocks = _judge_blocks(scene, finding)
    finding.counts = {"settled": settled, "told": sum(told.values()), "final_blocks": blocks}
    return finding


def _mark(place: Place) -> tuple[str, int]:
    return (place.block_hash, place.log_index)


def _judge_reference(scene: Scene, finding: Finding, row: _Row) -> None:
    try:
        expected = words.reference(
            chain_id=scene.chain_id,
            rail=row.rail,
            token=row.token,
            debtor=row.debtor,
            sequence=row.sequence,
            creditor=row.creditor,
            amount=row.amount,
            document_sha256=row.document_sha256,
            settlement_id=row.id,
        )
    except ValueError as error:
        finding.against(f"{row.id}: its reference cannot be computed: {error}")
        return
    if expected != row.reference:
        finding.against(f"{row.id}: reference {row.reference}, its terms give {expected}")


def _one_per_sequence(scene: Scene, finding: Finding) -> dict[tuple[str, str, int], Outcome]:
    logs: dict[tuple[str, str, int], Outcome] = {}
    for log in scene.seen.settled:
        key = (log.rail, log.debtor, log.sequence)
        if key in logs:
            finding.against(
                f"sequence {log.sequence} of {log.debtor} is settled twice:"
                f" {logs[key].place.tx_hash} and {log.place.tx_hash}"
            )
        logs[key] = log
    return logs


def _judge_log(finding: Finding, log: Outcome, row: _Row | None, transfer: Place | None) -> None:
    name = f"Settled log {log.place.log_index} of block {log.place.block_number}"
    if row is None:
        finding.against(f"{name}: sequence {log.sequence} of {log.debtor} is no settlement of ours")
        return
    on_chain = (log.reference, log.token, log.creditor, log.amount)
    in_books = (row.reference, row.token, row.creditor, row.amount)
    if on_chain != in_books:
        finding.against(f"{name}: {on_chain} on the chain, {in_books} in {row.id}")
    if transfer is None:
        # Not paid, so it may stand in any state but SETTLED.
        if row.state == "SETTLED":
            finding.against(f"{name}: {row.id} is SETTLED without an exact Transfer")
    elif row.state not in ("SETTLED", "NEEDS_REVIEW", *_UNDER_WAY):
        finding.against(f"{name}: paid on the chain, but {row.id} is {row.state}")


def _judge_settled(finding: Finding, row: _Row, log: Outcome | None) -> None:
    if log is None:
        finding.against(f"{row.id} is SETTLED, the chain has no Settled log of it")
        return
    on_chain = (log.place.block_hash, log.place.tx_hash, log.place.log_index)
    if on_chain != (row.block_hash, row.tx_hash, row.log_index):
        finding.against(
            f"{row.id} is recorded at log {row.log_index} of {row.block_hash},"
            f" and was settled at log {log.place.log_index} of {log.place.block_hash}"
        )


def _judge_moments(scene: Scene, finding: Finding) -> None:
    """Compare when finality was said with when the block that makes it final had been seen."""
    heights: list[int] = []
    first_seen: list[int] = []
    for number, seen_at in scene.database.stream(
        "SELECT number, MIN(seen_at) FROM block GROUP BY number ORDER BY number DESC"
    ):
        heights.append(number)
        first_seen.append(min(seen_at, first_seen[-1]) if first_seen else seen_at)
    # `first_seen[i]` is when any block at or above `heights[i]` was first seen.
    heights.reverse()
    first_seen.reverse()
    for key, number, at, later in scene.database.stream(
        "SELECT e.settlement_id, s.block_number, e.at,"
        " (SELECT COUNT(*) FROM settlement_event l"
        "  WHERE l.settlement_id = e.settlement_id AND l.id > e.id)"
        " FROM settlement_event e JOIN settlement s ON s.id = e.settlement_id"
        " WHERE e.move = 'finalized'"
    ):
        if later:
            finding.against(f"{key} was moved {later} times after it was final")
        if number is None:
            continue
        place = bisect_left(heights, number + scene.confirmations - 1)
        if place == len(heights) or first_seen[place] > at:
            finding.against(
                f"{key} of block {number} was called final before block"
                f" {number + scene.confirmations - 1} had been seen"
            )


def _judge_blocks(scene: Scene, finding: Finding) -> int:
    count = 0
    for number, block_hash in scene.database.stream(
        f"SELECT number, hash FROM block WHERE canonical AND number <= {scene.at.number}"
    ):
        count += 1
        found = scene.seen.hash_at(number)
        if found is not None and found != block_hash:
            finding.against(f"final block {number} is {block_hash} here and {found} on the node")
    return count
