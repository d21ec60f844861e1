"""Scenes that lead to where a bug in paying shows, and where the words are that it changes."""

from __future__ import annotations

from tests.simulation.node import HALTING_WORDS
from tests.simulation.planting import edited

RAIL = "settlement.chain.memory.rail:Rail."
FINALITY = "settlement.settlements.finality:"
ATTEMPTS = "settlement.sender.attempts:"
BROADCAST = "settlement.sender.broadcast:"
LANE = "settlement.sender.pipeline:Lane."
NONCES = "settlement.sender.nonces:"
LANES = "settlement.sender.lanes:"
COVERAGE = "settlement.signer.coverage:"

BIT = 'frame.store("settled", batch.debtor, sequence, value=1)'
TICK = (["step", 0],) * 5
ROUND = (*TICK, ["mine", 1, 1000])
ROUNDS = ROUND * 3
TO_FINALITY = (*ROUND * 2, ["mine", 12, 1000], *TICK)
FROZEN = (
    ["freeze", 0, 1], ["mine", 1, 1000], *TICK, ["instruct", 0, 1, 0], *TO_FINALITY,
    ["freeze", 0, 0], ["mine", 1, 1000],
)  # fmt: skip
"""A payment that the token refuses, for good."""
DEARER = (
    ["instruct", 0, 3, 0], *TICK, ["base_fee", 40], ["mine", 1, 1000], *TICK, *TICK,
    ["base_fee", 5], *ROUND,
)  # fmt: skip
"""A batch that is priced out, and bids more."""
STUCK = (
    ["instruct", 0, 3, 0], *(["rpc", 0, "send", "swallow", 1],) * 4, *ROUND * 9,
)  # fmt: skip
"""A batch that its node loses again and again, until it bids more."""
EXPIRED = (["instruct", 0, 3, 0], *TICK, ["drop", 0], ["jump", 3_700_000], *ROUNDS)
"""A batch that is cancelled, because its clearances ended."""
ZOMBIE = (
    ["instruct", 0, 3, 0], *(["step", 0],) * 4, ["wait", 6000], *(["step", 1],) * 4, ["step", 0],
)  # fmt: skip
"""A worker that is about to claim when another takes its lane."""
RACE = (
    ["instruct", 0, 2, 0], *TICK, ["drop", 0], ["jump", 3_700_000], *ROUND * 4,
    *(["reorg", 6, "other", 7], *ROUND) * 2,
)  # fmt: skip
"""A batch and its cancel, its members' next batch, and reorgs that choose among them."""

RACED = (
    ["instruct", 0, 3, 0], ["rpc", 0, "send", "after", 1], *TICK, ["wait", 6_000], *TICK[:3],
    ["mine", 1, 1000], *TICK[:2], ["rpc", 0, "headers", "stale", 1], *TICK, *TICK,
)  # fmt: skip
"""A nonce that is refused as used: ours is in a block that is not read yet."""
LIED_TO = (
    ["instruct", 0, 3, 0], *(["rpc", 0, "send", "nonce too low", 1], *TICK, ["wait", 6_000]) * 3,
    *TICK,
)  # fmt: skip
"""A nonce that is refused as used again and again, and is not."""
TORN = (
    ["instruct", 0, 3, 0], *ROUND * 3, ["reorg", 2, "nothing", 1], ["mine", 1, 1000],
    ["rpc", 0, "headers", "torn", 1], *TICK,
)  # fmt: skip
"""A reorg that a node shows together with the newest block of before."""
PAID = (["instruct", 0, 3, 0], *ROUND * 2, *TICK)
"""A payment that is booked."""
TAKEN = (
    *PAID, ["mine", 1, 1000], ["pause", 0, "node.receipts.after", 1], *TICK[:2], ["wait", 6_000],
    *(["step", 1],) * 6, *TICK[:3],
)  # fmt: skip
"""A worker that is about to store blocks when another takes the duty."""
BACK = (
    *PAID, ["reorg", 2, "other", 1], ["mine", 1, 1000], *TICK, ["reorg", 1, "back", 0], *ROUND,
)  # fmt: skip
"""A branch that loses and wins after all."""
DIED = (
    *PAID, ["reorg", 2, "nothing", 1], ["mine", 1, 1000], ["crash", 0, "reorg.before_unwind", 1],
    *TICK * 2, ["wait", 6_000], *TICK, *ROUND,
)  # fmt: skip
"""A worker that dies between a reorg's blocks and what they mean."""
UNSIGNED = (
    ["instruct", 0, 3, 0], ["rpc", 0, "send", "before", 1], *TICK, ["block_party", 0],
    ["block_party", 1], ["block_party", 2], *(["signer", 0, "before"],) * 3, ["wait", 6_000],
    *TICK * 2, ["wait", 6_000], *TICK,
)  # fmt: skip
"""Clearances that are revoked while the signer is away."""
HALTED = (
    ["instruct", 0, 3, 0], ["rpc", 0, "send", HALTING_WORDS, 1], *TICK, ["wait", 6_000], *TICK,
    ["mine", 1, 1000], *TICK,
)  # fmt: skip
"""A lane whose node calls its bytes malformed."""

NO_LIVE_CHECK = (
    edited(COVERAGE + "call", ("if deadline * 1_000_000 <= to_micros(now):", "if False:")),
    edited(COVERAGE + "_require_cleared", ("member.revoked_at is not None", "False")),
)
