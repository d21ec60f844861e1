"""I9 attempts: every chain transaction mined from our signers was stored before it was first sent.

And what follows from it: each nonce has all its attempts, each bids more than the one before.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from settlement.verify.findings import Finding
from settlement.verify.scene import Scene
from settlement.verify.sending import FOREIGN, RECOVERED, Attempt, ChainTx, Sent
from settlement.verify.words import SETTLE

_ENDED = {
    "FINAL": ("pay", "noop", "admin"),
    "REVERTED": ("pay", "admin"),
    "REPLACED": ("cancel", FOREIGN),
}
"""States of a chain transaction that never change, and the kinds of attempts mined in each."""


def attempts(scene: Scene, ours: Sent) -> Finding:
    """I9: what was mined from our signers was stored before it was sent, and is tracked."""
    finding = Finding("I9", "attempts")
    by_chain_tx: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in ours.attempts.values():
        by_chain_tx[attempt.chain_tx_id].append(attempt)
        _judge_attempt(finding, attempt, ours)
    for mined in scene.seen.mined.values():
        pays = mined.to == scene.rail and mined.calldata.startswith(SETTLE)
        before_us = mined.nonce < ours.opened_at[mined.signer] and not pays
        if mined.tx_hash not in ours.attempts and not before_us:
            finding.against(
                f"{mined.tx_hash} (nonce {mined.nonce} of {mined.signer}) was mined in block"
                f" {mined.block_number}, and was never stored"
            )
    for chain_tx in ours.chain_txs.values():
        _judge_series(finding, chain_tx, by_chain_tx.get(chain_tx.id, []))
        if chain_tx.state in _ENDED:
            _judge_ended(scene, finding, chain_tx, ours)
    finding.counts = {
        "attempts": len(ours.attempts),
        "foreign": sum(each.kind == FOREIGN for each in ours.attempts.values()),
        "mined": len(scene.seen.mined),
        "blocks_read": len(scene.seen.headers),
    }
    return finding


def _judge_attempt(finding: Finding, attempt: Attempt, ours: Sent) -> None:
    if attempt.raw_hash != attempt.hash:
        finding.against(f"attempt {attempt.hash}: its stored bytes hash to {attempt.raw_hash}")
    elif attempt.says is None:
        finding.against(f"attempt {attempt.hash}: its stored bytes are no chain transaction")
    if attempt.first_sent_at is not None and attempt.first_sent_at < attempt.created_at:
        finding.against(f"attempt {attempt.hash} was sent before it was stored")
    if attempt.chain_tx_id not in ours.chain_txs:
        finding.against(f"attempt {attempt.hash} is of no chain transaction")


def _judge_series(finding: Finding, chain_tx: ChainTx, some: list[Attempt]) -> None:
    """All attempts at one nonce: numbered, as its state says, each outbidding the one before."""
    some.sort(key=lambda attempt: attempt.created_seq)
    if [attempt.created_seq for attempt in some] != list(range(1, len(some) + 1)):
        finding.against(f"{chain_tx.id} lacks an attempt")
    if bool(some) != (chain_tx.state != "CLAIMED"):
        finding.against(f"{chain_tx.id} is {chain_tx.state} with {len(some)} attempts")
    if chain_tx.state == "SENT" and all(each.first_sent_at is None for each in some):
        finding.against(f"{chain_tx.id} is SENT, and none of its attempts was")
    for before, attempt in pairwise(some):
        if attempt.kind != before.kind or attempt.message == RECOVERED:
            continue
        for was, now in (
            (before.max_fee_wei, attempt.max_fee_wei),
            (before.tip_wei, attempt.tip_wei),
        ):
            if attempt.says and now * 8 < was * 9:
                finding.against(
                    f"attempt {attempt.hash} bids {now} after {was}: less than an eighth more"
                )


def _judge_ended(scene: Scene, finding: Finding, chain_tx: ChainTx, ours: Sent) -> None:
    mined = scene.seen.mined.get(chain_tx.tx_hash or "")
    attempt = ours.attempts.get(chain_tx.tx_hash or "")
    if mined is None or attempt is None or attempt.chain_tx_id != chain_tx.id:
        finding.against(f"{chain_tx.id} is {chain_tx.state}, the chain has no attempt of it")
        return
    if (mined.block_number, mined.block_hash) != (chain_tx.block_number, chain_tx.block_hash):
        finding.against(f"{chain_tx.id} is recorded in another block than it was mined in")
    failed = mined.status == 0
    if attempt.kind not in _ENDED[chain_tx.state] or (
        attempt.kind != FOREIGN and failed != (chain_tx.state == "REVERTED")
    ):
        finding.against(
            f"{chain_tx.id} is {chain_tx.state}; mined was its {attempt.kind},"
            f" {'reverted' if failed else 'done'}"
        )
