"""Bugs in paying: the rail itself, claims, signatures, sends, cancels, and who may write."""

from __future__ import annotations

from tests.simulation.planted import Bug
from tests.simulation.planting import all_of, edited, worded

_RAIL = "settlement.chain.memory.rail:Rail."
_FINALITY = "settlement.settlements.finality:"
_ATTEMPTS = "settlement.sender.attempts:"
_BROADCAST = "settlement.sender.broadcast:"
_LANE = "settlement.sender.pipeline:Lane."
_LANES = "settlement.sender.lanes:"
_COVERAGE = "settlement.signer.coverage:"

_BIT = 'frame.store("settled", batch.debtor, sequence, value=1)'
_TICK = (["step", 0],) * 5
_ROUND = (*_TICK, ["mine", 1, 1000])
_ROUNDS = _ROUND * 3
_TO_FINALITY = (*_ROUND * 2, ["mine", 12, 1000], *_TICK)
_FROZEN = (
    ["freeze", 0, 1], ["mine", 1, 1000], *_TICK, ["instruct", 0, 1, 0], *_TO_FINALITY,
    ["freeze", 0, 0], ["mine", 1, 1000],
)  # fmt: skip
"""A payment that the token refuses, for good."""
_DEARER = (
    ["instruct", 0, 3, 0], *_TICK, ["base_fee", 40], ["mine", 1, 1000], *_TICK, *_TICK,
    ["base_fee", 5], *_ROUND,
)  # fmt: skip
"""A batch that is priced out, and bids more."""
_STUCK = (
    ["instruct", 0, 3, 0], *(["rpc", 0, "send", "swallow", 1],) * 4, *_ROUND * 9,
)  # fmt: skip
"""A batch that its node loses again and again, until it bids more."""
_EXPIRED = (["instruct", 0, 3, 0], *_TICK, ["drop", 0], ["jump", 3_700_000], *_ROUNDS)
"""A batch that is cancelled, because its clearances ended."""
_ZOMBIE = (
    ["instruct", 0, 3, 0], *(["step", 0],) * 4, ["wait", 6000], *(["step", 1],) * 4, ["step", 0],
)  # fmt: skip
"""A worker that is about to claim when another takes its lane."""
_RACE = (
    ["instruct", 0, 2, 0], *_TICK, ["drop", 0], ["jump", 3_700_000], *_ROUND * 4,
    *(["reorg", 6, "other", 7], *_ROUND) * 2,
)  # fmt: skip
"""A batch and its cancel, its members' next batch, and reorgs that choose among them."""

_NO_LIVE_CHECK = (
    edited(_COVERAGE + "call", ("if deadline * 1_000_000 <= to_micros(now):", "if False:")),
    edited(_COVERAGE + "_require_cleared", ("member.revoked_at is not None", "False")),
)

ON_CHAIN = (
    Bug(
        "the rail never sets the bit of what it paid",
        ("I1",),
        edited(_RAIL + "_pay", (_BIT, "None")),
    ),
    Bug(
        "the rail leaves the bit set when the token refuses",
        ("I1",),
        edited(_RAIL + "_pay", ("sequence, value=0)", "sequence, value=1)")),
        scene=_FROZEN,
    ),
    Bug(
        "the rail reports as settled what the token refused",
        ("I11",),
        edited(_RAIL + "_pay", ("if not paid:", "if False:")),
        scene=_FROZEN,
    ),
    Bug(
        "the token is called before the bit is set",
        ("I1",),
        edited(_RAIL + "_pay", (_BIT, "None"), ("if not paid:", f"{_BIT}\n    if not paid:")),
        beside=edited(
            "settlement.chain.memory.rail:_transfer_from",
            # A token that pays once more wherever the rail has not noted the payment yet.
            (
                "answer = frame.call(",
                "sequence = __import__('sys')._getframe(1).f_locals['sequence']\n"
                "    if not frame.load('settled', debtor, sequence):\n"
                "        frame.call(token, bytes.fromhex(_TRANSFER_FROM[2:] + words), gas)\n"
                "    answer = frame.call(",
            ),
            (
                "words = address_word(debtor)",
                "words = address_word(debtor)",
            ),
        ),
    ),
    Bug(
        "the rail pays after the deadline",
        ("CLEARED",),
        edited(_RAIL + "settle", ("frame.block.timestamp <= deadline and", "")),
        scene=(["instruct", 0, 3, 0], *_TICK, ["jump", 3_700_000], ["mine", 1, 1000]),
    ),
)

_TOO_EARLY = all_of(
    edited(_RAIL + "settle", ("frame.block.timestamp <= deadline and", "")),
    worded(
        _FINALITY + "_ENDED_UNPAID",
        ("b.number <= :final", "(b.number <= :final OR s.outcome = 'replaced')"),
    ),
)
"""Two guards are gone already: deadlines do not hold, and a cancel is believed at once."""

IN_DEPTH = (
    Bug(
        "the rail does not ask whether a sequence was paid",
        ("I1",),
        edited(_RAIL + "_judge", ('frame.load("settled", batch.debtor, sequence)', "False")),
        says="settled twice",
        scene=_RACE,
        beside=_TOO_EARLY,
    ),
    Bug(
        "'already settled' reopens a settlement",
        ("I1",),
        all_of(
            edited(
                "settlement.settlements.tracking:_follow_already_settled",
                ("found = (", "return\n    found = ("),
            ),
            edited(_FINALITY + "_end_unpaid", ("and row.outcome_code != 1", "")),
        ),
        says="paid on the chain, but",
        scene=_RACE,
        beside=_TOO_EARLY,
    ),
)

CLAIMING = (
    Bug(
        "a lane's nonces skip one with every claim",
        ("I8", "I11"),
        worded("settlement.sender.claim:_TAKE_NONCES", (":count WHERE", ":count + 1 WHERE")),
    ),
    Bug(
        "the lane is not moved on by what was claimed",
        ("I8", "a bug in the worker"),
        worded("settlement.sender.claim:_TAKE_NONCES", (":count WHERE", ":count - 1 WHERE")),
    ),
    Bug(
        "a retry gets a new sequence",
        ("I1",),
        edited(
            "settlement.settlements.control:retry",
            ("changes=AS_NEW", "changes=AS_NEW + ', sequence = sequence + 1000'"),
        ),
        scene=(*_FROZEN, ["move", "retry", 0]),
    ),
    Bug(
        "sequences are given twice",
        ("I1", "a bug in the gateway"),
        edited(
            "settlement.settlements.instruct:_number",
            ('row["sequence"] = following - len(members) + place', 'row["sequence"] = place'),
        ),
        seed=1,
    ),
    Bug(
        "a batch is claimed without an event of its members",
        ("MOVES", "CLEARED"),
        edited(
            "settlement.settlements.moves:record",
            ("if not moved:", "if not moved or move == 'claim':"),
        ),
    ),
    Bug(
        "unknown is taken for failed: the members go into another batch",
        ("I1",),
        edited(
            _BROADCAST + "mark",
            (
                "for each, answer in zip(sent, answers, strict=True):\n        if",
                "for each, answer in zip(sent, answers, strict=True):\n"
                "        if answer.outcome.value == 'unknown':\n"
                "            ids = {'id': each.chain_tx_id}\n"
                "            for words in ('UPDATE settlement SET state = \\'CLEARED\\' WHERE'\n"
                "                ' chain_tx_id = :id AND state = \\'SUBMITTED\\'',\n"
                "                'UPDATE batch_member SET live = false WHERE chain_tx_id = :id'):\n"
                "                connection.execute(__import__('sqlalchemy').text(words), ids)\n"
                "        if",
            ),
        ),
        scene=(["instruct", 0, 3, 0], ["rpc", 0, "send", "after", 1], *_ROUNDS),
    ),
)

SIGNING = (
    Bug(
        "bytes are sent before they are stored",
        ("I9",),
        edited(
            _LANE + "_store",
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
            _LANE + "_send",
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
            _ATTEMPTS + "store",
            (
                "rows.append(",
                "connection.execute(__import__('sqlalchemy').text("
                "'DELETE FROM attempt WHERE chain_tx_id = :id'), {'id': answer.chain_tx_id})\n"
                "        rows.append(",
            ),
        ),
        scene=_DEARER,
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
        scene=(*_DEARER, *(["reorg", 1, "other", 7], *_ROUND) * 2),
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
        scene=_DEARER,
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
        scene=_STUCK,
    ),
    Bug(
        "a cancel is stored as a payment",
        ("I8", "I9", "I11"),
        edited(_ATTEMPTS + "store", ('"kind": each.kind', '"kind": "pay"')),
        scene=_EXPIRED,
    ),
    Bug(
        "the signer signs what no live clearance covers",
        ("CLEARED",),
        all_of(
            *_NO_LIVE_CHECK,
            edited(_ATTEMPTS + "_dead", ("return set(found.scalars())", "return set()")),
            edited(
                _ATTEMPTS + "first_attempts",
                ("or row.deadline <= chain_time", "or False"),
            ),
        ),
        scene=(
            ["instruct", 0, 3, 0],
            ["crash", 0, "tx.before_sign", 1],
            *_TICK,
            ["jump", 3_700_000],
            ["wait", 6_000],
        ),
    ),
    Bug(
        "a higher bid is made when a clearance is dead",
        ("CLEARED",),
        all_of(
            *_NO_LIVE_CHECK,
            edited(
                _ATTEMPTS + "further_attempts",
                (
                    'must_cancel = row.kind == "pay" and not row.cancelling and'
                    " (row.id in dead or expired)",
                    "must_cancel = False",
                ),
                ("not _outbid_due(row, patience, base_fee_wei)", "not (row.id in dead)"),
            ),
        ),
        scene=(["instruct", 0, 3, 0], *_TICK, ["drop", 0], ["wait", 3_700_000]),
    ),
    Bug(
        "bytes are sent again when a clearance is dead",
        ("CLEARED",),
        all_of(
            worded(
                _BROADCAST + "_DUE",
                ("AND (a.kind <> 'pay' OR c.deadline", "AND (1 = 1 OR c.deadline"),
            ),
            edited(_ATTEMPTS + "further_attempts", ("must_cancel = ", "must_cancel = False and ")),
        ),
        scene=(
            ["instruct", 0, 3, 0],
            *_TICK,
            ["drop", 0],
            ["wait", 3_700_000],
        ),
    ),
)

SENDING = (
    Bug(
        "after two sends an attempt is given up",
        ("I11",),
        worded(_BROADCAST + "_DUE", ("ORDER BY c.nonce", "AND a.send_count < 2 ORDER BY c.nonce")),
        seed=5,
    ),
    Bug(
        "who holds a lane is not asked before writing",
        ("I1", "I8", "I9", "MOVES", "a bug in the worker"),
        all_of(
            worded(
                _LANES + "_ACQUIRE",
                ("AND (lease_owner IS NULL", "AND (1 = 1 OR lease_owner IS NULL"),
            ),
            worded(
                _LANES + "_HELD_ROW", (" AND lease_owner = :owner AND lease_fence = :fence", "")
            ),
            worded(_LANES + "_HELD", (" AND lease_owner = :owner AND lease_fence = :fence", "")),
            worded(
                "settlement.sender.claim:_TAKE_NONCES",
                (" AND lease_owner = :owner AND lease_fence = :fence", ""),
            ),
            edited("settlement.sender.holding:Holding._is_free", ("return ", "return True or ")),
        ),
        scene=_ZOMBIE,
    ),
    Bug(
        "the fence is ignored: an old holder writes on",
        ("I1", "I8", "I9", "MOVES", "a bug in the worker"),
        all_of(
            worded(
                _LANES + "_HELD_ROW", (" AND lease_owner = :owner AND lease_fence = :fence", "")
            ),
            worded(_LANES + "_HELD", (" AND lease_owner = :owner AND lease_fence = :fence", "")),
            worded(
                "settlement.sender.claim:_TAKE_NONCES",
                (" AND lease_owner = :owner AND lease_fence = :fence", ""),
            ),
        ),
        scene=_ZOMBIE,
    ),
    Bug(
        "a lease that ran out is never taken over",
        ("I11",),
        all_of(
            worded(_LANES + "_ACQUIRE", ("OR lease_until < :now", "")),
            edited(
                "settlement.sender.holding:Holding._is_free",
                ("or seat.until < to_micros(now)", "or False"),
            ),
        ),
        seed=2,
    ),
)

ENDING = (
    Bug(
        "a rejection is believed before it is final",
        ("I1", "I10"),
        worded(
            _FINALITY + "_ENDED_UNPAID",
            ("b.number <= :final", "(b.number <= :final OR s.outcome = 'rejected')"),
        ),
        scene=_FROZEN,
    ),
    Bug(
        "a cancel is believed at once",
        ("I1", "I10"),
        worded(
            _FINALITY + "_ENDED_UNPAID",
            ("b.number <= :final", "(b.number <= :final OR s.outcome = 'replaced')"),
        ),
        scene=_EXPIRED,
    ),
    Bug(
        "a batch that reverted is tried again at once",
        ("I1", "I10"),
        worded(
            _FINALITY + "_ENDED_UNPAID",
            ("b.number <= :final", "(b.number <= :final OR s.outcome = 'reverted')"),
        ),
        scene=(["pause_rail", 1], ["mine", 1, 1000], ["instruct", 0, 2, 0], *_ROUNDS),
    ),
    Bug(
        "the newest block is called final",
        ("I10",),
        edited(
            _FINALITY + "finalize",
            ("final = head + 1 - settings.finality_confirmations", "final = head"),
        ),
    ),
    Bug(
        "a block is called final one too early",
        ("I10",),
        edited(_FINALITY + "finalize", ("final = head + 1 -", "final = head + 2 -")),
        seed=1,
    ),
    Bug(
        "the outside is told of a payment that is only booked",
        ("I10", "I13"),
        edited(
            "settlement.settlements.moves:record",
            (
                "if move in ANNOUNCED:",
                "if move == 'booked':\n"
                "        told = [OutboxEvent('settlement.settled', key) for key, _ in moved]\n"
                "        outbox.record(session, told, now)\n"
                "    if move in ANNOUNCED:",
            ),
        ),
    ),
    Bug(
        "the outside is never told that it was paid",
        ("I10", "I13"),
        edited(
            "settlement.settlements.moves:record",
            ("if move in ANNOUNCED:", "if move in ANNOUNCED and move != 'finalized':"),
        ),
    ),
    Bug(
        "a cancelled batch lets its members go nowhere",
        ("I11",),
        edited(
            _FINALITY + "_end_unpaid",
            ('row.outcome in ("reverted", "replaced")', "False"),
            ("row not in rejected and row not in undone", "False"),
        ),
        scene=_EXPIRED,
    ),
    Bug(
        "a rejected settlement keeps its place in its batch",
        ("CLEARED", "a bug in the worker"),
        worded(_FINALITY + "_LEAVE_BATCH", ("AND live", "AND live AND 1 = 0")),
        scene=(*_FROZEN, ["move", "retry", 0]),
    ),
)

IN_PAYING = (*ON_CHAIN, *IN_DEPTH, *CLAIMING, *SIGNING, *SENDING, *ENDING)
