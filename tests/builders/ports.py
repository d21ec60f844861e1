"""A chain and a signer whose calls fail before or after their effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from settlement.chain.port import SendAnswer, SendOutcome
from settlement.chain.send_answers import meaning
from settlement.signer import Refusal, Signature, SigningRequest
from settlement.signer.socket import SignerUnreachable


class Killed(BaseException):
    """Stands for a process that ended at this very place: nobody catches it."""


@dataclass
class BrokenChain:
    """A chain whose `send` does as the next of `plan` says; afterwards it works again.

    `kill_before`, `kill_after` and `lose_after` (effect, then no answer); or a node's words, with
    which it refuses everything.
    """

    inner: Any
    plan: list[str] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    on_send: Callable[[Sequence[bytes]], None] = lambda _raws: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def send(self, raw_transactions: Sequence[bytes]) -> list[SendAnswer]:
        self.on_send(raw_transactions)
        self.sent += raw_transactions
        fault = self.plan.pop(0) if self.plan else ""
        if fault == "kill_before":
            raise Killed
        if fault and fault not in ("kill_after", "lose_after"):
            return [meaning(fault) for _ in raw_transactions]
        answers: list[SendAnswer] = self.inner.send(raw_transactions)
        if fault == "kill_after":
            raise Killed
        if fault == "lose_after":
            return [SendAnswer(SendOutcome.UNKNOWN, "timed out") for _ in raw_transactions]
        return answers


@dataclass
class BrokenSigner:
    """A signer whose process ends before or after it has signed, or is not there."""

    inner: Any
    plan: list[str] = field(default_factory=list)
    asked: list[SigningRequest] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        self.before()
        self.asked += requests
        fault = self.plan.pop(0) if self.plan else ""
        if fault == "unreachable":
            raise SignerUnreachable("its process is not there")
        if fault == "kill_before":
            raise Killed
        answers: list[Signature | Refusal] = self.inner.sign(requests, now)
        if fault == "kill_after":
            raise Killed
        return answers
