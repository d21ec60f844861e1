"""A signer that is out of reach: before it has heard the question, or after it has signed.

Implements `Signer`. What it signed it remembers, whether or not anybody heard of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from settlement.chain.port import Address
from settlement.signer import IntentSigner, Refusal, Signature, SigningRequest
from settlement.signer.socket import SignerUnreachable

SIGNER_FAULTS = ("before", "after")


class FaultySigner:
    """A signer behind a line that breaks as it is told to."""

    def __init__(
        self,
        inside: IntentSigner,
        planned: list[str],
        tell: Callable[[str], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._inside, self._planned, self._tell = inside, planned, tell
        self._clock = clock

    @property
    def address(self) -> Address:
        """See `Signer.address`."""
        return self._inside.address

    def signed_through(self) -> int | None:
        """See `Signer.signed_through`."""
        return self._inside.signed_through()

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        """See `Signer.sign`. It asks its own clock: who asks may have slept since it read one."""
        fault = self._planned.pop(0) if self._planned else ""
        if fault:
            self._tell(f"signer.{fault}")
        if fault == "before":
            raise SignerUnreachable("the signer does not answer")
        answers = self._inside.sign(requests, self._clock())
        if fault == "after":
            raise SignerUnreachable("the signer's answer was lost")
        return answers
