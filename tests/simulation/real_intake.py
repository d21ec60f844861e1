"""Invoices brought in over HTTP by real companies, and each answer kept, to be asked again.

A request without an answer is sent again with its key until one comes; the gateway may die.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2
import orjson

from tests.gateway.builders import a_json_invoice
from tests.invoices.builders import an_lei
from tests.simulation.real_lives import Lives
from tests.simulation.real_patience import Patience

ANSWER_SECONDS = 30
_TRADES = (
    # Who sells, who buys, in what: several debtors and tokens make several batches.
    ("exporter", "seller", "importer", "buyer", "USD"),
    ("exporter", "seller", "importer", "buyer", "EUR"),
    ("stranger", "stranger", "importer", "buyer", "USD"),
    ("stranger", "stranger", "seller-importer", "seller", "AED"),
)


class NoAnswer(Exception):
    """A gateway that lives did not answer a request in time."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A write that was acknowledged."""

    who: str
    path: str
    body: bytes
    status: int
    content: bytes


@dataclass
class Intake:
    """The companies' side: what they asked for and what they were told."""

    lives: Lives
    draw: Random
    name: str
    """Part of every key and number, so that no other schedule has them."""
    answered: dict[str, Answered] = field(default_factory=dict)
    paid_minor: dict[tuple[str, str], int] = field(default_factory=dict)
    """What (creditor's side, currency) is to receive in cents, of all that was instructed."""
    instructed: int = 0
    _client: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=20))

    def pay(self, count: int) -> None:
        """Issue, accept and instruct so many invoices; the large ones are booked later."""
        for _ in range(count):
            exporter, seller, importer, buyer, currency = self.draw.choice(_TRADES)
            cents = self.draw.choice((self.draw.randint(1_00, 9_999_99), 150_000_00))
            amount = f"{cents // 100}.{cents % 100:02}"
            number = f"N-{self.name}-{len(self.answered)}"
            invoice = a_json_invoice(
                number, amount, currency=currency, seller=_party(seller), buyer=_party(buyer)
            )
            made = self.ask(exporter, "/v1/invoices", invoice)
            self.ask(importer, f"/v1/invoices/{made['id']}/accept", {})
            self.ask(importer, "/v1/settlements", {"invoice_id": made["id"]})
            side = (seller, currency)
            self.paid_minor[side] = self.paid_minor.get(side, 0) + cents
            side = (buyer, currency)
            self.paid_minor[side] = self.paid_minor.get(side, 0) - cents
            self.instructed += 1

    def ask(self, who: str, path: str, body: Any) -> Any:
        """Send until there is an answer; return it, read.

        Raises:
            NoAnswer: none came in time.
        """
        key, content = f"key-{self.name}-{len(self.answered)}", orjson.dumps(body)
        patience = Patience(ANSWER_SECONDS)
        found = None
        while patience.lasts():
            found = self._send(who, path, content, key)
            if found is not None and found.is_success:
                self.answered[key] = Answered(who, path, content, found.status_code, found.content)
                return orjson.loads(found.content)
            if found is not None and found.status_code < 500 and found.status_code != 409:
                raise NoAnswer(f"{path} was refused: {found.status_code} {found.content[:300]!r}")
            if not self.lives.is_alive("gateway"):
                self.lives.start("gateway")
            self.lives.look(0.01)
        said = "none" if found is None else f"{found.status_code} {found.content[:300]!r}"
        raise NoAnswer(f"{path} had no answer within {ANSWER_SECONDS} s; the last: {said}")

    def lost(self) -> list[str]:
        """Send every acknowledged write again; return those that are answered otherwise now."""
        wrong = []
        for key, before in self.answered.items():
            found = None
            patience = Patience(ANSWER_SECONDS)
            while found is None and patience.lasts():
                found = self._send(before.who, before.path, before.body, key)
                if found is None:
                    self.lives.look(0.01)
            if found is None or (found.status_code, found.content) != (
                before.status,
                before.content,
            ):
                said = None if found is None else (found.status_code, found.content[:200])
                wrong.append(f"I5/I6: {key} {before.path} is now answered by {said}")
        return wrong

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, who: str, path: str, content: bytes, key: str) -> httpx2.Response | None:
        rail = self.lives.rail
        headers = {
            "Authorization": f"Bearer {rail.api_keys[who]}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        }
        url = f"http://127.0.0.1:{rail.port}{path}"
        try:
            return self._client.post(url, content=content, headers=headers)
        except httpx2.TransportError:
            return None


def _party(side: str) -> dict[str, Any]:
    return {
        "name": side,
        "lei": an_lei(f"5299{side}"),
        "vat_id": "DE129274202",
        "address": {"country": "DE", "city": "Hamburg"},
    }
