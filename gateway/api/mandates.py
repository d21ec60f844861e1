"""Mandates over HTTP: what debtors allow, what they sign to change that, relaying what they signed.

Holds no debtor's key: the debtor signs in its own wallet, the gateway checks and passes on.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import Command
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement import participants
from settlement.chain.mandate_abi import UnsignedChainTx
from settlement.chain.port import Address, ChainPort
from settlement.clock import iso, to_micros
from settlement.errors import ChainUnreachable, Invalid, NotFound
from settlement.money import format_minor, parse_minor
from settlement.participants import Allowed, GrantTerms, Mandate
from settlement.participants.deployments import RecordedToken, tokens
from settlement.store import reading

_SECOND = 1_000_000

Hexadecimal = Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})+$", max_length=4_096)]
WalletOf = Annotated[str, Query(max_length=42, description="A debtor's address.")]
Symbol = Annotated[str, Query(max_length=20, description="For instance TEUR.")]


class MandateAnswer(Shape):
    """What a debtor allows the rail to take of one token; the last three as the chain says now."""

    object: Literal["mandate"]
    participant_id: str | None
    debtor_wallet: str
    token_symbol: str
    cap_per_payment: str
    cap_per_day: str
    expires_at: str
    tx_hash: str
    left_today: str | None = Field(description="None: the chain did not answer.")
    allowance: str | None
    balance: str | None


class MandateList(Shape):
    """Every mandate that is set."""

    object: Literal["list"]
    has_more: bool
    data: list[MandateAnswer]


class Unsigned(Shape):
    """A chain transaction to be signed by `from` in its own wallet, which sets nonce and fees."""

    purpose: str
    fields: dict[str, str] = Field(description="As a wallet's eth_sendTransaction takes them.")


class Instruction(Shape):
    """What the debtor signs, in this order."""

    object: Literal["mandate_instruction"]
    to_sign: list[Unsigned]


class RelayBody(Body):
    """Signed chain transactions that grant, change or revoke the caller's own mandates."""

    signed: Annotated[list[Hexadecimal], Field(min_length=1, max_length=10)]


class Relayed(Shape):
    """What the node said to one of them."""

    tx_hash: str
    outcome: str = Field(description="accepted: the node has it; the mandate counts once mined.")
    message: str


class RelayAnswer(Shape):
    """An answer per signed chain transaction, in their order."""

    object: Literal["list"]
    data: list[Relayed]


def list_mandates(
    gateway: TheGateway,
    caller: TheCaller,
    wallet: Annotated[str | None, Query(max_length=42)] = None,
) -> Response:
    """Set and not revoked; one may have expired. With what is left of the day on the chain."""
    debtor = None if wallet is None else participants.parse_address(wallet, field="wallet")
    with reading(gateway.engine) as session:
        owners = {each.address: each.participant_id for each in participants.wallets(session)}
        found = [
            mandate
            for mandate in participants.mandates(session, debtor)
            if caller.party in (None, owners.get(mandate.debtor_wallet))
        ]
        by_address = {token.address: token for token in tokens(session)}
        rail = participants.deployment(session).rail if found else None
    found = [mandate for mandate in found if mandate.token in by_address]
    left = _allowed(gateway.chain, rail, found)
    data = [
        _shown(mandate, by_address[mandate.token], owners.get(mandate.debtor_wallet), each)
        for mandate, each in zip(found, left, strict=True)
    ]
    return json_answer({"object": "list", "has_more": False, "data": data})


def get_grant(
    gateway: TheGateway,
    caller: TheCaller,
    wallet: WalletOf,
    token_symbol: Symbol,
    cap_per_payment: Annotated[str, Query(max_length=40)],
    cap_per_day: Annotated[str, Query(max_length=40)],
    expires_at: datetime,
    allowance: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """What the debtor signs to grant a mandate, or to change one. Nothing is changed here."""
    if expires_at.tzinfo is None:
        raise Invalid("expires_at has no zone", field="expires_at", repair="end it with Z")
    with reading(gateway.engine) as session:
        debtor = _own_wallet(session, caller, wallet)
        token = _token(session, token_symbol)
        amounts = {
            name: None if value is None else parse_minor(value, token.decimals, field=name)
            for name, value in (
                ("cap_per_payment", cap_per_payment),
                ("cap_per_day", cap_per_day),
                ("allowance", allowance),
            )
        }
        terms = GrantTerms(
            debtor_wallet=debtor,
            token=token.address,
            cap_per_payment_minor=amounts["cap_per_payment"] or 0,
            cap_per_day_minor=amounts["cap_per_day"] or 0,
            expires_at=to_micros(expires_at) // _SECOND,
            allowance_minor=amounts["allowance"],
        )
        to_sign = participants.grant_instructions(session, terms, gateway.clock())
    return json_answer(_instruction(to_sign))


def get_revocation(
    gateway: TheGateway, caller: TheCaller, wallet: WalletOf, token_symbol: Symbol
) -> Response:
    """What the debtor signs to end a mandate at once. Nothing is changed here."""
    with reading(gateway.engine) as session:
        debtor = _own_wallet(session, caller, wallet)
        token = _token(session, token_symbol)
        to_sign = participants.revoke_instruction(session, debtor, token.address)
    return json_answer(_instruction([to_sign]))


async def plan_relay(gateway: Gateway, command: Command) -> Work:
    """Check signed mandate calls of the caller's own wallets and hand them to the chain."""
    body = json_body.read(command.content, RelayBody)
    raw = [bytes.fromhex(each[2:]) for each in body.signed]
    return Work(_KEEP, await asyncio.to_thread(_relay, gateway, command.caller, raw))


def _relay(gateway: Gateway, caller: Caller, raw: list[bytes]) -> Reply:
    """Send before the answer is kept: a second time the node says that it has them already."""
    if gateway.chain is None:
        raise ChainUnreachable("this gateway was started without a chain")
    with reading(gateway.engine) as session:
        signed = participants.read_signed(session, raw, participant_id=caller.party)
    answers = gateway.chain.send([each.raw for each in signed])
    data = [
        {"tx_hash": each.hash, "outcome": answer.outcome.value, "message": answer.message}
        for each, answer in zip(signed, answers, strict=True)
    ]
    return Reply(202, orjson.dumps({"object": "list", "data": data}))


def _keep(_session: Session, reply: Reply, _now: datetime) -> Reply:
    return reply


_KEEP = one_by_one(_keep)


def _allowed(
    chain: ChainPort | None, rail: Address | None, found: list[Mandate]
) -> list[Allowed | None]:
    if chain is None or rail is None:
        return [None] * len(found)
    try:
        pairs = [(mandate.debtor_wallet, mandate.token) for mandate in found]
        return [*participants.allowed(chain, rail, pairs)]
    except ChainUnreachable:
        return [None] * len(found)


def _own_wallet(session: Session, caller: Caller, wallet: str) -> Address:
    address = participants.parse_address(wallet, field="wallet")
    owner = participants.wallet_owner(session, address)
    if owner is None or caller.party not in (None, owner):
        raise NotFound("wallet", wallet)
    return address


def _token(session: Session, symbol: str) -> RecordedToken:
    for token in tokens(session):
        if token.symbol == symbol:
            return token
    raise NotFound("token", symbol)


def _instruction(to_sign: list[UnsignedChainTx]) -> dict[str, Any]:
    shown = [{"purpose": each.purpose, "fields": each.fields()} for each in to_sign]
    return {"object": "mandate_instruction", "to_sign": shown}


def _shown(
    mandate: Mandate, token: RecordedToken, owner: str | None, allowed: Allowed | None
) -> dict[str, Any]:
    def tokens_of(minor: int) -> str:
        return format_minor(minor, token.decimals)

    return {
        "object": "mandate",
        "participant_id": owner,
        "debtor_wallet": participants.checksummed(mandate.debtor_wallet),
        "token_symbol": token.symbol,
        "cap_per_payment": tokens_of(mandate.cap_per_payment_minor),
        "cap_per_day": tokens_of(mandate.cap_per_day_minor),
        "expires_at": iso(min(mandate.expires_at, _LAST_SECOND) * _SECOND),
        "tx_hash": mandate.tx_hash,
        "left_today": None if allowed is None else tokens_of(allowed.left_today_minor),
        "allowance": None if allowed is None else tokens_of(allowed.allowance_minor),
        "balance": None if allowed is None else tokens_of(allowed.balance_minor),
    }


_LAST_SECOND = 253_402_300_799
"""The end of the year 9999, after which ISO 8601 has no four digits left."""
