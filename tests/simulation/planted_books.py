"""Bugs in the books: entries, depths, reversals, hashes, sums."""

from __future__ import annotations

from tests.simulation.planted import Bug
from tests.simulation.planting import all_of, edited, worded

_BOOKING = "settlement.settlements.booking:"
_TRACKING = "settlement.settlements.tracking:"
_FOLLOWING = "settlement.watcher.following:"
_ENTRIES = "settlement.ledger.entries:"
_JOURNAL = "settlement.ledger.journal:"
_TRANSFER = ("transfer", 1, 2, 5)
_ROUND = (*[["step", 0]] * 5, ["mine", 1, 1000])
_FROZEN = (
    ["freeze", 0, 1], ["mine", 1, 1000], *[["step", 0]] * 5, ["instruct", 0, 1, 0], *_ROUND,
    *_ROUND, ["mine", 12, 1000], *[["step", 0]] * 5,
)  # fmt: skip
_NO_LOOK_AT_START = edited("gateway.worker:Worker.stages", ("if not self._has_begun:", "if False:"))
"""Else a worker refuses what was written before the bug, and writes nothing more."""
_PAID = (["instruct", 0, 3, 0], *_ROUND, *_ROUND, *[["step", 0]] * 5)

BOOKING = (
    Bug(
        "money is booked before it is deep enough",
        ("I10",),
        worded(_BOOKING + "_DUE", ("r.block_number + r.depth <= :head + 1", "r.depth > 0")),
        scene=(["instruct", 6, 1, 0], *_ROUND, *_ROUND),
    ),
    Bug(
        "the depth is that of a single payment, not of the batch",
        ("I10",),
        edited(
            "settlement.watcher.decoding:_depth",
            ("totals.get(row[_ADDRESS], 0) + amount", "max(totals.get(row[_ADDRESS], 0), amount)"),
        ),
        scene=(["instruct", 6, 1, 2], ["instruct", 6, 1, 2], *_ROUND, *_ROUND),
    ),
    Bug(
        "depth is never more than one block",
        ("I10",),
        edited("settlement.watcher.decoding:_depth", ("return ours", "return 1\n    return ours")),
        scene=(["instruct", 6, 1, 0], *_ROUND),
    ),
    Bug(
        "an entry is named by its chain transaction, whatever block that is in",
        ("I2",),
        edited(_ENTRIES + "Source.log_key", ("{self.block_hash}", "{self.tx_hash}")),
    ),
    Bug(
        "a transfer that nobody instructed is not booked",
        ("I2",),
        edited(
            _BOOKING + "_transfer_entries",
            (
                "            made.append(\n                entries.transfer(",
                "            (lambda _: None)(\n                entries.transfer(",
            ),
        ),
        scene=(list(_TRANSFER), ["mine", 1, 1000]),
    ),
    Bug(
        "a payment is booked one cent short",
        ("I3",),
        all_of(
            edited(
                _ENTRIES + "payment",
                (
                    'Line(f"payable:{debtor}:{currency}", claim_minor)',
                    'Line(f"payable:{debtor}:{currency}", claim_minor - 1)',
                ),
            ),
            edited(_JOURNAL + "require_balanced", ("if any(sums.values()):", "if False:")),
        ),
    ),
    Bug(
        "a reservation is posted on one side only",
        ("I3",),
        all_of(
            edited(
                "settlement.ledger.reservations:_reserve_entry",
                ("row.amount_minor, PENDING),\n    )", "row.amount_minor + 1, PENDING),\n    )"),
            ),
            edited(_JOURNAL + "require_balanced", ("if any(sums.values()):", "if False:")),
        ),
    ),
    Bug(
        "a claim meets its token with a difference",
        ("I3", "I2"),
        edited(
            _ENTRIES + "payment",
            (
                'Line(f"par:{creditor}:{currency}", claim_minor)',
                'Line(f"par:{creditor}:{currency}", claim_minor - 1)',
            ),
            (
                'Line(f"receivable:{creditor}:{currency}", -claim_minor)',
                'Line(f"receivable:{creditor}:{currency}", 1 - claim_minor)',
            ),
        ),
    ),
    Bug(
        "a payment is booked to the payer's wallet only",
        ("I4",),
        edited(
            _ENTRIES + "payment",
            (
                'Line(f"wallet:{paid.creditor_wallet}:{symbol}", token_minor)',
                'Line(f"outside:{symbol}", token_minor)',
            ),
        ),
    ),
    Bug(
        "gas is not booked, and taken for a smaller top-up",
        ("I2",),
        edited(_BOOKING + "_entries", ("receipt.sender in operators and wei", "False")),
    ),
    Bug(
        "gas is booked without its price",
        ("I2", "I4"),
        edited(
            _BOOKING + "_entries",
            ("receipt.gas_used * receipt.gas_price_wei", "receipt.gas_used"),
        ),
    ),
    Bug(
        "the same log is booked twice",
        ("I2", "I4"),
        edited(
            _BOOKING + "_entries",
            (
                "return _renewed(session, made, receipts)",
                "return _renewed(session, made + [each._replace(source_key=each.source_key + ':9')"
                " for each in made if each.kind == 'payment'], receipts)",
            ),
        ),
    ),
)

TAKING_BACK = (
    Bug(
        "an orphaned payment is not reversed",
        ("I2",),
        edited(_BOOKING + "reverse", ("if not numbers:", "if True:")),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
    Bug(
        "an orphaned payment is reversed twice",
        ("I2", "I4", "a bug in the worker"),
        edited(
            _BOOKING + "reverse",
            (
                "paid = sum(",
                "for seq, _kind in orphaned:\n"
                "        (stored,) = ledger.journal.rows_by_key(session, 'SELECT seq FROM"
                " journal_entry WHERE reverses_seq {keys}', [seq])\n"
                "        lines = ledger.journal.rows_by_key(session, 'SELECT a.code,"
                " p.amount_minor, p.phase FROM posting p JOIN account a ON a.id = p.account_id"
                " WHERE p.entry_seq {keys}', [stored[0]])\n"
                "        ledger.post(session, [Entry('reversal', f'rev:{seq}:again',"
                " tuple(Line(*line) for line in lines))], now)\n"
                "    paid = sum(",
            ),
        ),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
    Bug(
        "a reversal forgets the reservation",
        ("I2", "RESERVED"),
        edited(
            "settlement.ledger.reversals:_reversals",
            ("in stored.lines", "in stored.lines if phase == 'posted'"),
        ),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
    Bug(
        "a reversal stands in no block",
        ("I2", "I4"),
        edited(
            "settlement.ledger.reversals:_reversals",
            (
                "reverses_seq=stored.seq,",
                "reverses_seq=stored.seq,\n            block_number=None, block_hash=None,",
            ),
        ),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
    Bug(
        "a reorg deletes entries instead of reversing them",
        ("I7",),
        edited(
            _BOOKING + "reverse",
            (
                "reversed_count = ledger.reverse(",
                "for table in ('posting', 'journal_entry'):\n"
                "        session.execute(text(f'DROP TRIGGER IF EXISTS {table}_no_delete'))\n"
                "    for seq, _kind in orphaned:\n"
                "        for place in ('posting WHERE entry_seq', 'journal_entry WHERE seq'):\n"
                "            session.execute(text(f'DELETE FROM {place} = {seq}'))\n"
                "    orphaned = []\n"
                "    reversed_count = ledger.reverse(",
            ),
        ),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
    Bug(
        "a match outlives the block that it stands in",
        ("MATCHED", "a bug in the worker"),
        worded(_BOOKING + "_UNDO_MATCHES", ("SET live = false,", "SET")),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
)

KEEPING = (
    Bug(
        "the chain of hashes starts anew with every posting run",
        ("I7",),
        edited(
            _JOURNAL + "_write",
            ("seq, prev_hash = at_head", "seq, prev_hash = at_head[0], FIRST_PREV_HASH"),
        ),
    ),
    Bug(
        "an entry's hash leaves its postings out",
        ("I7",),
        all_of(
            _NO_LOOK_AT_START,
            edited(
                _JOURNAL + "entry_hash",
                ("booked_at, lines)", "booked_at, ())"),
            ),
        ),
    ),
    Bug(
        "an entry's number is not in its hash",
        ("I7",),
        all_of(
            _NO_LOOK_AT_START,
            edited(
                _JOURNAL + "entry_hash",
                ("(prev_hash, seq, ", "(prev_hash, 0, "),
            ),
        ),
    ),
    Bug(
        "what a reservation gives back is not taken off its sum",
        ("SUMS",),
        edited("settlement.ledger.balances:keep", ("else -abs(minor)", "else 0")),
    ),
    Bug(
        "a reservation is not given back when a settlement is cancelled",
        ("RESERVED",),
        edited(
            "settlement.settlements.control:cancel",
            ("ledger.void(session, [row.id for row in found], now)", "pass"),
        ),
        scene=(
            ["lane", 0],
            ["lane", 1],
            ["instruct", 0, 3, 0],
            *_ROUND,
            ["move", "cancel", 0],
            ["lane", 0],
            ["lane", 1],
        ),
    ),
    Bug(
        "a reservation is not given back when the payment was refused",
        ("RESERVED",),
        edited(
            "settlement.settlements.finality:_end_unpaid",
            ("ledger.void(session, [row.id for row in rejected + undone], now)", "pass"),
        ),
        scene=_FROZEN,
    ),
    Bug(
        "a settlement moves and leaves no event",
        ("MOVES",),
        edited(
            "settlement.settlements.moves:record",
            ("insert_alike(", "move == 'booked' or insert_alike("),
        ),
    ),
)

IN_BOOKS = (*BOOKING, *TAKING_BACK, *KEEPING)
