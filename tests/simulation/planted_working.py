"""Bugs in how workers share the work: the duty, lanes that rest, and starting anew."""

from __future__ import annotations

from tests.simulation.planted import Bug
from tests.simulation.planted_scenes import (
    BACK,
    BROADCAST,
    DIED,
    HALTED,
    LANE,
    TAKEN,
    TICK,
    UNSIGNED,
)
from tests.simulation.planting import all_of, edited, worded

_DUTY = "settlement.sender.duty:"

IN_WORKING = (
    Bug(
        "who has the duty is not asked before writing",
        ("I8",),
        worded(
            _DUTY + "_HELD_ROW",
            (" AND lease_owner = :owner", ""),
            (" AND lease_fence = :fence", ""),
        ),
        seed=1,
        scene=TAKEN,
    ),
    Bug(
        "a duty that ran out is never taken over",
        ("I2", "I10", "I11", "MATCHED"),
        worded(_DUTY + "_ACQUIRE", ("OR duty.lease_until < :now", "OR 1 = 0")),
        seed=2,
    ),
    Bug(
        "a lane that was taken over gives its next nonce to a no-op",
        ("I8",),
        edited(
            "settlement.sender.takeover:_fill_gaps",
            ("range(max(mined, first), next_nonce)", "range(max(mined, first), next_nonce + 1)"),
        ),
    ),
    Bug(
        "what a worker that died left of a reorg is not taken back",
        ("I1", "I2", "I9", "I10", "I11", "MATCHED"),
        edited(
            "gateway.worker:Worker._follow_chain",
            ("if was_unsettled or followed.orphaned_blocks:", "if followed.orphaned_blocks:"),
        ),
        scene=DIED,
    ),
    Bug(
        "what was reversed is not booked again when its block comes back",
        ("I2",),
        edited(
            "settlement.settlements.booking:_renewed",
            ("if not reversed_keys:", "if True:"),
        ),
        scene=BACK,
    ),
    Bug(
        "bytes are sent under a revoked clearance while the signer is away",
        ("CLEARED",),
        worded(BROADCAST + "_DUE", ("l.revoked_at IS NOT NULL OR", "")),
        scene=UNSIGNED,
    ),
    Bug(
        "a halted lane goes on sending",
        ("I8",),
        all_of(
            edited(LANE + "_send", ('.state == "halted"', '.state == "never"')),
            edited(LANE + "_has_work", ('and state != "halted"', "")),
        ),
        scene=HALTED,
    ),
    Bug(
        "the reservation of a clearance that lapsed is kept",
        ("RESERVED",),
        edited(
            "settlement.settlements.clearing:lapse", ("ledger.void(session, moved, now)", "pass")
        ),
        seed=9,
    ),
    Bug(
        "what the policy holds is paid",
        ("RESERVED", "CLEARED"),
        edited(
            "settlement.settlements.clearing:_apply",
            ("each.outcome <= Outcome.ALLOW_WITH_DATA", "each.outcome <= Outcome.HOLD"),
        ),
        seed=14,
    ),
    Bug(
        "a party that is suspended is cleared",
        ("CLEARED",),
        edited(
            "settlement.compliance.facts:_party",
            ("state=state", "state='active'"),
            ("known.bound.get(wallet, ())", "()"),
        ),
        scene=(["block_party", 0], ["block_party", 1], ["instruct", 0, 6, 0], *TICK),
    ),
    Bug(
        "of many events only the first is told",
        ("I13", "I10"),
        edited("settlement.store.outbox:record_alike", ("ids, event)", "ids[:1], event)")),
    ),
)
