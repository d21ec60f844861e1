"""The demo's companies as participants of the rail, and their API keys. No invoice is here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from gateway.auth import OF_A_COMPANY, Role, is_hashed_under, issue_key, open_pepper
from gateway.demo.companies import COMPANIES
from gateway.key_files import OtherPepper, write_private
from settlement.participants import NewParticipant
from settlement.store import reading, transaction


def demo_participants() -> list[NewParticipant]:
    """Return the four companies as they are registered; their wallets are given by the sandbox."""
    return [
        NewParticipant(
            lei=company.lei,
            name=company.name,
            country=company.country,
            town=company.city,
            street=company.street,
            post_code=company.postcode,
            vat_id=company.vat_id,
        )
        for company in COMPANIES
    ]


def demo_keys(
    engine: Engine, home: Path, participant_ids: Sequence[str], now: datetime
) -> dict[str, str]:
    """Return API keys by name, made at the first call and kept in `home` with mode 0600.

    Per company `NAME-exporter` and `NAME-importer`; and one for each role of the staff.

    Raises:
        PepperExposed, PepperDamaged, OtherPepper: no kept key would be taken.
    """
    kept = home / "keys" / "api-keys.json"
    pepper = open_pepper(home)
    if kept.exists():
        found: dict[str, str] = json.loads(kept.read_text())
        with reading(engine) as session:
            if not all(is_hashed_under(session, pepper, key) for key in found.values()):
                raise OtherPepper(home / "api-key.pepper", kept)
        return found
    keys: dict[str, str] = {}
    with transaction(engine) as session:
        for company, participant_id in zip(COMPANIES, participant_ids, strict=True):
            for role in (Role.EXPORTER, Role.IMPORTER):
                keys[f"{company.key}-{role}"] = issue_key(
                    session, pepper, role=role, participant_id=participant_id, now=now
                )
        for role in Role:
            if role in OF_A_COMPANY:
                continue
            keys[str(role)] = issue_key(session, pepper, role=role, participant_id=None, now=now)
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(kept, json.dumps(keys, indent=2) + "\n")
    return keys
