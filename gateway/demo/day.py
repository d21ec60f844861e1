"""The trading day: invoices in, payments out, a blocked payee, a reorg, and the books at the end.

Plays the people at the gateway's doors and ticks the worker; every rule is the rail's own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files

from gateway import wiring
from gateway.demo.apart import documents_apart
from gateway.demo.bank_day import BankDay
from gateway.demo.chain_hand import ChainHand
from gateway.demo.daybook import DayBook, DayFailed
from gateway.demo.documents import DemoDocument
from gateway.demo.doors import Doors
from gateway.demo.incidents import BlockedPayee, Incidents
from gateway.demo.oversight import Oversight
from gateway.demo.second_person import approve_what_waits
from gateway.installation import Installation
from gateway.worker import Progress, Worker
from settlement.chain.anvil_controls import AnvilControls

DOCUMENTS = 72
SEED = 20_261_122
SCALE_MAX = 8
TICKS_MAX = 400
_BROKEN = ("wrong-arithmetic.xml", "numbers-for-amounts.json", "external-entity.xml",
           "truncated.pdf")  # fmt: skip
_MEDIA = {"xml": "application/xml", "json": "application/json", "pdf": "application/pdf"}


Accepted = tuple[DemoDocument, str]
"""A document and the id of its invoice."""


@dataclass(slots=True)
class TradingDay:
    """One day on one installation; `say` tells a person what happens."""

    running: Installation
    worker: Worker
    controls: AnvilControls
    say: Callable[[str], None]
    doors: Doors
    incidents: Incidents
    documents: list[DemoDocument]
    book: DayBook = field(default_factory=DayBook)

    @classmethod
    def on(cls, running: Installation, say: Callable[[str], None]) -> TradingDay:
        """Return a day on an installation whose chain mines only when told."""
        controls = AnvilControls(running.settings.rpc_url)
        controls.set_automine(False)
        hand = ChainHand(running.chain, controls, running.sandbox.deployment.chain_id)
        return cls(
            running,
            wiring.worker(running.settings),
            controls,
            say,
            Doors(running.url, running.api_keys),
            Incidents(running, hand, say),
            documents_apart(
                DOCUMENTS, SEED, day=wiring.now().date() - timedelta(days=30), scale_max=SCALE_MAX
            ),
        )

    def play(self) -> DayBook:
        """Play the whole day.

        Raises:
            DayFailed, UnexpectedAnswer: it did not go as it must.
        """
        self._settle_down()
        with self._stage("invoices"):
            made = self._issue()
            self._refuse(made[0])
        with self._stage("acceptance"):
            accepted = self._accept(made)
            self._credit()
        with self._stage("on the chain, past the rail"):
            invoices = [each for each, _ in made]
            blocked = self.incidents.block_a_payee(invoices)
            self.incidents.lower_a_mandate(invoices)
            self.incidents.deposit()
        large, small = self._waves(accepted)
        with self._stage("payment"):
            self._instruct(large)
            self._pay_large()
        with self._stage("reorg"):
            self._pay_small(small)
            self._reorg()
        with self._stage("finality"):
            self._finalize()
        with self._stage("retry"):
            self._retry(blocked)
        with self._stage("oversight"):
            officer = Oversight(self.doors)
            self.book.oversight["blocked"] = officer.block(self._settle_down, self.say)
            self.controls.mine(self.running.settings.finality_confirmations)
            self._settle_down()
            self.book.oversight["overseer_sees"] = officer.supervised(self.say)
        with self._stage("bank"):
            self.book.bank = BankDay(self.running, self.doors, self.say).play()
        self.doors.close()
        return self.book

    def _issue(self) -> list[Accepted]:
        """Exporters hand in their invoices, whatever the format."""
        made = [(each, self._hand_in(each)) for each in self.documents if each.type_code == "380"]
        self.book.invoices = len(made)
        kinds = Counter(each.kind for each, _ in made)
        formats = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        self.say(f"{len(made)} invoices found valid by every rule: {formats}")
        return made

    def _credit(self) -> None:
        """Exporters reduce some of what was accepted."""
        notes = [each for each in self.documents if each.type_code == "381"]
        for each in notes:
            self._hand_in(each)
        self.book.credit_notes = len(notes)
        self.say(f"{len(notes)} credit notes reduce invoices that were accepted")

    def _hand_in(self, document: DemoDocument) -> str:
        answer = self.doors.post(
            f"{document.seller}-exporter",
            "/v1/invoices",
            document.content,
            media_type=document.media_type,
        )
        if not answer.ok:
            raise DayFailed(f"{document.name} was refused: {answer.body}")
        return str(answer.body["id"])

    def _refuse(self, first: Accepted) -> None:
        """Broken documents and a duplicate are refused, with every reason at once."""
        for name in _BROKEN:
            content = (files("gateway.demo") / "documents" / "broken" / name).read_bytes()
            media_type = _MEDIA[name.rpartition(".")[2]]
            answer = self.doors.post(
                "hartwig-exporter", "/v1/invoices", content, media_type=media_type
            )
            if answer.ok:
                raise DayFailed(f"the broken {name} was not refused")
            self.book.refused += 1
            found = ", ".join(answer.rule_ids()[:6]) or answer.body["detail"]
            self.say(f"refused {name}: {answer.status}, {found}")
        document, invoice_id = first
        again = self.doors.post(
            f"{document.seller}-exporter", "/v1/invoices", document.content,
            media_type=document.media_type,
        )  # fmt: skip
        if again.status != 409 or invoice_id not in str(again.body):
            raise DayFailed(f"a duplicate was answered with {again.status} {again.body}")
        self.book.refused += 1
        self.say(f"refused a duplicate: 409, {again.body['detail']}")

    def _accept(self, made: list[Accepted]) -> list[Accepted]:
        """Importers accept what they owe."""
        accepted = []
        for each, invoice_id in made:
            self.doors.must_post(f"{each.buyer}-importer", f"/v1/invoices/{invoice_id}/accept")
            accepted.append((each, invoice_id))
        self.say(f"{len(accepted)} invoices accepted by their debtors")
        return accepted

    def _waves(self, accepted: list[Accepted]) -> tuple[list[Accepted], list[Accepted]]:
        """Return the day's payments, and two small ones of one debtor for the afternoon."""
        groups: dict[tuple[str, str], list[Accepted]] = {}
        for pair in sorted(accepted, key=lambda pair: pair[0].payable_cents):
            groups.setdefault((pair[0].buyer, pair[0].currency), []).append(pair)
        pairs = [group[:2] for group in groups.values() if len(group) > 2]
        small = min(pairs, key=lambda two: sum(each.payable_cents for each, _ in two))
        return [pair for pair in accepted if pair not in small], small

    def _instruct(self, accepted: list[Accepted]) -> None:
        """The treasury instructs all of it, one invoice only in part."""
        for _ in range(3):
            self.worker.tick(wiring.now())  # The lowered mandate is known before it is needed.
        part = next(each for each, _ in accepted if each.currency == "EUR")
        orders: list[dict[str, str]] = []
        for each, invoice_id in accepted:
            half = f"{each.payable_cents // 4:03d}"
            amount = {"amount": f"{half[:-2]}.{half[-2:]}"} if each is part else {}
            orders.append({"invoice_id": invoice_id, **amount})
        made = self.doors.must_post("treasury", "/v1/settlements", {"settlements": orders})
        self.say(f"{len(made['data'])} settlements instructed, {part.number} for one part of it")
        self.book.approved = found = approve_what_waits(self.doors)
        sums = ", ".join(f"{amount} {unit}" for unit, amount in found["totals"].items())
        self.say(
            f"{found['payments']} large ones waited for a second person, not the one who instructed"
            f" them: {found['checker']} approved {sums}"
        )

    def _pay_large(self) -> None:
        """Clear, batch, sign, send; the chain mines; large batches are booked at their depth."""
        total = self._run(lambda done: done.sent > 0 and done.claimed > 0)
        if total.held == 0:
            raise DayFailed("the invoice over the mandate's cap was not held")
        self.say(f"{total.cleared} cleared, {total.held} held, {total.sent} batches sent")
        deepest = max(tier.confirmations for tier in self.running.settings.booking_tiers)
        self.controls.mine(deepest)
        booked = self._run(lambda done: done.booked > 0)
        self.say(f"{deepest} blocks mined, head {booked.head}; {booked.booked} payments booked")

    def _pay_small(self, small: list[Accepted]) -> None:
        """Two small payments in one batch are booked with their first block."""
        orders = [{"invoice_id": invoice_id} for _, invoice_id in small]
        officer, first = Oversight(self.doors), small[0][0]
        limit = officer.refuse_over_a_limit(orders, f"T{first.currency}")
        self.say(f"refused: 409, {limit['refused']}; agreed on and retired by two people")
        made = self.doors.must_post("treasury", "/v1/settlements", {"settlements": orders})["data"]
        asked = officer.ask(made[0], exporter=f"{first.seller}-exporter", today=wiring.now().date())
        self.say(f"{first.number} held by question {asked['inquiry']} until its answer is accepted")
        self.book.oversight = {"limit": limit, "inquiry": asked}
        self._run(lambda done: done.sent > 0)
        self.controls.mine(1)
        booked = self._run(lambda done: done.booked > 0)
        self.say(f"a small batch mined in block {booked.head}; {booked.booked} payments booked")

    def _reorg(self) -> None:
        """Two blocks vanish with booked payments in them; the node forgets the batches."""
        self.controls.mine(1)
        self._run(lambda done: done.new_blocks > 0)
        self.controls.reorg(2)
        undone = self._run(lambda done: done.orphaned_blocks > 0)
        self.book.reorgs += 1
        self.book.reversed_payments = undone.reversed
        if not undone.reversed:
            raise DayFailed("the reorg orphaned no booked payment")
        self.say(f"reorg of two blocks: {undone.reversed} entries reversed, the bytes sent again")
        self.controls.mine(1)
        again = self._run(lambda done: done.booked > 0)
        self.say(f"mined again in block {again.head}; {again.booked} payments booked again")

    def _finalize(self) -> None:
        self.controls.mine(self.running.settings.finality_confirmations)
        settled = self._run(lambda done: done.settled > 0)
        self.say(f"final: {settled.settled} settlements paid for good")

    def _retry(self, blocked: BlockedPayee) -> None:
        """Unblocked, the rejected payments go out again under the sequences they have."""
        page = self.doors.get("treasury", "/v1/settlements?state=REJECTED&limit=100")["data"]
        rejected = {each["id"]: each["sequence"] for each in page}
        if not rejected:
            raise DayFailed("the frozen payee's payments were not rejected")
        said = f"{len(rejected)} payments to {blocked.company} were rejected in their batches"
        self.say(f"{said}: {page[0]['reason']}")
        self.incidents.unblock(blocked)
        for settlement_id in rejected:
            self.doors.must_post("treasury", f"/v1/settlements/{settlement_id}/retry")
        self._settle_down()
        for settlement_id, sequence in rejected.items():
            found = self.doors.get("treasury", f"/v1/settlements/{settlement_id}")
            if (found["state"], found["sequence"]) != ("SETTLED", sequence):
                raise DayFailed(f"{settlement_id} is {found['state']} after its retry")
        self.book.retried = {"payments": len(rejected), "same_sequence": True}
        self.say(f"unfrozen and retried: {len(rejected)} paid under the same sequences")

    def _settle_down(self) -> None:
        """Mine and tick until nothing moves any more."""
        for _ in range(TICKS_MAX):
            progress = self.worker.tick(wiring.now())
            if progress.idle:
                if not self._in_flight():
                    return
                self.controls.mine(1)
        raise DayFailed("the rail did not come to rest")

    def _run(self, until: Callable[[Progress], bool]) -> Progress:
        """Tick until `until` holds of what moved since the call; return the sum."""
        total = Progress()
        for _ in range(TICKS_MAX):
            progress = self.worker.tick(wiring.now())
            for name, count in progress.moved().items():
                setattr(total, name, getattr(total, name) + count)
            total.head = progress.head
            if until(total) and progress.idle:
                return total
        raise DayFailed("the rail did not do what was waited for")

    def _in_flight(self) -> bool:
        states = ("INSTRUCTED", "CLEARED", "CLAIMED", "SUBMITTED", "CONFIRMING", "BOOKED")
        return any(
            self.doors.get("treasury", f"/v1/settlements?state={state}&limit=1")["data"]
            for state in states
        )

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.book.stages[name] = round(time.perf_counter() - began, 3)
