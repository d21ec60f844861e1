"""camt.053.001.08: an account's statement, written entry by entry: its length costs no memory.

Opening and movements make the closing balance: before the first byte, and again after the last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO

from settlement.documents.iso20022.entries import StatedEntry, entry_tree
from settlement.documents.iso20022.filling import written
from settlement.documents.iso20022.schema import namespace
from settlement.documents.iso20022.values import (
    CashAccount,
    Party,
    Tree,
    account,
    amount,
    clean,
    identifier,
    moment,
    party,
)
from settlement.errors import StoreCorrupt

NAME = "camt.053.001.08"

_CHUNK = 200
_WORDS_MAX = 500


class StatementOff(StoreCorrupt):
    """Opening balance and movements do not make the closing balance."""

    def __init__(self, statement_id: str, *, made_minor: int, closing_minor: int) -> None:
        super().__init__(
            f"statement {statement_id}: opening and movements make {made_minor} minor units,"
            f" the closing balance is {closing_minor}"
        )


@dataclass(frozen=True, slots=True)
class Movements:
    """How many entries of each side there are, and their sums in minor units."""

    credit_count: int
    credit_minor: int
    debit_count: int
    debit_minor: int


@dataclass(frozen=True, slots=True)
class StatementHead:
    """What a statement says besides its entries. Balances are signed minor units."""

    statement_id: str
    sequence: int
    """Consecutive numbers of consecutive days."""
    day: date
    from_at: datetime
    to_at: datetime
    owner: Party
    account: CashAccount
    currency: str
    opening_minor: int
    closing_minor: int
    movements: Movements
    page: int = 1
    is_last: bool = True
    is_over: bool = True
    """Whether the day has ended: a closing balance of a running day is an interim one."""
    note: str | None = None


def camt053(
    head: StatementHead, entries: Iterable[StatedEntry], out: BinaryIO, *, created_at: datetime
) -> None:
    """Write the statement. Whoever reads from `out` waits until this returns.

    Raises:
        StatementOff: the balances do not follow from the movements, or not from the entries.
        MessageInvalid: a value does not fit.
    """
    moved = head.movements.credit_minor - head.movements.debit_minor
    _require_sum(head, head.opening_minor + moved)
    out.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<Document xmlns="{namespace(NAME)}">\n<BkToCstmrStmt>\n'.encode())
    out.write(_lines(_group_header(head, created_at)))
    out.write(b"<Stmt>\n")
    out.write(_lines(_beginning(head, created_at)))
    made, count, chunk = head.opening_minor, 0, []
    for entry in entries:
        made, count = made + entry.minor, count + 1
        chunk.append(written("Ntry", entry_tree(entry, head.currency)))
        if len(chunk) == _CHUNK:
            out.write(("\n".join(chunk) + "\n").encode())
            chunk.clear()
    _require_sum(head, made)
    assert count == head.movements.credit_count + head.movements.debit_count, "entries were lost"
    if head.note:
        chunk.append(written("AddtlStmtInf", {"": clean(head.note, _WORDS_MAX, field="note")}))
    chunk.append("</Stmt>\n</BkToCstmrStmt>\n</Document>\n")
    out.write("\n".join(chunk).encode())


def _require_sum(head: StatementHead, made_minor: int) -> None:
    if made_minor != head.closing_minor:
        raise StatementOff(
            head.statement_id, made_minor=made_minor, closing_minor=head.closing_minor
        )


def _lines(tree: Tree) -> bytes:
    trees = [
        written(name, one)
        for name, value in tree.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return ("\n".join(trees) + "\n").encode()


def _group_header(head: StatementHead, created_at: datetime) -> Tree:
    header = {
        "MsgId": identifier(head.statement_id, field="statement id"),
        "CreDtTm": moment(created_at),
        "MsgRcpt": party(head.owner),
        "MsgPgntn": {"PgNb": str(head.page), "LastPgInd": head.is_last},
    }
    return {"GrpHdr": header}


def _beginning(head: StatementHead, created_at: datetime) -> Tree:
    """Return what comes before the entries. Source: ISO 20022, AccountStatement9."""
    # Between pages of one statement the balances are interim ones.
    opening = "OPBD" if head.page == 1 else "ITBD"
    closing = "CLBD" if head.is_last and head.is_over else "ITBD"
    return {
        "Id": {"": head.statement_id},
        "StmtPgntn": {"PgNb": str(head.page), "LastPgInd": head.is_last},
        "ElctrncSeqNb": {"": str(head.sequence)},
        "CreDtTm": {"": moment(created_at)},
        "FrToDt": {"FrDtTm": moment(head.from_at), "ToDtTm": moment(head.to_at)},
        "Acct": {**account(head.account), "Ownr": party(head.owner)},
        "Bal": [
            _balance(opening, head.opening_minor, head),
            _balance(closing, head.closing_minor, head),
        ],
        "TxsSummry": _summary(head),
    }


def _balance(kind: str, minor: int, head: StatementHead) -> Tree:
    return {
        "Tp": {"CdOrPrtry": {"Cd": kind}},
        "Amt": amount(abs(minor), head.currency),
        "CdtDbtInd": "CRDT" if minor >= 0 else "DBIT",
        "Dt": {"Dt": head.day.isoformat()},
    }


def _summary(head: StatementHead) -> Tree:
    moved, net = head.movements, head.closing_minor - head.opening_minor

    def total(minor: int) -> str:
        return str(amount(minor, head.currency)[""])

    return {
        "TtlNtries": {
            "NbOfNtries": str(moved.credit_count + moved.debit_count),
            "Sum": total(moved.credit_minor + moved.debit_minor),
            "TtlNetNtry": {
                "Amt": total(abs(net)),
                "CdtDbtInd": "CRDT" if net >= 0 else "DBIT",
            },
        },
        "TtlCdtNtries": {
            "NbOfNtries": str(moved.credit_count),
            "Sum": total(moved.credit_minor),
        },
        "TtlDbtNtries": {
            "NbOfNtries": str(moved.debit_count),
            "Sum": total(moved.debit_minor),
        },
    }
