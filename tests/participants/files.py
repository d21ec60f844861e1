"""A participant's file for tests: an application, documents, owners, and two people's hands."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement import approvals
from settlement.approvals import Approval
from settlement.clock import Ids, counted_ids
from settlement.participants import NewParticipant, activation, owners, papers, registry
from settlement.participants.dossier import Actor
from settlement.participants.owners import NewOwner
from settlement.participants.papers import NewDocument
from settlement.store import transaction
from tests.watcher.scene import LEIS

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
ADA = Actor("compliance", "per_ada")
BEN = Actor("approver", "per_ben")
COMPANY = Actor("exporter", "stk_0123456789ab")
SALT = "5a" * 16

_files: Iterator[int] = count()


def a_company(**changes: Any) -> NewParticipant:
    fields: dict[str, Any] = {
        "lei": LEIS[0],
        "name": "Nordlicht Pumpen GmbH",
        "country": "DE",
        "town": "Bremen",
        "vat_id": "DE136695976",
    }
    return NewParticipant(**{**fields, **changes})


def a_trader(**changes: Any) -> NewParticipant:
    """Somebody without a LEI."""
    fields = {"lei": None, "legal_form": "sole_proprietor", "vat_id": None, "tax_id": "TR-77"}
    return a_company(**{**fields, "country": "AE", "town": "Dubai", **changes})


def a_document(kind: str, **changes: Any) -> NewDocument:
    fields: dict[str, Any] = {
        "kind": kind,
        "number": "HRB 1234",
        "issuer": "Amtsgericht Bremen",
        "issued_on": (TODAY - timedelta(days=30)).isoformat(),
        "sha256": sha256(f"{kind} {next(_files)}".encode()).hexdigest(),
    }
    if kind == "identity_document":
        fields |= {
            "expires_on": (TODAY + timedelta(days=900)).isoformat(),
            "holder_name": "Ida Okonkwo",
            "holder_country": "NG",
            "number": "P1234567",
        }
    return NewDocument(**{**fields, **changes})


def an_owner(**changes: Any) -> NewOwner:
    fields: dict[str, Any] = {
        "kind": "person",
        "share_bp": 10_000,
        "name": "Jörg Ahlers",
        "country": "DE",
        "birth_date": "1971-03-04",
    }
    return NewOwner(**{**fields, **changes})


def applied(
    session: Session, company: NewParticipant | None = None, *, ids: Ids, by: Actor = ADA
) -> str:
    return registry.apply(session, company or a_company(), actor=by.hand, ids=ids, now=NOW)


def offered(session: Session, key: str, *documents: NewDocument, ids: Ids, by: Actor = ADA) -> None:
    for each in documents:
        papers.offer(session, key, each, by=by.hand, salt=SALT, ids=ids, now=NOW)


def a_full_file(session: Session, key: str, *, ids: Ids, by: Actor = ADA) -> None:
    """All that a legal entity needs."""
    kinds = ("registry_extract", "ownership_declaration", "tax_registration")
    offered(session, key, *(a_document(kind) for kind in kinds), ids=ids, by=by)
    declared(session, key, an_owner(), ids=ids)


def declared(session: Session, key: str, *lines: NewOwner, ids: Ids) -> None:
    made = owners.declare(session, key, lines, salts=lambda: SALT, ids=ids, now=NOW)
    owners.count_from_now(session, key, made)


def asked(session: Session, key: str, *, ids: Ids, by: Actor = ADA, **more: Any) -> Approval:
    fields: dict[str, Any] = {"reason": "the file is complete", "now": NOW, **more}
    return activation.ask(session, key, by=by, ids=ids, **fields)


def approved(
    session: Session, asked_for: Approval, *, by: Actor = BEN, now: datetime = NOW
) -> Approval:
    return approvals.decide(
        session, asked_for.id, verdict="approve", seen_hash=asked_for.what_hash, checker=by.hand,
        role=by.role, reason="seen", now=now,
    )  # fmt: skip


def activated(
    engine: Engine, company: NewParticipant | None = None, *, ids: Ids | None = None
) -> str:
    """Return a participant that two people have taken on."""
    ids = ids or counted_ids()
    with transaction(engine) as session:
        key = applied(session, company, ids=ids)
        a_full_file(session, key, ids=ids)
        activation.apply_approved(session, approved(session, asked(session, key, ids=ids)), NOW)
    return key


def events(session: Session, key: str) -> list[tuple[str, str]]:
    found = session.execute(
        text("SELECT move, state FROM participant_event WHERE participant_id = :id ORDER BY id"),
        {"id": key},
    )
    return [(move, state) for move, state in found]


def told(session: Session) -> list[str]:
    return list(session.execute(text("SELECT kind FROM outbox ORDER BY seq")).scalars())


def days(number: int) -> date:
    return TODAY + timedelta(days=number)
