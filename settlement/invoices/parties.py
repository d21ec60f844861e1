"""Who a document's seller and buyer are among the participants, and which currencies can be paid.

Reads only; registering is `settlement.participants`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.documents.model import DocumentParty
from settlement.invoices.errors import PartyNotActive, PartyUnknown
from settlement.participants.requirements import effective
from settlement.store.bulk import rows, rows_by_key

_PARTIES = "SELECT id, lei, vat_id, name, state, kyb_valid_until FROM participant WHERE"
_CURRENCIES = (
    "SELECT currency, MAX(decimals) FROM token WHERE listed GROUP BY currency ORDER BY currency"
)


@dataclass(frozen=True, slots=True)
class Party:
    """A participant as far as an invoice needs it."""

    id: str
    lei: str | None
    vat_id: str | None
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Directory:
    """The participants that a batch of documents names, and the currencies that can be paid."""

    by_lei: dict[str, Party]
    by_vat_id: dict[str, list[Party]]
    currencies: dict[str, int]
    """Each with the decimals of its token."""

    def find(self, side: str, named: DocumentParty) -> Party:
        """Return the active participant that the document names: by LEI, else by VAT number.

        Raises:
            PartyUnknown: none, or several share the VAT number.
            PartyNotActive: not active, or its KYB has ended.
        """
        if named.lei:
            party = self.by_lei.get(named.lei)
        else:
            sharing = self.by_vat_id.get(named.vat_id, []) if named.vat_id else []
            party = sharing[0] if len(sharing) == 1 else None
        if party is None:
            raise PartyUnknown(side, _shown(named))
        if party.state != "active":
            raise PartyNotActive(side, party.name, party.state)
        return party


def directory(session: Session, named: Iterable[DocumentParty], now: datetime) -> Directory:
    """Read all that the documents' parties may turn out to be, in at most three statements."""
    at = to_micros(now)
    leis, vat_ids = set(), set()
    for party in named:
        if party.lei:
            leis.add(party.lei)
        elif party.vat_id:
            vat_ids.add(party.vat_id)
    by_lei: dict[str, Party] = {}
    by_vat_id: dict[str, list[Party]] = {}
    for row in rows_by_key(session, f"{_PARTIES} lei {{keys}}", leis):
        by_lei[row[1]] = _party(row, at)
    for row in rows_by_key(session, f"{_PARTIES} vat_id {{keys}}", vat_ids):
        by_vat_id.setdefault(row[2], []).append(_party(row, at))
    currencies: dict[str, int] = dict(rows(session, _CURRENCIES))
    return Directory(by_lei, by_vat_id, currencies)


def _party(row: Sequence[Any], at: int) -> Party:
    party_id, lei, vat_id, name, state, until = row
    return Party(party_id, lei, vat_id, name, effective(state, until, at))


def _shown(named: DocumentParty) -> str:
    known = [each for each in (named.lei, named.vat_id) if each]
    return f"{named.name!r} ({', '.join(known) or 'no LEI, no VAT number'})"
