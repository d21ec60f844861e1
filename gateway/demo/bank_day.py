"""The morning after: banks send their statements, and the treasury reconciles and works the breaks.

Plants what goes wrong at banks: a payment that never came, one short of a fee, one booked twice, a
credit that says nothing. Plays the people; every rule is the rail's own.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import text

import settlement
from gateway import wiring
from gateway.demo.bank_file import BankMovement, BankStatement, camt053
from gateway.demo.companies import COMPANIES, company
from gateway.demo.daybook import DayFailed
from gateway.demo.doors import Doors
from gateway.installation import Installation
from settlement import bank, participants, reconciliation
from settlement.bank import NewBankAccount
from settlement.clock import new_id
from settlement.money import format_minor
from settlement.participants import NewParticipant
from settlement.reconciliation import engine as matching
from settlement.reconciliation.engine import rules
from settlement.store import reading, transaction

FEE_MINOR = 15_00
STRAY_MINOR = 5_000_00
_PAYOUTS = (("hartwig", "EUR", "TESTDEFFXXX"), ("alnoor", "AED", "TESTAEADXXX"))
_RESERVE_IBANS = {
    "AED": "AE840330000000000000001", "CNY": "DE23100000000000000002",
    "EUR": "DE93100000000000000003", "INR": "DE66100000000000000004",
    "USD": "DE39100000000000000005",
}  # fmt: skip
_CUSTODIAN = NewParticipant(
    lei="529900RESERVECUST196", name="Rail Reserve Custody AG", country="DE", town="Frankfurt",
)  # fmt: skip
_RULE = b"""
  - id: mint-cover
    title: One transfer of cover for several mints
    between: [[mint], [bank]]
    key: [account]
    cardinality: "N:1"
    days: {before: 10, after: 10}
    group: {members: 6, candidates: 10}
    score: 85
"""
_PAID = text(
    "SELECT s.end_to_end_id, s.claim_minor, i.number, d.name FROM settlement s"
    " JOIN invoice i ON i.id = s.invoice_id JOIN participant d ON d.id = s.debtor_id"
    " WHERE s.creditor_id = :owner AND i.currency = :currency AND s.state = 'SETTLED'"
    " ORDER BY s.id"
)
_MINTED = text(
    "SELECT t.address, t.symbol, t.currency, t.decimals, SUM(l.amount_minor) FROM chain_log l"
    " JOIN token t ON t.address = l.address JOIN block b ON b.hash = l.block_hash AND b.canonical"
    " WHERE l.name = 'Transfer' AND l.debtor = :zero GROUP BY 1, 2, 3, 4 ORDER BY 3"
)
_OPEN_CLAIM = text("SELECT number FROM invoice WHERE state = 'PARTLY_PAID' AND seller_id = :owner")
_PROVABLE = text(
    "SELECT s.invoice_id, i.number FROM settlement s JOIN invoice i ON i.id = s.invoice_id"
    " WHERE s.state = 'SETTLED' AND i.state = 'PAID' ORDER BY s.id LIMIT 1"
)


@dataclass(slots=True)
class BankDay:
    """What banks say of one trading day; `say` tells a person."""

    running: Installation
    doors: Doors
    say: Callable[[str], None]
    now: datetime = field(default_factory=wiring.now)
    found: dict[str, Any] = field(default_factory=dict)

    def play(self) -> dict[str, Any]:
        """Play it; return what it came to.

        Raises:
            DayFailed, UnexpectedAnswer: it did not go as it must.
        """
        day = self.now.date()
        statements = [*self._payouts(day), *self._reserves(day)]
        self._import(statements)
        self._agree_on_a_rule()
        self._reconcile()
        self._attribute()
        self._write_off()
        self._tie_out()
        self._prove()
        return self.found

    def _payouts(self, day: date) -> list[BankStatement]:
        """Exporters have an account each; on one of them the bank's day went wrong."""
        made = []
        for place, (key, currency, bic) in enumerate(_PAYOUTS, 1):
            owner, owner_id = company(key), self._id_of(key)
            self._register(
                NewBankAccount(owner_id, f"{owner.name} {currency}", owner.iban, bic, currency,
                               "payout")
            )  # fmt: skip
            with reading(self.running.engine) as session:
                paid = session.execute(_PAID, {"owner": owner_id, "currency": currency}).all()
            movements = [
                BankMovement(f"{currency}{n:04d}", minor, name, end_to_end_id, number)
                for n, (end_to_end_id, minor, number, name) in enumerate(paid, 1)
            ]
            if place == 1:
                movements = self._spoilt(movements)
            number = f"{key}-{currency}-{day.isoformat()}"
            made.append(BankStatement(number, owner.iban, currency, owner.name, day, 0, movements))
        return made

    def _spoilt(self, movements: list[BankMovement]) -> list[BankMovement]:
        """Lose a payment, keep a fee of the next, book the third twice; one credit says nothing."""
        if len(movements) < 4:
            raise DayFailed("too few payments to plant a bank's troubles among them")
        _lost, short, twice, *others = movements
        return [
            BankMovement(short.reference, short.minor - FEE_MINOR, short.other,
                         short.end_to_end_id, short.remittance, FEE_MINOR),
            twice,
            BankMovement(f"{twice.reference}R", twice.minor, twice.other, twice.end_to_end_id,
                         twice.remittance),
            *others,
            BankMovement("STRAY001", STRAY_MINOR, "J A HOLDING", None, "payment"),
        ]  # fmt: skip

    def _reserves(self, day: date) -> list[BankStatement]:
        """What backs the tokens lies with a custodian, an account for each."""
        with transaction(self.running.engine) as session:
            (owner,) = participants.register(session, [_CUSTODIAN], ids=new_id, now=self.now)
        with reading(self.running.engine) as session:
            minted = session.execute(_MINTED, {"zero": "0x" + "00" * 20}).all()
        made = []
        for token, symbol, currency, decimals, minor in minted:
            iban = _RESERVE_IBANS[currency]
            self._register(
                NewBankAccount(owner, f"reserve of {symbol}", iban, "TESTDEFFXXX", currency,
                               "reserve", token)
            )  # fmt: skip
            cents = int(minor) // 10 ** (decimals - 2)
            movement = BankMovement(f"{symbol}01", cents, "Issuer", None, f"cover of {symbol}")
            number = f"reserve-{symbol}-{day.isoformat()}"
            made.append(BankStatement(number, iban, currency, _CUSTODIAN.name, day, 0, [movement]))
        return made

    def _register(self, account: NewBankAccount) -> None:
        with transaction(self.running.engine) as session:
            bank.register(session, account, ids=new_id, now=self.now)

    def _import(self, statements: list[BankStatement]) -> None:
        """Import every file, the first one twice."""
        entries = 0
        folder = self.running.settings.home / "statements"
        folder.mkdir()
        for each in statements:
            path = folder / f"{each.number}.xml"
            path.write_bytes(camt053(each))
            entries += self._import_file(path).entries
        again = self._import_file(folder / f"{statements[0].number}.xml")
        if again.is_new:
            raise DayFailed("a file that came twice was not recognised")
        bank.post_all(self.running.engine, self.now)
        self.found |= {"statements": len(statements), "entries": entries}
        self.say(
            f"{len(statements)} statements imported with {entries} entries; one file came twice"
            " and was recognised"
        )

    def _import_file(self, path: Path) -> bank.Imported:
        return bank.import_file(
            self.running.engine, path, actor="treasury", ids=new_id, now=self.now
        )

    def _agree_on_a_rule(self) -> None:
        """One transfer covers several mints: a rule for that, agreed on by two people."""
        self.found["matched"] = matching.run(self.running.engine, self.now).matched
        shipped = (files("settlement.reconciliation.engine.rules") / "default.yaml").read_bytes()
        wanted = rules.load(shipped.replace(b"name: as shipped", b"name: with covers") + _RULE)
        with transaction(self.running.engine) as session:
            drafted = matching.draft(session, wanted, actor="treasury", now=self.now)
            matching.approve(session, drafted.version, actor="approver", now=self.now)
        self.found["rule_set"] = drafted.version
        self.say(f"rule set {drafted.version}, one cover for several mints: drafted and approved")

    def _reconcile(self) -> None:
        """Match what is there; the next morning, what did not come is no longer expected."""
        ran = matching.run(self.running.engine, self.now + timedelta(days=1))
        kinds = Counter(str(each["kind"]) for each in self._open())
        self.found["matched"] += ran.matched
        self.found["breaks"] = dict(sorted(kinds.items()))
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        self.say(f"the next morning: {self.found['matched']} matches by rule; open breaks: {told}")

    def _attribute(self) -> None:
        """The treasury says which invoice the stray credit pays."""
        one = self._one("unattributed_bank_credit")
        owner = {"owner": self._id_of(_PAYOUTS[0][0])}
        with reading(self.running.engine) as session:
            number = session.execute(_OPEN_CLAIM, owner).scalar_one()
        self._act(one, "attribute", invoice=number, reason="the payer named it by mail")
        self.found["attributed"] = number
        self.say(f"{format_minor(STRAY_MINOR, 2)} EUR from J A HOLDING attributed to {number}")

    def _write_off(self) -> None:
        """The treasury proposes to write the bank's fee off; another person approves."""
        one = self._one("fee")
        self._act(one, "propose", act="write_off", against="fees",
                  reason="the bank's fee")  # fmt: skip
        proposed = self._get(one["id"])
        agreed = {"version": proposed["version"], "reason": "as agreed with the bank"}
        if self.doors.post("treasury", f"/v1/breaks/{one['id']}/approve", agreed).ok:
            raise DayFailed("who has proposed a write-off could approve it")
        self.doors.must_post("approver", f"/v1/breaks/{one['id']}/approve", agreed)
        self.found["written_off"] = format_minor(FEE_MINOR, 2)
        self.say(f"a fee of {format_minor(FEE_MINOR, 2)} EUR written off by two people")

    def _tie_out(self) -> None:
        """Compare books, chain and banks once more, all of them."""
        with transaction(self.running.engine) as session:
            reconciliation.tie_out_banks(session, self.now)
        with reading(self.running.engine) as session:
            newest = reconciliation.newest_settled_block(session)
        tied = reconciliation.tie_out(self.running.engine, self.running.chain, self.now, newest)
        banks = [row for row in tied.rows if row.bank_minor is not None]
        reserves = [row for row in banks if row.subject.startswith("reserve:")]
        if not reserves or not tied.ties:
            off = [row.subject for row in tied.rows if not row.ties]
            raise DayFailed(f"books, chain and banks do not agree on {off}")
        self.found |= {"tied_out": len(banks), "reserves": len(reserves)}
        self.say(f"{len(banks)} balances at banks tie out, {len(reserves)} of them reserves")

    def _prove(self) -> None:
        """One file shows that an invoice was paid, to anybody who has nothing of ours."""
        with reading(self.running.engine) as session:
            invoice_id, number = session.execute(_PROVABLE).one()
        file = self.running.settings.home / f"{number}.proof.json"
        file.write_bytes(self.doors.download("treasury", f"/v1/invoices/{invoice_id}/proof"))
        checked = _judged(file)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        flipped = file.with_suffix(".flipped")
        flipped.write_bytes(content)
        if not checked or _judged(flipped):
            raise DayFailed("the proof does not hold, or one with another byte does")
        self.found["proof"] = {"invoice": number, "bytes": len(content), "holds": True}
        self.say(f"{number} is proved in {len(content)} bytes; with one byte changed it is not")

    def _id_of(self, key: str) -> str:
        place = [each.key for each in COMPANIES].index(key)
        return self.running.sandbox.participant_ids[place]

    def _open(self) -> list[dict[str, Any]]:
        page = self.doors.get("treasury", "/v1/breaks?is_open=true&limit=100")
        return list(page["data"])

    def _one(self, kind: str) -> dict[str, Any]:
        found = [each for each in self._open() if each["kind"] == kind]
        if len(found) != 1:
            raise DayFailed(f"{len(found)} breaks are {kind}, one was planted")
        return self._get(found[0]["id"])

    def _get(self, break_id: str) -> dict[str, Any]:
        return dict(self.doors.get("treasury", f"/v1/breaks/{break_id}"))

    def _act(self, one: dict[str, Any], name: str, **body: str) -> None:
        asked = {"version": one["version"], **body}
        self.doors.must_post("treasury", f"/v1/breaks/{one['id']}/{name}", asked)


def _judged(file: Path) -> bool:
    """Ask the stand-alone checker, which needs neither database nor network."""
    checker = Path(settlement.__file__).parent / "verify" / "proof_standalone.py"
    ran = subprocess.run(
        [sys.executable, str(checker), str(file)], capture_output=True, check=False
    )
    return ran.returncode == 0
