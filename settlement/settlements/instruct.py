"""Instructing payment of accepted invoices: terms fixed, sequence given, invoice's part reserved.

Decides neither whether it may be paid (`clearing`) nor when (`sender.claim`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.port import Address
from settlement.chain.rail_abi import payment_reference, reference_prefix
from settlement.clock import Ids, to_micros, uuid_bytes
from settlement.documents.identifiers import minor_units
from settlement.errors import Conflict, Invalid, NotFound
from settlement.invoices import amounts
from settlement.money import format_minor, rescale_exact
from settlement.settlements import approving, reserving
from settlement.settlements.moves import record
from settlement.store.bulk import insert_rows, rows_by_key

_LATEST = timedelta(days=366)
# One that may be used now, if there is any: what waits for its wallet waits without need.
_WALLET = (
    "(SELECT w.address FROM wallet w WHERE w.participant_id = {} AND w.usable_from IS NOT NULL"
    " AND w.retired_at IS NULL ORDER BY w.usable_from > {{now}}, w.address LIMIT 1)"
)
_INVOICES = (
    "SELECT i.id, i.state, i.type_code, i.buyer_id, i.seller_id, i.document_sha256,"
    " i.payable_minor - i.credited_minor - i.settled_minor - i.in_flight_minor + i.returned_minor"
    " AS open_minor, t.address AS token, t.decimals, i.currency,"
    f" {_WALLET.format('i.buyer_id')} AS debtor_wallet,"
    f" {_WALLET.format('i.seller_id')} AS creditor_wallet"
    " FROM invoice i LEFT JOIN token t ON t.currency = i.currency AND t.listed"
    " WHERE i.id {keys} ORDER BY t.address DESC"  # Of two tokens of a currency, always the same.
)

_SEQUENCES = text(
    "INSERT INTO settlement_sequence (debtor_wallet, next_sequence) VALUES (:wallet, :count + 1)"
    " ON CONFLICT (debtor_wallet) DO UPDATE"
    " SET next_sequence = settlement_sequence.next_sequence + :count RETURNING next_sequence"
)


class InvoiceNotPayable(Conflict):
    """Only an ACCEPTED or PARTLY_PAID invoice with something left can be settled."""

    def __init__(self, invoice_id: str, reason: str) -> None:
        super().__init__(
            f"invoice {invoice_id} cannot be settled: {reason}",
            field="invoice_id",
            repair="read the invoice's state and open amount",
        )
        self.invoice_id = invoice_id


@dataclass(frozen=True, slots=True)
class Instruction:
    """Pay `claim_minor` of the invoice's currency (None: all that is open), not before a date."""

    invoice_id: str
    claim_minor: int | None = None
    execution_date: str | None = None
    """ISO 8601 date; None: today."""


class Payable(NamedTuple):
    """What is known of an invoice when it is instructed."""

    id: str
    state: str
    type_code: str
    buyer_id: str
    seller_id: str
    document_sha256: str
    open_minor: int
    token: Address | None
    decimals: int | None
    currency: str
    debtor_wallet: Address | None
    creditor_wallet: Address | None


def instruct(
    session: Session,
    instructions: Sequence[Instruction],
    *,
    actor: str,
    ids: Ids,
    now: datetime,
    debtor_id: str | None = None,
) -> list[str]:
    """Create one settlement per instruction, all or none; return their ids in the same order.

    `actor` is `role:hand`: the hand that makes a payment never approves it. `debtor_id` restricts
    to invoices of that buyer: another's are not found.

    Raises:
        NotFound, InvoiceNotPayable, InvoiceOverpaid, LimitExceeded, NoApprovalRule, Invalid:
            nothing is instructed.
    """
    invoices = _payables(session, [each.invoice_id for each in instructions], now)
    rail, chain_id = (
        session.connection().execute(text("SELECT rail, chain_id FROM deployment")).one()
    )
    rows: list[dict[str, Any]] = []
    currencies: list[str] = []
    for each in instructions:
        payable = invoices.get(each.invoice_id)
        if payable is None or (debtor_id is not None and payable.buyer_id != debtor_id):
            raise NotFound("invoice", each.invoice_id)
        row = _terms(payable, each, rail=rail, ids=ids, now=now)
        # Another part of it in the same request finds what this one leaves.
        left = payable.open_minor - row["claim_minor"]
        invoices[payable.id] = payable._replace(open_minor=left)
        rows.append(row)
        currencies.append(payable.currency)
    amounts.take(session, [(row["invoice_id"], row["claim_minor"]) for row in rows])
    _number(session, rows)
    _refer(rows, chain_id=chain_id, rail=rail)
    questions = approving.where_needed(rows, currencies, role=approving.role_of(actor))
    columns = tuple(rows[0]) if rows else ()
    insert_rows(session, "settlement", columns, [tuple(row.values()) for row in rows])
    reserving.take_room(session, rows, now)
    record(session, [row["id"] for row in rows], "instruct", actor=actor, now=now)
    approving.ask(session, questions, actor=actor, ids=ids, now=now)
    return [row["id"] for row in rows]


def _payables(session: Session, invoice_ids: Sequence[str], now: datetime) -> dict[str, Payable]:
    # `{keys}` has to come before every `?`: the moment is a number of ours, put into the text.
    statement = _INVOICES.replace("{now}", str(to_micros(now)))
    found = rows_by_key(session, statement, invoice_ids)
    return {row[0]: Payable._make(row) for row in found}


def _terms(
    payable: Payable, instruction: Instruction, *, rail: str, ids: Ids, now: datetime
) -> dict[str, Any]:
    """Check one instruction against its invoice; return the settlement's row, not yet numbered."""
    if payable.type_code == "381":
        raise InvoiceNotPayable(payable.id, "it is a credit note")
    if payable.state not in ("ACCEPTED", "PARTLY_PAID"):
        raise InvoiceNotPayable(payable.id, f"it is {payable.state}, not ACCEPTED")
    if payable.open_minor <= 0:
        raise InvoiceNotPayable(payable.id, "nothing of it is left to pay")
    claim_minor = instruction.claim_minor
    if claim_minor is None:
        claim_minor = payable.open_minor
    if claim_minor <= 0:
        raise Invalid(
            f"{claim_minor} minor units are no payment",
            field="amount",
            repair="name an amount above zero, or leave it out to pay all that is open",
        )
    claim_decimals = minor_units(payable.currency)
    assert claim_decimals is not None, "an invoice's currency was checked when it came in"
    if claim_minor > payable.open_minor:
        open_amount = format_minor(payable.open_minor, claim_decimals)
        raise InvoiceNotPayable(payable.id, f"only {open_amount} of it is left to pay")
    if payable.token is None or payable.decimals is None:
        raise InvoiceNotPayable(payable.id, "no token of its currency is listed on the rail")
    if payable.debtor_wallet is None or payable.creditor_wallet is None:
        raise InvoiceNotPayable(payable.id, "a party has no registered wallet")
    settlement_id = ids("stl")
    return {
        "id": settlement_id,
        "invoice_id": payable.id,
        "end_to_end_id": "E" + settlement_id.rpartition("_")[2],
        "rail": rail,
        "token": payable.token,
        "debtor_id": payable.buyer_id,
        "creditor_id": payable.seller_id,
        "debtor_wallet": payable.debtor_wallet,
        "creditor_wallet": payable.creditor_wallet,
        "amount_minor": rescale_exact(
            claim_minor, from_decimals=claim_decimals, to_decimals=payable.decimals
        ),
        "claim_minor": claim_minor,
        "document_sha256": payable.document_sha256,
        "execution_date": _execution_date(instruction, now),
        "state": "INSTRUCTED",
        "reverted_count": 0,
        "version": 1,
        "created_at": to_micros(now),
    }


def _execution_date(instruction: Instruction, now: datetime) -> str:
    today = now.date()
    if instruction.execution_date is None:
        return today.isoformat()
    repair = f"name today ({today}, UTC) or a later date as YYYY-MM-DD, or leave it out"
    try:
        wanted = date.fromisoformat(instruction.execution_date)
    except ValueError as error:
        raise Invalid(
            f"{instruction.execution_date!r:.40} is no date", field="execution_date", repair=repair
        ) from error
    if wanted < today:
        raise Invalid(
            f"execution date {wanted} of {instruction.invoice_id} has passed",
            field="execution_date",
            repair=repair,
        )
    if wanted > (last := today + _LATEST):
        raise Invalid(
            f"execution date {wanted} of {instruction.invoice_id} is more than a year off",
            field="execution_date",
            repair=f"name a day up to {last}; instruct later what is to be paid later",
        )
    return wanted.isoformat()


def _number(session: Session, rows: list[dict[str, Any]]) -> None:
    """Give each settlement the next sequence of its debtor's wallet."""
    by_wallet: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_wallet.setdefault(row["debtor_wallet"], []).append(row)
    for wallet in sorted(by_wallet):  # In one order everywhere: no deadlock.
        members = by_wallet[wallet]
        following = (
            session.connection()
            .execute(_SEQUENCES, {"wallet": wallet, "count": len(members)})
            .scalar_one()
        )
        for place, row in enumerate(members):
            row["sequence"] = following - len(members) + place


def _refer(rows: list[dict[str, Any]], *, chain_id: int, rail: Address) -> None:
    prefixes: dict[tuple[str, str], bytes] = {}
    for row in rows:
        key = (row["token"], row["debtor_wallet"])
        if key not in prefixes:
            prefixes[key] = reference_prefix(
                chain_id=chain_id, rail=rail, token=Address(key[0]), debtor=Address(key[1])
            )
        row["reference"] = payment_reference(
            prefixes[key],
            sequence=row["sequence"],
            creditor=row["creditor_wallet"],
            amount_minor=row["amount_minor"],
            document_hash=row["document_sha256"],
            settlement_uuid=uuid_bytes(row["id"]),
        )
