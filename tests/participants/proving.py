"""Challenges and their answers, for tests."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement.chain.port import Address
from settlement.chain.signing import KeyPair
from settlement.clock import counted_ids
from settlement.participants import challenges, proofs
from settlement.participants.challenges import Challenge
from settlement.participants.proofs import (
    Proving,
    WalletAsked,
)
from settlement.store import reading
from tests.participants.files import ADA, NOW

HOLDER = KeyPair.of(b"\x42" * 32)
OTHER = KeyPair.of(b"\x43" * 32)
CURVE = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SOON = timedelta(minutes=15)
METHODS = ("eip191", "eip712")


def issued(
    session: Session, party: str, *, address: Address = HOLDER.address, now: datetime = NOW,
    start: int = 1, kind: str = "self_hosted", provider: str | None = None,
) -> Challenge:  # fmt: skip
    return proofs.issue(
        session, party, WalletAsked(address, kind, provider), nonce="9e" * 16,
        proving=Proving("rail.example", SOON), by=ADA.hand, ids=counted_ids(start), now=now,
    )  # fmt: skip


def payload(asked: Challenge, method: str) -> bytes:
    if method == "eip191":
        return challenges.personal_payload(challenges.message(asked))
    return challenges.typed_payload(asked)


def judged(asked: Challenge, method: str, signature: bytes, **more: Any) -> proofs.Judged:
    return proofs.judge(asked, method, signature, **{"chain": None, "now": NOW, **more})


def count(engine: Engine, table: str) -> int:
    with reading(engine) as session:
        return int(session.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())
