"""The entries of a day as a statement shows them: who was the other side, for what, where.

Reads one entry after the other; keeps the parties that it has met, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import closing
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import from_micros
from settlement.documents.identifiers import minor_units
from settlement.documents.iso20022.entries import StatedEntry
from settlement.documents.iso20022.payments import ChainPlace, InvoicePart
from settlement.documents.iso20022.values import CashAccount, Party
from settlement.money import format_minor
from settlement.statements.accounts import find_party, wallet_account
from settlement.statements.carrying import Scale
from settlement.statements.figures import DayFigures, lines
from settlement.statements.identifiers import message_key, uetr
from settlement.states import SettlementState

_CHAIN = text("SELECT chain_id FROM deployment")
_LOG_KEY = re.compile(r"log:0x[0-9a-f]{64}:([0-9]{1,9})\Z")
_PARTIES_MAX = 20_000


class DayEntry(NamedTuple):
    """A movement: as stored in the account's unit, and as messages tell it."""

    minor: int
    balance_minor: int
    stated: StatedEntry


def chain_id(session: Session) -> int:
    """Return the id of the chain that this rail is on; 0 before there is one."""
    return session.connection().execute(_CHAIN).scalar() or 0


def day_entries(session: Session, figures: DayFigures) -> Generator[DayEntry, None, None]:
    """Yield the entries of a day; those as stated carry what a currency has no digits for."""
    parties, scale = _Parties(session), scale_of(figures)
    chain, balance = chain_id(session), figures.opening_minor
    with closing(lines(session, figures)) as rows:
        for row in rows:
            shown_before = scale.shown(balance)
            balance += row.amount_minor
            minor = scale.shown(balance) - shown_before
            yield DayEntry(row.amount_minor, balance, _stated(row, minor, figures, parties, chain))


class _Parties:
    """Companies by id, each read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, Party | None] = {}

    def __getitem__(self, participant_id: str) -> Party | None:
        if participant_id not in self._known:
            if len(self._known) >= _PARTIES_MAX:
                self._known.clear()
            self._known[participant_id] = find_party(self._session, participant_id)
        return self._known[participant_id]


def _stated(
    row: Any, minor: int, figures: DayFigures, parties: _Parties, chain: int
) -> StatedEntry:
    kind = row.reversed_kind or row.kind
    own = StatedEntry(
        reference=f"je_{row.seq}",
        minor=minor,
        booking_date=from_micros(row.booked_at).date(),
        value_date=date.fromisoformat(row.value_date),
        kind=kind,
        is_reversal=row.reverses_seq is not None,
        chain=_place(row, chain),
        note=_note(row, figures),
    )
    if row.settlement_id is None:
        return own
    is_in = (row.amount_minor > 0) != own.is_reversal
    wallet = row.debtor_wallet if is_in else row.creditor_wallet
    return own._replace(
        is_payment=kind == "payment",
        key=message_key(row.settlement_id),
        end_to_end_id=row.end_to_end_id,
        uetr=uetr(row.settlement_id),
        other_party=parties[row.debtor_id if is_in else row.creditor_id],
        other_account=_wallet(wallet, figures),
        invoice=_invoice(row, figures),
    )


def _wallet(address: str, figures: DayFigures) -> CashAccount:
    return wallet_account(address, figures.account.currency)


def _invoice(row: Any, figures: DayFigures) -> InvoicePart | None:
    if row.number is None or row.currency != figures.account.currency:
        return None
    return InvoicePart(
        number=row.number,
        issue_date=date.fromisoformat(row.issue_date),
        payable_minor=row.payable_minor,
        paid_minor=row.claim_minor,
        document_sha256=row.document_sha256,
    )


def _place(row: Any, chain: int) -> ChainPlace | None:
    if row.tx_hash is None or row.block_hash is None:
        return None
    found = _LOG_KEY.match(row.source_key)
    log_index = int(found.group(1)) if found else None
    return ChainPlace(chain, row.tx_hash, row.block_number, row.block_hash, log_index)


def _note(row: Any, figures: DayFigures) -> str | None:
    """Return what the amount alone would hide: digits that the currency has not, no finality."""
    unit, words = figures.account.unit, []
    if scale_of(figures).rest(row.amount_minor):
        words.append(f"exactly {format_minor(row.amount_minor, unit.decimals)} {unit.code}")
    if row.state == SettlementState.BOOKED and row.reverses_seq is None:
        words.append("booked, not final: a reorganisation of the chain can still reverse it")
    if row.reverses_seq is not None:
        words.append(f"reverses je_{row.reverses_seq}: {row.reason or 'no reason given'}"[:300])
    return "; ".join(" ".join(word.split()) for word in words) or None


def scale_of(figures: DayFigures) -> Scale:
    """Return the scale from an account's unit to its currency; none where it has no currency."""
    account = figures.account
    digits = None if account.currency is None else minor_units(account.currency)
    own = account.unit.decimals
    return Scale(own, own if digits is None else digits)
