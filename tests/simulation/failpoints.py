"""Named places where a process may die, by the fault catalogue's rows, and a way to be told there.

The product knows nothing of them: while a hook is armed, functions are replaced wherever a module
of ours holds them, under whatever name. What the hook does is its owner's business: raise, kill.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

Hook = Callable[[str], None]
When = Callable[[Sequence[Any], Any], bool]
"""Whether a call with these positional arguments and this result counts; None before the call."""


@dataclass(frozen=True, slots=True)
class Failpoint:
    """A place: before or after the call of a function, `package.module:qualified.name`."""

    name: str
    row: str
    """The catalogue's row, P1 to P20."""
    target: str
    moment: str
    """`before` or `after`."""
    when: When | None = None
    """Only such calls count: with nothing to do a place is like the one before it."""
    also: tuple[str, ...] = ()
    """Further targets that stand for the same place: another chain, another signer."""


def _some(_arguments: Sequence[Any], result: Any) -> bool:
    return bool(result)


def _again(_arguments: Sequence[Any], outgoing: Any) -> bool:
    return any(not each.first for each in outgoing)


def _moves(name: str) -> When:
    def when(arguments: Sequence[Any], _result: Any) -> bool:
        _session, moved, move = arguments[:3]
        return move == name and bool(moved)

    return when


_WORKER = "gateway.worker:Worker."
_PIPELINE = "settlement.sender.pipeline:Lane."
_STORING = "settlement.watcher.storing:"
_MOVES = "settlement.settlements.moves:"
_SLOTS = "settlement.signer.slots:SlotStore."
_NODE = ("settlement.chain.memory.chain:MemoryChain.", "settlement.chain.evm:EvmChain.")

_PLACES: tuple[tuple[str, str, str, str, When | None], ...] = (
    # The doors: reserve the key, do it, keep the answer, commit, answer.
    ("api.before_reserve", "P1", "gateway.writer:Writer._committed", "before", None),
    ("api.before_effect", "P2", "gateway.idempotency:stored", "after", None),
    ("api.after_effect", "P2", "gateway.idempotency:store", "before", None),
    ("api.after_reserve", "P2", "gateway.idempotency:store", "after", None),
    ("api.after_commit", "P3", "gateway.writer:Writer._committed", "after", None),
    ("instruct.after_take", "P2", "settlement.settlements.instruct:_number", "before", None),
    # Taking the lanes: two workers start at once, and give them up.
    ("lease.before", "P17", _WORKER + "_take_lanes", "before", None),
    ("lease.after_acquire", "P17", "settlement.sender.lanes:acquire", "after", _some),
    ("lease.after_duty", "P17", "settlement.sender.duty:acquire", "after", _some),
    ("duty.after_renew", "P18", "settlement.sender.duty:renew", "after", None),
    ("lease.after_renew", "P18", "settlement.sender.lanes:renew", "after", None),
    ("lease.after", "P17", _WORKER + "_take_lanes", "after", _some),
    ("stop.before", "P19", _WORKER + "stop", "before", None),
    ("stop.after", "P19", _WORKER + "stop", "after", None),
    # Between the stages of a tick.
    ("stage.follow", "P20", _WORKER + "_follow", "before", None),
    ("stage.clear", "P4", _WORKER + "_clear", "before", None),
    ("stage.send", "P5", _WORKER + "_send", "before", None),
    ("stage.reconcile", "P13", _WORKER + "_reconcile", "before", None),
    # Following the chain.
    ("follow.before", "P20", "settlement.watcher.following:follow", "before", None),
    ("follow.after_cursor", "P12", _STORING + "move_head", "after", None),
    ("follow.after_orphan", "P15", _STORING + "orphan", "after", _some),
    ("follow.after_blocks", "P12", _STORING + "insert_blocks", "after", None),
    ("follow.after_facts", "P12", _STORING + "insert_facts", "after", None),
    ("follow.after_final", "P12", _STORING + "raise_final", "after", None),
    ("follow.after", "P11", "settlement.watcher.following:follow", "after", None),
    # What stood on orphaned blocks goes back.
    ("reorg.before_unwind", "P15", "settlement.settlements.tracking:unwind", "before", None),
    ("reorg.after_unwind", "P15", "settlement.settlements.tracking:unwind", "after", _some),
    ("reorg.mid_reverse", "P15", "settlement.ledger.reversals:reverse", "after", _some),
    ("reorg.after_reverse", "P15", "settlement.settlements.booking:reverse", "after", None),
    # Seen, booked, final.
    ("confirm.before_see", "P11", "settlement.settlements.tracking:see", "before", None),
    ("confirm.after_see", "P11", "settlement.settlements.tracking:see", "after", _some),
    ("confirm.before_journal", "P11", "settlement.settlements.booking:book", "before", None),
    ("index.before_cursor", "P12", "settlement.ledger.journal:post", "after", _some),
    ("confirm.before_moved", "P12", _MOVES + "record", "before", _moves("booked")),
    ("confirm.after_journal", "P12", "settlement.settlements.booking:book", "after", None),
    ("final.before", "P13", "settlement.settlements.finality:finalize", "before", None),
    ("final.after_invoices", "P13", "settlement.invoices.amounts:settle", "after", _some),
    ("final.before_outbox", "P13", _MOVES + "record", "before", _moves("finalized")),
    ("final.after", "P13", "settlement.settlements.finality:finalize", "after", None),
    # Clearing: the decision, the reservation, the move.
    ("clear.before", "P4", "settlement.settlements.clearing:clear", "before", None),
    ("settle.after_approve", "P4", "settlement.compliance.clearance:decide", "after", _some),
    ("clear.after_reserve", "P4", "settlement.ledger.reservations:reserve", "after", _some),
    ("clear.after", "P4", "settlement.settlements.clearing:clear", "after", None),
    # Claiming, signing, storing, sending, marking.
    ("tx.before_claim", "P5", "settlement.sender.claim:claim", "before", None),
    ("tx.after_nonce", "P5", "settlement.sender.lanes:take_nonces", "after", None),
    ("tx.before_claimed", "P5", _MOVES + "record", "before", _moves("claim")),
    ("tx.after_claim", "P5", "settlement.sender.claim:claim", "after", _some),
    ("tx.before_sign", "P5", _PIPELINE + "_ask", "before", None),
    ("tx.mid_slot", "P6", _SLOTS + "_take", "after", None),
    ("tx.after_slot", "P6", _SLOTS + "take", "after", None),
    ("tx.after_sign", "P6", _PIPELINE + "_ask", "after", None),
    ("tx.after_store", "P7", "settlement.sender.attempts:store", "after", None),
    ("tx.before_send", "P7", "settlement.sender.broadcast:due", "after", _some),
    ("bump.wanted", "P10", "settlement.sender.attempts:further_attempts", "after", _some),
    ("bump.before_send", "P10", "settlement.sender.broadcast:due", "after", _again),
    ("tx.before_mark_sent", "P9", "settlement.sender.broadcast:mark", "before", None),
    ("tx.after_mark_sent", "P9", "settlement.sender.broadcast:mark", "after", None),
    ("tx.before_submitted", "P9", _MOVES + "record", "before", _moves("submit")),
    # Reconciliation.
    ("match.before", "P20", "settlement.reconciliation.matching:match", "before", None),
    ("match.after", "P20", "settlement.reconciliation.matching:match", "after", None),
    ("tie.before", "P20", "settlement.reconciliation.tie_out:tie_out", "before", None),
    ("tie.after", "P20", "settlement.reconciliation.tie_out:tie_out", "after", None),
)

_NODE_ROWS = {
    "identity": "P20",
    "head": "P7",
    "headers": "P11",
    "receipts": "P11",
    "nonce": "P20",
    "call_many": "P20",
    "coin_balances": "P20",
}


def _listed() -> Iterator[Failpoint]:
    for place in _PLACES:
        yield Failpoint(*place)
    memory, evm = _NODE
    for call, row in _NODE_ROWS.items():
        yield Failpoint(f"node.{call}.before", row, memory + call, "before", also=(evm + call,))
        yield Failpoint(f"node.{call}.after", row, memory + call, "after", also=(evm + call,))
    yield Failpoint("tx.sending", "P7", memory + "send", "before", also=(evm + "send",))
    yield Failpoint("tx.after_send", "P8", memory + "send", "after", also=(evm + "send",))
    commit = "sqlalchemy.engine.default:DefaultDialect.do_commit"
    yield Failpoint("commit.before", "P9", commit, "before")
    yield Failpoint("commit.after", "P9", commit, "after")


FAILPOINTS: Mapping[str, Failpoint] = {each.name: each for each in _listed()}


@contextmanager
def armed(hook: Hook) -> Iterator[None]:
    """Call `hook(name)` whenever execution passes a failpoint, until the context is left."""
    undo: list[Callable[[], None]] = []
    is_armed = [True]
    by_target: dict[str, list[Failpoint]] = {}
    for point in FAILPOINTS.values():
        if not point.name.startswith("commit."):
            for target in (point.target, *point.also):
                by_target.setdefault(target, []).append(point)
    try:
        resolved_targets = [(resolved(target), points) for target, points in by_target.items()]
        holders = _holders({id(found[2]) for found, _ in resolved_targets})
        for found, points in resolved_targets:
            undo += _replace(found, points, holders, hook, is_armed)
        undo.append(_watch_commits(hook))
        yield
    finally:
        is_armed[0] = False
        for step in reversed(undo):
            step()


def resolved(target: str) -> tuple[Any, str, Any]:
    """Return the owner of a target, the attribute's name and the function itself.

    Raises:
        AttributeError, ModuleNotFoundError: there is no such function any more.
    """
    module_name, _, path = target.partition(":")
    owner: Any = importlib.import_module(module_name)
    *outer, name = path.split(".")
    for step in outer:
        owner = getattr(owner, step)
    return owner, name, owner.__dict__[name]


def _replace(
    found: tuple[Any, str, Any],
    points: Sequence[Failpoint],
    holders: Mapping[int, list[tuple[Any, str]]],
    hook: Hook,
    is_armed: list[bool],
) -> list[Callable[[], None]]:
    """Put a telling function where the target is, and where another module imported it to."""
    owner, name, original = found
    told = _telling(original, points, hook, is_armed)
    places = [(owner, name)]
    if not isinstance(owner, type):
        places = holders[id(original)]
    undo = []
    for holder, attribute in places:
        setattr(holder, attribute, told)
        undo.append(functools.partial(setattr, holder, attribute, original))
    return undo


def _holders(functions: set[int]) -> Mapping[int, list[tuple[Any, str]]]:
    """Return for each function every module of ours that holds it, and under which name."""
    found: dict[int, list[tuple[Any, str]]] = {each: [] for each in functions}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("settlement", "gateway") and module is not None:
            for attribute, value in list(vars(module).items()):
                if id(value) in functions:
                    found[id(value)].append((module, attribute))
    return found


def _telling(
    original: Callable[..., Any], points: Sequence[Failpoint], hook: Hook, is_armed: list[bool]
) -> Callable[..., Any]:
    before = [point for point in points if point.moment == "before"]
    after = [point for point in points if point.moment == "after"]

    @functools.wraps(original)
    def told(*args: Any, **named: Any) -> Any:
        if not is_armed[0]:  # A module that was imported meanwhile may hold this for ever.
            return original(*args, **named)
        for point in before:
            if point.when is None or point.when(args, None):
                hook(point.name)
        result = original(*args, **named)
        for point in after:
            if point.when is None or point.when(args, result):
                hook(point.name)
        return result

    return told


def _watch_commits(hook: Hook) -> Callable[[], None]:
    """Tell before and after every commit of a database transaction that has written."""
    original = DefaultDialect.do_commit
    changes: dict[int, int] = {}

    def do_commit(self: DefaultDialect, dbapi_connection: Any) -> None:
        if not _has_written(dbapi_connection, changes):
            original(self, dbapi_connection)
            return
        hook("commit.before")
        original(self, dbapi_connection)
        hook("commit.after")

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
    return functools.partial(setattr, DefaultDialect, "do_commit", original)


def _has_written(dbapi_connection: Any, changes: dict[int, int]) -> bool:
    driver = dbapi_connection.driver_connection
    if hasattr(driver, "total_changes"):
        key, total = id(driver), driver.total_changes
        wrote = changes.get(key, 0) != total
        changes[key] = total
        return wrote
    # PostgreSQL gives a transaction its number with its first write.
    cursor = driver.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
    return bool(cursor.fetchone()[0])
