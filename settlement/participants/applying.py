"""What each kind of change does to a participant's rows, and what takes it back.

Asks nobody: `changes` does. Terms hold of persons their ids alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.port import Address
from settlement.clock import Ids, to_micros
from settlement.errors import Invalid, NotFound
from settlement.participants import accounts, identity, owners
from settlement.participants.accounts import NewAccount
from settlement.participants.wallets import WalletTerms, put_wallet, require_free, retire_wallet
from settlement.store.bulk import insert_rows

PAYEE_KINDS = frozenset(
    {"wallet", "wallet_removal", "bank_account", "bank_account_removal", "name"}
)
COOLING = frozenset({"wallet", "bank_account", "name"})
"""After its approval, each waits before money follows it."""
LATER = frozenset({"name"})
"""Kinds without a date of their own: written only when the cooling-off is over."""
ADDRESS_FIELDS = ("country", "subdivision", "street", "building_number", "post_code", "town")
ALIAS_KINDS = ("trading", "former", "other")

_RENAME = text("UPDATE participant SET name = :name WHERE id = :id AND name <> :name")
_NAME = text("SELECT name FROM participant WHERE id = :id")
_MOVE_HOUSE = text(
    "UPDATE participant SET country = :country, subdivision = :subdivision, street = :street,"
    " building_number = :building_number, post_code = :post_code, town = :town WHERE id = :id"
)
_END_ALIASES = text(
    "UPDATE participant_alias SET live = false WHERE participant_id = :id AND live"
    " AND kind <> 'former'"
)
_ALIAS = ("id", "participant_id", "name", "kind", "live", "created_at")


def check(
    session: Session, participant_id: str, kind: str, subject: str, terms: Mapping[str, Any]
) -> None:
    """Return quietly if a change could be made now.

    Raises:
        Invalid, NotFound, WalletRefused, PayeeAccountExists: it could not.
    """
    if kind == "wallet":
        require_free(session, participant_id, Address(subject))
    elif kind == "wallet_removal":
        _require_wallet(session, participant_id, subject)
    elif kind == "bank_account":
        accounts.require_new(session, NewAccount(**terms))
    elif kind == "bank_account_removal":
        if subject not in {each.id for each in accounts.accounts(session, participant_id)}:
            raise NotFound("bank account", subject)
    elif kind == "name":
        identity.refuse([("name", terms["name"], identity.line_fault(terms["name"]))])
    elif kind == "address":
        _check_address(terms)
    elif kind == "aliases":
        _check_aliases(terms["aliases"])
    else:
        assert kind == "owners", f"there is no change of {kind}"


def apply(
    session: Session,
    participant_id: str,
    kind: str,
    subject: str,
    terms: Mapping[str, Any],
    *,
    usable_from: int | None,
    ids: Ids,
    now: datetime,
) -> None:
    """Make a change. Money follows it from `usable_from`; None: once it is activated."""
    if kind == "wallet":
        wallet = WalletTerms(Address(subject), terms["kind"], terms["provider"], terms["proved_by"])
        put_wallet(session, participant_id, wallet, usable_from=usable_from, now=now)
    elif kind == "wallet_removal":
        retire_wallet(session, participant_id, Address(subject), now)
    elif kind == "bank_account":
        accounts.put(
            session, participant_id, NewAccount(**terms), usable_from=usable_from, ids=ids, now=now
        )
    elif kind == "bank_account_removal":
        accounts.end(session, participant_id, subject)
    elif kind == "name":
        _rename(session, participant_id, terms["name"], ids, now)
    elif kind == "address":
        session.execute(_MOVE_HOUSE, {"id": participant_id, **terms})
    elif kind == "aliases":
        session.execute(_END_ALIASES, {"id": participant_id})
        _add_aliases(session, participant_id, terms["aliases"], ids, now)
    else:
        owners.count_from_now(session, participant_id, terms["owner_ids"])


def take_back(
    session: Session,
    participant_id: str,
    kind: str,
    subject: str,
    terms: Mapping[str, Any],
    now: datetime,
) -> None:
    """Undo a change that was approved and has not begun to count."""
    if kind == "wallet":
        retire_wallet(session, participant_id, Address(subject), now)
    elif kind == "bank_account":
        account = NewAccount(**terms)
        for each in accounts.accounts(session, participant_id):
            known = (each.iban, each.account_number, each.clearing_code, each.currency)
            if known == (
                account.iban, account.account_number, account.clearing_code, account.currency,
            ):  # fmt: skip
                accounts.end(session, participant_id, each.id)
    else:
        assert kind in LATER, f"a change of {kind} counts at once"


def _require_wallet(session: Session, participant_id: str, address: str) -> None:
    found = session.execute(
        text(
            "SELECT 1 FROM wallet WHERE address = :address AND participant_id = :id"
            " AND retired_at IS NULL"
        ),
        {"address": address, "id": participant_id},
    )
    if found.scalar() is None:
        raise NotFound("wallet", address)


def _rename(session: Session, participant_id: str, name: str, ids: Ids, now: datetime) -> None:
    before = session.execute(_NAME, {"id": participant_id}).scalar_one()
    if session.connection().execute(_RENAME, {"id": participant_id, "name": name}).rowcount:
        # Who had a name before is looked for under it still.
        _add_aliases(session, participant_id, [{"name": before, "kind": "former"}], ids, now)


def _add_aliases(
    session: Session,
    participant_id: str,
    aliases: Sequence[Mapping[str, str]],
    ids: Ids,
    now: datetime,
) -> None:
    at = to_micros(now)
    insert_rows(
        session,
        "participant_alias",
        _ALIAS,
        [(ids("als"), participant_id, each["name"], each["kind"], True, at) for each in aliases],
    )


def _check_address(terms: Mapping[str, Any]) -> None:
    assert set(terms) == set(ADDRESS_FIELDS), "the door has read them all"
    identity.refuse(
        [
            ("country", terms["country"], identity.country_fault(terms["country"])),
            ("town", terms["town"], identity.line_fault(terms["town"])),
            ("street", terms["street"], identity.line_fault(terms["street"], needed=False)),
            ("post_code", terms["post_code"],
             identity.line_fault(terms["post_code"], needed=False)),
            ("subdivision", terms["subdivision"],
             identity.line_fault(terms["subdivision"], needed=False)),
            ("building_number", terms["building_number"],
             identity.line_fault(
                 terms["building_number"], most=identity.BUILDING_MAX, needed=False)),
        ]
    )  # fmt: skip


def _check_aliases(aliases: Sequence[Mapping[str, str]]) -> None:
    if len(aliases) > identity.ALIASES_MAX:
        raise Invalid(
            f"{len(aliases)} names", field="aliases", repair=f"at most {identity.ALIASES_MAX}"
        )
    for place, each in enumerate(aliases):
        identity.refuse(
            [
                ("name", each["name"], identity.line_fault(each["name"])),
                ("kind", each["kind"],
                 "" if each["kind"] in ALIAS_KINDS else f"one of {', '.join(ALIAS_KINDS)}"),
            ],
            f"aliases/{place}/",
        )  # fmt: skip
