"""Proving that an address is somebody's: challenges issued and used once, signatures judged.

Judging needs no database; a contract wallet's own answer is asked for outside of any database
transaction. What a proof leads to is `changes`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.keccak import keccak
from settlement.chain.port import Address, ChainPort
from settlement.chain.rail_abi import selector, word
from settlement.chain.signing import recovered
from settlement.clock import Ids, to_micros
from settlement.errors import ChainUnreachable, Conflict, ForeignChain, Invalid, NotFound
from settlement.participants import identity
from settlement.participants.addresses import checksummed
from settlement.participants.challenges import (
    Challenge,
    message,
    personal_payload,
    typed_payload,
)
from settlement.participants.deployments import deployment
from settlement.participants.wallets import WalletTerms, require_free
from settlement.store.bulk import insert_rows

METHODS = ("eip191", "eip712", "eip1271")
KINDS = ("custodial", "self_hosted")
SIGNATURE_BYTES = 65
CONTRACT_SIGNATURE_MAX = 8_192
"""Bytes: what several signers of a contract wallet need, and no more."""
OPEN_MAX = 20
"""Challenges of one participant that may be open at a time."""

IS_VALID_SIGNATURE = selector("isValidSignature(bytes32,bytes)")
MAGIC = IS_VALID_SIGNATURE + "0" * 56
"""What a contract wallet answers where the signature is its own. Source: ERC-1271."""

_COLUMNS = (
    "id", "participant_id", "address", "chain_id", "domain", "nonce", "kind", "provider",
    "issued_by", "issued_at", "expires_at",
)  # fmt: skip
_FIND = text(
    "SELECT c.id, c.participant_id, c.address, c.chain_id, d.rail, c.domain, c.nonce, c.kind,"
    " c.provider, c.issued_at, c.expires_at, c.used_at FROM wallet_challenge c"
    " CROSS JOIN deployment d WHERE c.id = :id AND c.participant_id = :of"
)
_OPEN = text(
    "SELECT COUNT(*) FROM wallet_challenge WHERE participant_id = :of AND used_at IS NULL"
    " AND expires_at > :at"
)
_USE = text(
    "UPDATE wallet_challenge SET used_at = :at WHERE id = :id AND used_at IS NULL"
    " AND expires_at > :at"
)
_PROOF = (
    "challenge_id", "participant_id", "address", "chain_id", "method", "digest", "signature",
    "proved_by", "at",
)  # fmt: skip


class WalletNotProved(Invalid):
    """The signature is not one of this address over this challenge."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"{checksummed(address)} is not proved: {reason}",
            field="signature",
            repair="sign the challenge as it was given, with this wallet, on this chain",
        )


class ChallengeOver(Conflict):
    """A challenge is used once, and only for a short time."""

    def __init__(self, challenge_id: str, reason: str) -> None:
        super().__init__(
            f"challenge {challenge_id} {reason}",
            field="challenge_id",
            repair="ask for a new challenge and sign that one",
        )


class ChallengesOpen(Conflict):
    """A participant has only so many open challenges."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count} challenges are open already",
            repair="sign one of them, or wait until they have expired",
        )


@dataclass(frozen=True, slots=True)
class Proving:
    """What an installation puts into each challenge."""

    domain: str
    """Where the doors are, as people read it: `rail.example`."""
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Judged:
    """A signature that was found to be the address's own."""

    challenge: Challenge
    method: str
    digest: str
    signature: str


class WalletAsked(NamedTuple):
    """An address that somebody says to hold."""

    address: Address
    kind: str
    provider: str | None


def issue(
    session: Session,
    participant_id: str,
    wanted: WalletAsked,
    *,
    nonce: str,
    proving: Proving,
    by: str,
    ids: Ids,
    now: datetime,
) -> Challenge:
    """Store a challenge for an address; `nonce` is random, at least 128 bits in hexadecimal.

    Raises:
        Invalid: an unknown kind, or a provider that is missing or not wanted.
        WalletRefused: the address is another's, or none that money can be paid to.
        ChallengesOpen: too many wait already.
    """
    assert len(nonce) >= 32, "who can guess a nonce can have it signed before"
    is_custodial = wanted.kind == "custodial"
    identity.refuse(
        [
            ("kind", wanted.kind, "" if wanted.kind in KINDS else f"one of {', '.join(KINDS)}"),
            ("provider", wanted.provider,
             identity.line_fault(wanted.provider or "") if is_custodial
             else "" if wanted.provider is None else "only a custodial wallet has a provider"),
        ]
    )  # fmt: skip
    require_free(session, participant_id, wanted.address)
    values = {"of": participant_id, "at": to_micros(now)}
    waiting = session.execute(_OPEN, values).scalar_one()
    if waiting >= OPEN_MAX:
        raise ChallengesOpen(waiting)
    start = now.replace(microsecond=0)
    rail = deployment(session)
    challenge = Challenge(
        id=ids("wch"),
        participant_id=participant_id,
        address=wanted.address,
        chain_id=rail.chain_id,
        rail=rail.rail,
        domain=proving.domain,
        nonce=nonce,
        kind=wanted.kind,
        provider=wanted.provider,
        issued_at=to_micros(start),
        expires_at=to_micros(start + proving.lifetime),
        used_at=None,
    )
    row = (
        challenge.id, participant_id, wanted.address, rail.chain_id, proving.domain, nonce,
        wanted.kind, wanted.provider, by, challenge.issued_at, challenge.expires_at,
    )  # fmt: skip
    insert_rows(session, "wallet_challenge", _COLUMNS, [row])
    return challenge


def challenge(session: Session, participant_id: str, challenge_id: str) -> Challenge:
    """Return a participant's challenge.

    Raises:
        NotFound: it has none of this id.
    """
    row = session.execute(_FIND, {"id": challenge_id, "of": participant_id}).one_or_none()
    if row is None:
        raise NotFound("challenge", challenge_id)
    return Challenge(*row)


def judge(
    asked: Challenge, method: str, signature: bytes, *, chain: ChainPort | None, now: datetime
) -> Judged:
    """Return the proof, if the signature is the address's own over this challenge.

    With `eip1271` the contract at the address is asked, in the newest block. Network: outside of
    any database transaction.

    Raises:
        WalletNotProved: it is not.
        ChallengeOver: it was used, or has expired.
        ChainUnreachable, ForeignChain: only with `eip1271`.
    """
    require_open(asked, now)
    if method == "eip191":
        payload = personal_payload(message(asked))
        _require_recovered(asked, payload, signature)
    elif method == "eip712":
        payload = typed_payload(asked)
        _require_recovered(asked, payload, signature)
    elif method == "eip1271":
        payload = _accepted_by_contract(asked, signature, chain)
    else:
        raise Invalid(
            f"method {method[:20]!r} is not known", field="method",
            repair=f"one of {', '.join(METHODS)}",
        )  # fmt: skip
    return Judged(asked, method, "0x" + keccak(payload).hex(), "0x" + signature.hex())


def require_open(asked: Challenge, now: datetime) -> None:
    """Return quietly if a challenge can still be answered.

    Raises:
        ChallengeOver: it was used, or has expired.
    """
    if asked.used_at is not None:
        raise ChallengeOver(asked.id, "was used already")
    if to_micros(now) >= asked.expires_at:
        raise ChallengeOver(asked.id, "has expired")


def use(session: Session, judged: Judged, *, by: str, now: datetime) -> WalletTerms:
    """Use the challenge up and keep the proof; return what is known of the wallet by it.

    Raises:
        ChallengeOver: somebody was faster, or it has expired meanwhile.
        WalletRefused: the address became somebody else's meanwhile.
    """
    asked = judged.challenge
    if not session.connection().execute(_USE, {"id": asked.id, "at": to_micros(now)}).rowcount:
        require_open(challenge(session, asked.participant_id, asked.id), now)
        raise ChallengeOver(asked.id, "was used already")
    require_free(session, asked.participant_id, asked.address)
    row = (
        asked.id, asked.participant_id, asked.address, asked.chain_id, judged.method,
        judged.digest, judged.signature, by, to_micros(now),
    )  # fmt: skip
    insert_rows(session, "wallet_proof", _PROOF, [row])
    proved_by = "contract" if judged.method == "eip1271" else "signature"
    return WalletTerms(asked.address, asked.kind, asked.provider, proved_by)


def _require_recovered(asked: Challenge, payload: bytes, signature: bytes) -> None:
    """Return quietly if the key behind the address made the signature, in its one accepted form."""
    if len(signature) != SIGNATURE_BYTES:
        raise WalletNotProved(asked.address, f"a signature has {SIGNATURE_BYTES} bytes")
    # Wallets write 27 or 28 where others write 0 or 1.
    parity = signature[64] - 27 if signature[64] in (27, 28) else signature[64]
    try:
        signer = recovered(payload, signature[:64] + bytes([parity]))
    except ValueError as error:
        raise WalletNotProved(asked.address, str(error)) from None
    if signer != asked.address:
        raise WalletNotProved(asked.address, "another key signed, or another text or chain")


def _accepted_by_contract(asked: Challenge, signature: bytes, chain: ChainPort | None) -> bytes:
    """Return the payload, of the two, whose hash the contract at the address takes as signed."""
    if chain is None:
        raise ChainUnreachable("this gateway was started without a chain")
    if not 0 < len(signature) <= CONTRACT_SIGNATURE_MAX:
        raise WalletNotProved(
            asked.address, f"a contract's signature has 1 to {CONTRACT_SIGNATURE_MAX} bytes"
        )
    if chain.identity().chain_id != asked.chain_id:
        raise ForeignChain(f"the node is not on chain {asked.chain_id}")
    if chain.code_hashes([asked.address]) == [None]:
        raise WalletNotProved(asked.address, "no contract is there: sign with its key instead")
    payloads = [personal_payload(message(asked)), typed_payload(asked)]
    calls = [(asked.address, _question(keccak(payload), signature)) for payload in payloads]
    for payload, answer in zip(payloads, chain.call_many(calls), strict=True):
        # Exactly one word: what returns its input, or more than it should, has said nothing.
        if answer.lower() == MAGIC:
            return payload
    raise WalletNotProved(asked.address, "its contract does not take the signature as its own")


def _question(digest: bytes, signature: bytes) -> str:
    padded = signature + bytes(-len(signature) % 32)
    return IS_VALID_SIGNATURE + digest.hex() + word(64) + word(len(signature)) + padded.hex()
