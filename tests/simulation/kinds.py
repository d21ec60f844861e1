"""Every kind of fault that a schedule can inject, by the name under which it is counted."""

from __future__ import annotations

from tests.simulation.node import LAGS, READ_FAULTS, READS, SEND_FAULTS

FAULT_KINDS = frozenset(
    {
        "api.conflict", "api.duplicate", "clock.jump", "crash.gateway", "crash.worker", "drop.all",
        "drop.one", "fee.change", "fee.spike", "gas.shortage", "kill", "mandate.change",
        "mandate.revoked", "pause", "rail.list", "rail.pause", "rail.unlist", "rail.unpause",
        "reorg.cancels", "reorg.nothing", "reorg.other", "reorg.same", "reorg.shifted",
        "rpc.head.forged", "rpc.headers.forged", "rpc.identity.foreign", "rpc.send.words",
        "token.freeze", "token.stray_transfer", "token.unfreeze", "zombie.fenced",
    }
    | {f"rpc.{method}.{fault}" for method in READS for fault in READ_FAULTS}
    | {f"rpc.{method}.stale" for method in LAGS}
    | {f"rpc.send.{fault}" for fault in SEND_FAULTS}
)  # fmt: skip
