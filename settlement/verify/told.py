"""I13, as far as the records show it: what the outside has to be told is in the outbox, once.

And I15: what needed a person was ended by a person, with a reason. A test holds the words equal to
the product's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from settlement.verify.findings import Finding
from settlement.verify.scene import Scene

SETTLEMENT: Mapping[str, str] = {
    "instruct": "settlement.instructed",
    "hold": "settlement.held",
    "suspend": "settlement.held",
    "cancel": "settlement.cancelled",
    "refuse": "settlement.rejected",
    "rejected": "settlement.rejected",
    "finalized": "settlement.settled",
    "review": "settlement.needs_review",
    "close": "settlement.rejected",
}
"""Moves of a settlement that the outside is told of, and the event's kind."""
INVOICE: Mapping[str, str] = {
    "issue": "invoice.issued",
    "accept": "invoice.accepted",
    "query": "invoice.queried",
    "reject": "invoice.rejected",
    "cancel": "invoice.cancelled",
    "paid": "invoice.paid",
    "part_paid": "invoice.part_paid",
    "taken_back": "invoice.taken_back",
    "unpaid": "invoice.unpaid",
    "returned": "invoice.returned",
    "drop": "invoice.cancelled",
    "credit": "invoice.credit",
    "credited": "invoice.credited",
}
_BY_MACHINES = ("chain", "rail", "policy", "")


def announced(scene: Scene) -> Finding:
    """I13: each move that is announced has its event in the outbox, and no event lacks its move."""
    finding = Finding("I13", "told to the outside, once")
    events = 0
    for noun, kinds in (("settlement", SETTLEMENT), ("invoice", INVOICE)):
        owed: Counter[tuple[str, str]] = Counter()
        for key, move, count in scene.database.stream(
            f"SELECT {noun}_id, move, COUNT(*) FROM {noun}_event GROUP BY {noun}_id, move"
        ):
            if move in kinds:
                owed[key, kinds[move]] += count
        for key, kind, count in scene.database.stream(
            "SELECT aggregate_id, kind, COUNT(*) FROM outbox"
            f" WHERE kind LIKE '{noun}.%' GROUP BY aggregate_id, kind"
        ):
            events += count
            due = owed.pop((key, kind), 0)
            if due != count:
                finding.against(f"{kind} of {key} was told {count} times, and happened {due} times")
        for (key, kind), count in owed.items():
            finding.against(f"{kind} of {key} happened {count} times, and was never told")
    finding.counts = {"events": events}
    return finding


def failed_closed(scene: Scene) -> Finding:
    """I15: a review and a halt have reasons, and only a person, with a reason, ends a review."""
    finding = Finding("I15", "fail closed")
    for key, reason in scene.database.stream(
        "SELECT id, reason FROM settlement WHERE state = 'NEEDS_REVIEW'"
    ):
        if not reason:
            finding.against(f"{key} needs a review, and nothing says why")
    reviews = 0
    for key, move, actor, reason in scene.database.stream(
        "SELECT settlement_id, move, actor, reason FROM settlement_event"
        " WHERE move IN ('found', 'resume', 'close')"
    ):
        reviews += 1
        if actor in _BY_MACHINES or not reason:
            finding.against(f"{key}: {move} by {actor or 'nobody'}, because of {reason}")
    for signer, reason in scene.database.stream(
        "SELECT signer, reason FROM lane WHERE state = 'halted'"
    ):
        if not reason:
            finding.against(f"the lane of {signer} is halted, and nothing says why")
    finding.counts = {"reviews_ended": reviews}
    return finding
