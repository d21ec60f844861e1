"""Proofs of wallets over HTTP: a challenge to sign, and the signature.

A contract wallet's own answer is asked for before the writer's database transaction begins.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlmodel import Session

from gateway.api import participant_bodies as bodies
from gateway.api import participant_views as views
from gateway.api.operation import Command
from gateway.api.participant_acts import Act, act
from gateway.api.participant_changes import propose
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.writer import Work, one_by_one
from settlement import participants
from settlement.clock import iso
from settlement.participants import challenges, moves, proofs
from settlement.participants.challenges import Challenge
from settlement.participants.changes import Wanted
from settlement.participants.proofs import Judged, Proving, WalletAsked
from settlement.participants.wallets import reprove
from settlement.store import reading

NONCE_BYTES = 16


class Answered(NamedTuple):
    """A signature that was found good, and who sent it."""

    act: Act
    judged: Judged


async def plan_challenge(gateway: Gateway, command: Command) -> Work:
    """Ask what to sign to prove an address: once, and for a short time."""
    return Work(_ISSUE, act(gateway, command, bodies.ChallengeBody))


async def plan_proof(gateway: Gateway, command: Command) -> Work:
    """Prove an address by the signature of its key, or by its contract's own answer."""
    done = act(gateway, command, bodies.ProofBody)
    return Work(_USE, Answered(done, await asyncio.to_thread(_judged, done)))


async def plan_remove(gateway: Gateway, command: Command) -> Work:
    """Give a wallet up: nothing is paid from or to it any more."""
    return Work(_REMOVE, act(gateway, command, bodies.WalletRemovalBody))


def challenge(found: Challenge) -> dict[str, Any]:
    """Return a challenge as it is answered."""
    return {
        "object": "wallet_challenge",
        "id": found.id,
        "participant_id": found.participant_id,
        "address": participants.checksummed(found.address),
        "chain_id": found.chain_id,
        "message": challenges.message(found),
        "typed_data": challenges.typed_data(found),
        "expires_at": iso(found.expires_at),
    }


def _judged(done: Act) -> Judged:
    with reading(done.gateway.engine) as session:
        asked = proofs.challenge(session, done.participant_id, done.body.challenge_id)
    return proofs.judge(
        asked,
        done.body.method,
        bytes.fromhex(done.body.signature[2:]),
        chain=done.gateway.chain,
        now=done.gateway.clock(),
    )


def _issue(session: Session, done: Act, now: datetime) -> Reply:
    participants.participant(session, done.participant_id)
    settings = done.gateway.settings
    made = proofs.issue(
        session,
        done.participant_id,
        WalletAsked(
            participants.parse_address(done.body.address, field="address"),
            done.body.kind,
            done.body.provider,
        ),
        nonce=secrets.token_hex(NONCE_BYTES),
        proving=Proving(
            settings.wallet_proof_domain, timedelta(seconds=settings.wallet_proof_seconds)
        ),
        by=done.caller.hand,
        ids=done.gateway.ids,
        now=now,
    )
    return Reply(201, orjson.dumps(challenge(made)))


def _use(session: Session, answered: Answered, now: datetime) -> Reply:
    done = answered.act
    terms = proofs.use(session, answered.judged, by=done.caller.hand, now=now)
    moves.note(
        session, done.participant_id, "wallet_proved", actor=done.caller.actor, now=now,
        detail={"challenge": answered.judged.challenge.id, "digest": answered.judged.digest},
    )  # fmt: skip
    said = {"kind": terms.kind, "provider": terms.provider, "proved_by": terms.proved_by}
    if reprove(session, done.participant_id, terms):
        # Money went there before: nothing about the payee changes, only what proves it.
        return Reply(
            200, orjson.dumps(views.done(done.participant_id, "wallet", terms.address, said))
        )
    return propose(session, done, Wanted("wallet", terms.address, said), now)


def _remove(session: Session, done: Act, now: datetime) -> Reply:
    address = participants.parse_address(done.body.address, field="address")
    return propose(session, done, Wanted("wallet_removal", address, {}), now)


_ISSUE = one_by_one(_issue)
_USE = one_by_one(_use)
_REMOVE = one_by_one(_remove)
