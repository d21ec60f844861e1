"""Every kind of fault that a schedule can inject, by the name under which it is counted."""

from __future__ import annotations

from tests.simulation.node import LAGS, READ_FAULTS, READS, SEND_FAULTS
from tests.simulation.signing import SIGNER_FAULTS

FAULT_KINDS = frozenset(
    {
        "api.conflict", "api.duplicate", "clock.jump", "crash.gateway", "crash.worker",
        "disk.commit.after", "disk.commit.before", "drop.all", "drop.one", "fee.change",
        "fee.spike", "gas.shortage", "kill", "mandate.change", "mandate.revoked", "party.blocked",
        "pause", "rail.list", "rail.pause", "rail.unlist", "rail.unpause", "reorg.back",
        "reorg.cancels", "reorg.nothing", "reorg.other", "reorg.same", "reorg.shifted",
        "rpc.head.forged", "rpc.headers.forged", "rpc.headers.torn", "rpc.identity.foreign",
        "rpc.send.malformed", "rpc.send.words", "token.freeze", "token.stray_transfer",
        "token.unfreeze", "zombie.fenced",
    }
    | {f"rpc.{method}.{fault}" for method in READS for fault in READ_FAULTS}
    | {f"rpc.{method}.stale" for method in LAGS}
    | {f"rpc.send.{fault}" for fault in SEND_FAULTS}
    | {f"signer.{fault}" for fault in SIGNER_FAULTS}
)  # fmt: skip
