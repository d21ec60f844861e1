"""Changes of participants over HTTP: at once while it has applied, later with a second person."""

from __future__ import annotations

from datetime import datetime

import orjson
from sqlmodel import Session

from gateway.api import participant_bodies as bodies
from gateway.api import participant_views as views
from gateway.api.operation import Command
from gateway.api.participant_acts import Act, act, salt
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.writer import Work, one_by_one
from settlement import participants
from settlement.participants import accounts as payee_accounts
from settlement.participants import applying, changes, owners
from settlement.participants.accounts import NewAccount
from settlement.participants.changes import Wanted
from settlement.participants.owners import NewOwner


async def plan_owners(gateway: Gateway, command: Command) -> Work:
    """Declare all owners and controllers anew."""
    return Work(_OWNERS, act(gateway, command, bodies.OwnersBody))


async def plan_account(gateway: Gateway, command: Command) -> Work:
    """Add an account at a bank; later than the application, a second person approves."""
    return Work(_ACCOUNT, act(gateway, command, bodies.AccountBody))


async def plan_end_account(gateway: Gateway, command: Command) -> Work:
    """Give an account at a bank up."""
    return Work(_END_ACCOUNT, act(gateway, command, bodies.ReasonBody, "account_id"))


async def plan_name(gateway: Gateway, command: Command) -> Work:
    """Change the name; the old one is kept as a former one."""
    return Work(_NAME, act(gateway, command, bodies.NameBody))


async def plan_address(gateway: Gateway, command: Command) -> Work:
    """Change the address."""
    return Work(_ADDRESS, act(gateway, command, bodies.AddressBody))


async def plan_aliases(gateway: Gateway, command: Command) -> Work:
    """Name all other names anew; former ones stay."""
    return Work(_ALIASES, act(gateway, command, bodies.AliasesBody))


def propose(session: Session, done: Act, wanted: Wanted, now: datetime) -> Reply:
    """Change somebody who has only applied, or ask for a second person."""
    made = changes.propose(
        session,
        done.participant_id,
        wanted,
        by=done.actor,
        reason=done.body.reason,
        cooling_seconds=done.gateway.settings.payee_cooling_off_seconds,
        ids=done.gateway.ids,
        now=now,
    )
    if made is None:
        terms = dict(wanted.terms)
        said = views.done(done.participant_id, wanted.kind, wanted.subject, terms)
        return Reply(200, orjson.dumps(said))
    return Reply(202, orjson.dumps(views.change(made)))


def _owners(session: Session, done: Act, now: datetime) -> Reply:
    participants.participant(session, done.participant_id)
    lines = [NewOwner(**line.model_dump()) for line in done.body.owners]
    made = owners.declare(
        session, done.participant_id, lines, salts=salt, ids=done.gateway.ids, now=now
    )
    return propose(session, done, Wanted("owners", "owners", {"owner_ids": made}), now)


def _account(session: Session, done: Act, now: datetime) -> Reply:
    said = done.body.model_dump(exclude={"reason"})
    account = payee_accounts.checked(NewAccount(**said))
    terms = {name: getattr(account, name) for name in NewAccount.__slots__}
    subject = f"{account.iban or account.account_number}:{account.currency}"
    return propose(session, done, Wanted("bank_account", subject, terms), now)


def _end_account(session: Session, done: Act, now: datetime) -> Reply:
    return propose(session, done, Wanted("bank_account_removal", done.other_id, {}), now)


def _name(session: Session, done: Act, now: datetime) -> Reply:
    return propose(session, done, Wanted("name", "name", {"name": done.body.name}), now)


def _address(session: Session, done: Act, now: datetime) -> Reply:
    terms = {name: getattr(done.body, name) for name in applying.ADDRESS_FIELDS}
    return propose(session, done, Wanted("address", "address", terms), now)


def _aliases(session: Session, done: Act, now: datetime) -> Reply:
    terms = {"aliases": [line.model_dump() for line in done.body.aliases]}
    return propose(session, done, Wanted("aliases", "aliases", terms), now)


_OWNERS = one_by_one(_owners)
_ACCOUNT = one_by_one(_account)
_END_ACCOUNT = one_by_one(_end_account)
_NAME = one_by_one(_name)
_ADDRESS = one_by_one(_address)
_ALIASES = one_by_one(_aliases)
