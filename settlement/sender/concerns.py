"""What keeps a working lane from getting on, in words for a person: gas money, fees at their cap.

Holds up nothing and changes no state: the lane goes on re-sending its best bytes meanwhile.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.port import SendOutcome
from settlement.config import Settings
from settlement.sender.changes import reverted_lately
from settlement.sender.fees import raised
from settlement.sender.lanes import ADMIN, Lease

_NEWEST = text(
    "SELECT a.outcome, a.max_fee_wei FROM chain_tx c JOIN attempt a ON a.chain_tx_id = c.id"
    " WHERE c.signer = :signer AND c.state IN ('SIGNED', 'SENT') AND a.created_seq ="
    " (SELECT MAX(created_seq) FROM attempt WHERE chain_tx_id = c.id)"
)
_NOTED = text("SELECT reason FROM lane WHERE signer = :signer AND state = 'active'")
_NOTE = text("UPDATE lane SET reason = :words WHERE signer = :signer AND state = 'active'")


def concern(session: Session, signer: str, settings: Settings, *, base_fee_wei: int) -> str | None:
    """Return what keeps the lane from getting on; None where nothing does."""
    rows = session.connection().execute(_NEWEST, {"signer": signer}).all()
    broke = sum(row.outcome == SendOutcome.NO_GAS_MONEY.value for row in rows)
    if broke:
        return f"{broke} chain transactions wait for gas money: send coins to {signer}"
    capped = sum(
        row.max_fee_wei < base_fee_wei and raised(row.max_fee_wei) > settings.fee_cap_wei
        for row in rows
    )
    if capped:
        return (
            f"{capped} chain transactions wait: the base fee is {base_fee_wei} wei,"
            f" SETTLE_FEE_CAP_WEI is {settings.fee_cap_wei}"
        )
    return None


def resting(session: Session, lease: Lease) -> str | None:
    """Return why a lane claims nothing though there is something to do; None where it may."""
    return reverted_lately(session, lease.signer) if lease.kind == ADMIN else None


def is_news(session: Session, signer: str, words: str | None) -> bool:
    """Whether an active lane says otherwise; what a person wrote on one that rests stays."""
    row = session.connection().execute(_NOTED, {"signer": signer}).one_or_none()
    return row is not None and row.reason != words


def note(session: Session, signer: str, words: str | None) -> None:
    """Let an active lane say it; None takes it back."""
    session.connection().execute(_NOTE, {"signer": signer, "words": words})
