"""One chain transaction of ours, written down from the chain because its records were lost.

Its settlements take their places by the ordinary moves, under a clearance that says what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.rail_abi import SettleCall, read_settle
from settlement.chain.signing import SignedChainTx
from settlement.clock import Ids, to_micros
from settlement.config import Settings
from settlement.errors import ChainContradicts
from settlement.invoices.amounts import InvoiceOverpaid
from settlement.money import MINOR_MAX
from settlement.settlements import reserving
from settlement.settlements.control import AS_NEW
from settlement.settlements.moves import move_each
from settlement.settlements.tracking import record_chain_tx
from settlement.store.bulk import insert_rows

ACTOR = "heal"
RECOVERED = "recovered from the chain"
_NOOP_GAS = 21_000

_STORED = text(
    "SELECT id, kind, to_address, calldata, state FROM chain_tx"
    " WHERE signer = :signer AND nonce = :nonce"
)
_RAIL = text("SELECT rail FROM deployment")
_DECIMALS = text("SELECT decimals FROM token WHERE address = :token")
_NEXT_SEQ = text("SELECT COALESCE(MAX(created_seq), 0) + 1 FROM attempt WHERE chain_tx_id = :id")
_TAKEN_BY = text(
    "UPDATE chain_tx SET state = 'SENT', cancelling = (cancelling OR :other) WHERE id = :id"
)
_SETTLEMENT = text(
    "SELECT id, state, invoice_id, claim_minor, debtor_wallet, creditor_wallet, token,"
    " amount_minor, reference FROM settlement WHERE reference = :reference"
)
_SEQUENCE = text(
    "INSERT INTO settlement_sequence (debtor_wallet, next_sequence) VALUES (:debtor, :following)"
    " ON CONFLICT (debtor_wallet) DO UPDATE SET next_sequence = excluded.next_sequence"
    " WHERE excluded.next_sequence > settlement_sequence.next_sequence"
)
_FIRST_MOVES: dict[str, tuple[str, str, bool]] = {
    # State: the move back to INSTRUCTED, what it changes, whether the invoice's part is taken anew.
    "HELD": ("release", ", reason = NULL, clearance_id = NULL", False),
    "CLEARED": ("lapse", ", clearance_id = NULL", False),
    "REJECTED": ("retry", AS_NEW, True),
    "CANCELLED": ("recover", AS_NEW, True),
}
_PLACED_ALREADY = ("CONFIRMING", "BOOKED", "SETTLED")


@dataclass(frozen=True, slots=True)
class Mined:
    """What the chain has of our signer, with the block's time in seconds."""

    signed: SignedChainTx
    timestamp: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Settlements that took their place in a recovered batch, and those that could not."""

    recovered: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()


def record(
    session: Session, mined: Mined, settings: Settings, *, ids: Ids, now: datetime
) -> Placed:
    """Write down what took a nonce: as an attempt at what we claimed there, or as something new.

    Raises:
        ChainContradicts: our records say that this nonce has ended otherwise.
    """
    signed = mined.signed
    stored = session.execute(
        _STORED, {"signer": signed.sender, "nonce": signed.nonce}
    ).one_or_none()
    if stored is None:
        return _new(session, mined, settings, ids=ids, now=now)
    if stored.state not in ("CLAIMED", "SIGNED", "SENT"):
        raise ChainContradicts(
            f"{stored.id} (nonce {signed.nonce}) is {stored.state}, and {signed.hash} was mined"
        )
    kind = stored.kind
    if (signed.to, signed.data) != (stored.to_address, bytes(stored.calldata)):
        kind = "cancel" if _is_noop(signed) else "foreign"
    _attempt(session, stored.id, mined, kind, mined.timestamp * 1_000_000)
    other = kind in ("cancel", "foreign")
    session.execute(_TAKEN_BY, {"id": stored.id, "other": other})
    for state, move in (("CLAIMED", "sign"), ("SIGNED", "send")):
        if stored.state in ("CLAIMED", state):
            record_chain_tx(session, [stored.id], move, now=now, reason=RECOVERED)
    return Placed()


def a_noop(signer: str, nonce: int, *, ids: Ids, now: datetime) -> dict[str, Any]:
    """Return the row of a chain transaction that only takes a nonce, asked for as a cancel."""
    row = _row(signer, nonce, "noop", signer, b"", ids=ids, at=to_micros(now))
    return {**row, "state": "CLAIMED", "cancelling": True, "gas_limit": _NOOP_GAS}


def insert_chain_txs(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Store rows of chain transactions."""
    if rows:
        values = [tuple(row.values()) for row in rows]
        insert_rows(session, "chain_tx", tuple(rows[0]), values)


def raise_sequences(session: Session, signed: Sequence[SignedChainTx]) -> None:
    """Let no debtor's next sequence be one that some bytes of ours have named already."""
    for each in signed:
        call = read_settle(each.data)
        if call is not None:
            following = max(payment.sequence for payment in call.payments) + 1
            session.execute(_SEQUENCE, {"debtor": call.debtor, "following": following})


def _new(session: Session, mined: Mined, settings: Settings, *, ids: Ids, now: datetime) -> Placed:
    signed, at = mined.signed, mined.timestamp * 1_000_000
    call = read_settle(signed.data) if signed.to == session.execute(_RAIL).scalar() else None
    kind = "pay" if call else "noop" if _is_noop(signed) else "admin"
    to = signed.to or signed.sender
    row = _row(signed.sender, signed.nonce, kind, to, signed.data, ids=ids, at=at)
    row |= {"state": "SENT", "cancelling": False, "gas_limit": signed.gas_limit}
    if call:
        # It was signed before its clearances ended, whenever it was mined.
        at = min(at, call.deadline * 1_000_000) - 1
        row |= _batch_of(session, call, settings)
    insert_chain_txs(session, [row])
    for move in ("claim", "sign", "send"):
        record_chain_tx(session, [row["id"]], move, now=now, reason=RECOVERED)
    _attempt(session, row["id"], mined, kind, at)
    recovered: list[str] = []
    unplaced: list[str] = []
    for position, payment in enumerate(call.payments if call else ()):
        found = session.execute(_SETTLEMENT, {"reference": payment.reference}).one_or_none()
        if found is None or found.state in _PLACED_ALREADY:
            continue
        place = (row["id"], position, at, row["deadline"])
        done = _place(session, found, place, ids=ids, now=now)
        (recovered if done else unplaced).append(found.id)
    return Placed(tuple(recovered), tuple(unplaced))


def _place(
    session: Session, found: Any, place: tuple[str, int, int, int], *, ids: Ids, now: datetime
) -> bool:
    """Lead a settlement to where it was in the lost time; False where that cannot be."""
    if found.state in _FIRST_MOVES:
        move, changes, takes = _FIRST_MOVES[found.state]
        if takes:
            try:
                reserving.count_again(session, [found], now)
            except InvoiceOverpaid:
                return False  # Its invoice was instructed anew: two payments for one claim.
        rows = [{"id": found.id, "reason": RECOVERED}]
        move_each(session, move, rows, actor=ACTOR, now=now, changes=changes)
    elif found.state != "INSTRUCTED":
        return False  # Another batch of ours holds it: that one will find it settled already.
    chain_tx_id, position, at, deadline = place
    clearance_id = _clearance(session, found, at, deadline, ids)
    member = (chain_tx_id, position, found.id, clearance_id, True)
    columns = ("chain_tx_id", "position", "settlement_id", "clearance_id", "live")
    insert_rows(session, "batch_member", columns, [member])
    row = {"id": found.id, "reason": RECOVERED, "clearance": clearance_id, "tx": chain_tx_id}
    for move, changes in (
        ("clear", ", clearance_id = :clearance"),
        ("claim", ", chain_tx_id = :tx"),
        ("submit", ""),
    ):
        move_each(session, move, [row], actor=ACTOR, now=now, changes=changes)
    return True


def _clearance(session: Session, found: Any, at: int, deadline: int, ids: Ids) -> str:
    """Store what is known of the decision: that there was one, and what it covered."""
    row = {
        "id": ids("clr"),
        "settlement_id": found.id,
        "outcome": "ALLOW",
        "inputs_hash": "",
        "verdicts": '[{"rule":"RECOVERED","outcome":"ALLOW","found":"the decision was lost"}]',
        "policy_version": RECOVERED,
        "list_versions": "{}",
        "debtor_wallet": found.debtor_wallet,
        "creditor_wallet": found.creditor_wallet,
        "token": found.token,
        "amount_minor": found.amount_minor,
        "reference": found.reference,
        "expires_at": deadline * 1_000_000,
        "created_at": at,
    }
    insert_rows(session, "clearance", tuple(row), [tuple(row.values())])
    return str(row["id"])


def _attempt(session: Session, chain_tx_id: str, mined: Mined, kind: str, at: int) -> None:
    signed = mined.signed
    row = {
        "hash": signed.hash,
        "chain_tx_id": chain_tx_id,
        "created_seq": session.execute(_NEXT_SEQ, {"id": chain_tx_id}).scalar_one(),
        "kind": kind,
        "raw": signed.raw,
        "max_fee_wei": signed.max_fee_wei,
        "priority_fee_wei": signed.max_priority_fee_wei,
        "created_at": at,
        "first_sent_at": at,
        "last_sent_at": at,
        "send_count": 1,
        "outcome": "accepted",
        "message": RECOVERED,
    }
    insert_rows(session, "attempt", tuple(row), [tuple(row.values())])


def _batch_of(session: Session, call: SettleCall, settings: Settings) -> dict[str, Any]:
    total = sum(payment.amount_minor for payment in call.payments)
    decimals = session.execute(_DECIMALS, {"token": call.token}).scalar()
    depth = settings.finality_confirmations
    if decimals is not None:
        depth = settings.booking_depth(total // 10**decimals)
    return {
        "token": call.token,
        "debtor_wallet": call.debtor,
        "deadline": call.deadline,
        "member_count": len(call.payments),
        "total_minor": min(total, MINOR_MAX),
        "depth": depth,
    }


def _row(
    signer: str, nonce: int, kind: str, to: str, calldata: bytes, *, ids: Ids, at: int
) -> dict[str, Any]:
    return {
        "id": ids("ctx"),
        "signer": signer,
        "nonce": nonce,
        "kind": kind,
        "to_address": to,
        "calldata": calldata,
        "token": None,
        "debtor_wallet": None,
        "deadline": 0,
        "member_count": 0,
        "total_minor": 0,
        "depth": 1,
        "created_at": at,
    }


def _is_noop(signed: SignedChainTx) -> bool:
    return signed.to == signed.sender and not signed.data
