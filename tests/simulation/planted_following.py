"""Bugs in following the chain: cursors, orphans, parents, pairs."""

from __future__ import annotations

from tests.simulation.planted import Bug
from tests.simulation.planted_scenes import TORN
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
_PAID = (["instruct", 0, 3, 0], *_ROUND, *_ROUND, *[["step", 0]] * 5)

FOLLOWING = (
    Bug(
        "the cursor is moved before what it stands for is stored",
        ("I2", "I10", "I11"),
        edited(
            _FOLLOWING + "_store",
            (
                "storing.move_head(session, tip, newest, now)",
                "storing.move_head(session, tip, newest, now)\n"
                "            session.commit()\n            session.begin()",
            ),
        ),
    ),
    Bug(
        "logs are stored in a commit after their blocks",
        ("I2", "I11"),
        edited(
            _FOLLOWING + "_store",
            (
                "storing.insert_facts(session, facts)",
                "session.commit()\n            session.begin()\n"
                "            storing.insert_facts(session, facts)",
            ),
        ),
    ),
    Bug(
        "an orphaned block stays canonical",
        ("I10", "I11", "a bug in the worker"),
        worded(
            "settlement.watcher.storing:_ORPHAN",
            ("number > :above", "number > :above + 1"),
        ),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
    Bug(
        "a block is taken for the next one whatever its parent is",
        ("I2", "I10", "I11"),
        all_of(
            edited(
                _FOLLOWING + "_ask",
                ("chain.headers(tip.number, last)", "chain.headers(tip.number + 1, last)"),
            ),
            edited(
                "settlement.watcher.steps:step",
                ("if header.parent_hash == tip.hash else Unclear()", "if True else Unclear()"),
            ),
        ),
        scene=(*_PAID, ["reorg", 2, "nothing", 1], ["mine", 1, 1000]),
    ),
    Bug(
        "a new block is not held against the newest one that is stored",
        ("I10",),
        edited(
            "settlement.watcher.steps:step",
            ("if header.parent_hash == tip.hash else Unclear()", "if True else Unclear()"),
        ),
        scene=TORN,
        seed=1,
    ),
    Bug(
        "a receipt of an orphaned block is believed",
        ("I1", "I2", "I9", "I10", "I11"),
        worded(_TRACKING + "_SEE_CHAIN_TX", ("AND b.canonical", "AND 1 = 1")),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
    Bug(
        "what stood on an orphaned block is not sent back",
        ("I1", "I9", "I10", "I11"),
        edited(_TRACKING + "unwind", ("orphaned = [", "return 0\n    orphaned = [")),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
    Bug(
        "a settlement on an orphaned block stays where it is",
        ("I1", "I2", "I10", "I11"),
        edited(
            _TRACKING + "unwind",
            ("b.hash = settlement.block_hash AND NOT b.canonical", "1 = 0"),
        ),
        scene=(*_PAID, ["reorg", 2, "nothing", 1]),
    ),
    Bug(
        "some logs of a block are left out",
        ("I2",),
        edited(
            "settlement.watcher.storing:insert_facts",
            ("LOG_COLUMNS, found.logs)", "LOG_COLUMNS, found.logs[:3])"),
        ),
    ),
    Bug(
        "a transfer is paired with any payment of its chain transaction",
        ("I2", "I1", "I11", "MATCHED"),
        edited(
            "settlement.watcher.decoding:_logs",
            ("settled.setdefault(fields[1:5], [])", "settled.setdefault(fields[1:3], [])"),
            ("transfers.setdefault(fields[1:5], [])", "transfers.setdefault(fields[1:3], [])"),
            ("terms in transfers and terms[3] is not None", "terms in transfers"),
            (
                "zip(promised, transfers[terms], strict=False)",
                "zip(promised, transfers[terms][::-1], strict=False)",
            ),
        ),
        seed=1,
    ),
)

IN_FOLLOWING = FOLLOWING
