"""I1 no double pay, I10 finality: what the rail paid on the chain against what we say was paid."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from settlement.verify import words
from settlement.verify.batches import judge_batches
from settlement.verify.findings import Finding
from settlement.verify.moments import judge_depths, judge_moments
from settlement.verify.node import Outcome, Place
from settlement.verify.paid import judge_invoices
from settlement.verify.pairs import mark, repeated
from settlement.verify.scene import Scene

_UNDER_WAY = ("CLAIMED", "SUBMITTED", "CONFIRMING", "BOOKED")
"""States in which a payment that is final already may be met while the worker catches up."""


_BITS_AT_MOST = 1_000


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
        if (row.rail, row.debtor, row.sequence) in rows:
            finding.against(f"{row.id}: sequence {row.sequence} of {row.debtor} is given twice")
        rows[(row.rail, row.debtor, row.sequence)] = row
        _judge_reference(scene, finding, row)
    logs = _one_per_sequence(scene, finding)
    for key, log in logs.items():
        if scene.is_judged(log.place.block_number):
            _judge_log(finding, log, rows.get(key), scene.pairs.get(mark(log.place)))
    for key, row in rows.items():
        later = row.block_number is not None and not scene.is_judged(row.block_number)
        if row.state == "SETTLED" and not later:
            _judge_settled(finding, row, logs.get(key))
    for transfer in repeated(scene.seen, scene.pairs):
        finding.against(
            f"{transfer.sender} paid {transfer.amount} to {transfer.receiver} once more"
            f" in {transfer.place.tx_hash}, with no word of the rail"
        )
    _judge_bits(scene, finding, list(rows.values()), logs)
    _judge_numbering(scene, finding)
    judge_batches(scene, finding)
    finding.counts = {
        "settlements": len(rows),
        "settled": sum(row.state == "SETTLED" for row in rows.values()),
        "settled_logs": len(scene.seen.settled),
        "rejected_logs": len(scene.seen.rejected),
    }
    return finding


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
    _judge_ends(scene, finding)
    blocks = _judge_blocks(scene, finding)
    finding.counts = {"settled": settled, "told": sum(told.values()), "final_blocks": blocks}
    judge_moments(scene, finding)
    judge_invoices(scene, finding)
    judge_depths(scene, finding)
    return finding


def _judge_bits(
    scene: Scene,
    finding: Finding,
    rows: list[_Row],
    logs: dict[tuple[str, str, int], Outcome],
) -> None:
    """Compare the rail's own memory of what it paid with its logs: all unpaid, the newest paid."""
    unpaid = [row for row in rows if row.state != "SETTLED"]
    paid = [row for row in rows if row.state == "SETTLED"]
    asked = unpaid[-_BITS_AT_MOST:] + paid[-_BITS_AT_MOST:]
    calls = [
        (row.rail, words.IS_SETTLED + words.padded(row.debtor) + f"{row.sequence:064x}")
        for row in asked
    ]
    for row, bit in zip(asked, scene.node.numbers(calls, scene.at.hash), strict=True):
        log = logs.get((row.rail, row.debtor, row.sequence))
        has_log = log is not None and scene.is_judged(log.place.block_number)
        if bool(bit) != has_log:
            finding.against(
                f"{row.id}: the rail remembers sequence {row.sequence} as"
                f" {'paid' if bit else 'not paid'}, its logs say otherwise"
            )


def _judge_numbering(scene: Scene, finding: Finding) -> None:
    for debtor, highest, following in scene.database.stream(
        "SELECT s.debtor_wallet, MAX(s.sequence), MAX(q.next_sequence) FROM settlement s"
        " LEFT JOIN settlement_sequence q ON q.debtor_wallet = s.debtor_wallet"
        " GROUP BY s.debtor_wallet"
    ):
        if following is None or following <= highest:
            finding.against(f"{debtor}: sequence {highest} is given, the next is {following}")


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


def _judge_ends(scene: Scene, finding: Finding) -> None:
    for key, later in scene.database.stream(
        "SELECT e.settlement_id, COUNT(*) FROM settlement_event e"
        " JOIN settlement_event l ON l.settlement_id = e.settlement_id AND l.id > e.id"
        " WHERE e.move = 'finalized' GROUP BY e.settlement_id"
    ):
        finding.against(f"{key} was moved {later} times after it was final")
    for key, state, number in scene.database.stream(
        "SELECT id, state, block_number FROM chain_tx"
        " WHERE state IN ('FINAL', 'REVERTED', 'REPLACED')"
    ):
        if number is None or number > scene.final_number:
            finding.against(f"{key} is {state} in {number}, {scene.final_number} is final")


def _judge_blocks(scene: Scene, finding: Finding) -> int:
    """Compare the blocks that were stored as canonical with the node's, none of them missing."""
    stored = dict(
        scene.database.stream(
            f"SELECT number, hash FROM block WHERE canonical AND number <= {scene.at.number}"
        )
    )
    for number, header in scene.seen.headers.items():
        if scene.is_judged(number) and stored.get(number) != header.hash:
            finding.against(
                f"final block {number} is {stored.get(number)} here and {header.hash} on the node"
            )
    return len(stored)
