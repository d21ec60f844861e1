"""What keeps a working lane from getting on, in words for a person: gas money, fees at their cap.

Holds up nothing and changes no state: the lane goes on re-sending its best bytes meanwhile.
"""

from __future__ import annotations

from sqlmodel import Session

from settlement.chain.port import SendOutcome
from settlement.config import Settings
from settlement.sender.changes import reverted_lately
from settlement.sender.fees import raised
from settlement.sender.lanes import ADMIN, Lease
from settlement.store.bulk import rows, run

_NEWEST = (
    "SELECT a.outcome, a.max_fee_wei FROM chain_tx c JOIN attempt a ON a.chain_tx_id = c.id"
    " WHERE c.signer = :signer AND c.state IN ('SIGNED', 'SENT') AND a.created_seq ="
    " (SELECT MAX(created_seq) FROM attempt WHERE chain_tx_id = c.id)"
)
_NOTED = "SELECT reason FROM lane WHERE signer = :signer AND state = 'active'"
_NOTE = "UPDATE lane SET reason = :words WHERE signer = :signer AND state = 'active'"


def concern(session: Session, signer: str, settings: Settings, *, base_fee_wei: int) -> str | None:
    """Return what keeps the lane from getting on; None where nothing does."""
    newest = rows(session, _NEWEST, {"signer": signer})
    broke = sum(outcome == SendOutcome.NO_GAS_MONEY.value for outcome, _ in newest)
    if broke:
        return f"{broke} chain transactions wait for gas money: send coins to {signer}"
    capped = sum(
        max_fee_wei < base_fee_wei and raised(max_fee_wei) > settings.fee_cap_wei
        for _, max_fee_wei in newest
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
    noted = rows(session, _NOTED, {"signer": signer})
    return bool(noted) and noted[0][0] != words


def note(session: Session, signer: str, words: str | None) -> None:
    """Let an active lane say it; None takes it back."""
    run(session, _NOTE, {"signer": signer, "words": words})
