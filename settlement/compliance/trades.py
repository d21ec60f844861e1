"""The trade behind an invoice: what its parties declare, and what its own lines say of the goods.

Declarations are kept for good; the newest of each party counts. Judges nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.compliance import clearance, registers
from settlement.compliance.candidates import NOT_FINAL
from settlement.compliance.policy import NO_TRADE, Trade
from settlement.errors import Forbidden, Invalid, NotFound
from settlement.store.bulk import rows_by_key

SOURCES = ("trade", "own_funds", "loan", "mined", "other")
_TEXT_MAX = 140
_LIST_MAX = 100
_KWH_MAX = 10**9
_HS = re.compile(r"[0-9]{4,10}\Z", re.ASCII)
_HS_MIN, _HS_MAX = 2, 10
_SHA256 = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_DECLARED = (
    "SELECT t.invoice_id, t.participant_id, t.body FROM trade_declaration t"
    " WHERE t.invoice_id {keys} AND t.id = (SELECT MAX(u.id) FROM trade_declaration u"
    " WHERE u.invoice_id = t.invoice_id AND u.participant_id = t.participant_id)"
)
# A coarse sieve: most documents class no goods by HS, and are not parsed.
_CLASSED = (
    "SELECT i.id, d.record FROM invoice i JOIN document d ON d.sha256 = i.document_sha256"
    " WHERE i.id {keys} AND d.record LIKE ?"
)
_CLASSED_BY_HS = '%"HS"%'
_UNDER_WAY = f"SELECT id FROM settlement WHERE invoice_id {{keys}} AND state IN ({NOT_FINAL})"


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that a party has, by its kind and its hash; the bytes stay with the party."""

    kind: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """What one party says of a trade; empty: it says nothing of that."""

    contract_number: str = ""
    contract_registration: str = ""
    purpose_code: str = ""
    hs_codes: tuple[str, ...] = ()
    source_of_funds: str = ""
    mining_register_id: str = ""
    kwh_of_month: int | None = None
    address_identifiers: tuple[str, ...] = ()
    region: str = ""
    documents: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredDeclaration:
    """A declaration as it was made; `at` in microseconds."""

    participant_id: str
    declaration: Declaration
    declared_by: str
    at: int


def declare(
    session: Session,
    invoice_id: str,
    participant_id: str,
    declaration: Declaration,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Keep what a party of an invoice says of its trade; what was cleared is judged anew.

    Raises:
        NotFound: there is no such invoice.
        Forbidden: the party is neither its seller nor its buyer.
        Invalid: a value is none of its kind.
    """
    found = session.connection().execute(
        text("SELECT seller_id, buyer_id FROM invoice WHERE id = :id"), {"id": invoice_id}
    ).one_or_none()  # fmt: skip
    if found is None:
        raise NotFound("invoice", invoice_id)
    if participant_id not in (found.seller_id, found.buyer_id):
        raise Forbidden(f"{participant_id} is no party of invoice {invoice_id}")
    _check(declaration)
    session.connection().execute(
        text(
            "INSERT INTO trade_declaration (invoice_id, participant_id, body, declared_by, at)"
            " VALUES (:invoice, :party, :body, :actor, :at)"
        ),
        {
            "invoice": invoice_id,
            "party": participant_id,
            "body": orjson.dumps(declaration).decode(),
            "actor": actor,
            "at": to_micros(now),
        },
    )
    under_way = [key for (key,) in rows_by_key(session, _UNDER_WAY, [invoice_id])]
    clearance.revoke(session, under_way, now)


def declarations(session: Session, invoice_id: str) -> list[StoredDeclaration]:
    """Return all declarations about an invoice, newest first."""
    found = session.connection().execute(
        text(
            "SELECT participant_id, body, declared_by, at FROM trade_declaration"
            " WHERE invoice_id = :id ORDER BY id DESC LIMIT 1000"
        ),
        {"id": invoice_id},
    )
    return [StoredDeclaration(row[0], _read(row[1]), row[2], row[3]) for row in found]


def trades(session: Session, debtors: Mapping[str, str]) -> dict[str, Trade]:
    """Return what is known of the trade behind each invoice; `debtors` are their buyers, by it.

    The debtor's word goes first; goods and papers are those of both, and of the invoice's lines.
    """
    declared: dict[str, list[Declaration]] = {}
    for invoice_id, participant_id, body in rows_by_key(session, _DECLARED, list(debtors)):
        first = participant_id == debtors[invoice_id]
        declared.setdefault(invoice_id, []).insert(0 if first else 1, _read(body))
    classed = {
        key: _hs_codes(record)
        for key, record in rows_by_key(session, _CLASSED, list(debtors), _CLASSED_BY_HS)
    }
    said = {key: _merged(declared.get(key, ()), classed.get(key, ())) for key in
            declared.keys() | classed.keys()}  # fmt: skip
    members = registers.memberships(
        session,
        (value for each in said.values()
         for value in (each.purpose_code, each.region, each.mining_register_id)),
    )  # fmt: skip
    return {key: _looked_up(each, members) for key, each in said.items()}


def _merged(said: Sequence[Declaration], hs_codes: Iterable[str]) -> Trade:
    def first(name: str) -> Any:
        return next((value for each in said if (value := getattr(each, name))), "")

    codes = [code for each in said for code in each.hs_codes]
    kwh = next((each.kwh_of_month for each in said if each.kwh_of_month is not None), None)
    return replace(
        NO_TRADE,
        contract_number=first("contract_number"),
        contract_registration=first("contract_registration"),
        purpose_code=first("purpose_code"),
        hs_codes=tuple(dict.fromkeys((*hs_codes, *codes))),
        source_of_funds=first("source_of_funds"),
        mining_register_id=first("mining_register_id"),
        kwh_of_month=kwh,
        address_identifiers=tuple(each for one in said for each in one.address_identifiers),
        region=first("region"),
        documents=tuple(dict.fromkeys(paper.kind for one in said for paper in one.documents)),
    )


def _looked_up(trade: Trade, members: Mapping[str, tuple[str, ...]]) -> Trade:
    def of(value: str) -> tuple[str, ...]:
        return members.get(registers.folded(value), ()) if value else ()

    return replace(
        trade,
        purpose_registers=of(trade.purpose_code),
        region_registers=of(trade.region),
        mining_register_known=registers.MINING_OPERATORS in of(trade.mining_register_id),
    )


def _hs_codes(record: str) -> tuple[str, ...]:
    lines = orjson.loads(record).get("lines", [])
    codes = (
        _digits(each["code"])
        for line in lines
        for each in line.get("classifications", [])
        if each["scheme"] == "HS"
    )
    return tuple(dict.fromkeys(code for code in codes if len(code) >= _HS_MIN))


def _digits(code: str) -> str:
    """Return a code's first digits, however they are parted: a country may have more of its own.

    A chapter alone is one too: what is declared may be anything in it.
    """
    digits = [str(unicodedata.decimal(sign)) for sign in code if sign.isdecimal()]
    return "".join(digits[:_HS_MAX])


def _read(body: str) -> Declaration:
    values = orjson.loads(body)
    values["documents"] = tuple(Paper(**each) for each in values["documents"])
    for name in ("hs_codes", "address_identifiers"):
        values[name] = tuple(values[name])
    return Declaration(**values)


def _check(declaration: Declaration) -> None:
    for name, value in asdict(declaration).items():
        if isinstance(value, str) and (len(value) > _TEXT_MAX or not value.isprintable()):
            raise _invalid(name, f"at most {_TEXT_MAX} printable characters")
        if isinstance(value, tuple) and len(value) > _LIST_MAX:
            raise _invalid(name, f"at most {_LIST_MAX} entries")
    if declaration.source_of_funds not in ("", *SOURCES):
        raise _invalid("source_of_funds", f"one of {', '.join(SOURCES)}")
    if not all(_HS.match(code) for code in declaration.hs_codes):
        raise _invalid("hs_codes", "4 to 10 digits of the Harmonised System each")
    if not all(0 < len(each) <= _TEXT_MAX for each in declaration.address_identifiers):
        raise _invalid("address_identifiers", f"up to {_TEXT_MAX} characters each")
    if declaration.kwh_of_month is not None and not 0 <= declaration.kwh_of_month <= _KWH_MAX:
        raise _invalid("kwh_of_month", "a whole number of kilowatt-hours, from 0")
    for paper in declaration.documents:
        if not 0 < len(paper.kind) <= _TEXT_MAX or not _SHA256.match(paper.sha256):
            raise _invalid("documents", "a kind, and a SHA-256 of 64 hexadecimal digits")


def _invalid(field: str, wanted: str) -> Invalid:
    return Invalid(f"{field} is not accepted", field=field, repair=f"send {wanted}")
