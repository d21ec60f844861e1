"""I8 nonces, I9 attempts: what our signers did on the chain against what was claimed and stored.

Every chain transaction of ours is found by reading blocks, never by asking for a hash that we know.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

from settlement.verify.database import as_bytes
from settlement.verify.findings import Finding
from settlement.verify.node import Mined
from settlement.verify.scene import Scene
from settlement.verify.words import hash_of

_ENDED = {"FINAL": ("pay", "noop", "admin"), "REVERTED": ("pay", "admin"), "REPLACED": ("cancel",)}
"""States of a chain transaction that never change, and the kinds of attempts mined in each."""


class ChainTx(NamedTuple):
    """What one nonce of one signer is for."""

    id: str
    signer: str
    nonce: int
    kind: str
    to: str
    calldata: bytes
    state: str
    tx_hash: str | None
    block_number: int | None
    block_hash: str | None


class Attempt(NamedTuple):
    """Signed bytes for a nonce; the bytes themselves are only hashed."""

    hash: str
    chain_tx_id: str
    kind: str
    created_at: int
    first_sent_at: int | None
    raw_hash: str


class Sent(NamedTuple):
    """All that was ever claimed and signed."""

    chain_txs: dict[str, ChainTx]
    attempts: dict[str, Attempt]
    opened_at: dict[str, int]
    """By signer, the first nonce that is ours to answer for."""


def sent(scene: Scene) -> Sent:
    """Read what was claimed and signed."""
    chain_txs = {}
    opened_at: dict[str, int] = dict(scene.lanes)
    for row in scene.database.stream(
        "SELECT id, signer, nonce, kind, to_address, calldata, state, tx_hash, block_number,"
        " block_hash FROM chain_tx"
    ):
        chain_tx = ChainTx(*row)
        chain_txs[chain_tx.id] = chain_tx._replace(calldata=as_bytes(chain_tx.calldata))
        first = opened_at.get(chain_tx.signer, chain_tx.nonce)
        opened_at[chain_tx.signer] = min(first, chain_tx.nonce)
    attempts = {
        row[0]: Attempt._make((*row[:5], hash_of(as_bytes(row[5]))))
        for row in scene.database.stream(
            "SELECT hash, chain_tx_id, kind, created_at, first_sent_at, raw FROM attempt"
        )
    }
    return Sent(chain_txs, attempts, opened_at)


def nonces(scene: Scene, ours: Sent) -> Finding:
    """I8: nonces without gaps, the chain not ahead of them, none serving two intents."""
    finding = Finding("I8", "nonces")
    claimed: dict[str, list[int]] = defaultdict(list)
    for chain_tx in ours.chain_txs.values():
        claimed[chain_tx.signer].append(chain_tx.nonce)
        if chain_tx.signer not in scene.lanes:
            finding.against(f"{chain_tx.id} is of {chain_tx.signer}, which has no lane")
    for signer, numbers in claimed.items():
        numbers.sort()
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            finding.against(f"{signer}: {_gap(numbers)}")
        following = scene.lanes.get(signer)
        if following is not None and following != numbers[-1] + 1:
            finding.against(f"{signer}: next nonce is {following}, last claimed {numbers[-1]}")
    signers = sorted(scene.lanes)
    for signer, mined in zip(signers, scene.node.nonces(signers, scene.head.number), strict=True):
        if mined > scene.lanes[signer]:
            finding.against(f"{signer}: {mined} nonces are mined, {scene.lanes[signer]} claimed")
    for mined_tx in scene.seen.mined.values():
        attempt = ours.attempts.get(mined_tx.tx_hash)
        chain_tx_of = ours.chain_txs.get(attempt.chain_tx_id) if attempt else None
        if attempt and chain_tx_of:
            _judge_intent(finding, mined_tx, attempt, chain_tx_of)
    finding.counts = {
        "signers": len(signers),
        "nonces": len(ours.chain_txs),
        "mined": len(scene.seen.mined),
    }
    return finding


def attempts(scene: Scene, ours: Sent) -> Finding:
    """I9: every chain transaction mined from our signers was stored before it was first sent."""
    finding = Finding("I9", "attempts")
    for attempt in ours.attempts.values():
        if attempt.raw_hash != attempt.hash:
            finding.against(f"attempt {attempt.hash}: its stored bytes hash to {attempt.raw_hash}")
        if attempt.first_sent_at is not None and attempt.first_sent_at < attempt.created_at:
            finding.against(f"attempt {attempt.hash} was sent before it was stored")
        if attempt.chain_tx_id not in ours.chain_txs:
            finding.against(f"attempt {attempt.hash} is of no chain transaction")
    for mined in scene.seen.mined.values():
        before_us = mined.nonce < ours.opened_at[mined.signer] and mined.to != scene.rail
        if mined.tx_hash not in ours.attempts and not before_us:
            finding.against(
                f"{mined.tx_hash} (nonce {mined.nonce} of {mined.signer}) was mined in block"
                f" {mined.block_number}, and was never stored"
            )
    for chain_tx in ours.chain_txs.values():
        if chain_tx.state in _ENDED:
            _judge_ended(scene, finding, chain_tx, ours)
    finding.counts = {
        "attempts": len(ours.attempts),
        "mined": len(scene.seen.mined),
        "blocks_read": len(scene.seen.headers),
    }
    return finding


def _gap(numbers: list[int]) -> str:
    for before, number in pairwise(numbers):
        if number == before:
            return f"nonce {number} is claimed twice"
        if number != before + 1:
            return f"nonce {before + 1} is claimed by nothing"
    return "its nonces are out of order"


def _judge_intent(finding: Finding, mined: Mined, attempt: Attempt, chain_tx: ChainTx) -> None:
    if (mined.signer, mined.nonce) != (chain_tx.signer, chain_tx.nonce):
        finding.against(
            f"{mined.tx_hash} took nonce {mined.nonce}, {chain_tx.id} claimed {chain_tx.nonce}"
        )
    if attempt.kind in ("cancel", "noop"):
        expected = (chain_tx.signer, "0x")
    else:
        expected = (chain_tx.to, "0x" + chain_tx.calldata.hex())
    if (mined.to, mined.calldata) != expected or mined.value:
        finding.against(
            f"{mined.tx_hash} ({attempt.kind}) does something else than {chain_tx.id} says"
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
    if attempt.kind not in _ENDED[chain_tx.state] or failed != (chain_tx.state == "REVERTED"):
        finding.against(
            f"{chain_tx.id} is {chain_tx.state}; mined was its {attempt.kind},"
            f" {'reverted' if failed else 'done'}"
        )
