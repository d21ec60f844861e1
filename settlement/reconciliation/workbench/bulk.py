"""Many acts at once, as a sheet has them: a row each, applied or refused with its line and reason.

The same acts under the same controls as one by one. A row that was applied before does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import orjson
from sqlmodel import Session

from settlement.errors import Invalid, Refused
from settlement.reconciliation.engine.dialect import take_turn
from settlement.reconciliation.workbench import (
    acts,
    attributing,
    pairing,
    proposals,
    returning,
    undoing,
)
from settlement.reconciliation.workbench import desk as desks
from settlement.reconciliation.workbench.attributing import Wanted
from settlement.reconciliation.workbench.corrections import Correction
from settlement.reconciliation.workbench.desk import Deed, Means
from settlement.reconciliation.workbench.limits import Person
from settlement.reconciliation.workbench.returning import Refund
from settlement.store import row_lock
from settlement.store.bulk import rows_by_key

ROWS_MAX = 1_000

APPLIED, ALREADY, REFUSED = "applied", "already", "refused"


class SheetRow(NamedTuple):
    """One row: which break as it was exported, what to do, with what, and why."""

    line: int
    break_id: str
    version: int | None
    action: str
    argument: str
    reason: str


class Outcome(NamedTuple):
    """What became of a row; `message` and `repair` where it was refused."""

    line: int
    break_id: str
    action: str
    outcome: str
    message: str | None = None
    repair: str | None = None


class _Undone(Exception):
    """Rolls a dry run back."""


def apply_rows(
    session: Session,
    rows: Sequence[SheetRow],
    person: Person,
    means: Means,
    now: datetime,
    *,
    is_dry_run: bool = False,
) -> list[Outcome]:
    """Do each row on its own; return what became of each. A dry run does all, and undoes it.

    Raises:
        Invalid: too many rows.
    """
    if len(rows) > ROWS_MAX:
        raise Invalid(f"{len(rows)} rows", field="rows", repair=f"send up to {ROWS_MAX} at once")
    outcomes: list[Outcome] = []
    try:
        with session.begin_nested():
            _apply(session, rows, person, means, now, outcomes)
            if is_dry_run:
                raise _Undone
    except _Undone:
        pass
    return outcomes


def _apply(
    session: Session,
    rows: Sequence[SheetRow],
    person: Person,
    means: Means,
    now: datetime,
    outcomes: list[Outcome],
) -> None:
    keys = [act_key(row) for row in rows]
    done = {
        key
        for (key,) in rows_by_key(
            session, "SELECT act_key FROM break_event WHERE act_key {keys}", keys
        )
    }
    if any(row.action in _IN_TURN for row in rows):
        take_turn(session)
    # All locks in one order: two sheets about the same breaks wait for each other, never in a ring.
    locked = "SELECT id FROM settlement_break WHERE id {keys} ORDER BY id"
    lock = row_lock(session, "settlement_break")
    rows_by_key(session, locked + lock, {row.break_id for row in rows})
    # An earlier row of the same sheet moves the break on; the sheet still speaks of what it read.
    moved: dict[str, tuple[int, int]] = {}
    for row, key in zip(rows, keys, strict=True):
        if key in done:
            outcomes.append(Outcome(row.line, row.break_id, row.action, ALREADY))
            continue
        version = row.version
        if row.break_id in moved and version == moved[row.break_id][0]:
            version = moved[row.break_id][1]
        deed = Deed(row.break_id, person, row.reason, now, version, key)
        try:
            if row.action in _AT_ONCE:
                _do(session, row, deed, means)
            else:
                with session.begin_nested():
                    _do(session, row, deed, means)
        except Refused as refusal:
            why, repair = str(refusal), refusal.repair
            outcomes.append(Outcome(row.line, row.break_id, row.action, REFUSED, why, repair))
            continue
        done.add(key)
        if row.version is not None:
            moved[row.break_id] = (row.version, _version(session, row, version))
        outcomes.append(Outcome(row.line, row.break_id, row.action, APPLIED))


def act_key(row: SheetRow) -> str:
    """Return what makes a row the same when it comes again. Pure."""
    parts = (row.break_id, row.version, row.action, row.argument.split(), row.reason.strip())
    return f"row:{sha256(orjson.dumps(parts)).hexdigest()}"


def _do(session: Session, row: SheetRow, deed: Deed, means: Means) -> None:
    act = _ACTS.get(row.action)
    if act is None:
        raise Invalid(
            f"{row.action[:40]!r} is no action",
            field="action",
            repair=f"name one of {', '.join(sorted(_ACTS))}",
        )
    if deed.version is None and row.action not in _WITHOUT_VERSION:
        raise Invalid(
            f"{row.action} without the version of the break that was read",
            field="version",
            repair="leave the column version as it was exported",
        )
    act(session, deed, _words(row.argument), means)


def _version(session: Session, row: SheetRow, acted_on: int | None) -> int:
    """Return the version that the row's act has left behind."""
    if row.action in _AT_ONCE and acted_on is not None:
        return acted_on + (row.action != "comment")
    found = rows_by_key(
        session, "SELECT version FROM settlement_break WHERE id {keys}", [row.break_id]
    )
    return int(found[0][0])


class _Words(NamedTuple):
    """An argument: plain words, and those of the form name=value."""

    plain: tuple[str, ...]
    named: Mapping[str, str]

    def at(self, place: int, name: str) -> str | None:
        """Return a value by its name, else by its place."""
        if name in self.named:
            return self.named[name]
        return self.plain[place] if place < len(self.plain) else None


def _words(argument: str) -> _Words:
    plain, named = [], {}
    for word in argument.split():
        name, is_named, value = word.partition("=")
        if is_named and name in _NAMES:
            named[name] = value
        else:
            plain.append(word)
    return _Words(tuple(plain), named)


_NAMES = frozenset(
    ("amount", "part", "invoice", "against", "debit", "credit", "effect", "proposal", "match")
)
_IN_TURN = frozenset({*(act.value for act in desks.MONEY), "approve"})
_WITHOUT_VERSION = frozenset({"assign", "comment"})
_AT_ONCE = frozenset({"assign", "comment", "close", "reopen"})
"""Acts that check everything before they write anything: a refusal leaves nothing to roll back."""


def _part(words: _Words) -> int | None:
    given = words.named.get("part")
    if given is None:
        return None
    if not given.isdecimal() or not given.isascii() or len(given) > 6:
        raise Invalid(f"{given[:20]!r} is no part", field="argument", repair="write part=1")
    return int(given)


def _attribute(session: Session, deed: Deed, words: _Words, means: Means) -> None:
    invoice = words.at(0, "invoice")
    if invoice is None:
        raise Invalid(
            "attribute without an invoice", field="argument", repair="name its id or number"
        )
    wanted = Wanted(invoice, words.at(1, "amount"), _part(words))
    attributing.attribute(session, deed, wanted, means)


def _propose(act: str) -> Callable[[Session, Deed, _Words, Means], None]:
    def propose(session: Session, deed: Deed, words: _Words, means: Means) -> None:
        wanted = Correction(
            act,
            amount=words.at(0, "amount"),
            part=_part(words),
            invoice=words.named.get("invoice"),
            against=words.named.get("against"),
            debit=words.named.get("debit"),
            credit=words.named.get("credit"),
            effect=words.named.get("effect"),
        )
        proposals.propose(session, deed, wanted, means)

    return propose


def _unmatch(session: Session, deed: Deed, words: _Words, _means: Means) -> None:
    given = words.at(0, "match")
    if given is not None and (not given.isdecimal() or not given.isascii() or len(given) > 18):
        raise Invalid(f"{given[:20]!r} is no match", field="argument", repair="name its number")
    pairing.unmatch(session, deed, None if given is None else int(given))


def _return(session: Session, deed: Deed, words: _Words, means: Means) -> None:
    refund = Refund(words.at(0, "invoice"), words.at(1, "amount"))
    returning.send_back(session, deed, refund, means)


_ACTS: Mapping[str, Callable[[Session, Deed, _Words, Means], object]] = {
    "assign": lambda session, deed, words, _means: acts.assign(
        session, deed, " ".join(words.plain)
    ),
    "comment": lambda session, deed, _words, _means: acts.comment(session, deed),
    "close": lambda session, deed, _words, _means: acts.close(session, deed),
    "reopen": lambda session, deed, _words, _means: acts.reopen(session, deed),
    "split": lambda session, deed, words, _means: acts.split(session, deed, words.plain),
    "match": lambda session, deed, words, means: pairing.match(session, deed, words.plain, means),
    "unmatch": _unmatch,
    "attribute": _attribute,
    "return": _return,
    "write_off": _propose("write_off"),
    "adjust": _propose("adjust"),
    "approve": lambda session, deed, words, means: proposals.approve(
        session, deed, words.at(0, "proposal"), means
    ),
    "refuse": lambda session, deed, words, _means: proposals.refuse(
        session, deed, words.at(0, "proposal")
    ),
    "withdraw": lambda session, deed, words, _means: proposals.withdraw(
        session, deed, words.at(0, "proposal")
    ),
    "undo": lambda session, deed, words, means: undoing.undo(
        session, deed, means, words.at(0, "effect")
    ),
}
"""What a row's action does with its argument."""
