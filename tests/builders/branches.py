"""The ways in which a reorg may bring the chain back, made of bytes that are known."""

from __future__ import annotations

import random
from dataclasses import dataclass

from settlement.chain import admin_abi, mandate_abi
from tests.builders.reorgs import MINED, Scene

MODES = (
    "forgotten", "elsewhere", "other attempt", "refused", "paid after all", "swapped",
    "cancel wins", "batch wins",
)  # fmt: skip
REFUSALS = {
    "creditor frozen": ("booked",),
    "mandate revoked": ("booked",),
    "token paused": ("booked",),
    "creditor unlisted": ("booked", "confirming", "raced"),
}
"""What another branch may hold against payments, and which of them it then rejects."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A new branch, and what becomes of each mined settlement on it; None: it is not there."""

    included: list[tuple[bytes, int]]
    outcomes: dict[str, str | None]


def a_branch(scene: Scene, mode: str, depth: int, chance: random.Random) -> Branch:
    """The branch of a mode: raw bytes, each with the place of its block on it."""
    outcomes: dict[str, str | None] = dict.fromkeys(MINED, "paid")
    outcomes |= {"rejected": "rejected", "second lane": "rejected"}
    front, lanes = list(scene.parties), scene.of_lanes()
    match mode:
        case "forgotten":
            return Branch([], dict.fromkeys(MINED))
        case "elsewhere":
            lanes += scene.raws("submitted")
        case "other attempt":
            lanes = scene.of_lanes(attempt=0) + scene.raws("submitted")
        case "refused":
            reason = chance.choice(sorted(REFUSALS))
            front.append(_a_refusal(scene, reason))
            outcomes |= dict.fromkeys(REFUSALS[reason], "rejected")
        case "paid after all":
            front = []
            outcomes |= {"rejected": "paid", "second lane": "paid"}
        case "swapped":
            lanes = scene.of_lanes(words=MINED[4:]) + scene.of_lanes(words=MINED[:4])
            outcomes |= {"first lane": "rejected", "second lane": "paid"}
        case "cancel wins":
            lanes = scene.of_lanes(raced="cancel")
            outcomes["raced"] = "replaced"
    if mode in ("elsewhere", "other attempt"):
        outcomes["submitted"] = "paid"
    places = sorted(chance.randrange(depth) for _ in lanes)
    if mode == "elsewhere":
        places = [depth - 1] * len(lanes)
    return Branch([(raw, 0) for raw in front] + list(zip(lanes, places, strict=True)), outcomes)


def _a_refusal(scene: Scene, reason: str) -> bytes:
    """A call after which some payments are rejected. The admin's other call comes before it."""
    rail, token = scene.rail, scene.rail.token("TUSD")
    contract, seller = rail.sandbox.deployment.rail, rail.seller_wallet
    if reason == "mandate revoked":
        revoke = mandate_abi.revoke_mandate_calldata(token)
        return rail.signed(rail.sandbox.wallets[1], contract, revoke)
    to, call = {
        "creditor frozen": (token, admin_abi.freeze_calldata(seller)),
        "token paused": (token, bytes.fromhex(admin_abi.PAUSE[2:])),
        "creditor unlisted": (contract, admin_abi.unlist_participants_calldata([seller])),
    }[reason]
    return rail.signed(rail.sandbox.admin, to, call)
