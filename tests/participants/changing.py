"""Changes of payees, their approval and what they come to, for tests."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from settlement import approvals
from settlement.approvals import Approval
from settlement.clock import counted_ids
from settlement.participants import (
    accounts,
    changes,
    wallet_standings,
)
from settlement.participants.accounts import NewAccount
from settlement.participants.change_records import Change
from settlement.participants.changes import Wanted
from settlement.participants.dossier import Actor
from tests.participants.files import (
    BEN,
    COMPANY,
    NOW,
)

WALLET = "0x" + "ab" * 20
IBAN = "DE92611500200100417826"
COOLING = 86_400
LATER = NOW + timedelta(seconds=COOLING)
TICK = timedelta(microseconds=1)


def a_wallet(address: str = WALLET) -> Wanted:
    terms = {"kind": "self_hosted", "provider": None, "proved_by": "signature"}
    return Wanted("wallet", address, terms)


def an_account(**changes: Any) -> Wanted:
    account = accounts.checked(NewAccount(**{"currency": "EUR", "iban": IBAN, **changes}))
    terms = {name: getattr(account, name) for name in NewAccount.__slots__}
    return Wanted("bank_account", f"{account.iban or account.account_number}:EUR", terms)


def a_name(name: str = "Nordlicht SE") -> Wanted:
    return Wanted("name", "name", {"name": name})


def proposed(
    session: Session, key: str, wanted: Wanted, *, by: Actor = COMPANY, start: int = 500,
    now: datetime = NOW, cooling: int = COOLING,
) -> Change | None:  # fmt: skip
    return changes.propose(
        session, key, wanted, by=by, reason="it moved its money", cooling_seconds=cooling,
        ids=counted_ids(start), now=now,
    )  # fmt: skip


def asked_for(session: Session, change: Change | None) -> Approval:
    assert change is not None and change.approval_id is not None
    return approvals.find(session, change.approval_id)


def approve(
    session: Session, change: Change | None, *, by: Actor = BEN, now: datetime = NOW
) -> None:
    asked = asked_for(session, change)
    decided = approvals.decide(
        session, asked.id, verdict="approve", seen_hash=asked.what_hash, checker=by.hand,
        role=by.role, reason="called them back", now=now,
    )  # fmt: skip
    changes.apply_approved(session, decided, now, ids=counted_ids(800))


def usable(session: Session, now: datetime, address: str = WALLET) -> bool:
    found = wallet_standings(session, [address]).get(address)
    return found is not None and found.is_usable(now)
