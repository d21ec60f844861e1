"""What of participants is compared with lists: names, owners outside, wallets, numbers.

Reads; compares nothing. Names of persons are read each time and stored nowhere by screening.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from sqlmodel import Session

from settlement.compliance.list_files.record import plain_identifier
from settlement.compliance.screening.names import NameKind
from settlement.participants.profiles import ERASED, Owner, Screenable, screenables
from settlement.store.bulk import rows, rows_by_key

_FORMS = "SELECT id, legal_form, lei, vat_id, tax_id FROM participant WHERE id {keys}"
_WALLETS = (
    "SELECT participant_id, address, provider FROM wallet WHERE participant_id {keys}"
    " ORDER BY address"
)
_BANKS = (
    "SELECT participant_id, bic FROM participant_account WHERE participant_id {keys}"
    " AND bic IS NOT NULL ORDER BY participant_id, bic"
)
_BIRTHS = "SELECT id, birth_date FROM natural_person WHERE id {keys} AND birth_date IS NOT NULL"
_PAGE = "SELECT id FROM participant WHERE id > ? ORDER BY id LIMIT ?"
_SHORT = 16
_PROVIDER = "provider:"
_BIC_OF_BANK = 8


class Part(NamedTuple):
    """One thing that is compared."""

    kind: str
    """name, owner, wallet or identifier: a number, or whoever keeps a wallet's key for it."""
    key: str
    """Which of the participant's: a digest of a name, an owner's id, an address."""
    text: str
    name_kind: NameKind
    country: str | None
    birth_date: str | None = None
    role: str = ""
    """owner or controller, of an owner."""
    share_bp: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether it is compared as it is: a wallet or a number, not a name."""
        return self.kind == "wallet" or (
            self.kind == "identifier" and not self.key.startswith(_PROVIDER)
        )

    @property
    def is_person(self) -> bool:
        """Whether its text is a person's name: it is not copied."""
        return self.name_kind == NameKind.PERSON and self.kind in ("name", "owner")

    @property
    def hash(self) -> str:
        """SHA-256 over what is compared of it."""
        said = [self.kind, self.key, self.text, self.country, self.birth_date]
        return hashlib.sha256(orjson.dumps(said)).hexdigest()


@dataclass(frozen=True, slots=True)
class Subject:
    """A participant as it is compared."""

    participant_id: str
    parts: tuple[Part, ...]
    owners: tuple[Owner, ...]

    @property
    def content_hash(self) -> str:
        """SHA-256 over all of it, with the shares of its owners."""
        shares = [(each.participant_id, each.person_id, each.role, each.share_bp)
                  for each in self.owners]  # fmt: skip
        return hashlib.sha256(orjson.dumps([list(map(list, self.parts)), shares])).hexdigest()


def subjects(session: Session, participant_ids: Iterable[str]) -> list[Subject]:
    """Return participants as they are compared, in order of their ids; five queries for all."""
    found = screenables(session, participant_ids)
    keys = [each.participant_id for each in found]
    forms = {row[0]: row[1:] for row in rows_by_key(session, _FORMS, keys)}
    held = rows_by_key(session, _WALLETS, keys)
    wallets = _grouped(row[:2] for row in held)
    providers = _grouped(sorted({(row[0], row[2]) for row in held if row[2]}))
    banks = _grouped(rows_by_key(session, _BANKS, keys))
    people = [owner.person_id for each in found for owner in each.owners if owner.person_id]
    births: dict[str, str] = dict(rows_by_key(session, _BIRTHS, people))
    return [
        _subject(each, forms[each.participant_id], wallets, providers, banks, births)
        for each in found
    ]


def page(session: Session, after: str, limit: int) -> list[str]:
    """Return up to `limit` ids of participants above `after`, in order."""
    return [row[0] for row in rows(session, _PAGE, (after, limit))]


def _subject(
    each: Screenable,
    form: Sequence[str | None],
    wallets: dict[str, list[str]],
    providers: dict[str, list[str]],
    banks: dict[str, list[str]],
    births: dict[str, str],
) -> Subject:
    legal_form, lei, vat_id, tax_id = form
    kind = NameKind.ORGANIZATION if legal_form == "legal_entity" else NameKind.PERSON
    if legal_form == "sole_proprietor":  # Trades under its own name or another.
        kind = NameKind.UNKNOWN
    parts = [
        Part("name", digest(name), name, kind, each.country)
        for name in each.names
        if name != ERASED
    ]
    for owner in each.owners:
        if owner.participant_id is None and owner.name != ERASED:
            parts.append(_owner(owner, births))
    for address in wallets.get(each.participant_id, ()):
        parts.append(Part("wallet", address, address, NameKind.UNKNOWN, None))
    for provider in providers.get(each.participant_id, ()):
        key = _PROVIDER + digest(provider)
        parts.append(Part("identifier", key, provider, NameKind.ORGANIZATION, None))
    numbers = {("lei", lei), ("tax", vat_id), ("tax", _at_home(vat_id)), ("tax", tax_id)}
    numbers |= {("bic", bic[:_BIC_OF_BANK]) for bic in banks.get(each.participant_id, ())}
    for word, number in sorted((word, number) for word, number in numbers if number):
        plain = plain_identifier(word, number)
        parts.append(Part("identifier", f"{word}:{plain}", plain, NameKind.UNKNOWN, None))
    return Subject(each.participant_id, tuple(parts), each.owners)


def _at_home(vat_id: str | None) -> str | None:
    """Return a VAT number without the country before it, as its own country's lists have it."""
    return vat_id[2:] if vat_id and vat_id[:2].isalpha() else None


def _owner(owner: Owner, births: dict[str, str]) -> Part:
    if owner.person_id:
        return Part(
            "owner", owner.person_id, owner.name, NameKind.PERSON, owner.country,
            births.get(owner.person_id), owner.role, owner.share_bp,
        )  # fmt: skip
    return Part(
        "owner", digest(owner.name), owner.name, NameKind.ORGANIZATION, owner.country, None,
        owner.role, owner.share_bp,
    )  # fmt: skip


def digest(name: str) -> str:
    """Return what stands for a name where it is a key: no text of it is kept."""
    return hashlib.sha256(name.encode()).hexdigest()[:_SHORT]


def _grouped(found: Iterable[tuple[str, ...]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for key, value in found:
        grouped.setdefault(key, []).append(value)
    return grouped
