"""Bugs at the doors: idempotency keys, and what of an invoice may be paid."""

from __future__ import annotations

from tests.simulation.planted import Bug
from tests.simulation.planting import all_of, edited

_KEYS = "gateway.idempotency:"
_AMOUNTS = "settlement.invoices.amounts:"

_ROUND = (*[["step", 0]] * 5, ["mine", 1, 1000])
_FROZEN = (
    ["freeze", 0, 1], ["mine", 1, 1000], *[["step", 0]] * 5, ["instruct", 0, 1, 0], *_ROUND,
    *_ROUND, ["mine", 12, 1000], *[["step", 0]] * 5,
)  # fmt: skip

AT_DOORS = (
    Bug(
        "an answer is not kept",
        ("I5", "I6"),
        edited(_KEYS + "store", ("insert_rows(", "(lambda *_: None)(")),
        scene=(["instruct", 0, 3, 0], ["again", 0]),
    ),
    Bug(
        "the key is kept in a commit after the effect",
        ("I6",),
        edited(
            "gateway.writer:_done",
            (
                "idempotency.store(session, kept, at=to_micros(now))",
                "session.commit()\n    session.begin()\n"
                "    idempotency.store(session, kept, at=to_micros(now))",
            ),
        ),
        scene=(["crash_gateway", "api.after_effect"], ["instruct", 0, 3, 1]),
    ),
    Bug(
        "another body under a key is answered like the first",
        ("I6",),
        edited(_KEYS + "StoredReply.for_body", ("if self.body_hash != body_hash:", "if False:")),
        scene=(["instruct", 0, 3, 0], ["conflict", 0]),
    ),
    Bug(
        "a stored answer is not given byte for byte",
        ("I5", "I6"),
        edited(_KEYS + "stored", ("bytes(body)", "bytes(body) + b' '")),
        scene=(["instruct", 0, 3, 0], ["again", 0]),
    ),
    Bug(
        "a request is answered before it is committed, and lost",
        ("I5", "I6"),
        edited(
            "gateway.writer:Writer._committed",
            (
                "answers = _done(session, group, now, self._origins)",
                "answers = _done(session, group, now, self._origins)\n"
                "        if len(answers) and str(group[0].key.key).endswith('2'):\n"
                "            session.rollback()\n"
                "            session.info.clear()",
            ),
        ),
    ),
    Bug(
        "what is instructed is not taken from the invoice",
        ("I16", "a bug in the worker"),
        edited(_AMOUNTS + "take", ("changed = run_many(", "return\n    changed = run_many(")),
    ),
    Bug(
        "an invoice is instructed beyond what is open",
        ("I16", "I5", "I6", "a bug in the worker"),
        all_of(
            edited(
                _AMOUNTS + "take", ("run_many(session, _TAKE, _in_order(claims))", "len(claims)")
            ),
            edited(
                "settlement.settlements.instruct:_terms",
                ("if claim_minor > payable.open_minor:", "if False:"),
            ),
        ),
    ),
    Bug(
        "a cancelled settlement keeps its part of the invoice",
        ("I16",),
        edited(
            "settlement.settlements.control:cancel",
            (
                "reserving.give_back(session, found, now)",
                "reserving.limits.release(session, [row.id for row in found], now)",
            ),
        ),
        scene=(["instruct", 0, 3, 0], ["move", "cancel", 0]),
    ),
    Bug(
        "a rejected settlement keeps its part of the invoice",
        ("I16",),
        edited(
            "settlement.settlements.finality:_end_unpaid",
            (
                "reserving.give_back(session, rejected, now)",
                "reserving.limits.release(session, [row.id for row in rejected], now)",
            ),
        ),
        scene=_FROZEN,
    ),
    Bug(
        "a retry takes nothing of the invoice",
        ("I16", "a bug in the worker"),
        edited(
            "settlement.settlements.control:retry",
            (
                "reserving.take_again(session, found, now)",
                "reserving.limits.take(session, reserving._payments(session, found, now), now)",
            ),
        ),
        scene=(*_FROZEN, ["freeze", 0, 0], ["mine", 1, 1000], ["move", "retry", 0]),
    ),
)
