"""All that there is to be seen of a participant before it is activated, as one hash.

Persons stand in it by their digests, so that the hash holds after their fields are erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from sqlmodel import Session

from settlement.participants import accounts, owners, papers
from settlement.participants.registry import Participant, participant
from settlement.store.bulk import rows


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `hand` is a person's id, or a machine's key. Four eyes compares hands."""

    role: str
    hand: str

    @property
    def text(self) -> str:
        """What event rows say."""
        return f"{self.role}:{self.hand}"


def dossier(session: Session, participant_id: str) -> dict[str, Any]:
    """Return what is known of a participant, without a person's field in it.

    Raises:
        NotFound: there is no such participant.
    """
    found = participant(session, participant_id)
    return {
        "participant": _said(found),
        "aliases": [
            name
            for (name,) in rows(
                session,
                "SELECT name FROM participant_alias WHERE participant_id = ? AND live ORDER BY id",
                (participant_id,),
            )
        ],
        "owners": owners.digests(session, participant_id),
        "documents": [
            [each.id, each.kind, each.sha256, each.issued_on, each.expires_on]
            for each in papers.documents(session, participant_id)
        ],
        "wallets": [
            list(row)
            for row in rows(
                session,
                "SELECT address, kind, provider, proved_by FROM wallet WHERE participant_id = ?"
                " AND retired_at IS NULL ORDER BY address",
                (participant_id,),
            )
        ],
        "accounts": [
            [each.id, each.iban, each.account_number, each.clearing_code, each.currency]
            for each in accounts.accounts(session, participant_id)
        ],
    }


def seal(found: dict[str, Any]) -> str:
    """Return the SHA-256 over a dossier. Pure."""
    return sha256(orjson.dumps(found, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _said(found: Participant) -> dict[str, Any]:
    """Return what somebody has said of itself: neither its state nor what follows from it."""
    names = (
        "lei", "legal_form", "name", "country", "subdivision", "street", "building_number",
        "post_code", "town", "vat_id", "tax_id",
    )  # fmt: skip
    return {name: getattr(found, name) for name in names}
