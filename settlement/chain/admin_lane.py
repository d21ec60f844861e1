"""The admin's chain transactions, one after another: signed here, sent, and waited for.

Knows no contract. For setting up only: keeps nothing, so payments never go this way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from settlement.chain.port import Address, ChainPort, SendOutcome
from settlement.chain.signing import sign_eip1559
from settlement.errors import ChainUnreachable, Refused

_TIP_WEI = 10**9
_LOOKS_PER_SEND = 50


class Admin(Protocol):
    """Whoever owns the rail: a `KeyPair`, or eth-account's LocalAccount."""

    @property
    def address(self) -> str: ...
    @property
    def key(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    to: Address | None
    data: bytes
    gas_limit: int
    value: int = 0


class AdminLane:
    """The admin's account, used by nobody else while a deployment runs."""

    def __init__(
        self,
        chain: ChainPort,
        admin: Admin,
        owner: Address,
        between_looks: Callable[[], None],
        looks: int,
    ) -> None:
        self._chain = chain
        self._key = bytes(admin.key)
        self._owner = owner
        self._between_looks = between_looks
        self._looks = looks

    def of(self, key: Admin, owner: Address) -> AdminLane:
        """Return the same for another account."""
        return AdminLane(self._chain, key, owner, self._between_looks, self._looks)

    def nonce(self) -> int:
        return self._chain.nonce(self._owner)

    def steps_from(self, left: Callable[[], list[Step]]) -> tuple[int, list[Step]]:
        """Return the next nonce and what is left to do as the chain stands at that nonce.

        Steps that an interrupted run left in the pool may be mined while the chain is looked at:
        what is left must not be counted from another moment than the nonce.
        """
        for _ in range(_LOOKS_PER_SEND):
            nonce = self.nonce()
            steps = left()
            if self.nonce() == nonce:
                return nonce, steps
        raise ChainUnreachable(f"the admin {self._owner} is at work elsewhere: wait, run it again")

    def send(self, first: int, steps: Sequence[Step]) -> None:
        """Send the steps in order, with the nonces from `first`, and return when all are mined."""
        if not steps:
            return
        chain_id = self._chain.identity().chain_id
        for look in range(self._looks):
            mined = self.nonce() - first
            if mined >= len(steps):
                return
            if look % _LOOKS_PER_SEND == 0:
                self._send_once(steps[mined:], chain_id=chain_id, nonce=first + mined)
            self._between_looks()
        raise ChainUnreachable(f"{len(steps)} steps of the deployment were not mined in time")

    def _send_once(self, steps: Sequence[Step], *, chain_id: int, nonce: int) -> None:
        max_fee_wei = 4 * self._chain.head().base_fee_wei + _TIP_WEI
        raws = [
            sign_eip1559(
                self._key,
                chain_id=chain_id,
                nonce=nonce + place,
                to=step.to,
                data=step.data,
                value=step.value,
                gas_limit=step.gas_limit,
                max_fee_wei=max_fee_wei,
                max_priority_fee_wei=_TIP_WEI,
            )[0]
            for place, step in enumerate(steps)
        ]
        for step, answer in zip(steps, self._chain.send(raws), strict=True):
            if answer.outcome is SendOutcome.NO_GAS_MONEY:
                raise Refused(
                    f"the admin {self._owner} cannot pay to {step.what}: {answer.message}",
                    repair="send it coins for gas, then run this again",
                )
            if answer.outcome is SendOutcome.MALFORMED:
                raise Refused(f"the node does not take the step to {step.what}: {answer.message}")
