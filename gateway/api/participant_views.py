"""Participants' files from the rail's values to what `participant_shapes` describes."""

from __future__ import annotations

from typing import Any

from settlement.approvals import Approval
from settlement.clock import iso
from settlement.participants import checksummed
from settlement.participants.accounts import PayeeAccount
from settlement.participants.change_records import Change
from settlement.participants.papers import Document
from settlement.participants.people import Person
from settlement.participants.profiles import Owner, WalletStanding


def change(found: Change) -> dict[str, Any]:
    """Return a change as it is answered."""
    return {
        "object": "participant_change",
        "id": found.id,
        "participant_id": found.participant_id,
        "kind": found.kind,
        "subject": found.subject,
        "terms": dict(found.terms),
        "state": found.state,
        "asked_by": found.asked_by,
        "asked_at": iso(found.asked_at),
        "approval_id": found.approval_id,
        "decided_by": found.decided_by,
        "decided_at": moment(found.decided_at),
        "usable_from": moment(found.usable_from),
        "reason": found.reason,
    }


def done(participant_id: str, kind: str, subject: str, terms: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a change of somebody who has only applied."""
    left = ("asked_by", "asked_at", "approval_id", "decided_by", "decided_at", "usable_from")
    return {
        "object": "participant_change",
        "id": None,
        "participant_id": participant_id,
        "kind": kind,
        "subject": subject,
        "terms": terms,
        "state": "effective",
        "reason": None,
        **dict.fromkeys(left),
    }


def asked(found: Approval) -> dict[str, Any]:
    """Return a request for an activation as it is answered."""
    return {
        "object": "activation_request",
        "approval_id": found.id,
        "participant_id": found.subject,
        "move": found.terms["move"],
        "what_hash": found.what_hash,
        "approver_roles": list(found.approver_roles),
        "needed": found.needed,
        "state": found.state,
        "expires_at": iso(found.expires_at),
        "terms": dict(found.terms),
    }


def owner(found: Owner) -> dict[str, Any]:
    """Return an owner as it is answered."""
    return found._asdict()


def document(found: Document) -> dict[str, Any]:
    """Return a document as it is answered."""
    return {
        "id": found.id,
        "kind": found.kind,
        "number": found.number,
        "person_id": found.person_id,
        "issuer": found.issuer,
        "issued_on": found.issued_on,
        "expires_on": found.expires_on,
        "good_until": moment(found.valid_until),
        "sha256": found.sha256,
        "offered_by": found.offered_by,
        "accepted_by": found.accepted_by,
        "accepted_at": moment(found.accepted_at),
    }


def account(found: PayeeAccount) -> dict[str, Any]:
    """Return an account as it is answered."""
    names = (
        "id", "iban", "account_number", "clearing_system", "clearing_code", "bic", "currency",
        "country",
    )  # fmt: skip
    shown = {name: getattr(found, name) for name in names}
    return {**shown, "usable_from": moment(found.usable_from)}


def wallet(found: WalletStanding) -> dict[str, Any]:
    """Return a wallet as it is answered."""
    return {
        "address": checksummed(found.address),
        "kind": found.kind,
        "provider": found.provider,
        "proved_by": found.proved_by,
        "usable_from": moment(found.usable_from),
        "retired_at": moment(found.retired_at),
    }


def person(found: Person, *, whole: bool) -> dict[str, Any]:
    """Return a person as it is answered; birth date and number only to who has to check them."""
    return {
        "id": found.id,
        "name": found.name,
        "country": found.country,
        "birth_date": found.birth_date if whole else None,
        "document_number": found.document_number if whole else None,
        "erased_at": moment(found.erased_at),
    }


def moment(micros: int | None) -> str | None:
    """Return a moment in ISO 8601, or None."""
    return None if micros is None else iso(micros)
