"""Every payment was signed under a live clearance that covers exactly what the bytes do.

Judges the stored decision, not whether it was a wise one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from settlement.verify.batches import judge_places
from settlement.verify.findings import Finding
from settlement.verify.scene import Scene
from settlement.verify.sending import RECOVERED, Attempt, ChainTx, Sent
from settlement.verify.words import settle_call

_MICROS = 1_000_000

_MEMBERS = (
    "SELECT m.chain_tx_id, m.settlement_id, m.clearance_id, s.token, s.debtor_wallet,"
    " s.creditor_wallet, s.sequence, s.amount_minor, s.reference, c.settlement_id, c.outcome,"
    " c.token, c.debtor_wallet, c.creditor_wallet, c.amount_minor, c.reference,"
    " c.expires_at, c.revoked_at FROM batch_member m"
    " LEFT JOIN settlement s ON s.id = m.settlement_id"
    " LEFT JOIN clearance c ON c.id = m.clearance_id ORDER BY m.chain_tx_id, m.position"
)


class _Member(NamedTuple):
    chain_tx_id: str
    settlement_id: str
    clearance_id: str
    token: str | None
    debtor: str | None
    creditor: str | None
    sequence: int | None
    amount: int | None
    reference: str | None
    cleared_id: str | None
    outcome: str | None
    cleared_token: str | None
    cleared_debtor: str | None
    cleared_creditor: str | None
    cleared_amount: int | None
    cleared_reference: str | None
    expires_at: int
    revoked_at: int | None


def clearances(scene: Scene, ours: Sent) -> Finding:
    """CLEARED: a batch pays exactly its members, each covered by a clearance alive at signing."""
    finding = Finding("CLEARED", "paid only under a live clearance")
    members: dict[str, list[_Member]] = defaultdict(list)
    places: Counter[str] = Counter()
    for row in scene.database.stream(_MEMBERS):
        member = _Member(*row)
        members[member.chain_tx_id].append(member)
        places[member.settlement_id] += 1
        _judge_cover(finding, member)
    for chain_tx in ours.chain_txs.values():
        if chain_tx.kind == "pay":
            _judge_batch(finding, chain_tx, members.get(chain_tx.id, []))
    for attempt in ours.attempts.values():
        if attempt.kind == "pay":
            _judge_signing(finding, attempt, members.get(attempt.chain_tx_id, []))
    _judge_in_time(scene, finding)
    judge_places(scene, finding)
    _judge_claims(scene, finding, places)
    _judge_paid(scene, finding, ours, members)
    finding.counts = {
        "members": sum(places.values()),
        "batches": len(members),
        "clearances": scene.database.value("SELECT COUNT(*) FROM clearance"),
    }
    return finding


def _judge_cover(finding: Finding, member: _Member) -> None:
    name = f"{member.settlement_id} in {member.chain_tx_id}"
    if member.cleared_id is None:
        finding.against(f"{name}: there is no clearance {member.clearance_id}")
        return
    if member.cleared_id != member.settlement_id:
        finding.against(f"{name}: {member.clearance_id} is of {member.cleared_id}")
    if member.outcome not in ("ALLOW", "ALLOW_WITH_DATA"):
        finding.against(f"{name}: {member.clearance_id} says {member.outcome}")
    terms: tuple[Any, ...] = (
        member.token, member.debtor, member.creditor, member.amount, member.reference,
    )  # fmt: skip
    cleared: tuple[Any, ...] = (
        member.cleared_token, member.cleared_debtor, member.cleared_creditor,
        member.cleared_amount, member.cleared_reference,
    )  # fmt: skip
    if terms != cleared:
        finding.against(f"{name}: {member.clearance_id} covers {cleared}, not {terms}")


def _judge_batch(finding: Finding, chain_tx: ChainTx, members: list[_Member]) -> None:
    call = settle_call(chain_tx.calldata)
    if call is None:
        finding.against(f"{chain_tx.id}: its calldata is no call of settle")
        return
    wanted = tuple((m.sequence, m.creditor, m.amount, m.reference) for m in members)
    if call.payments != wanted:
        finding.against(f"{chain_tx.id}: its calldata does not pay its {len(members)} members")
    if {(m.token, m.debtor) for m in members} != {(call.token, call.debtor)}:
        finding.against(f"{chain_tx.id}: it pays from {call.debtor} in {call.token}")
    expiries = [m.expires_at // _MICROS for m in members if m.cleared_id is not None]
    if expiries and call.deadline > min(expiries):
        finding.against(f"{chain_tx.id}: its deadline is after the expiry of a clearance in it")


def _judge_signing(finding: Finding, attempt: Attempt, members: list[_Member]) -> None:
    at = attempt.created_at
    for member in members:
        if member.cleared_id is None:
            continue
        revoked = member.revoked_at is not None and member.revoked_at < at
        # Not whether it was given before: the times are those of two workers' clocks and ticks.
        if revoked or at >= member.expires_at:
            finding.against(
                f"attempt {attempt.hash} was signed when {member.clearance_id}"
                f" of {member.settlement_id} was not alive"
            )
        sent_at = attempt.last_sent_at
        if sent_at is None or attempt.message == RECOVERED:
            continue
        revoked = member.revoked_at is not None and member.revoked_at < sent_at
        if revoked or sent_at >= member.expires_at:
            finding.against(
                f"attempt {attempt.hash} was sent when {member.clearance_id}"
                f" of {member.settlement_id} was not alive"
            )


def _judge_in_time(scene: Scene, finding: Finding) -> None:
    """No batch was paid after its own deadline, by the chain's time."""
    for mined in scene.seen.mined.values():
        call = settle_call(bytes.fromhex(mined.calldata[2:])) if mined.to == scene.rail else None
        if (
            call
            and mined.status
            and scene.seen.headers[mined.block_number].timestamp > (call.deadline)
        ):
            finding.against(f"{mined.tx_hash} was mined after its deadline {call.deadline}")


def _judge_claims(scene: Scene, finding: Finding, places: Counter[str]) -> None:
    """Every claim of a settlement gave it one place in one batch, under one clearance."""
    claims = Counter(
        dict(
            scene.database.stream(
                "SELECT settlement_id, COUNT(*) FROM settlement_event WHERE move = 'claim'"
                " GROUP BY settlement_id"
            )
        )
    )
    for key in claims.keys() | places.keys():
        if claims[key] != places[key]:
            finding.against(f"{key} was claimed {claims[key]} times, with {places[key]} places")


def _judge_paid(
    scene: Scene, finding: Finding, ours: Sent, members: dict[str, list[_Member]]
) -> None:
    """What is settled was paid by a batch that it was a member of."""
    batches: dict[str, set[str]] = defaultdict(set)
    for chain_tx_id, some in members.items():
        for member in some:
            batches[member.settlement_id].add(chain_tx_id)
    for key, tx_hash in scene.database.stream(
        "SELECT id, tx_hash FROM settlement WHERE state = 'SETTLED'"
    ):
        attempt = ours.attempts.get(tx_hash)
        if attempt is None or attempt.chain_tx_id not in batches[key]:
            finding.against(f"{key} is SETTLED by {tx_hash}, in which it had no place")
