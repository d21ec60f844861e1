"""What was claimed and signed, and I8 nonces: each serves one intent, none is left out.

Every chain transaction of ours is found by reading blocks, never by asking for a hash that we know.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any, NamedTuple

from settlement.verify import signed
from settlement.verify.database import as_bytes
from settlement.verify.findings import Finding
from settlement.verify.node import Mined
from settlement.verify.scene import Scene
from settlement.verify.words import hash_of

FOREIGN = "foreign"
"""An attempt that is not ours: found on the chain when a lane was healed, and written down."""

RECOVERED = "recovered from the chain"
"""The message of what was written down when a lane was healed."""


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
    """Signed bytes for a nonce; the bytes themselves are only hashed and read."""

    hash: str
    chain_tx_id: str
    kind: str
    created_at: int
    first_sent_at: int | None
    last_sent_at: int | None
    created_seq: int
    message: str | None
    raw_hash: str
    max_fee_wei: int
    tip_wei: int
    says: tuple[int, int, str, int, str] | None
    """Chain id, nonce, receiver, value, hash of the data; None where they are no such bytes."""


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
        row[0]: _attempt(row[:8], as_bytes(row[8]))
        for row in scene.database.stream(
            "SELECT hash, chain_tx_id, kind, created_at, first_sent_at, last_sent_at, created_seq,"
            " message, raw FROM attempt"
        )
    }
    return Sent(chain_txs, attempts, opened_at)


def _attempt(row: tuple[Any, ...], raw: bytes) -> Attempt:
    said = signed.read(raw)
    if said is None:
        return Attempt._make((*row, hash_of(raw), 0, 0, None))
    says = (said.chain_id, said.nonce, said.to, said.value, hash_of(said.data))
    return Attempt._make((*row, hash_of(raw), said.max_fee_wei, said.tip_wei, says))


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
    for attempt in ours.attempts.values():
        if attempt.chain_tx_id in ours.chain_txs:
            _judge_bytes(scene, finding, attempt, ours.chain_txs[attempt.chain_tx_id])
    signers = sorted(scene.lanes)
    for signer, mined in zip(signers, scene.node.nonces(signers, scene.head.number), strict=True):
        if mined > scene.lanes[signer]:
            finding.against(f"{signer}: {mined} nonces are mined, {scene.lanes[signer]} claimed")
    for mined_tx in scene.seen.mined.values():
        found = ours.attempts.get(mined_tx.tx_hash)
        claimed_tx = ours.chain_txs.get(found.chain_tx_id) if found else None
        if found and claimed_tx:
            _judge_intent(finding, mined_tx, found, claimed_tx)
    finding.counts = {
        "signers": len(signers),
        "nonces": len(ours.chain_txs),
        "mined": len(scene.seen.mined),
    }
    return finding


def _gap(numbers: list[int]) -> str:
    for before, number in pairwise(numbers):
        if number == before:
            return f"nonce {number} is claimed twice"
        if number != before + 1:
            return f"nonce {before + 1} is claimed by nothing"
    return "its nonces are out of order"


def _intended(attempt: Attempt, chain_tx: ChainTx) -> tuple[str, bytes]:
    """Return receiver and data that an attempt of its kind has to carry."""
    if attempt.kind in ("cancel", "noop"):
        return chain_tx.signer, b""
    return chain_tx.to, chain_tx.calldata


def _judge_bytes(scene: Scene, finding: Finding, attempt: Attempt, chain_tx: ChainTx) -> None:
    """Hold signed bytes, mined or not, against what their nonce was claimed for."""
    if attempt.says is None or attempt.kind == FOREIGN:
        return
    to, data = _intended(attempt, chain_tx)
    if attempt.says != (scene.chain_id, chain_tx.nonce, to, 0, hash_of(data)):
        finding.against(
            f"attempt {attempt.hash} ({attempt.kind}) says something else than {chain_tx.id}"
        )


def _judge_intent(finding: Finding, mined: Mined, attempt: Attempt, chain_tx: ChainTx) -> None:
    if (mined.signer, mined.nonce) != (chain_tx.signer, chain_tx.nonce):
        finding.against(
            f"{mined.tx_hash} took nonce {mined.nonce}, {chain_tx.id} claimed {chain_tx.nonce}"
        )
    to, data = _intended(attempt, chain_tx)
    if attempt.kind == FOREIGN:
        return
    if (mined.to, mined.calldata) != (to, "0x" + data.hex()) or mined.value:
        finding.against(
            f"{mined.tx_hash} ({attempt.kind}) does something else than {chain_tx.id} says"
        )
