"""What happens on the chain past the rail: a payee blocked, a mandate lowered, a stray deposit.

Acts with the keys of issuers and companies; the rail learns of it from the chain alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.demo.chain_hand import ChainHand
from gateway.demo.companies import COMPANIES
from gateway.demo.daybook import DayFailed
from gateway.demo.documents import DemoDocument
from gateway.installation import Installation
from settlement.chain.port import Address
from settlement.chain.signing import KeyPair

_MANDATE_DAYS = 30


@dataclass(frozen=True, slots=True)
class BlockedPayee:
    """A company whose wallet the issuer of one currency's token has frozen."""

    currency: str
    company: str


@dataclass(frozen=True, slots=True)
class Incidents:
    """What people do on one installation's chain themselves; `say` tells a person of it."""

    running: Installation
    hand: ChainHand
    say: Callable[[str], None]

    def block_a_payee(self, invoices: Sequence[DemoDocument]) -> BlockedPayee:
        """Let a token's issuer freeze one payee, who shares a batch with another.

        Raises:
            DayFailed: no batch of these invoices would have two payees.
        """
        payees: dict[tuple[str, str], set[str]] = {}
        for each in invoices:
            payees.setdefault((each.buyer, each.currency), set()).add(each.seller)
        (_, currency), sellers = max(payees.items(), key=lambda item: len(item[1]))
        if len(sellers) < 2:
            raise DayFailed("no batch of the day has two payees")
        blocked = BlockedPayee(currency, sorted(sellers)[0])
        self.hand.freeze(
            self.running.sandbox.admin, self._token(currency), self._keys(blocked.company).address
        )
        self.say(f"the issuer of T{currency} freezes {blocked.company}'s wallet")
        return blocked

    def unblock(self, blocked: BlockedPayee) -> None:
        """Let the issuer give the payee its wallet back."""
        self.hand.unfreeze(
            self.running.sandbox.admin,
            self._token(blocked.currency),
            self._keys(blocked.company).address,
        )

    def lower_a_mandate(self, invoices: Sequence[DemoDocument]) -> None:
        """Let one debtor lower its mandate below one of its invoices."""
        rupees = [each for each in invoices if each.currency == "INR"]
        dearest = max(rupees, key=lambda each: each.payable_cents)
        cap = int(dearest.payable.partition(".")[0]) * 10**6 * 3 // 4
        expiry = self.running.chain.head().timestamp + _MANDATE_DAYS * 86_400
        rail = self.running.sandbox.deployment.rail
        self.hand.set_mandate(self._keys(dearest.buyer), rail, self._token("INR"), cap, expiry)
        self.say(f"{dearest.buyer} lowers its TINR mandate below {dearest.number}")

    def deposit(self) -> None:
        """Let somebody send money that nobody instructed."""
        payee = self._keys("lingyun").address
        self.hand.transfer(self._keys("kaveri"), self._token("EUR"), payee, 1_234_560_000)
        self.say("kaveri sends lingyun 1234.56 TEUR past the rail")

    def _token(self, currency: str) -> Address:
        return self.running.sandbox.deployment.token(f"T{currency}").address

    def _keys(self, company: str) -> KeyPair:
        place = [each.key for each in COMPANIES].index(company)
        return self.running.sandbox.wallets[place]
