"""Bugs in sending: signatures, bytes, bids, cancels, and who may write a lane."""

from __future__ import annotations

from settlement.chain.port import SendOutcome
from tests.simulation.planted import Bug
from tests.simulation.planted_scenes import (
    ATTEMPTS,
    BROADCAST,
    DEARER,
    EXPIRED,
    LANE,
    LANES,
    LIED_TO,
    NO_LIVE_CHECK,
    NONCES,
    RACED,
    ROUND,
    STUCK,
    TICK,
    ZOMBIE,
)
from tests.simulation.planting import all_of, edited, valued, worded

SIGNING = (
    Bug(
        "bytes are sent before they are stored",
        ("I9",),
        edited(
            LANE + "_store",
            (
                "with transaction(self.engine)",
                "self.chain.send([each.raw for each in answers if isinstance(each, Signature)])\n"
                "    with transaction(self.engine)",
            ),
        ),
    ),
    Bug(
        "other bytes are sent than those that are stored",
        ("I9",),
        edited(
            LANE + "_send",
            (
                "answers = self.chain.send([each.raw for each in outgoing])",
                "from settlement.signer import SigningRequest\n"
                "    fresh = [self.signer.sign([SigningRequest(each.chain_tx_id, 9 * 10**9,"
                " 2 * 10**9, False)], now)[0] for each in outgoing]\n"
                "    answers = self.chain.send([getattr(new, 'raw', each.raw)"
                " for each, new in zip(outgoing, fresh)])",
            ),
        ),
    ),
    Bug(
        "a new bid makes the old hash forgotten",
        ("I9",),
        edited(
            ATTEMPTS + "store",
            (
                "made.append(",
                "session.connection().execute(__import__('sqlalchemy').text("
                "'DELETE FROM attempt WHERE chain_tx_id = :id'), {'id': answer.chain_tx_id})\n"
                "        made.append(",
            ),
        ),
        scene=DEARER,
    ),
    Bug(
        "only the newest attempt at a nonce is looked for",
        ("I11", "I9", "halted without a cause"),
        worded(
            "settlement.settlements.tracking:_SEE_CHAIN_TX",
            (
                "WHERE a.chain_tx_id = chain_tx.id",
                "WHERE a.created_seq = (SELECT MAX(x.created_seq) FROM attempt x"
                " WHERE x.chain_tx_id = a.chain_tx_id) AND a.chain_tx_id = chain_tx.id",
            ),
        ),
        scene=(*DEARER, *(["reorg", 1, "other", 7], *ROUND) * 2),
        seed=3,
    ),
    Bug(
        "a higher bid carries other data",
        ("I8",),
        edited(
            "settlement.signer.intents:IntentSigner._unsigned",
            (
                "data=asked.calldata",
                "data=asked.calldata + (b'' if noop or taken.max_fee_wei < 4 * 10**9 else b'!')",
            ),
        ),
        scene=DEARER,
    ),
    Bug(
        "the nonce in the bytes is another one",
        ("I8", "I9", "I11"),
        edited(
            "settlement.signer.intents:IntentSigner._unsigned",
            ("nonce=asked.intent.nonce", "nonce=asked.intent.nonce + asked.intent.nonce % 3"),
        ),
    ),
    Bug(
        "a higher bid is hardly higher",
        ("I9",),
        all_of(
            edited("settlement.sender.fees:raised", ("wei * 9 // 8", "wei * 101 // 100")),
            edited("settlement.signer.slots:SlotStore._bid", ("8 * new < 9 * old", "new < old")),
        ),
        scene=STUCK,
    ),
    Bug(
        "a cancel is stored as a payment",
        ("I8", "I9", "I11"),
        edited(ATTEMPTS + "store", ('"kind": each.kind', '"kind": "pay"')),
        scene=EXPIRED,
    ),
    Bug(
        "the signer signs what no live clearance covers",
        ("CLEARED",),
        all_of(
            *NO_LIVE_CHECK,
            edited(
                ATTEMPTS + "_dead",
                ("for (key,) in rows(session, _DEAD_MEMBERS, values)", "for (key,) in ()"),
            ),
            edited(
                ATTEMPTS + "first_attempts",
                ("and deadline <= chain_time", "and False"),
            ),
        ),
        scene=(
            ["instruct", 0, 3, 0],
            ["crash", 0, "tx.before_sign", 1],
            *TICK,
            ["jump", 3_700_000],
            ["wait", 6_000],
        ),
    ),
    Bug(
        "a higher bid is made when a clearance is dead",
        ("CLEARED",),
        all_of(
            *NO_LIVE_CHECK,
            edited(
                ATTEMPTS + "further_attempts",
                (
                    "must_cancel = not row.cancelling and (row.id in dead or expired)",
                    "must_cancel = False",
                ),
                ("not _outbid_due(row, patience, base_fee_wei)", "not (row.id in dead)"),
            ),
        ),
        scene=(["instruct", 0, 3, 0], *TICK, ["drop", 0], ["wait", 3_700_000]),
    ),
    Bug(
        "bytes are sent again when a clearance is dead",
        ("CLEARED",),
        all_of(
            worded(
                BROADCAST + "_DUE",
                ("AND (a.kind <> 'pay' OR c.deadline", "AND (1 = 1 OR c.deadline"),
            ),
            edited(ATTEMPTS + "further_attempts", ("must_cancel = ", "must_cancel = False and ")),
        ),
        scene=(
            ["instruct", 0, 3, 0],
            *TICK,
            ["drop", 0],
            ["wait", 3_700_000],
        ),
    ),
)

SENDING = (
    Bug(
        "a nonce that is called used halts the lane at once",
        ("halted without a cause",),
        valued(BROADCAST + "_HALTS", {SendOutcome.MALFORMED, SendOutcome.NONCE_USED}),
        scene=RACED,
    ),
    Bug(
        "a nonce is called stolen before its block was read",
        ("halted without a cause",),
        edited(
            NONCES + "require_no_stolen_nonce",
            ("or not before.hash == after.hash == tip.hash", "or False"),
        ),
        scene=RACED,
    ),
    Bug(
        "a nonce is called stolen that was never mined",
        ("halted without a cause",),
        edited(NONCES + "require_no_stolen_nonce", ("if nonce < mined", "if True")),
        scene=LIED_TO,
    ),
    Bug(
        "after two sends an attempt is given up",
        ("I11",),
        worded(BROADCAST + "_DUE", ("AND (a.sent_block", "AND a.send_count < 2 AND (a.sent_block")),
        seed=5,
    ),
    Bug(
        "who holds a lane is not asked before writing",
        ("I1", "I8", "I9", "MOVES", "a bug in the worker"),
        all_of(
            worded(
                LANES + "_ACQUIRE",
                ("AND (lease_owner IS NULL", "AND (1 = 1 OR lease_owner IS NULL"),
            ),
            worded(LANES + "_HELD_ROW", (" AND lease_owner = :owner AND lease_fence = :fence", "")),
            worded(
                "settlement.sender.lanes:_TAKE_NONCES",
                (" AND lease_owner = :owner AND lease_fence = :fence", ""),
            ),
            edited("settlement.sender.holding:Holding._is_free", ("return ", "return True or ")),
        ),
        scene=ZOMBIE,
    ),
    Bug(
        "the fence is ignored: an old holder writes on",
        ("I1", "I8", "I9", "MOVES", "a bug in the worker"),
        all_of(
            worded(LANES + "_HELD_ROW", (" AND lease_owner = :owner AND lease_fence = :fence", "")),
            worded(
                "settlement.sender.lanes:_TAKE_NONCES",
                (" AND lease_owner = :owner AND lease_fence = :fence", ""),
            ),
        ),
        scene=ZOMBIE,
    ),
    Bug(
        "a lease that ran out is never taken over",
        ("I11",),
        all_of(
            worded(LANES + "_ACQUIRE", ("OR lease_until < :now", "")),
            edited(
                "settlement.sender.holding:Holding._is_free",
                ("or seat.until < to_micros(now)", "or False"),
            ),
        ),
        seed=2,
    ),
)

IN_SENDING = (*SIGNING, *SENDING)
