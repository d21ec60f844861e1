"""What is known of participants and wallets, for many at once: for policy, screening and doors.

Reads; one query per table whatever the number. Decides nothing, and asks no node.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.participants import requirements
from settlement.participants.requirements import Validity
from settlement.states import ParticipantState
from settlement.store.bulk import rows, rows_by_key

ERASED = "[erased]"
"""What stands where a person's fields were."""

_PARTICIPANTS = (
    "SELECT id, state, name, legal_form, country, lei, tax_id, vat_id, known_by, kyb_valid_until"
    " FROM participant WHERE id {keys}"
)
_OWNERS = (
    "SELECT o.participant_id, o.role, o.share_bp, o.owner_participant_id, o.person_id,"
    " COALESCE(p.name, n.name, o.company_name), COALESCE(p.country, n.country, o.company_country)"
    " FROM participant_owner o LEFT JOIN participant p ON p.id = o.owner_participant_id"
    " LEFT JOIN natural_person n ON n.id = o.person_id"
    " WHERE o.participant_id {keys} AND o.live ORDER BY o.participant_id, o.share_bp DESC, o.id"
)
_DOCUMENTS = (
    "SELECT participant_id, kind, valid_from, valid_until FROM participant_document"
    " WHERE participant_id {keys} AND live AND accepted_at IS NOT NULL"
)
_CHANGES = (
    "SELECT DISTINCT participant_id FROM participant_change WHERE participant_id {keys}"
    " AND kind IN ('wallet', 'wallet_removal', 'bank_account', 'bank_account_removal', 'name')"
    " AND state IN ('pending', 'approved') AND (usable_from IS NULL OR usable_from > ?)"
)
_ALIASES = (
    "SELECT participant_id, name FROM participant_alias WHERE participant_id {keys} AND live"
    " ORDER BY id"
)
_WALLETS = (
    "SELECT address, participant_id, kind, provider, proved_by, usable_from, retired_at"
    " FROM wallet WHERE address {keys}"
)
_PAGE = "SELECT id, name, country, state FROM participant WHERE id > ? ORDER BY id LIMIT ?"


class Owner(NamedTuple):
    """Who owns or controls a participant."""

    kind: str
    """participant, person or company."""
    name: str
    country: str | None
    role: str
    """owner or controller."""
    share_bp: int
    """Basis points of the whole."""
    participant_id: str | None
    """Of an owner that takes part itself."""
    person_id: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a participant at a moment."""

    participant_id: str
    state: ParticipantState
    """The one that counts: an active participant whose KYB has ended is expired."""
    name: str
    legal_form: str
    country: str
    lei: str | None
    tax_id: str | None
    vat_id: str | None
    known_by: str
    """documents, operator or migration: what its being active rests on."""
    kyb_valid_until: int | None
    documents: tuple[str, ...]
    """Kinds of which a document is good now."""
    missing_documents: tuple[str, ...]
    expired_documents: tuple[str, ...]
    payee_change_pending: bool
    """Wallet, account or name: asked for, or approved and still cooling off."""
    owners: tuple[Owner, ...]


@dataclass(frozen=True, slots=True)
class WalletStanding:
    """What is known of an address."""

    address: str
    owner: str
    """The participant's id."""
    is_proved: bool
    """By a signature or its contract, or taken over as it stood; not on somebody's word alone."""
    proved_by: str
    """signature, contract, operator or migration."""
    kind: str
    provider: str | None
    usable_from: int | None
    """Microseconds; None: not before its participant is activated."""
    retired_at: int | None

    def is_usable(self, now: datetime) -> bool:
        """Return whether it may be paid from or to at a moment."""
        at = to_micros(now)
        begun = self.usable_from is not None and self.usable_from <= at
        return begun and (self.retired_at is None or at < self.retired_at)


class Screenable(NamedTuple):
    """A participant as it is compared with lists."""

    participant_id: str
    names: tuple[str, ...]
    """The registered one first, then its aliases."""
    country: str
    state: str
    owners: tuple[Owner, ...]


def profiles(session: Session, participant_ids: Iterable[str], now: datetime) -> dict[str, Profile]:
    """Return what is known of each participant, by its id; unknown ids are left out."""
    at = to_micros(now)
    keys = sorted(set(participant_ids))
    owners = owners_of(session, keys)
    documents: dict[str, list[Validity]] = {}
    for key, *span in rows_by_key(session, _DOCUMENTS, keys):
        documents.setdefault(key, []).append(Validity(*span))
    changing = {key for (key,) in rows_by_key(session, _CHANGES, keys, at)}
    needed = requirements.load().required
    found = {}
    for row in rows_by_key(session, _PARTICIPANTS, keys):
        key, state, name, form, country, lei, tax_id, vat_id, known_by, until = row
        has = requirements.standing(needed[form], documents.get(key, ()), at)
        found[key] = Profile(
            participant_id=key,
            state=requirements.effective(state, until, at),
            name=name,
            legal_form=form,
            country=country,
            lei=lei,
            tax_id=tax_id,
            vat_id=vat_id,
            known_by=known_by,
            kyb_valid_until=until,
            documents=has.valid,
            missing_documents=has.missing,
            expired_documents=has.expired,
            payee_change_pending=key in changing,
            owners=owners.get(key, ()),
        )
    return found


def wallet_standings(session: Session, addresses: Iterable[str]) -> dict[str, WalletStanding]:
    """Return what is known of each address that is registered, by its lower-case text."""
    found = {}
    for row in rows_by_key(session, _WALLETS, sorted(set(addresses))):
        address, owner, kind, provider, proved_by, usable_from, retired_at = row
        found[address] = WalletStanding(
            address=address,
            owner=owner,
            is_proved=proved_by != "operator",
            proved_by=proved_by,
            kind=kind,
            provider=provider,
            usable_from=usable_from,
            retired_at=retired_at,
        )
    return found


def wallets_of(session: Session, participant_id: str) -> list[WalletStanding]:
    """Return all that a participant has or had, in order of their addresses."""
    found = rows(
        session,
        "SELECT address FROM wallet WHERE participant_id = ? ORDER BY address",
        (participant_id,),
    )
    addresses = [address for (address,) in found]
    standings = wallet_standings(session, addresses)
    return [standings[address] for address in addresses]


def owners_of(session: Session, participant_ids: Iterable[str]) -> dict[str, tuple[Owner, ...]]:
    """Return the owners and controllers of each participant that has some, largest share first."""
    found: dict[str, list[Owner]] = {}
    for row in rows_by_key(session, _OWNERS, participant_ids):
        key, role, share_bp, participant_id, person_id, name, country = row
        kind = "participant" if participant_id else "person" if person_id else "company"
        owner = Owner(kind, name, country, role, share_bp, participant_id, person_id)
        found.setdefault(key, []).append(owner)
    return {key: tuple(owners) for key, owners in found.items()}


def screenable(session: Session, after: str = "", limit: int = 1000) -> list[Screenable]:
    """Return up to `limit` participants with an id above `after`, in order of their ids.

    In every state: whoever is closed still has owners, and payments that are not final. A person
    whose fields were erased is named `ERASED`.
    """
    page = rows(session, _PAGE, (after, limit))
    keys = [row[0] for row in page]
    return _screenables(session, page, keys)


def screenables(session: Session, participant_ids: Iterable[str]) -> list[Screenable]:
    """Return participants as they are compared with lists, in order of their ids."""
    keys = sorted(set(participant_ids))
    page = rows_by_key(
        session,
        "SELECT id, name, country, state FROM participant WHERE id {keys} ORDER BY id",
        keys,
    )
    return _screenables(session, page, keys)


def _screenables(
    session: Session, page: list[tuple[str, ...]], keys: list[str]
) -> list[Screenable]:
    aliases: dict[str, list[str]] = {}
    for key, name in rows_by_key(session, _ALIASES, keys):
        aliases.setdefault(key, []).append(name)
    owners = owners_of(session, keys)
    return [
        Screenable(key, (name, *aliases.get(key, ())), country, state, owners.get(key, ()))
        for key, name, country, state in page
    ]
