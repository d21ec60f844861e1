"""A settlement and its batches: one open at a time, left only when its end is final. A part of I1.

Two open batches, or one left too early, are how a payment is made twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from settlement.verify.findings import Finding
from settlement.verify.scene import Scene

_ENDED = "('FINAL', 'REVERTED', 'REPLACED')"
_LEAVES = "('rejected', 'unclaim', 'suspend', 'resume', 'close')"
_LEAVERS = f"(SELECT settlement_id FROM settlement_event WHERE move IN {_LEAVES})"
_OPEN_TWICE = (
    "SELECT m.settlement_id, COUNT(*) FROM batch_member m JOIN chain_tx c ON c.id = m.chain_tx_id"
    f" WHERE c.state NOT IN {_ENDED} GROUP BY m.settlement_id HAVING COUNT(*) > 1"
)
_ONE_AFTER_THE_OTHER = (
    "SELECT m.settlement_id, c.id, k.at, e.at FROM batch_member m"
    " JOIN chain_tx c ON c.id = m.chain_tx_id"
    " JOIN chain_tx_event k ON k.chain_tx_id = c.id AND k.move = 'claim'"
    " LEFT JOIN chain_tx_event e ON e.chain_tx_id = c.id"
    " AND e.move IN ('finalize', 'revert', 'replace')"
    " WHERE m.settlement_id IN (SELECT settlement_id FROM batch_member"
    " GROUP BY settlement_id HAVING COUNT(*) > 1) ORDER BY m.settlement_id, k.id"
)
_PLACES = (
    "SELECT m.settlement_id, c.id, c.state, k.id, e.at FROM batch_member m"
    " JOIN chain_tx c ON c.id = m.chain_tx_id"
    " LEFT JOIN chain_tx_event k ON k.chain_tx_id = c.id AND k.move = 'claim'"
    " LEFT JOIN chain_tx_event e ON e.chain_tx_id = c.id"
    " AND e.move IN ('finalize', 'revert', 'replace')"
    f" WHERE m.settlement_id IN {_LEAVERS} ORDER BY k.id"
)
_STEPS = (
    "SELECT settlement_id, move, at FROM settlement_event"
    f" WHERE settlement_id IN {_LEAVERS} AND (move = 'claim' OR move IN {_LEAVES}) ORDER BY id"
)
_ELSEWHERE = (
    "SELECT s.id, s.state, s.chain_tx_id, m.chain_tx_id FROM settlement s"
    " LEFT JOIN batch_member m ON m.settlement_id = s.id AND m.live"
    " WHERE (s.state IN ('CLAIMED', 'SUBMITTED', 'CONFIRMING', 'BOOKED', 'SETTLED', 'NEEDS_REVIEW')"
    " AND (m.chain_tx_id IS NULL OR s.chain_tx_id IS NULL OR m.chain_tx_id <> s.chain_tx_id))"
    " OR (s.state NOT IN"
    " ('CLAIMED', 'SUBMITTED', 'CONFIRMING', 'BOOKED', 'SETTLED', 'NEEDS_REVIEW')"
    " AND m.chain_tx_id IS NOT NULL)"
)


def judge_batches(scene: Scene, finding: Finding) -> None:
    """Bring forward settlements in two open batches, and those that left one before its end."""
    for key, count in scene.database.stream(_OPEN_TWICE):
        finding.against(f"{key} is in {count} batches that have not ended")
    before: tuple[str, str, int | None] = ("", "", None)
    for key, chain_tx_id, claimed_at, ended_at in scene.database.stream(_ONE_AFTER_THE_OTHER):
        last_key, last_id, last_end = before
        if key == last_key and (last_end is None or last_end > claimed_at):
            finding.against(f"{key} was claimed for {chain_tx_id} while {last_id} was not final")
        before = (key, chain_tx_id, ended_at)
    places: dict[str, list[tuple[str, str, int | None]]] = defaultdict(list)
    for key, chain_tx_id, state, _claimed, ended_at in scene.database.stream(_PLACES):
        places[key].append((chain_tx_id, state, ended_at))
    claims: Counter[str] = Counter()
    for key, move, at in scene.database.stream(_STEPS):
        if move == "claim":
            claims[key] += 1
            continue
        nth = claims[key]
        if not 0 < nth <= len(places[key]):
            finding.against(f"{key}: {move} without a batch")
            continue
        chain_tx_id, state, ended_at = places[key][nth - 1]
        if ended_at is None or ended_at > at:
            finding.against(f"{key}: {move} while {chain_tx_id} was not final (now {state})")


def judge_places(scene: Scene, finding: Finding) -> None:
    """Bring forward settlements whose live place is not where their state says."""
    for key, state, said, live in scene.database.stream(_ELSEWHERE):
        finding.against(f"{key} is {state} in {said or 'no batch'}, its live place is in {live}")
