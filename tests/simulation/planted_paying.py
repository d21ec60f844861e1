"""Bugs in paying: the rail itself, claims, and what is believed before it is final."""

from __future__ import annotations

from tests.simulation.planted import Bug
from tests.simulation.planted_scenes import (
    BIT,
    BROADCAST,
    EXPIRED,
    FINALITY,
    FROZEN,
    RACE,
    RAIL,
    ROUNDS,
    TICK,
)
from tests.simulation.planting import all_of, edited, worded

ON_CHAIN = (
    Bug(
        "the rail never sets the bit of what it paid",
        ("I1",),
        edited(RAIL + "_pay", (BIT, "None")),
    ),
    Bug(
        "the rail leaves the bit set when the token refuses",
        ("I1",),
        edited(RAIL + "_pay", ("sequence, value=0)", "sequence, value=1)")),
        scene=FROZEN,
    ),
    Bug(
        "the rail reports as settled what the token refused",
        ("I11",),
        edited(RAIL + "_pay", ("if not paid:", "if False:")),
        scene=FROZEN,
    ),
    Bug(
        "the token is called before the bit is set",
        ("I1",),
        edited(RAIL + "_pay", (BIT, "None"), ("if not paid:", f"{BIT}\n    if not paid:")),
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
        edited(RAIL + "settle", ("frame.block.timestamp <= deadline and", "")),
        scene=(["instruct", 0, 3, 0], *TICK, ["jump", 3_700_000], ["mine", 1, 1000]),
    ),
)

_TOO_EARLY = all_of(
    edited(RAIL + "settle", ("frame.block.timestamp <= deadline and", "")),
    worded(
        FINALITY + "_ENDED_UNPAID",
        ("b.number <= :final", "(b.number <= :final OR s.outcome = 'replaced')"),
    ),
)
"""Two guards are gone already: deadlines do not hold, and a cancel is believed at once."""

IN_DEPTH = (
    Bug(
        "the rail does not ask whether a sequence was paid",
        ("I1",),
        edited(RAIL + "_judge", ('frame.load("settled", batch.debtor, sequence)', "False")),
        says="settled twice",
        scene=RACE,
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
            edited(FINALITY + "_end_unpaid", ("and row.outcome_code != 1", "")),
        ),
        says="paid on the chain, but",
        scene=RACE,
        beside=_TOO_EARLY,
    ),
)

CLAIMING = (
    Bug(
        "a lane's nonces skip one with every claim",
        ("I8", "I11"),
        worded("settlement.sender.lanes:_TAKE_NONCES", (":count WHERE", ":count + 1 WHERE")),
    ),
    Bug(
        "the lane is not moved on by what was claimed",
        ("I8", "a bug in the worker"),
        worded("settlement.sender.lanes:_TAKE_NONCES", (":count WHERE", ":count - 1 WHERE")),
    ),
    Bug(
        "a retry gets a new sequence",
        ("I1",),
        edited(
            "settlement.settlements.control:retry",
            ("changes=AS_NEW", "changes=AS_NEW + ', sequence = sequence + 1000'"),
        ),
        scene=(*FROZEN, ["move", "retry", 0]),
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
            ("insert_alike(", "move == 'claim' or insert_alike("),
        ),
    ),
    Bug(
        "unknown is taken for failed: the members go into another batch",
        ("I1",),
        edited(
            BROADCAST + "mark",
            (
                "for each, answer in zip(sent, answers, strict=True):\n        if",
                "for each, answer in zip(sent, answers, strict=True):\n"
                "        if answer.outcome.value == 'unknown':\n"
                "            ids = {'id': each.chain_tx_id}\n"
                "            for words in ('UPDATE settlement SET state = \\'CLEARED\\' WHERE'\n"
                "                ' chain_tx_id = :id AND state = \\'SUBMITTED\\'',\n"
                "                'UPDATE batch_member SET live = false WHERE chain_tx_id = :id'):\n"
                "                run_many(session, words, [ids])\n"
                "        if",
            ),
        ),
        scene=(["instruct", 0, 3, 0], ["rpc", 0, "send", "after", 1], *ROUNDS),
    ),
)

ENDING = (
    Bug(
        "a rejection is believed before it is final",
        ("I1", "I10"),
        worded(
            FINALITY + "_ENDED_UNPAID",
            ("b.number <= :final", "(b.number <= :final OR s.outcome = 'rejected')"),
        ),
        scene=FROZEN,
    ),
    Bug(
        "a cancel is believed at once",
        ("I1", "I10"),
        worded(
            FINALITY + "_ENDED_UNPAID",
            ("b.number <= :final", "(b.number <= :final OR s.outcome = 'replaced')"),
        ),
        scene=EXPIRED,
    ),
    Bug(
        "a batch that reverted is tried again at once",
        ("I1", "I10"),
        worded(
            FINALITY + "_ENDED_UNPAID",
            ("b.number <= :final", "(b.number <= :final OR s.outcome = 'reverted')"),
        ),
        scene=(["pause_rail", 1], ["mine", 1, 1000], ["instruct", 0, 2, 0], *ROUNDS),
    ),
    Bug(
        "the newest block is called final",
        ("I10",),
        edited(
            FINALITY + "finalize",
            ("final = head + 1 - settings.finality_confirmations", "final = head"),
        ),
    ),
    Bug(
        "a block is called final one too early",
        ("I10",),
        edited(FINALITY + "finalize", ("final = head + 1 -", "final = head + 2 -")),
        seed=1,
    ),
    Bug(
        "an invoice is called paid when its payment is booked",
        ("I10",),
        all_of(
            edited(
                FINALITY + "finalize",
                ("amounts.settle(session, final=final, now=now)", "pass"),
            ),
            edited(
                "settlement.settlements.booking:book",
                (
                    "    return Booked(",
                    "    from settlement.invoices import amounts\n"
                    "    before = amounts._SETTLE\n"
                    "    keys = ', '.join(f\"'{key}'\" for key in moved)\n"
                    "    amounts._SETTLE = before.replace('s.block_number <= :final',"
                    " f's.block_number <= :final AND s.id IN ({keys})')\n"
                    "    try:\n"
                    "        moved and amounts.settle(session, final=head, now=now)\n"
                    "    finally:\n"
                    "        amounts._SETTLE = before\n"
                    "    return Booked(",
                ),
            ),
        ),
    ),
    Bug(
        "the outside is told of a payment that is only booked",
        ("I10", "I13"),
        edited(
            "settlement.settlements.moves:record",
            (
                "if move in ANNOUNCED:",
                "if move == 'booked':\n"
                "        outbox.record_alike(session, 'settlement.settled', ids, now)\n"
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
            FINALITY + "_end_unpaid",
            ('row.outcome in ("reverted", "replaced")', "False"),
            ("row not in rejected and row not in undone", "False"),
        ),
        scene=EXPIRED,
    ),
    Bug(
        "a rejected settlement keeps its place in its batch",
        ("CLEARED", "a bug in the worker"),
        worded(FINALITY + "_LEAVE_BATCH", ("AND live", "AND live AND 1 = 0")),
        scene=(*FROZEN, ["move", "retry", 0]),
    ),
)

IN_PAYING = (*ON_CHAIN, *IN_DEPTH, *CLAIMING, *ENDING)
