"""What a signer takes and gives. It may live here, in another process, or in a remote service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from settlement.chain.port import Address, Hash
from settlement.errors import RailError


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """Sign what is stored under this id, with these fees; `as_cancel` for a no-op in its place."""

    chain_tx_id: str
    max_fee_wei: int
    priority_fee_wei: int
    as_cancel: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """Signed bytes; the same request always gives the same ones."""

    chain_tx_id: str
    hash: Hash
    raw: bytes
    max_fee_wei: int | None = None
    """The fees that were signed: not those asked for, where an earlier signature comes again."""
    priority_fee_wei: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the signer did not sign."""

    chain_tx_id: str
    reason: str
    ended: bool = False
    """Only because a clearance in it has ended: a cancel in its place would be signed."""


class SignatureInvalid(RailError):
    """What holds the key gave no signature of that key in its one accepted form."""


class KeyHolder(Protocol):
    """Has one secret key, here or elsewhere, and signs what it is given; knows no rule."""

    @property
    def address(self) -> Address:
        """The key's address."""

    def sign(self, payload: bytes) -> bytes:
        """Return r, s and the parity (0 or 1), 65 bytes, over the payload's Keccak-256.

        Raises:
            Retryable: the key cannot be reached.
            SignatureInvalid: what came back is no signature of this key.
        """


class Signer(Protocol):
    """Signs intents of one key."""

    @property
    def address(self) -> Address:
        """The signer's address: its lane."""

    def signed_through(self) -> int | None:
        """Return the highest nonce in the signer's own memory; None before the first."""

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        """Answer each request, in order. Raises `Retryable` when the signer cannot be reached."""
